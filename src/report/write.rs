//! Report -> file, whole or not at all. Must not know what the figures mean.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::shape::Report;

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("{}: no report format for {ending}; supported: .json, .html", path.display())]
    Ending { path: PathBuf, ending: String },
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
}

impl Format {
    /// Whether a report can be written there, as far as it can be known before a run: its ending and its directory.
    pub fn of(path: &Path) -> Result<Self, WriteError> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
            return Err(WriteError::NoDirectory { path: path.into(), parent: parent.into() });
        }
        match path.extension().and_then(|ending| ending.to_str()).unwrap_or_default() {
            ending if ending.eq_ignore_ascii_case("json") => Ok(Self::Json),
            ending if ending.eq_ignore_ascii_case("html") => Ok(Self::Html),
            "" => Err(WriteError::Ending { path: path.into(), ending: "a name without an ending".into() }),
            ending => Err(WriteError::Ending { path: path.into(), ending: format!("\".{ending}\"") }),
        }
    }
}

/// Writes the report in the format its ending asks for.
pub fn write(path: &Path, report: &Report) -> Result<(), WriteError> {
    match Format::of(path)? {
        Format::Json => write_text(path, &json(report)),
        Format::Html => write_text(path, &super::html::html(report)),
    }
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
    let mut text = serde_json::to_string_pretty(report).expect("a report's keys are strings");
    text.push('\n');
    text
}
