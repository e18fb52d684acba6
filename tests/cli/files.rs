//! The files of `--out`: each ending gets its format, of one and the same run.

use roxmltree::Document;

use crate::binary::{Folder, SHORT};

#[test]
fn each_ending_gets_its_format_of_the_same_run() {
    let folder = Folder::with(SHORT);
    let outs = ["r.json", "r.csv", "r.XML"].map(|name| ["--out", name]).concat();
    let expect = ["--expect", "max < 1ms", "--expect", "errors < 1%"];
    let done = folder.run_validly(["run", "profile.toml"].iter().chain(&expect).chain(&outs)).exits(99);
    assert!(done.stdout.contains("hit rate"), "no summary: {}", done.stdout);
    let report = folder.read_json("r.json");

    let mut series = csv::Reader::from_path(folder.path("r.csv")).unwrap();
    let succeeded = series.headers().unwrap().iter().position(|name| name == "succeeded").unwrap();
    let sum: u64 = series.records().map(|row| row.unwrap()[succeeded].parse::<u64>().unwrap()).sum();
    assert_eq!(report["load"]["succeeded"], sum);

    let xml = std::fs::read_to_string(folder.path("r.XML")).unwrap();
    let document = Document::parse(&xml).unwrap();
    let failures: Vec<_> = document.descendants().filter(|node| node.has_tag_name("failure")).collect();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].parent().unwrap().attribute("name"), Some("max < 1ms"));
    assert_eq!(document.root_element().attribute("tests"), Some("4"));
}

#[test]
fn a_sweep_refuses_the_formats_of_a_run_before_anything_is_sent() {
    let folder = Folder::with(SHORT);
    let sweep = ["sweep", "profile.toml", "--set", "load.users=2,4", "--out", "s.html"];
    folder.run(sweep).refused_with(&["s.html: no report format for \".html\"; supported: .json .csv .md .xml"]);
}

#[test]
fn a_step_of_github_actions_gets_a_page_with_each_run_on_it() {
    let folder = Folder::with(SHORT);
    let page = folder.path("page.md");
    std::fs::write(&page, "# before").unwrap();
    let on_page = |command: &mut assert_cmd::Command| _ = command.env("GITHUB_STEP_SUMMARY", &page);
    folder.run_with(["run", "profile.toml", "--quiet", "--out", "r.md"], on_page).ran();
    let on_page = |command: &mut assert_cmd::Command| _ = command.env("GITHUB_STEP_SUMMARY", &page);
    folder.run_with(["sweep", "profile.toml", "--set", "load.users=2,4", "-n", "40", "--out", "s.md"], on_page);
    let [run, sweep] = ["r.md", "s.md"].map(|name| std::fs::read_to_string(folder.path(name)).unwrap());
    assert!(run.contains("hit rate") && sweep.contains("every value"));
    assert_eq!(std::fs::read_to_string(&page).unwrap(), format!("# before\n{run}\n{sweep}"));
}

#[test]
fn a_page_that_cannot_be_written_is_told_of_and_changes_no_verdict() {
    let folder = Folder::with(SHORT);
    let nowhere = |command: &mut assert_cmd::Command| _ = command.env("GITHUB_STEP_SUMMARY", "absent/page.md");
    let done = folder.run_with(["run", "profile.toml"], nowhere).ran();
    done.stderr_has(&["warning: $GITHUB_STEP_SUMMARY: absent/page.md: "]);
    let unset = |command: &mut assert_cmd::Command| _ = command.env("GITHUB_STEP_SUMMARY", "");
    assert!(!folder.run_with(["run", "profile.toml"], unset).ran().stderr.contains("SUMMARY"));
}
