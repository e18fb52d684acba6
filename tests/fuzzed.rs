//! What the fuzz targets hold of arbitrary bytes, held of their seeds: the recorded streams and answers.

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::path::{Path, PathBuf};

fn seeds(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).expect("the folder of seeds can be read").map(|file| file.unwrap().path());
    let files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == ending)).collect();
    files.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn the_recorded_streams_hold_what_is_fuzzed_for() {
    let seeds = seeds("tests/streams", "sse");
    assert!(seeds.len() > 100);
    seeds.iter().for_each(|stream| fuzz::stream::holds(stream));
}

#[test]
fn the_recorded_answers_hold_what_is_fuzzed_for() {
    let seeds = seeds("tests/gateways", "http");
    assert!(seeds.len() > 30);
    seeds.iter().for_each(|answer| fuzz::answer::holds(answer));
}
