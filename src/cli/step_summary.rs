//! The page of a GitHub Actions step: what a command found is appended to it, without being asked.

use std::fs::OpenOptions;
use std::io::Write;

/// The file that becomes the page; set by the runner.
const VARIABLE: &str = "GITHUB_STEP_SUMMARY";

/// A page that cannot be written is told of, and changes no verdict: nobody asked for it by name.
pub fn append(markdown: impl FnOnce() -> String) {
    let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) else { return };
    let file = OpenOptions::new().append(true).create(true).open(&path);
    // An empty line, so that it begins a paragraph whatever stood there.
    if let Err(error) = file.and_then(|mut file| file.write_all(format!("\n{}", markdown()).as_bytes())) {
        eprintln!("warning: ${VARIABLE}: {}: {error}", path.display());
    }
}
