//! File -> report. Must not know what is done with it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::shape::Report;

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{}: cannot read the report: {why}", path.display())]
    Io { path: PathBuf, why: std::io::Error },
    #[error("{}: is no report of a run, which `gatebench run … --out x.json` writes: {why}", path.display())]
    NoReport { path: PathBuf, why: String },
}

/// The report that a JSON file holds.
pub fn read(path: &Path) -> Result<Report, ReadError> {
    let text = std::fs::read_to_string(path).map_err(|why| ReadError::Io { path: path.into(), why })?;
    parse(&text).map_err(|why| ReadError::NoReport { path: path.into(), why })
}

fn parse(text: &str) -> Result<Report, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON ({error})"))?;
    match value.get("schema").and_then(Value::as_str) {
        Some(Report::SCHEMA) => serde_json::from_value(value).map_err(|error| error.to_string()),
        Some(other) => Err(format!("its schema is {other}, not {}", Report::SCHEMA)),
        None => Err("it names no schema".to_owned()),
    }
}
