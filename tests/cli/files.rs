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
    let sweep = ["sweep", "profile.toml", "--set", "load.users=2,4", "--out", "s.xml"];
    folder.run(sweep).refused_with(&["s.xml: no report format for \".xml\"; supported: .json"]);
}
