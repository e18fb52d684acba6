//! Report -> file, whole or not at all. Must not know what the figures mean.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::compared::{self, ComparedSweep};
use super::csv::csv;
use super::html::{self, html};
use super::junit::junit;
use super::markdown::{markdown, of_sweep};
use super::shape::Report;
use super::sweep::{self, Sweep};
use crate::compare::Comparison;

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("{}: no report format for {ending}; supported: {supported}", path.display())]
    Ending { path: PathBuf, ending: String, supported: String },
    #[error("{}: the directory {} does not exist; create it first (mkdir -p {})", path.display(), parent.display(), parent.display())]
    NoDirectory { path: PathBuf, parent: PathBuf },
    #[error("{}: cannot write the report: {why}", path.display())]
    Io { path: PathBuf, why: std::io::Error },
}

/// What a file's ending asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Html,
    Csv,
    Markdown,
    JUnit,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Markdown => "md",
            Self::JUnit => "xml",
        }
    }
}

/// How a result is put in a format.
type Put<R> = fn(&R) -> String;

/// A result that has formats.
pub trait Formats: Sized + 'static {
    const FORMATS: &'static [(Format, Put<Self>)];
}

impl Formats for Report {
    const FORMATS: &'static [(Format, Put<Self>)] = &[
        (Format::Json, json),
        (Format::Html, html),
        (Format::Csv, csv),
        (Format::Markdown, markdown),
        (Format::JUnit, junit),
    ];
}

impl Formats for Sweep {
    const FORMATS: &'static [(Format, Put<Self>)] = &[
        (Format::Json, |sweep| format!("{:#}\n", sweep.json())),
        (Format::Csv, sweep::csv),
        (Format::Markdown, of_sweep),
        (Format::JUnit, sweep::junit),
    ];
}

impl Formats for Comparison {
    const FORMATS: &'static [(Format, Put<Self>)] = &[
        (Format::Json, pretty),
        (Format::Html, html::compared::html),
        (Format::Csv, compared::csv),
        (Format::Markdown, compared::markdown),
        (Format::JUnit, compared::junit),
    ];
}

impl Formats for ComparedSweep {
    const FORMATS: &'static [(Format, Put<Self>)] = &[
        (Format::Json, Self::json),
        (Format::Html, html::compared::of_sweep),
        (Format::Csv, Self::csv),
        (Format::Markdown, compared::of_sweep),
        (Format::JUnit, Self::junit),
    ];
}

/// Whether such a result can be written there, as far as it can be known before a run: the path's ending and directory.
pub fn check_path<R: Formats>(path: &Path) -> Result<(), WriteError> {
    put_by_ending::<R>(path).map(drop)
}

fn put_by_ending<R: Formats>(path: &Path) -> Result<Put<R>, WriteError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
        return Err(WriteError::NoDirectory { path: path.into(), parent: parent.into() });
    }
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let found = R::FORMATS.iter().find(|(format, _)| ending.eq_ignore_ascii_case(format.ending()));
    found.map(|(_, put)| *put).ok_or_else(|| WriteError::Ending {
        path: path.into(),
        ending: if ending.is_empty() { "a name without an ending".into() } else { format!("\".{ending}\"") },
        supported: R::FORMATS.iter().map(|(format, _)| format!(".{}", format.ending())).collect::<Vec<_>>().join(" "),
    })
}

/// Writes the result in the format that the path's ending asks for.
pub fn write<R: Formats>(path: &Path, result: &R) -> Result<(), WriteError> {
    write_text(path, &put_by_ending::<R>(path)?(result))
}

/// A reader sees the old file or the whole new one.
pub fn write_text(path: &Path, text: &str) -> Result<(), WriteError> {
    let failed = |why| WriteError::Io { path: path.to_owned(), why };
    // A rename needs the same file system, hence the same directory. Devices and pipes are written to as they are.
    if path.exists() && !path.is_file() {
        return std::fs::write(path, text).map_err(failed);
    }
    // A link stays a link.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = new_file(parent).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.persist(&path).map_err(|why| failed(why.error))?;
    Ok(())
}

/// With the permissions that any new file gets, not those of a private temporary one.
fn new_file(parent: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".gatebench-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(parent)
}

/// As `--json` prints it.
pub fn json(report: &Report) -> String {
    pretty(report)
}

/// As `--json` prints a result of any kind: every kind has it.
pub fn as_json<R: Formats>(result: &R) -> String {
    let json = R::FORMATS.iter().find(|(format, _)| *format == Format::Json);
    json.map_or_else(String::new, |(_, put)| put(result))
}

pub(super) fn pretty(result: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(result).expect("a result's keys are strings");
    text.push('\n');
    text
}
