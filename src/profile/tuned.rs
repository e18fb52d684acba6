//! A tuned profile back to TOML: the text it was loaded from, with what differs edited in and its comments kept.
//! Must not know which settings can be tuned: whatever differs between two profiles is written.
//!
//! ```text
//! text --read--> Profile as written --\
//!                tuned Profile --------differences--> edits --> text --read--> must be the tuned Profile
//! ```

use std::io::{self, Write};
use std::path::{Path, PathBuf, absolute};

use toml::Value;
use toml_edit::DocumentMut;

use super::draft::{files, read};
use super::edit_list::{Part, rearrange};
use super::problem::{KeyPath, Override};
use super::validate::{self, Prices};
use super::{Draft, HeaderKind, Loaded, Price, Profile, ProfileError, Source, edit, shape};

/// A tuned profile as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub text: String,
    /// Headers typed as flags that look secret, as they were typed: they are not in the text and have to be given again.
    pub left_out: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("{}: exists already and is not written over; name another file", .0.display())]
    Exists(PathBuf),
    #[error("{}: cannot write the profile: {why}", path.display())]
    Io { path: PathBuf, why: io::Error },
    /// What the text's form has no room for.
    #[error("{at} cannot be edited into the profile's text; write it there by hand")]
    Lost { at: KeyPath },
    /// It would be refused when loaded again.
    #[error("the tuned profile would not load:\n{0}")]
    Invalid(#[from] ProfileError),
}

impl Loaded {
    /// Where a tuned profile goes: `chat.toml` -> `chat-tuned.toml` beside it, a built-in's into the current folder;
    /// `chat-tuned-2.toml` if that exists.
    pub fn tuned_path(&self) -> PathBuf {
        let folder = match &self.source {
            Source::File(path) => path.parent().unwrap_or(Path::new("")),
            Source::Builtin(_) | Source::Adhoc => Path::new(""),
        };
        let name = self.source.name();
        let (base, number) = name.rsplit_once("-tuned").unwrap_or((&name, ""));
        let is_ours = number.is_empty() || number.strip_prefix('-').is_some_and(|n| n.parse::<u32>().is_ok());
        let base = if is_ours { base } else { &name };
        let numbers = std::iter::once(String::new()).chain((2..).map(|n| format!("-{n}")));
        let mut paths = numbers.map(|number| folder.join(format!("{base}-tuned{number}.toml")));
        paths.find(|path| path.symlink_metadata().is_err()).expect("the numbers do not end")
    }

    /// The text with the tuned values, so that `gatebench run PATH` runs `tuned`: everything that did not change stays
    /// as it stands, comments and all. Files it names are found from `path`'s folder: relative when they are within it,
    /// absolute otherwise. An ad-hoc profile's model without a price gets one of zero, as it was counted.
    pub fn tuned_text(&self, tuned: &Profile, path: &Path, prices: Prices<'_>) -> Result<Written, WriteError> {
        let lost = |at| WriteError::Lost { at };
        let mut began = read(&self.text).map_err(|problems| {
            let first = problems.into_iter().next().map(|problem| problem.path);
            lost(first.unwrap_or_default())
        })?;
        validate::resolve(&mut began);
        let mut wanted = tuned.clone();
        let left_out = self.without_typed_secrets(&mut wanted);
        if self.source == Source::Adhoc {
            price_as_counted(&mut wanted, prices);
        }
        let resolved = wanted.clone();
        rebase(&mut began, &mut wanted, path);
        let mut document: DocumentMut = self.text.parse().map_err(|_| lost(KeyPath::default()))?;
        carry(&mut document, KeyPath::default(), Some(&tree(&began)?), Some(&tree(&wanted)?)).map_err(lost)?;
        let text = document.to_string();
        let draft = Draft::from_text(Source::File(path.to_owned()), text.clone());
        let (again, resolved) = (from_root(draft.finish(prices)?.profile), from_root(resolved));
        if again != resolved {
            return Err(lost(difference(KeyPath::default(), &tree(&again)?, &tree(&resolved)?)));
        }
        Ok(Written { text, left_out })
    }

    /// Writes a tuned profile whole or not at all, and never over a file.
    pub fn write_tuned(&self, tuned: &Profile, path: &Path, prices: Prices<'_>) -> Result<Written, WriteError> {
        let written = self.tuned_text(tuned, path, prices)?;
        let failed = |why: io::Error| match why.kind() {
            io::ErrorKind::AlreadyExists => WriteError::Exists(path.to_owned()),
            _ => WriteError::Io { path: path.to_owned(), why },
        };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new();
        file.prefix(".gatebench-");
        // Those of any new file, not of a private temporary one.
        #[cfg(unix)]
        file.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = file.tempfile_in(parent).map_err(failed)?;
        file.write_all(written.text.as_bytes()).map_err(failed)?;
        file.persist_noclobber(path).map_err(|error| failed(error.error))?;
        Ok(written)
    }

    /// A key given for one run has no place in a file.
    fn without_typed_secrets(&self, wanted: &mut Profile) -> Vec<String> {
        let mut left_out: Vec<String> = Vec::new();
        for (route, settings) in &mut wanted.routes {
            settings.headers.retain(|name, _| {
                let at = KeyPath::from("routes").key(route).key("headers").key(name);
                let typed = self.over.iter().rfind(|over| at.starts_with(&over.path));
                let Some(Override { typed, .. }) = typed.filter(|_| HeaderKind::of(name) != HeaderKind::Plain) else {
                    return true;
                };
                if !left_out.contains(typed) {
                    left_out.push(typed.clone());
                }
                false
            });
        }
        left_out
    }
}

fn price_as_counted(profile: &mut Profile, prices: Prices<'_>) {
    let models: Vec<_> = profile.chain().map(|(model, _)| model.to_owned()).collect();
    for model in models.into_iter().filter(|model| !(prices.has)(model)) {
        profile.cost.prices.entry(model).or_insert(Price {
            input: 0.0,
            cached_input: None,
            cache_write: None,
            output: 0.0,
        });
    }
}

/// The files of `wanted` as they have to be written in a profile at `path`: as they stand in the text where that still
/// finds them.
fn rebase(began: &mut Profile, wanted: &mut Profile, path: &Path) {
    let folder = path.parent().map(from_root_path).unwrap_or_default();
    let stand = files(began);
    for (at, file) in files(wanted) {
        let target = from_root_path(file);
        let stands = stand.iter().find(|(key, _)| *key == at).map(|(_, stands)| stands.as_path());
        *file = match stands {
            Some(stands) if folder.join(stands) == target => stands.to_owned(),
            _ => target.strip_prefix(&folder).unwrap_or(&target).to_owned(),
        };
    }
}

fn from_root(mut profile: Profile) -> Profile {
    files(&mut profile).into_iter().for_each(|(_, file)| *file = from_root_path(file));
    profile
}

/// Lexically, as the folder's name may be a link. An empty path is the current folder.
fn from_root_path(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// As TOML, in which what is absent is left out. A path that is not Unicode has no form in it.
fn tree(profile: &Profile) -> Result<Value, WriteError> {
    Value::try_from(profile).map_err(|_| WriteError::Lost { at: KeyPath::from("workload.prompts.path") })
}

/// Edits in what differs; the error is the key that could not be.
fn carry(
    document: &mut DocumentMut,
    at: KeyPath,
    began: Option<&Value>,
    wanted: Option<&Value>,
) -> Result<(), KeyPath> {
    match (began, wanted) {
        (began, wanted) if began == wanted => return Ok(()),
        (_, None) => edit::remove(document, &at),
        (Some(Value::Table(from)), Some(Value::Table(to))) if is_edited_by_key(document, &at) => {
            for key in from.keys().chain(to.keys().filter(|key| !from.contains_key(*key))) {
                carry(document, at.key(key), from.get(key), to.get(key))?;
            }
        }
        (Some(Value::Array(from)), Some(Value::Array(to))) if carry_list(document, &at, from, to) => {}
        (_, Some(wanted)) => {
            let value = toml_value(wanted).ok_or_else(|| at.clone())?;
            edit::set(document, &at, &value).map_err(|_| at)?;
        }
    }
    Ok(())
}

/// What is one value is written whole where the text has none of it.
fn is_edited_by_key(document: &mut DocumentMut, at: &KeyPath) -> bool {
    edit::find(document, at).is_some_and(|item| item.is_table_like()) || !shape::is_one_value(at)
}

fn carry_list(document: &mut DocumentMut, at: &KeyPath, from: &[Value], to: &[Value]) -> bool {
    let mut left: Vec<_> = from.iter().map(Some).collect();
    let part = |item: &Value| match left.iter().position(|candidate| *candidate == Some(item)) {
        Some(i) => {
            left[i] = None;
            Some(Part::Kept(i))
        }
        None => toml_value(item).map(Part::New),
    };
    let parts: Option<Vec<_>> = to.iter().map(part).collect();
    parts.is_some_and(|parts| edit::find(document, at).is_some_and(|list| rearrange(list, &parts)))
}

fn toml_value(value: &Value) -> Option<toml_edit::Value> {
    value.to_string().parse().ok()
}

/// The first key in which two trees differ.
fn difference(at: KeyPath, a: &Value, b: &Value) -> KeyPath {
    let (Value::Table(a), Value::Table(b)) = (a, b) else { return at };
    let differs = |key: &&String| a.get(*key) != b.get(*key);
    match a.keys().chain(b.keys()).find(differs) {
        Some(key) => match (a.get(key), b.get(key)) {
            (Some(a), Some(b)) => difference(at.key(key), a, b),
            _ => at.key(key),
        },
        None => at,
    }
}
