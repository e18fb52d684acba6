//! File -> report of a run. Must not know what it is read for.

use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;

use super::shape::Report;

#[derive(Debug, Error)]
pub enum ReadError {
    #[error("{}: cannot be read: {why}", path.display())]
    Io { path: PathBuf, why: std::io::Error },
    #[error("{}: is no JSON ({why}); name a report that `gatebench run … --out FILE.json` wrote", path.display())]
    NotJson { path: PathBuf, why: serde_json::Error },
    #[error("{}: is {found}, not the report of a run ({}); name one that `gatebench run … --out FILE.json` wrote", path.display(), Report::SCHEMA)]
    NotAReport { path: PathBuf, found: String },
    #[error("{}: has no report that this version can read: {why}", path.display())]
    Shape { path: PathBuf, why: serde_json::Error },
}

/// A report as `--out FILE.json` or `--json` wrote it.
pub fn read(path: &Path) -> Result<Report, ReadError> {
    let text = std::fs::read_to_string(path).map_err(|why| ReadError::Io { path: path.into(), why })?;
    let json: Value = serde_json::from_str(&text).map_err(|why| ReadError::NotJson { path: path.into(), why })?;
    match json.get("schema").and_then(Value::as_str) {
        Some(Report::SCHEMA) => serde_json::from_value(json).map_err(|why| ReadError::Shape { path: path.into(), why }),
        Some(other) => Err(ReadError::NotAReport { path: path.into(), found: format!("\"{other}\"") }),
        None => Err(ReadError::NotAReport { path: path.into(), found: "JSON without a schema of gatebench's".into() }),
    }
}
