//! The HTML report in a browser, where there is one.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::binary::{Folder, SHORT};

/// What the browser had to say of a page; `None` without a browser that runs here.
fn console(folder: &Folder, page: &Path) -> Option<Vec<String>> {
    let profile = format!("--user-data-dir={}", folder.path("browser").display());
    let quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"];
    let mut browser = Command::new("chromium");
    browser.args(quiet).args(["--enable-logging=stderr", "--timeout=20000", "--dump-dom", &profile]).arg(page);
    let done = browser.stdin(Stdio::null()).output().ok().filter(|done| done.status.success())?;
    assert!(String::from_utf8_lossy(&done.stdout).contains("</html>"), "it shows no page");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    Some(said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect())
}

#[test]
fn a_browser_has_nothing_to_complain_of_and_would_be_kept_from_loading_anything() {
    let folder = Folder::with(SHORT);
    folder.run(["run", "profile.toml", "--quiet", "--out", "r.html"]).ran();
    let Some(said) = console(&folder, &folder.path("r.html")) else {
        eprintln!("skipped: no chromium runs here");
        return;
    };
    assert_eq!(said, [""; 0]);
    let page = std::fs::read_to_string(folder.path("r.html")).unwrap();
    let loading = page.replace("</main>", "<img src=\"http://127.0.0.1:9/x.png\"/><script>1</script></main>");
    std::fs::write(folder.path("loading.html"), loading).unwrap();
    let said = console(&folder, &folder.path("loading.html")).unwrap();
    assert!(said.iter().filter(|line| line.contains("Content Security Policy")).count() >= 2, "{said:?}");
}
