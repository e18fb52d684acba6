//! From a file, a built-in or flags to a checked [`Profile`]: TOML, then what is set over it, then every check.
//! Must not know the rules themselves (`shape`, `validate`).

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::DeTable;
use toml_edit::DocumentMut;

use super::builtin::{BUILTINS, Builtin};
use super::nearest::suggestion;
use super::problem::{KeyPath, Located, Locator, Override, Places, Problem};
use super::validate::{self, Findings, Prices};
use super::{Arm, Profile, Prompts, edit, shape, unsaid};

/// Where a profile came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    File(PathBuf),
    Builtin(&'static str),
    /// From flags: `run --url URL --model M`.
    Adhoc,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Builtin(name) => write!(f, "built-in {name}"),
            Self::Adhoc => f.write_str("ad-hoc profile"),
        }
    }
}

impl Source {
    /// What reports call it.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
            Self::Builtin(name) => (*name).to_owned(),
            Self::Adhoc => "ad-hoc".to_owned(),
        }
    }
}

/// A profile that holds.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub profile: Profile,
    pub source: Source,
    /// The TOML it was made of, with what was set over it.
    pub text: String,
    /// What was set over it.
    pub over: Vec<Override>,
    /// Each with its place.
    pub warnings: Vec<String>,
    /// The arms of `[compare]`, applied.
    pub arms: Vec<(String, Profile)>,
}

#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error("\"{name}\" is neither a file nor a built-in profile{hint}")]
    Unknown { name: String, hint: String },
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// One line each, with its place.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Invalid(Vec<Located>),
}

/// A file's path or a built-in's name, with keys set over it.
pub fn load(name_or_path: &str, overrides: &[Override], prices: Prices<'_>) -> Result<Loaded, ProfileError> {
    Draft::open(name_or_path)?.with(overrides).finish(prices)
}

/// A profile from flags alone: unique prompts, no caches, no single flight, no retries, no fallback, one route.
pub fn adhoc(url: &str, overrides: &[Override], prices: Prices<'_>) -> Result<Loaded, ProfileError> {
    Draft::adhoc(url).with(overrides).finish(prices)
}

/// Text on its way to become a profile.
#[derive(Clone, Debug)]
pub struct Draft {
    source: Source,
    text: String,
    overrides: Vec<Override>,
    removed: Vec<KeyPath>,
}

const ADHOC: &str = r#"description = "ad-hoc"

[load]
mode = "closed"
users = 32
warmup = "0s"

[workload]
prompts = { kind = "unique" }

[stack]
single_flight = false

[stack.retry]
attempts = 1

[routes.direct]
base_url = ""
"#;

impl Draft {
    pub fn open(name_or_path: &str) -> Result<Self, ProfileError> {
        let path = Path::new(name_or_path);
        let looks_like_a_path = path.components().count() > 1 || name_or_path.contains(['/', '\\']);
        if looks_like_a_path || name_or_path.ends_with(".toml") || path.is_file() {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ProfileError::Unreadable { path: path.to_owned(), source })?;
            return Ok(Self::from_text(Source::File(path.to_owned()), text));
        }
        let Some(builtin) = Builtin::named(name_or_path) else {
            let hint = suggestion(name_or_path, &BUILTINS.map(|builtin| builtin.name));
            return Err(ProfileError::Unknown { name: name_or_path.to_owned(), hint });
        };
        Ok(Self::from_text(Source::Builtin(builtin.name), builtin.text.to_owned()))
    }

    pub fn adhoc(url: &str) -> Self {
        let draft = Self::from_text(Source::Adhoc, ADHOC.to_owned());
        draft.with(&[Override::flag(format!("--url {}", without_secrets(url)), "routes.direct.base_url", url)])
    }

    pub fn from_text(source: Source, text: String) -> Self {
        Self { source, text, overrides: Vec::new(), removed: Vec::new() }
    }

    /// Later ones win.
    pub fn with(mut self, overrides: &[Override]) -> Self {
        self.overrides.extend_from_slice(overrides);
        self
    }

    /// Without a key that the text may hold.
    pub fn without(mut self, key: &str) -> Self {
        self.removed.push(KeyPath::from(key));
        self
    }

    /// A header for each route of the flags. Its value is never repeated.
    pub fn with_header(self, name: &str, value: &str) -> Self {
        self.with_routes(&format!("-H '{name}: …'"), &["headers", name], value)
    }

    /// A key of each real route, by a flag that names no route; of every route when all are simulated.
    pub fn with_routes(self, typed: &str, keys: &[&str], value: impl Into<toml_edit::Value>) -> Self {
        let value = value.into();
        let Ok(table) = self.text.parse::<toml::Table>() else { return self }; // said by `finish`
        let routes: Vec<_> = table.get("routes").and_then(toml::Value::as_table).into_iter().flatten().collect();
        let is_real = |(_, route): &&(&String, &toml::Value)| route.get("base_url").is_some();
        let any_real = routes.iter().any(|route| is_real(&route));
        let chosen = routes.iter().filter(|route| !any_real || is_real(route));
        let path = |route: &str| keys.iter().fold(KeyPath::from("routes").key(route), |path, key| path.key(key));
        let over = |route: &str| Override { path: path(route), value: value.clone(), typed: typed.to_owned() };
        let overrides: Vec<_> = chosen.map(|(route, _)| over(route)).collect();
        self.with(&overrides)
    }

    pub fn finish(mut self, prices: Prices<'_>) -> Result<Loaded, ProfileError> {
        let name = self.source.to_string();
        let original = self.text.clone();
        let places = match DeTable::parse(&original) {
            Ok(table) => Places::of(table.get_ref()),
            Err(error) => return Err(syntax_error(&name, &original, &error)),
        };
        let text = self.edited()?;
        let locator = Locator { name: &name, text: &original, places, overrides: &self.overrides };
        let invalid = |problems: Vec<Problem>| ProfileError::Invalid(locator.locate(problems));
        let (profile, warnings) = self.examine(&text, prices).map_err(invalid)?;
        let arms = self.arms(&profile, &text, prices).map_err(invalid)?;
        let warnings = locator.locate(warnings).iter().map(ToString::to_string).collect();
        Ok(Loaded { profile, source: self.source, text, over: self.overrides, warnings, arms })
    }

    /// The text with everything set over it.
    fn edited(&mut self) -> Result<String, ProfileError> {
        if self.source == Source::Adhoc {
            self.open_loop_if_a_rate_is_given();
        }
        let name = self.source.to_string();
        let mut document: DocumentMut = self.text.parse().map_err(|error: toml_edit::TomlError| {
            ProfileError::Invalid(vec![Located { at: name, message: error.message().to_lowercase() }])
        })?;
        for path in &self.removed {
            edit::remove(&mut document, path);
        }
        for over in &mut self.overrides {
            over.path = edit::set(&mut document, &over.path, &over.value)
                .map_err(|message| ProfileError::Invalid(vec![Located { at: over.typed.clone(), message }]))?;
        }
        Ok(document.to_string())
    }

    fn open_loop_if_a_rate_is_given(&mut self) {
        let find = |key| self.overrides.iter().find(|over| over.path == KeyPath::from(key));
        if let (Some(rate), None) = (find("load.rate"), find("load.mode")) {
            let mode = Override::flag(rate.typed.clone(), "load.mode", "open");
            self.overrides.push(mode);
        }
    }

    fn examine(&self, text: &str, prices: Prices<'_>) -> Result<(Profile, Vec<Problem>), Vec<Problem>> {
        let mut profile = read(text)?;
        validate::resolve(&mut profile);
        let Findings { mut problems, mut warnings } = validate::check(&profile, prices);
        problems.extend(self.find_files(&mut profile));
        if !problems.is_empty() {
            return Err(problems);
        }
        warnings.extend(unsaid::check(&profile));
        Ok((profile, warnings))
    }

    /// Each arm is what `--set` with its keys would give.
    fn arms(&self, base: &Profile, text: &str, prices: Prices<'_>) -> Result<Vec<(String, Profile)>, Vec<Problem>> {
        let mut applied = Vec::new();
        let mut problems = Vec::new();
        for (i, arm) in base.compare.iter().flat_map(|compare| &compare.arms).enumerate() {
            let at = KeyPath::from("compare.arms").key(i).key("set");
            match self.arm(text, arm, &at, prices) {
                Ok(profile) => applied.push((arm.name.clone(), profile)),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(applied) } else { Err(problems) }
    }

    fn arm(&self, text: &str, arm: &Arm, at: &KeyPath, prices: Prices<'_>) -> Result<Profile, Vec<Problem>> {
        let wrong = |key: &str, message: String| vec![Problem::new(at.key(key), message)];
        let mut document: DocumentMut = text.parse().map_err(|_| wrong("", "cannot be applied".into()))?;
        let mut keys = Vec::new();
        for (key, value) in &arm.set {
            let path = KeyPath::parse(key).map_err(|why| wrong(key, why))?;
            let value = value.to_string().parse().map_err(|_| wrong(key, "cannot be applied".into()))?;
            let path = edit::set(&mut document, &path, &value).map_err(|why| wrong(key, why))?;
            keys.push((path, key));
        }
        let (profile, _) = self.examine(&document.to_string(), prices).map_err(|problems| {
            let blame = |problem: Problem| {
                let mut paths = std::iter::once(&problem.path).chain(&problem.also);
                let key = paths.find_map(|path| keys.iter().find(|(set, _)| path.starts_with(set)));
                let path = key.map_or(at.clone(), |(_, key)| at.key(key));
                Problem::new(path, format!("arm \"{}\": {}", arm.name, problem.message))
            };
            problems.into_iter().map(blame).collect::<Vec<_>>()
        })?;
        Ok(profile)
    }

    /// Relative paths start at the profile's folder, those typed as flags at the current one.
    fn find_files(&self, profile: &mut Profile) -> Vec<Problem> {
        let folder = match &self.source {
            Source::File(path) => path.parent().unwrap_or(Path::new("")),
            _ => Path::new(""),
        };
        let mut problems = Vec::new();
        let mut find = |at: KeyPath, path: &mut PathBuf| {
            if !self.overrides.iter().any(|over| at.starts_with(&over.path)) {
                *path = folder.join(&*path);
            }
            if let Err(why) = std::fs::File::open(&*path)
                .and_then(|file| file.metadata())
                .and_then(|meta| if meta.is_dir() { Err(std::io::ErrorKind::IsADirectory.into()) } else { Ok(()) })
            {
                let message = format!("{at} = \"{}\" cannot be read: {why}", path.display());
                problems.push(Problem::new(at, message));
            }
        };
        files(profile).into_iter().for_each(|(at, path)| find(at, path));
        problems
    }
}

/// Every file a profile names, at its key.
pub(super) fn files(profile: &mut Profile) -> Vec<(KeyPath, &mut PathBuf)> {
    let workload = &mut profile.workload;
    let own = workload.classes.iter_mut().enumerate().filter_map(|(i, class)| {
        let at = KeyPath::from("workload.classes").key(i).key("prompts");
        class.prompts.as_mut().map(|prompts| (at, prompts))
    });
    let prompts = own.chain([(KeyPath::from("workload.prompts"), &mut workload.prompts)]);
    let asked = prompts.filter_map(|(at, prompts)| match prompts {
        Prompts::File { path } | Prompts::Trace { path, .. } => Some((at.key("path"), path)),
        _ => None,
    });
    let trusted = profile
        .routes
        .iter_mut()
        .filter_map(|(name, route)| Some((KeyPath::from("routes").key(name).key("ca_file"), route.ca_file.as_mut()?)));
    asked.chain(trusted).collect()
}

/// Text to values: unknown keys and wrong types, all of them.
pub(super) fn read(text: &str) -> Result<Profile, Vec<Problem>> {
    let at_top = |message: &str| vec![Problem::new(KeyPath::default(), message.to_lowercase())];
    let table = DeTable::parse(text).map_err(|error| at_top(error.message()))?;
    let problems = shape::check(table.get_ref());
    if !problems.is_empty() {
        return Err(problems);
    }
    let places = Places::of(table.get_ref());
    Profile::deserialize(toml::de::Deserializer::from(table)).map_err(|error| {
        let path = error.span().map(|span| places.key_at(span.start)).unwrap_or_default();
        vec![Problem::new(path, error.message().to_owned())]
    })
}

fn syntax_error(name: &str, text: &str, error: &toml::de::Error) -> ProfileError {
    let nothing = toml::de::DeTable::new();
    let locator = Locator { name, text, places: Places::of(&nothing), overrides: &[] };
    let at = locator.line(error.span().map_or(0, |span| span.start));
    ProfileError::Invalid(vec![Located { at, message: format!("not TOML: {}", error.message().to_lowercase()) }])
}

/// As it is said back to whoever wrote it, though it may be wrong in any way: what stands before an `@` may be a
/// password, and what stands behind a `?` a key.
fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (&url[..scheme.len() + 3], rest));
    let rest = rest.rsplit_once('@').map_or_else(|| rest.to_owned(), |(_, rest)| format!("…@{rest}"));
    match rest.split_once('?') {
        Some((address, _)) => format!("{scheme}{address}?…"),
        None => format!("{scheme}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_refused_is_repeated_without_its_password_or_its_query() {
        let prices = Prices { has: &|_| true, names: &[] };
        for url in [
            "http://me:s3cret@h/v1",
            "http://me:s3 cret@h/v1",
            "ftp://me:s3cret@h/v1",
            "me:s3cret@h/v1",
            "https:///v1?key=s3cret",
            "https://h/v1?key=s3cret",
            "https://h/v1?key=s3cret@h",
        ] {
            let message = adhoc(url, &[], prices).unwrap_err().to_string();
            assert!(message.contains("--url ") && !message.contains("cret"), "{message}");
        }
    }
}
