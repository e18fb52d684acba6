//! What a session writes: the tuned profile, the report or the comparison, the screen.

use std::path::{Path, PathBuf};

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::Session;
use crate::cost::{PriceBook, Pricer};
use crate::engine::{EngineError, Handle};
use crate::metrics::{Epoch, Run};
use crate::profile::{Prices, Profile};
use crate::report::{self, Report};
use crate::tui::action::Action;
use crate::tui::command::Screen;
use crate::tui::{export, screens};

impl Session<'_> {
    pub(super) fn write(&mut self, tuned: &Profile) {
        let (loaded, book) = (&self.workbench.loaded, PriceBook::builtin());
        let path = loaded.tuned_path();
        // As `gatebench run` will ask.
        let prices = Prices { has: &|model| book.has_price(model), names: &[] };
        let action = match loaded.write_tuned(tuned, &path, prices) {
            Ok(written) => {
                let left_out = match &written.left_out[..] {
                    [] => String::new(),
                    keys => format!("; without {}", keys.join(", ")),
                };
                let like_this = like_this(&self.app.shown().epoch, &path);
                self.notes.push(format!("wrote {}{left_out}; as its epoch ran: {like_this}", path.display()));
                Action::Done(format!("wrote {}{left_out}; as this epoch: {like_this}", path.display()))
            }
            Err(error) => Action::Failed(error.to_string()),
        };
        self.update(action);
    }

    pub(super) fn export(&mut self) {
        let action = match self.try_export() {
            Ok(paths) => {
                let stem = paths.first().map(|path| path.with_extension("").display().to_string()).unwrap_or_default();
                self.notes.extend(paths.iter().map(|path| format!("wrote {}", path.display())));
                Action::Done(format!("wrote {stem}.json, .svg and .txt"))
            }
            Err(why) => Action::Failed(why),
        };
        self.update(action);
    }

    pub(super) fn report(&self, run: &Run) -> Report {
        let pricer = Pricer::new(&run.profile, PriceBook::builtin());
        let mut report = Report::of(run, &pricer, &self.workbench.expectations);
        if let Some(calibration) = &self.workbench.calibration {
            report.hold_against(calibration, report::shape(&run.profile, &run.total));
        }
        report
    }

    fn try_export(&self) -> Result<Vec<PathBuf>, String> {
        let stem = format!("gatebench-{}-{}", self.app.name, jiff::Zoned::now().strftime("%Y%m%d-%H%M%S"));
        let path = |ending: &str| PathBuf::from(format!("{stem}.{ending}"));
        self.write_result(&path("json"))?;
        let mut buf = Buffer::empty(Rect::from((Position::ORIGIN, self.app.size)));
        screens::draw(&self.app, &self.workbench.theme, buf.area, &mut buf);
        for (ending, content) in [("svg", export::svg(&buf, &self.title)), ("txt", export::text(&buf))] {
            report::write_text(&path(ending), &content).map_err(|error| error.to_string())?;
        }
        Ok(["json", "svg", "txt"].map(path).into())
    }

    /// On the Compare screen the comparison as it stands, elsewhere the load's report.
    fn write_result(&self, path: &Path) -> Result<(), String> {
        if let (Screen::Compare, Some(comparison)) = (self.app.screen, self.app.comparing.comparison()) {
            return report::write(path, comparison).map_err(|error| error.to_string());
        }
        let so_far = self.engine.as_ref().map(Handle::so_far).transpose().map_err(|error| error.to_string())?;
        let run = so_far.as_ref().or(self.over.as_ref()).ok_or_else(|| EngineError::Over.to_string())?;
        report::write(path, &self.report(run)).map_err(|error| error.to_string())
    }
}

/// The command that runs a written profile as this epoch ran: caches are as warm as they were at its beginning only
/// after as long a warm-up.
fn like_this(epoch: &Epoch, path: &Path) -> String {
    let run = format!("gatebench run {}", path.display());
    match (epoch.number, epoch.seconds.round() as u64) {
        (0, _) | (_, 0) => run,
        (_, seconds) => format!("{run} --set load.warmup={}s -z {seconds}s", epoch.began.as_secs().max(1)),
    }
}
