//! Live: the settings and what they do, all at once or as tabs.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use crate::tui::app::App;
use crate::tui::command::Pane;
use crate::tui::layout::Live;
use crate::tui::panels;
use crate::tui::theme::Theme;

pub fn draw(app: &App, theme: &Theme, size: Size, buf: &mut Buffer) {
    let live = Live::of(size, app.focus, app.zoomed_pane());
    for (pane, area) in &live.panes {
        panels::draw(*pane, app, theme, *area, buf);
    }
    if let Some(area) = live.tabs {
        tabs(&live, theme, area, buf);
    }
}

/// The names of the panes that take turns; the one that is seen stands out.
fn tabs(live: &Live, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let is_beside = live.panes.len() > 1;
    let names = |name: fn(Pane) -> &'static str| {
        let panes = Pane::ALL.into_iter().filter(|pane| !(is_beside && *pane == Pane::Settings));
        panes.map(move |pane| (pane, name(pane)))
    };
    let fits = names(Pane::name).map(|(_, name)| name.len() + 2).sum::<usize>() <= usize::from(area.width);
    let names = names(if fits { Pane::name } else { short });
    panels::tabs(names.map(|(pane, name)| (name, live.area(pane).is_some())), theme, area, buf);
}

/// Where the names do not fit side by side.
fn short(pane: Pane) -> &'static str {
    match pane {
        Pane::Settings => "Set",
        Pane::Latency => "Lat",
        Pane::Percentiles => "Pct",
        Pane::Heatmap => "Heat",
        Pane::ServedBy => "By",
        Pane::Traffic => "Traf",
        Pane::Cost => "Cost",
        Pane::Events => "Events",
    }
}
