//! What is wrong with a profile, and where: paths of keys, overrides typed on the command line, lines of the file.
//! Must not know what the rules are.

use std::collections::HashMap;
use std::fmt;

use toml::de::{DeTable, DeValue};

/// A dotted path of keys; the items of a list go by their index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyPath(Vec<String>);

impl From<&str> for KeyPath {
    /// A path without quoted keys.
    fn from(dotted: &str) -> Self {
        Self(dotted.split('.').filter(|key| !key.is_empty()).map(str::to_owned).collect())
    }
}

impl KeyPath {
    /// A path as a person types it: `cost.prices."gpt-4.1".input`.
    pub fn parse(text: &str) -> Result<Self, String> {
        // `+` (append to a list) is no bare key of TOML.
        let quoted = text.replace(".+.", ".\"+\".");
        let quoted = quoted.strip_suffix(".+").map_or(quoted.clone(), |list| format!("{list}.\"+\""));
        let keys = toml_edit::Key::parse(&quoted)
            .map_err(|_| format!("\"{text}\" is no key; write one such as stack.pool.max_connections"))?;
        Ok(Self(keys.iter().map(|key| key.get().to_owned()).collect()))
    }

    pub fn key(&self, key: impl ToString) -> Self {
        let mut keys = self.0.clone();
        keys.push(key.to_string());
        Self(keys)
    }

    pub fn keys(&self) -> &[String] {
        &self.0
    }

    pub fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    pub fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, rest)| Self(rest.to_vec()))
    }

    /// As a header stands in the file: `[stack.pool]`, `[[stack.fallback]]`.
    pub fn section(&self) -> String {
        match self.0.split_last() {
            None => "the top level".into(),
            Some((last, _)) if is_index(last) => format!("[[{}]]", self.without_indices()),
            Some(_) => format!("[{}]", self.without_indices()),
        }
    }

    /// TOML's headers name lists, not their items.
    fn without_indices(&self) -> Self {
        Self(self.0.iter().filter(|key| !is_index(key)).cloned().collect())
    }

    /// A value here may be a secret, which no message repeats.
    pub fn is_secret(&self) -> bool {
        self.0.iter().any(|key| matches!(key.as_str(), "headers" | "keys" | "api_key_env" | "base_url" | "url"))
    }
}

fn is_index(key: &str) -> bool {
    key.parse::<usize>().is_ok()
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, key) in self.0.iter().enumerate() {
            let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
            let dot = if i == 0 { "" } else { "." };
            if bare { write!(f, "{dot}{key}")? } else { write!(f, "{dot}{key:?}")? }
        }
        Ok(())
    }
}

/// Something wrong (or, as a warning, doubtful) at a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub path: KeyPath,
    /// Other keys that take part in it: one of these typed on the command line is the place to name.
    pub also: Vec<KeyPath>,
    pub message: String,
}

impl Problem {
    pub fn new(path: KeyPath, message: impl Into<String>) -> Self {
        Self { path, also: Vec::new(), message: message.into() }
    }
}

/// A key set on the command line, over what the file says.
#[derive(Clone, Debug)]
pub struct Override {
    pub path: KeyPath,
    pub value: toml_edit::Value,
    /// As the person typed it, for messages: `--rate 0`.
    pub typed: String,
}

impl Override {
    /// A flag that stands for a key: `Override::flag("--rate 0", "load.rate", 0.0)`.
    pub fn flag(typed: impl Into<String>, key: &str, value: impl Into<toml_edit::Value>) -> Self {
        Self { path: KeyPath::from(key), value: value.into(), typed: typed.into() }
    }

    /// `KEY=VALUE` of a `--set`: the value is TOML, else text.
    pub fn set(text: &str) -> Result<Self, String> {
        let (key, value) =
            text.split_once('=').ok_or("write KEY=VALUE, such as --set stack.pool.max_connections=50")?;
        let path = KeyPath::parse(key.trim())?;
        let value = value.trim();
        let typed = if path.is_secret() { format!("--set {path}=…") } else { format!("--set {text}") };
        let parsed = value.parse().ok().filter(|parsed| !super::shape::takes_only_text(&path, parsed));
        let value = parsed.unwrap_or_else(|| toml_edit::Value::from(value));
        Ok(Self { path, value, typed })
    }
}

/// A problem and where a person mends it: `FILE:LINE`, or the flag they typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    pub at: String,
    pub message: String,
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.message)
    }
}

/// Where each key of a text stands, as offsets in bytes.
pub struct Places(HashMap<KeyPath, usize>);

impl Places {
    pub fn of(table: &DeTable<'_>) -> Self {
        let mut places = HashMap::new();
        index_table(&KeyPath::default(), table, &mut places);
        Self(places)
    }

    /// The innermost key at or before an offset.
    pub fn key_at(&self, offset: usize) -> KeyPath {
        let before = self.0.iter().filter(|(_, at)| **at <= offset);
        before.max_by_key(|(path, at)| (**at, path.keys().len())).map(|(path, _)| path.clone()).unwrap_or_default()
    }

    fn get(&self, path: &KeyPath) -> Option<usize> {
        self.0.get(path).copied()
    }
}

fn index_table(prefix: &KeyPath, table: &DeTable<'_>, places: &mut HashMap<KeyPath, usize>) {
    for (key, value) in table {
        let path = prefix.key(key.get_ref());
        places.insert(path.clone(), key.span().start);
        index_value(&path, value.get_ref(), places);
    }
}

fn index_value(path: &KeyPath, value: &DeValue<'_>, places: &mut HashMap<KeyPath, usize>) {
    match value {
        DeValue::Table(table) => index_table(path, table, places),
        DeValue::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                let path = path.key(i);
                places.insert(path.clone(), item.span().start);
                index_value(&path, item.get_ref(), places);
            }
        }
        _ => {}
    }
}

#[derive(PartialEq)]
enum Place<'a> {
    Typed(&'a str),
    Offset(usize),
}

/// Finds the place to name for a problem.
pub struct Locator<'a> {
    pub name: &'a str,
    pub text: &'a str,
    pub places: Places,
    pub overrides: &'a [Override],
}

impl Locator<'_> {
    /// Each with its place: what was typed first, then by line, and none twice.
    pub fn locate(&self, problems: impl IntoIterator<Item = Problem>) -> Vec<Located> {
        let mut placed: Vec<_> = problems.into_iter().map(|problem| (self.place(&problem), problem.message)).collect();
        placed.sort_by_key(|(place, _)| match place {
            Place::Typed(_) => None,
            Place::Offset(offset) => Some(*offset),
        });
        placed.dedup();
        let located = |(place, message)| match place {
            Place::Typed(typed) => Located { at: typed.to_owned(), message },
            Place::Offset(offset) => Located { at: self.line(offset), message },
        };
        placed.into_iter().map(located).collect()
    }

    fn place(&self, problem: &Problem) -> Place<'_> {
        let paths = || std::iter::once(&problem.path).chain(&problem.also);
        let overrides = || self.overrides.iter().rev();
        if let Some(over) = paths().find_map(|path| overrides().find(|over| path.starts_with(&over.path))) {
            return Place::Typed(&over.typed);
        }
        if let Some(offset) = self.places.get(&problem.path) {
            return Place::Offset(offset);
        }
        if let Some(over) = overrides().find(|over| over.path.starts_with(&problem.path)) {
            return Place::Typed(&over.typed);
        }
        let ancestors = std::iter::successors(problem.path.parent(), KeyPath::parent);
        let nearest = problem.also.iter().cloned().chain(ancestors).find_map(|path| self.places.get(&path));
        Place::Offset(nearest.unwrap_or(0))
    }

    pub fn line(&self, offset: usize) -> String {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        format!("{}:{}", self.name, 1 + before.iter().filter(|b| **b == b'\n').count())
    }
}
