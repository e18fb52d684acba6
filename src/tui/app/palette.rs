//! The command palette: every command, every setting and every fault, found by words; `name = value` sets.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent};

use super::layers::type_key;
use super::{App, Layer, Tone};
use crate::profile::{FaultKind, units};
use crate::tui::action::Effect;
use crate::tui::command::Command;
use crate::tui::keymap;

/// How long a fault lasts unless another time is typed.
const FAULT_LASTS: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, Default)]
pub struct Palette {
    pub text: String,
    pub chosen: usize,
    /// Why what was typed does not do.
    pub problem: Option<String>,
}

/// A line of the palette.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it is found by.
    pub title: String,
    /// A key, or a value.
    pub detail: String,
    wish: Wish,
}

/// A fault of a simulated route, of one model there or of all.
#[derive(Clone, Debug)]
struct Breaker {
    route: String,
    model: Option<String>,
    kind: FaultKind,
}

#[derive(Clone, Debug)]
enum Wish {
    Obey(Command),
    Tune { id: String },
    Break(Breaker),
}

impl Palette {
    fn on(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    pub fn type_text(&mut self, text: &str) {
        self.text.push_str(text);
        (self.chosen, self.problem) = (0, None);
    }

    /// A time at the end of what was typed: of a fault.
    fn time(&self) -> Option<Duration> {
        units::duration::parse(self.text.split_whitespace().last()?).ok()
    }
}

impl App {
    /// The lines that fit what was typed: those that have all its words.
    pub fn palette_items(&self, palette: &Palette) -> Vec<Item> {
        let text = palette.text.to_lowercase();
        let words: Vec<_> = text.split_whitespace().collect();
        let fits = |item: &Item| {
            let title = item.title.to_lowercase();
            let takes_time = matches!(item.wish, Wish::Break(_));
            let is_time = |word: &str| word == "for" || units::duration::parse(word).is_ok();
            words.iter().all(|word| title.contains(word) || (takes_time && is_time(word)))
        };
        let all = self.commands().chain(self.breakers(palette)).chain(self.tunables());
        all.filter(fits).collect()
    }

    fn commands(&self) -> impl Iterator<Item = Item> {
        keymap::at(self.place())
            .filter(|binding| !matches!(binding.command, Command::Palette | Command::Close | Command::Break))
            .map(|binding| Item {
                title: binding.about.to_owned(),
                detail: binding.keys[0].to_string(),
                wish: Wish::Obey(binding.command),
            })
    }

    fn tunables(&self) -> impl Iterator<Item = Item> {
        self.tuner.settings().into_iter().map(|setting| Item {
            title: format!("set {}", setting.label),
            detail: self.tuner.value(&setting).map_or_else(String::new, |value| value.to_string()),
            wish: Wish::Tune { id: setting.id },
        })
    }

    fn breakers(&self, palette: &Palette) -> impl Iterator<Item = Item> {
        let profile = self.tuner.profile();
        let is_simulated = |name: &str| profile.routes.get(name).is_some_and(|route| route.simulate.is_some());
        // What calls meet first comes first: the asked model, the others of the chain, then whole routes.
        let hops = profile.chain().map(|(model, route)| (route, Some(model)));
        let (home, others): (Vec<_>, Vec<_>) =
            profile.routes.keys().map(String::as_str).partition(|name| *name == profile.stack.route);
        let whole = home.into_iter().chain(others).map(|route| (route, None));
        let targets: Vec<_> = hops.chain(whole).filter(|(route, _)| is_simulated(route)).collect();
        let lasts = humantime::format_duration(palette.time().unwrap_or(FAULT_LASTS)).to_string();
        targets.into_iter().flat_map(move |(route, model)| {
            let lasts = lasts.clone();
            FaultKind::ALL.into_iter().map(move |kind| Item {
                title: format!("break {route} {}: {}", model.unwrap_or("(all models)"), kind.name()),
                detail: format!("for {lasts}"),
                wish: Wish::Break(Breaker { route: route.to_owned(), model: model.map(str::to_owned), kind }),
            })
        })
    }

    pub(super) fn open_breakers(&mut self) -> Vec<Effect> {
        if let Some(over) = self.refuse_when_over() {
            return over;
        }
        if self.breakers(&Palette::default()).next().is_none() {
            return self.say(Tone::Refused, "no route of this profile is simulated; only those can be broken".into());
        }
        self.layers.push(Layer::Palette(Palette::on("break ")));
        Vec::new()
    }

    pub(super) fn key_in_palette(&mut self, mut palette: Palette, key: KeyEvent) -> Vec<Effect> {
        let last = self.palette_items(&palette).len().saturating_sub(1);
        match key.code {
            KeyCode::Enter => return self.run(palette),
            KeyCode::Down | KeyCode::Tab => palette.chosen = (palette.chosen + 1).min(last),
            KeyCode::Up | KeyCode::BackTab => palette.chosen = palette.chosen.saturating_sub(1),
            KeyCode::PageDown => palette.chosen = (palette.chosen + 10).min(last),
            KeyCode::PageUp => palette.chosen = palette.chosen.saturating_sub(10),
            _ => {
                if type_key(&mut palette.text, key) {
                    (palette.chosen, palette.problem) = (0, None);
                }
            }
        }
        self.layers.push(Layer::Palette(palette));
        Vec::new()
    }

    fn run(&mut self, mut palette: Palette) -> Vec<Effect> {
        // For a test of what a panic leaves of the terminal, which only the real one can show.
        debug_assert!(palette.text != "panic!", "asked for");
        if let Some((name, value)) = palette.text.split_once('=') {
            match self.set_by_name(name.trim(), value.trim()) {
                Ok(effects) => return effects,
                Err(why) => palette.problem = Some(why),
            }
        } else {
            let items = self.palette_items(&palette);
            match items.into_iter().nth(palette.chosen) {
                Some(item) => return self.grant(item, palette.time()),
                None => palette.problem = Some("nothing fits; a setting is set by: name = value".to_owned()),
            }
        }
        self.layers.push(Layer::Palette(palette));
        Vec::new()
    }

    fn grant(&mut self, item: Item, time: Option<Duration>) -> Vec<Effect> {
        match item.wish {
            Wish::Obey(command) => self.obey(command),
            Wish::Break(Breaker { route, model, kind }) => match self.refuse_when_over() {
                Some(over) => over,
                None => vec![Effect::Inject { route, kind, model, lasts: time.unwrap_or(FAULT_LASTS) }],
            },
            Wish::Tune { id } => {
                self.tuner.choose(&id);
                self.edit()
            }
        }
    }

    /// By its id or its label.
    fn set_by_name(&mut self, name: &str, value: &str) -> Result<Vec<Effect>, String> {
        let name = name.strip_prefix("set ").unwrap_or(name);
        let named = self.tuner.settings().into_iter().find(|setting| setting.id == name || setting.label == name);
        let id = named.map_or_else(|| name.to_owned(), |setting| setting.id);
        let effects = self.set(&id, value)?;
        self.tuner.choose(&id);
        Ok(effects)
    }
}
