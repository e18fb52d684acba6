//! The questions before something that cannot be taken back: leaving paid load, calling paid routes, stopping a comparison.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};
use ratatui::widgets::Widget;

use super::{EDGES, boxed, centred};
use crate::cost::Bill;
use crate::report::format::digits3;
use crate::tui::app::App;
use crate::tui::panels::compare::setup;
use crate::tui::panels::compare::words::rounds;
use crate::tui::panels::prose::{clock, wrapped};
use crate::tui::panels::{Focus, frame};
use crate::tui::theme::Theme;

const WIDTH: usize = 54;

pub struct Question {
    title: &'static str,
    text: String,
    answers: &'static str,
}

pub fn leaving(app: &App) -> Question {
    let Bill { cny, usd, .. } = app.shown().spent;
    let (cny, usd) =
        app.comparing.comparison().filter(|_| app.comparing.is_under_way()).map_or((cny, usd), |comparison| {
            let spent = |of: fn(&crate::compare::ArmFacts) -> f64| comparison.arms.iter().map(of).sum::<f64>();
            (cny + spent(|arm| arm.spent_cny), usd + spent(|arm| arm.spent_usd))
        });
    let what = if app.comparing.is_under_way() { "A comparison" } else { "The load" };
    let (cny, usd) = (digits3(cny), digits3(usd));
    Question {
        title: "Leave?",
        text: format!("{what} runs and spends money: RMB {cny} (USD {usd}) so far. End it and leave?"),
        answers: "y leaves; any other key stays.",
    }
}

pub fn beginning(app: &App) -> Question {
    let text = app.course().map_or_else(
        |why| why,
        |course| {
            let estimate = app.estimate(&course);
            format!("It takes {} and {}. Begin?", clock(estimate.lasts), setup::cost(&estimate))
        },
    );
    Question { title: "Compare?", text, answers: "y begins; any other key does not." }
}

pub fn stopping(app: &App) -> Question {
    let rounds_so_far = app.comparing.comparison().map_or(0, |comparison| comparison.run.rounds);
    let text = format!("Stop the comparison? What there is of it ({}) stays.", rounds(rounds_so_far));
    Question { title: "Stop?", text, answers: "y stops it; any other key lets it run." }
}

pub fn draw(question: &Question, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let width = WIDTH.min(usize::from(area.width)).saturating_sub(EDGES);
    let mut lines: Vec<_> = wrapped(&question.text, width).into_iter().map(Line::raw).collect();
    lines.extend(wrapped(question.answers, width).into_iter().map(|line| Line::styled(line, theme.key())));
    let block = frame(question.title, "", Focus::Here, theme);
    let inner = boxed(block, centred(area, WIDTH, lines.len() + 2), buf);
    // The answers are seen on the lowest screen too.
    lines.drain(..lines.len().saturating_sub(usize::from(inner.height)));
    Text::from(lines).render(inner, buf);
}
