//! What the binary says about itself: profiles, schemas, completions.

use crate::binary::Folder;

#[test]
fn every_built_in_profile_is_listed_and_printed() {
    let folder = Folder::new();
    let list = folder.run(["profiles"]).exits(0).stdout;
    let names: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for name in
        ["quickstart", "three-tier-cache", "rate-limit-fallback", "no-pool", "pooled", "ci-smoke", "open-provider"]
    {
        assert!(names.contains(&name), "{name} is not in {list}");
        let text = folder.run(["profiles", name]).exits(0).stdout;
        assert!(text.starts_with('#'), "{name} does not begin with what it is for");
    }
}

#[test]
fn a_printed_profile_runs_as_the_built_in_does() {
    let folder = Folder::new();
    let text = folder.run(["profiles", "quickstart"]).exits(0).stdout;
    std::fs::write(folder.path("mine.toml"), text).unwrap();
    let short = ["-z", "1s", "--set", "load.warmup=0s", "--set", "expect=[]", "--json"];
    let of = |name: &str| folder.run(["run", name].iter().chain(&short)).json();
    let (mine, builtin) = (of("mine.toml"), of("quickstart"));
    assert_eq!(mine["profile"], builtin["profile"]);
    assert_eq!(mine["load"]["planned"], builtin["load"]["planned"], "the same seed plans the same arrivals");
    assert_eq!(mine["load"]["failed"], 0);
}

#[test]
fn schemas_are_json_schemas_and_completions_name_the_commands() {
    let folder = Folder::new();
    for kind in ["profile", "report", "check", "compare", "diff"] {
        let schema = folder.run(["schema", kind]).exits(0).json();
        jsonschema::meta::validate(&schema).unwrap();
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = folder.run(["completions", shell]).exits(0).stdout;
        assert!(
            ["gatebench", "sweep", "compare", "diff", "check", "profiles"].iter().all(|word| script.contains(word)),
            "{shell}"
        );
    }
    assert!(folder.run(["--version"]).exits(0).stdout.starts_with("gatebench "));
}
