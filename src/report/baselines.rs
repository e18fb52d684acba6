//! Baselines: reports kept by name, for later runs to be held against. Must not know how reports are compared.
//!
//! `.gatebench/baselines/NAME.json` below the working directory, so that a team can commit them beside its profiles.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use comfy_table::{CellAlignment, Table, TableStyle};

use super::read::{ReadError, read};
use super::shape::Report;
use super::text;
use super::text::format::{count, digits3, ms, percent};
use super::validity::unsound;
use super::write::{WriteError, json, write_text};
use crate::metrics::{Stop, ratio};

/// Where they are, unless another directory is named.
pub const DIRECTORY: &str = ".gatebench/baselines";
/// Characters that a name may have.
const LONGEST: usize = 64;

#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    #[error(
        "{0:?} cannot name a baseline: write at most {LONGEST} letters, digits, `-`, `_` and `.`, the first a letter or a digit"
    )]
    Name(String),
    #[error("there is no baseline {name} in {}; {mend}", directory.display())]
    Missing { name: Name, directory: PathBuf, mend: String },
    #[error("no baseline can be kept in {}: {why}", directory.display())]
    Directory { directory: PathBuf, why: String },
    #[error("not kept as a baseline: {0}")]
    Unfit(String),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A baseline's: never a path that leads elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl FromStr for Name {
    type Err = BaselineError;

    fn from_str(text: &str) -> Result<Self, BaselineError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        match begins_well && text.len() <= LONGEST && text.chars().all(allowed) {
            true => Ok(Self(text.to_owned())),
            false => Err(BaselineError::Name(text.to_owned())),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A directory of baselines, which need not exist yet.
#[derive(Clone, Debug)]
pub struct Baselines {
    directory: PathBuf,
}

impl Baselines {
    pub fn at(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    pub fn path(&self, name: &Name) -> PathBuf {
        self.directory.join(format!("{name}.json"))
    }

    /// In the order of their names; nothing where there is no directory.
    pub fn names(&self) -> Result<Vec<Name>, BaselineError> {
        let entries = match std::fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.unusable(&error)),
        };
        let name = |file: std::ffi::OsString| file.to_str()?.strip_suffix(".json")?.parse().ok();
        let mut names: Vec<_> = entries.filter_map(|entry| name(entry.ok()?.file_name())).collect();
        names.sort();
        Ok(names)
    }

    pub fn load(&self, name: &Name) -> Result<Report, BaselineError> {
        if !self.path(name).exists() {
            return Err(self.missing(name)?);
        }
        Ok(read(&self.path(name))?)
    }

    /// Keeps the report of a run that others may be held against.
    pub fn save(&self, name: &Name, report: &Report) -> Result<Saved, BaselineError> {
        if let Some(why) = unfit(report) {
            return Err(BaselineError::Unfit(why));
        }
        let path = self.path(name);
        let replaced = path.exists().then(|| read(&path).ok().map(|report| report.run.started_at));
        std::fs::create_dir_all(&self.directory).map_err(|error| self.unusable(&error))?;
        write_text(&path, &json(report))?;
        Ok(Saved { path, replaced })
    }

    pub fn remove(&self, name: &Name) -> Result<PathBuf, BaselineError> {
        let path = self.path(name);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(path),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(self.missing(name)?),
            Err(error) => Err(self.unusable(&error)),
        }
    }

    /// Whether one can be kept there, as far as that can be known before a run.
    pub fn check(&self) -> Result<(), BaselineError> {
        let there = self.directory.ancestors().find(|path| path.exists());
        match there.filter(|path| !path.is_dir()) {
            Some(file) => Err(self.unusable(&format!("{} is no directory", file.display()))),
            None => Ok(()),
        }
    }

    /// A row for each, with what it measured.
    pub fn table(&self) -> Result<String, BaselineError> {
        let mut table = Table::new();
        table.load_style(TableStyle::new());
        table.set_header(["baseline", "n", "p50", "p99", "QPS", "errors", "hit rate", "made", "what was run"]);
        for column in table.column_iter_mut().skip(1).take(6) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        for name in self.names()? {
            table.add_row(match self.load(&name) {
                Ok(report) => row(&name, &report),
                Err(error) => unreadable(&name, &error),
            });
        }
        let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        Ok(lines.join("\n") + "\n")
    }

    fn missing(&self, name: &Name) -> Result<BaselineError, BaselineError> {
        let names: Vec<_> = self.names()?.iter().map(Name::to_string).collect();
        let mend = match names.is_empty() {
            true => format!("there is none yet: `gatebench run PROFILE --save-baseline {name}` keeps one"),
            false => format!("there are: {}", names.join(", ")),
        };
        Ok(BaselineError::Missing { name: name.clone(), directory: self.directory.clone(), mend })
    }

    fn unusable(&self, why: &dyn fmt::Display) -> BaselineError {
        BaselineError::Directory { directory: self.directory.clone(), why: why.to_string() }
    }
}

/// Where a baseline was kept, and in whose place.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    pub path: PathBuf,
    /// When the run in it was made, if a baseline was replaced and could be read.
    pub replaced: Option<Option<String>>,
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kept as a baseline: {}", self.path.display())?;
        match &self.replaced {
            None => Ok(()),
            Some(Some(at)) => write!(f, ", in place of the run of {at}"),
            Some(None) => write!(f, ", in place of a file that was no report"),
        }
    }
}

/// Why a run is not to be held against another, nor another against it.
pub fn unfit(report: &Report) -> Option<String> {
    // One of the workbench is of no plan that could be carried out again.
    let midst = (report.run.stop == Stop::Quit).then(|| "was not at its end".to_owned());
    let why = midst.or_else(|| unsound(report).into_iter().next())?;
    Some(format!("the run {why}"))
}

fn row(name: &Name, report: &Report) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let (load, response) = (&report.load, report.latency_ms.response.as_ref());
    vec![
        name.to_string(),
        count(load.succeeded),
        or_dash(response.map(|summary| ms(summary.p50))),
        or_dash(response.map(|summary| ms(summary.p99))),
        or_dash(load.qps.map(digits3)),
        or_dash(ratio(load.failed, load.succeeded + load.failed).map(percent)),
        or_dash(report.hit_rate.map(percent)),
        report.run.started_at.chars().take("2026-11-23T02:00".len()).collect(),
        text::name(report),
    ]
}

fn unreadable(name: &Name, error: &BaselineError) -> Vec<String> {
    let mut row = vec![String::new(); 9];
    (row[0], row[8]) = (name.to_string(), error.to_string());
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::synthetic;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn baselines() -> (tempfile::TempDir, Baselines) {
        let folder = tempfile::tempdir().unwrap();
        let baselines = Baselines::at(&folder.path().join("a/b"));
        (folder, baselines)
    }

    #[test]
    fn a_name_never_leads_out_of_the_directory() {
        for good in ["main", "v1.2", "pool-64_b", "7"] {
            assert_eq!(name(good).to_string(), good);
        }
        let long = "x".repeat(65);
        for bad in ["", ".", "..", ".hidden", "a/b", "../x", "a\\b", "/etc/passwd", "a b", "-a", "名", "a\0", &long] {
            let error = bad.parse::<Name>().unwrap_err().to_string();
            assert!(error.contains("letters, digits"), "{error}");
        }
    }

    #[test]
    fn what_is_kept_is_what_is_loaded_and_listed_until_it_is_removed() {
        let (_folder, baselines) = baselines();
        let report = synthetic::report(&["errors < 5%"]);
        assert_eq!(baselines.names().unwrap(), []);
        let saved = baselines.save(&name("main"), &report).unwrap();
        assert_eq!(saved.replaced, None);
        assert_eq!(baselines.load(&name("main")).unwrap(), report);
        let again = baselines.save(&name("main"), &report).unwrap().to_string();
        assert!(again.ends_with("main.json, in place of the run of 2026-11-23T02:00:00Z"), "{again}");
        baselines.save(&name("a"), &report).unwrap();
        assert_eq!(baselines.names().unwrap(), [name("a"), name("main")]);
        assert_eq!(baselines.remove(&name("main")).unwrap(), saved.path);
        assert_eq!(baselines.names().unwrap(), [name("a")]);
    }

    #[test]
    fn one_that_is_missing_is_answered_with_those_that_are_there() {
        let (_folder, baselines) = baselines();
        let missing = |baselines: &Baselines| baselines.load(&name("mian")).unwrap_err().to_string();
        assert!(missing(&baselines).contains("--save-baseline mian` keeps one"));
        baselines.save(&name("main"), &synthetic::report(&[])).unwrap();
        assert!(missing(&baselines).ends_with("there are: main"), "{}", missing(&baselines));
        assert!(baselines.remove(&name("mian")).unwrap_err().to_string().ends_with("there are: main"));
    }

    #[test]
    fn a_run_that_says_nothing_is_not_kept() {
        let (_folder, baselines) = baselines();
        let refused = |spoil: fn(&mut Report)| {
            let mut report = synthetic::report(&[]);
            spoil(&mut report);
            baselines.save(&name("main"), &report).unwrap_err().to_string()
        };
        assert!(refused(|report| report.run.invalid_because.push("late".into())).ends_with("the run is invalid: late"));
        assert!(refused(|report| report.run.stop = Stop::Interrupted).ends_with("interrupted"));
        assert!(refused(|report| report.run.stop = Stop::Aborted).ends_with("aborted"));
        assert!(refused(|report| report.load.succeeded = 0).ends_with("had no success"));
        assert!(refused(|report| report.epochs.extend(report.epochs.clone())).ends_with("changed on the way"));
        assert_eq!(baselines.names().unwrap(), []);
    }

    #[test]
    fn the_list_has_a_row_for_each_and_says_which_cannot_be_read() {
        let (_folder, baselines) = baselines();
        baselines.save(&name("main"), &synthetic::report(&[])).unwrap();
        std::fs::write(baselines.path(&name("broken")), "{\"schema\": \"another/1\"}").unwrap();
        let table = baselines.table().unwrap();
        let row = |name: &str| table.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{table}"));
        assert!(row("main").contains("990") && row("main").contains("2026-11-23T02:00"), "{table}");
        assert!(row("broken").contains("another/1"), "{table}");
    }

    #[test]
    fn a_directory_that_cannot_be_is_told_of_before_a_run() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let error = Baselines::at(&folder.path().join("file/baselines")).check().unwrap_err().to_string();
        assert!(error.contains("file is no directory"), "{error}");
        assert!(Baselines::at(&folder.path().join("x/y")).check().is_ok());
    }
}
