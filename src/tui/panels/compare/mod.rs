//! The panels of the Compare screen: one file a panel. Each draws from the comparison into a buffer.
//! Must not know the engine.

mod curves;
mod latency;
mod phases;
mod progress;
pub mod setup;
pub mod table;
pub mod words;

use hdrhistogram::Histogram;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

pub use progress::{draw as draw_progress, line as progress_line};

use super::{Focus, frame};
use crate::compare::ArmFacts;
use crate::metrics::Time;
use crate::report::format::clipped;
use crate::tui::app::App;
use crate::tui::command::View;
use crate::tui::theme::{Side, Theme};
use crate::tui::widgets::LogAxis;

/// Of the calls of an arm, for both pictures.
const SHOWN: Time = Time::Response;
/// Slower and faster calls than these shares are in the outermost rows and columns.
const OUTERMOST: f64 = 0.005;

pub fn draw(view: View, app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    // Less is all border.
    if area.width < 3 || area.height < 3 {
        return;
    }
    let focus = if app.comparing.view == view { Focus::Here } else { Focus::Elsewhere };
    let block = frame(view.name(), &note(view, app), focus, theme);
    let inner = block.inner(area);
    block.render(area, buf);
    match (view, arms(app)) {
        (View::Table, _) => table::draw(app, theme, inner, buf),
        (_, None) => {
            let text = clipped("after the first block of each arm", usize::from(inner.width));
            buf.set_string(inner.x, inner.y, text, theme.dim());
        }
        (View::Latency, Some(arms)) => latency::draw(&arms, theme, inner, buf),
        (View::Curves, Some(arms)) => curves::draw(&arms, theme, inner, buf),
        (View::Phases, Some(arms)) => phases::draw(&arms, theme, inner, buf),
    }
}

fn note(view: View, app: &App) -> String {
    match view {
        View::Table => app.comparing.comparison().map_or_else(String::new, |comparison| {
            let confidence = comparison.plan.confidence * 100.0;
            format!("{confidence:.0}% intervals, {}", words::rounds(comparison.run.rounds))
        }),
        View::Latency => "response, share of calls".to_owned(),
        View::Curves => "response, no slower than".to_owned(),
        View::Phases => "mean of successes".to_owned(),
    }
}

/// An arm as pictures show it: with its side and its letter.
struct Shown<'a> {
    facts: &'a ArmFacts,
    side: Side,
    letter: char,
}

impl Shown<'_> {
    /// `A direct`
    fn name(&self) -> String {
        format!("{} {}", self.letter, self.facts.name)
    }

    fn times(&self) -> Option<&Histogram<u64>> {
        self.facts.tally.times.get(SHOWN).filter(|times| !times.is_empty())
    }
}

/// The two that are shown, once one of them has answers.
fn arms(app: &App) -> Option<[Shown<'_>; 2]> {
    let (first, at, other) = app.comparing.pair()?;
    let arms = [
        Shown { facts: first, side: Side::First, letter: letter(0) },
        Shown { facts: other, side: Side::Other, letter: letter(at) },
    ];
    arms.iter().any(|arm| arm.times().is_some()).then_some(arms)
}

/// The first arm is A.
fn letter(arm: usize) -> char {
    (b'A'..=b'Z').nth(arm).map_or('?', char::from)
}

/// From the fastest calls of both to the slowest.
fn axis(arms: &[Shown; 2], steps: usize) -> LogAxis {
    let times = || arms.iter().filter_map(Shown::times);
    let from = times().map(|times| times.value_at_quantile(OUTERMOST)).min().unwrap_or(1);
    let to = times().map(|times| times.value_at_quantile(1.0 - OUTERMOST)).max().unwrap_or(1);
    LogAxis::over(from, to, steps)
}
