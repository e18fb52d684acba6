//! The jobs of docs/ci.md: YAML whose shell lines are shell, and whose commands the binary takes.

use std::process::Command;

use clap::Parser;
use gatebench::cli::Cli;
use yaml_rust2::{Yaml, YamlLoader};

const PAGE: &str = include_str!("../../docs/ci.md");
const JOBS: [&str; 6] = [
    include_str!("../../docs/ci/github.yml"),
    include_str!("../../docs/ci/gitlab.yml"),
    include_str!("../../docs/ci/github-diff.yml"),
    include_str!("../../docs/ci/gitlab-diff.yml"),
    include_str!("../../docs/ci/github-baseline.yml"),
    include_str!("../../docs/ci/gitlab-baseline.yml"),
];

/// The shell text of a job: what stands under `run` and `script`.
fn scripts(yaml: &Yaml, found: &mut Vec<String>) {
    match yaml {
        Yaml::Hash(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    (Some("run"), Yaml::String(text)) => found.push(text.clone()),
                    (Some("script"), Yaml::Array(lines)) => {
                        let lines = lines.iter().map(|line| line.as_str().expect("a script's line is text"));
                        // One shell runs them all.
                        found.push(lines.collect::<Vec<_>>().join("\n"));
                    }
                    _ => scripts(value, found),
                }
            }
        }
        Yaml::Array(items) => items.iter().for_each(|item| scripts(item, found)),
        _ => {}
    }
}

fn scripts_of(job: &str) -> Vec<String> {
    let mut found = Vec::new();
    YamlLoader::load_from_str(job).unwrap().iter().for_each(|document| scripts(document, &mut found));
    found
}

/// The words of the script's calls of gatebench, as a shell makes them.
fn calls(script: &str) -> Vec<Vec<String>> {
    let others = "cargo() { :; }; mkdir() { :; }; gh() { :; }; git() { :; }";
    // A profile need not lie at the repository's root.
    let told = format!(
        "set -e; PROFILE=ci/gateway.toml; gatebench() {{ printf '%s\\t' gatebench \"$@\"; echo; }}; {others}\n{script}"
    );
    // What a script writes is written elsewhere.
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("ci")).unwrap();
    let output = Command::new("sh").args(["-c", &told]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| line.trim_end_matches('\t').split('\t').map(str::to_owned).collect()).collect()
}

#[test]
fn every_command_of_the_jobs_is_one_that_the_binary_takes() {
    for job in JOBS {
        let calls: Vec<_> = scripts_of(job).iter().flat_map(|script| calls(script)).collect();
        assert!(!calls.is_empty(), "no call of gatebench in {job}");
        for call in calls {
            Cli::try_parse_from(&call).unwrap_or_else(|error| panic!("{call:?}: {error}"));
        }
    }
}

#[test]
fn gitlab_is_shown_the_file_that_its_job_writes() {
    for (job, name) in [(JOBS[1], "gatebench"), (JOBS[3], "gatebench diff"), (JOBS[5], "gatebench baseline")] {
        let shown = &YamlLoader::load_from_str(job).unwrap()[0][name]["artifacts"]["reports"]["junit"];
        let shown = shown.as_str().unwrap();
        assert!(scripts_of(job).iter().flat_map(|script| calls(script)).flatten().any(|word| word == shown), "{name}");
    }
}

#[test]
fn the_page_shows_the_jobs_as_they_are() {
    for job in JOBS {
        assert!(PAGE.contains(&format!("```yaml\n{job}```")), "docs/ci.md does not quote {job}");
    }
}
