//! Stories: each TOML file here is a profile, what happens to it, and the numbers that must come out.
//!
//! ```toml
//! story = "what it is about, in a sentence"
//! expected = ["load.succeeded == 40"]                                   # conditions on the report's JSON, see `condition`
//! changes = [{ at = "1s", set = { "load.rate" = 50 } }]                 # settings changed while load runs; optional
//! variants = { a = { set = {…}, expected = [ ] }, b = { } }             # the same story under other settings; optional
//! # … and the profile
//! ```
//!
//! Beside what the report says, conditions may ask for `exit_code`.

mod condition;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gatebench::cost::{PriceBook, Pricer};
use gatebench::engine;
use gatebench::profile::expect::{Expectation, latency_bounds};
use gatebench::profile::{Draft, Override, Prices, Profile, Source};
use gatebench::report::{Report, exit_code};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value as Json;
use toml_edit::{DocumentMut, Item, Table};

fn main() {
    let mut arguments = Arguments::from_args();
    // Load generators at work on the same cores distort each other's times.
    arguments.test_threads = Some(arguments.test_threads.unwrap_or(2).min(2));
    let mut trials = vec![Trial::test("conditions tell right from wrong", || Ok(condition::tells_right_from_wrong()?))];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let files = std::fs::read_dir(&folder).expect("the folder of stories can be read").map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    for path in &files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().replace('_', " ");
        match Story::read(path) {
            Ok(stories) => trials.extend(stories.into_iter().map(|story| {
                let name = story.variant.as_ref().map_or(name.clone(), |variant| format!("{name} ({variant})"));
                Trial::test(name, move || Ok(story.hold()?))
            })),
            Err(why) => trials.push(Trial::test(name, move || Err(Failed::from(why)))),
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

struct Story {
    variant: Option<String>,
    /// The profile alone.
    text: String,
    path: PathBuf,
    set: Vec<Override>,
    changes: Vec<Change>,
    expected: Vec<String>,
}

#[derive(Clone)]
struct Change {
    at: Duration,
    set: Vec<Override>,
}

impl Story {
    /// The story of a file, or one for each of its variants.
    fn read(path: &Path) -> Result<Vec<Self>, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
        let mut take = |key: &str| document.remove(key).unwrap_or_default();
        take("story").as_str().filter(|story| !story.is_empty()).ok_or("`story` is missing: say what it is about")?;
        let (expected, changes, variants) = (take("expected"), take("changes"), take("variants"));
        let plain = Self {
            variant: None,
            text: document.to_string(),
            path: path.to_owned(),
            set: Vec::new(),
            changes: tables(&changes).map(Change::read).collect::<Result<_, _>>()?,
            expected: texts(&expected),
        };
        let Some(variants) = variants.as_table_like() else { return plain.complete().map(|story| vec![story]) };
        let variant = |(name, item): (&str, &Item)| {
            let set = overrides(item.get("set"))?;
            let further = item.get("expected").map(texts).unwrap_or_default();
            let expected = [plain.expected.clone(), further].concat();
            let (text, path, changes) = (plain.text.clone(), path.to_owned(), plain.changes.clone());
            Self { variant: Some(name.to_owned()), text, path, set, changes, expected }.complete()
        };
        variants.iter().map(variant).collect()
    }

    fn complete(self) -> Result<Self, String> {
        if self.expected.is_empty() { Err("nothing is expected of it".into()) } else { Ok(self) }
    }

    /// Runs it; every condition that does not hold is named.
    fn hold(&self) -> Result<(), String> {
        let facts = self.run()?;
        let checks = self.expected.iter().map(|expected| condition::check(expected, &facts));
        let broken: Vec<String> = checks.filter_map(Result::err).collect();
        if broken.is_empty() {
            return Ok(());
        }
        let (load, errors, examples) = (&facts["load"], &facts["errors"], &facts["error_examples"]);
        Err(format!("{}\nload {load}\nerrors {errors}\n{examples}", broken.join("\n")))
    }

    /// The report's JSON.
    fn run(&self) -> Result<Json, String> {
        let profile = self.profile(&self.set)?;
        let expectations: Vec<Expectation> =
            profile.expect.iter().map(|text| Expectation::parse(text)).collect::<Result<_, _>>().map_err(text)?;
        let mut handle = engine::start(profile, latency_bounds(&expectations), engine::Until::Planned).map_err(text)?;
        let start = Instant::now();
        let mut set = self.set.clone();
        for change in &self.changes {
            std::thread::sleep((start + change.at).saturating_duration_since(Instant::now()));
            set.extend_from_slice(&change.set);
            let words = change.set.iter().map(|one| format!("{} = {}", one.path, one.value)).collect();
            handle.apply(self.profile(&set)?, words).map_err(text)?;
        }
        let run = handle.join().map_err(text)?;
        let report = Report::of(&run, &Pricer::new(&run.profile, PriceBook::builtin()), &expectations);
        let mut facts = serde_json::to_value(&report).map_err(text)?;
        facts["exit_code"] = exit_code(&report).into();
        Ok(facts)
    }

    fn profile(&self, set: &[Override]) -> Result<Profile, String> {
        let book = PriceBook::builtin();
        let prices = Prices { has: &|model: &str| book.has_price(model), names: &[] };
        let draft = Draft::from_text(Source::File(self.path.clone()), self.text.clone()).with(set);
        Ok(draft.finish(prices).map_err(text)?.profile)
    }
}

impl Change {
    fn read(table: Table) -> Result<Self, String> {
        let at = table.get("at").and_then(Item::as_str).ok_or("a change needs `at`")?;
        Ok(Self { at: humantime::parse_duration(at).map_err(text)?, set: overrides(table.get("set"))? })
    }
}

fn overrides(set: Option<&Item>) -> Result<Vec<Override>, String> {
    let table = set.and_then(Item::as_table_like).into_iter().flat_map(|table| table.iter());
    table.map(|(key, value)| Override::set(&format!("{key}={}", value.to_string().trim()))).collect()
}

fn texts(list: &Item) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn tables(list: &Item) -> impl Iterator<Item = Table> {
    let inline = list.as_array().into_iter().flatten().filter_map(|item| item.as_inline_table());
    let headed = list.as_array_of_tables().into_iter().flatten().cloned();
    inline.map(|table| table.clone().into_table()).chain(headed)
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
