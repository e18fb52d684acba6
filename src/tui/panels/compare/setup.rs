//! What would be compared, before it is: the arms, how long it takes, what it costs, what becomes of the load.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Text};
use ratatui::widgets::{Padding, Widget};

use super::letter;
use crate::compare::conduct::{Course, Stacks};
use crate::profile::Compare;
use crate::report::format::{digits3, seconds};
use crate::tui::app::{App, Estimate, Standing, Subject};
use crate::tui::panels::prose::{clock, wrapped};
use crate::tui::panels::{Focus, frame};
use crate::tui::theme::Theme;

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let block = frame("Compare", "", Focus::Here, theme).padding(Padding::horizontal(1));
    let inner = block.inner(area);
    block.render(area, buf);
    Text::from(text(app, theme, usize::from(inner.width))).render(inner, buf);
}

/// The weightiest first: what is cut off below can be done without.
pub fn text(app: &App, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let mut said: Vec<(String, Style)> = Vec::new();
    let mut say = |text: String, style: Style| said.push((text, style));
    if let Some(problem) = &app.comparing.problem {
        say(problem.clone(), theme.bad());
        say(String::new(), Style::new());
    }
    let course = app.comparing.running().cloned().map_or_else(|| app.course(), Ok);
    match &course {
        Err(why) => say(why.clone(), theme.warn()),
        Ok(course) => {
            let (next, style) = next(app, theme);
            say(next, style);
            say(String::new(), Style::new());
            for (i, (name, what)) in app.differences(course).into_iter().enumerate() {
                say(format!("{} {name}: {what}", letter(i)), Style::new());
            }
            say(String::new(), Style::new());
            facts(app, course).into_iter().for_each(|fact| say(fact, Style::new()));
        }
    }
    if let Some(other) = other_subject(app) {
        say(other, theme.dim());
    }
    let lines = said.into_iter().flat_map(|(text, style)| match text.is_empty() {
        true => vec![Line::raw("")],
        false => wrapped(&text, width).into_iter().map(|line| Line::styled(line, style)).collect(),
    });
    lines.collect()
}

/// What happens now, or with which key.
fn next(app: &App, theme: &Theme) -> (String, Style) {
    match app.comparing.standing {
        Standing::Idle => ("Enter begins".to_owned(), theme.key()),
        Standing::Clearing => {
            let calls = app.shown().gauges.in_flight;
            (format!("the load pauses: {calls} calls in flight are awaited; Esc lets it go on"), theme.warn())
        }
        Standing::Starting | Standing::Runs => ("the arms start".to_owned(), theme.warn()),
        Standing::Ending => ("ending: calls in flight are awaited".to_owned(), theme.warn()),
    }
}

fn facts(app: &App, course: &Course) -> Vec<String> {
    let estimate = app.estimate(course);
    let block = seconds(course.block.as_secs_f64());
    let order: Vec<_> = crate::compare::palindrome(course.arms.len(), 0).map(|arm| letter(arm).to_string()).collect();
    let mut facts = vec![format!(
        "takes some {}, with last answers as slow as this load's: {} blocks of {block} an arm, in turns {}, and a warm-up each",
        clock(estimate.lasts),
        course.blocks,
        order.join(" ")
    )];
    if course.blocks < Compare::LEAST_FOR_AN_INTERVAL {
        let least = Compare::LEAST_FOR_AN_INTERVAL;
        facts.push(format!("{} blocks give no 95% interval; compare.blocks = {least} would", course.blocks));
    }
    facts.push(match course.stacks {
        Stacks::Own => "each arm has pools and caches of its own".to_owned(),
        Stacks::Shared => "one pool and one cache for all arms".to_owned(),
    });
    facts.push(cost(&estimate));
    if let Some(budget) = app.tuner.began().limits.budget.filter(|_| !estimate.paid.is_empty()) {
        facts.push(format!("limits.budget of {budget} ends it, counted apart from the load"));
    }
    if app.ended.is_none() {
        facts.push("the load pauses meanwhile, and goes on after it".to_owned());
    }
    facts
}

/// What it may cost.
pub fn cost(estimate: &Estimate) -> String {
    if estimate.paid.is_empty() {
        return "all routes are simulated: it costs nothing".to_owned();
    }
    let who = format!("calls paid routes ({})", estimate.paid.join(", "));
    match estimate.cost {
        Some((cny, usd)) => {
            format!("{who}: about RMB {} (USD {}), as this load has cost so far", digits3(cny), digits3(usd))
        }
        None => format!("{who}: what that costs cannot be told from this load"),
    }
}

/// What `c` would compare instead.
fn other_subject(app: &App) -> Option<String> {
    let comparing = &app.comparing;
    match comparing.subject {
        _ if comparing.is_under_way() || !comparing.has_arms() => None,
        Subject::Arms if app.tuner.edits().is_empty() => None,
        Subject::Arms => Some("c compares the settings as opened with those as tuned now instead; what was tuned is not in the profile's arms".to_owned()),
        Subject::Tuned => Some("c compares the profile's arms instead".to_owned()),
    }
}
