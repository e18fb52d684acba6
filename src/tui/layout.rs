//! What stands where on a screen of a certain size. Must not know what is drawn there; drawing and the mouse both ask
//! here.

use ratatui::layout::{Constraint, Layout as Split, Position, Rect, Size};

use super::command::{Pane, View};

/// How much a screen can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Every pane at once.
    Whole,
    /// The settings beside the pane in focus, and who served below it.
    Beside,
    /// The one pane in focus.
    Tabs,
    /// Figures without panes.
    Numbers,
}

impl Form {
    pub fn of(size: Size) -> Self {
        match (size.width, size.height) {
            (110.., 32..) => Self::Whole,
            (76.., 16..) => Self::Beside,
            (60.., 16..) => Self::Tabs,
            _ => Self::Numbers,
        }
    }
}

/// The parts of a screen: a line above and below, the body between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    pub header: Rect,
    pub body: Rect,
    pub footer: Rect,
}

impl Parts {
    pub fn of(size: Size) -> Self {
        let [header, body, footer] =
            Split::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)])
                .areas(Rect::from((Position::ORIGIN, size)));
        Self { header, body, footer }
    }
}

/// The Live screen's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Where the panes that are not seen are named, if some are not.
    pub tabs: Option<Rect>,
    pub panes: Vec<(Pane, Rect)>,
}

impl Live {
    /// `zoomed`: the pane that has the body to itself.
    pub fn of(size: Size, focus: Pane, zoomed: Option<Pane>) -> Self {
        let body = Parts::of(size).body;
        match (zoomed, Form::of(size)) {
            (_, Form::Numbers) => Self { tabs: None, panes: Vec::new() },
            (Some(pane), _) => Self { tabs: None, panes: vec![(pane, body)] },
            (None, Form::Whole) => whole(body),
            (None, Form::Beside) => beside(body, focus),
            (None, Form::Tabs) => {
                let [tabs, pane] = Split::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(body);
                Self { tabs: Some(tabs), panes: vec![(focus, pane)] }
            }
        }
    }

    pub fn pane_at(&self, at: Position) -> Option<(Pane, Rect)> {
        self.panes.iter().copied().find(|(_, area)| area.contains(at))
    }

    pub fn area(&self, pane: Pane) -> Option<Rect> {
        self.panes.iter().find(|(here, _)| *here == pane).map(|(_, area)| *area)
    }
}

fn whole(body: Rect) -> Live {
    let [settings, right] = Split::horizontal([Constraint::Length(34), Constraint::Fill(1)]).areas(body);
    let [top, heatmap, middle, events] = Split::vertical([
        Constraint::Fill(5),
        Constraint::Fill(4),
        Constraint::Length(10),
        Constraint::Max(5 + body.height.saturating_sub(34) / 4),
    ])
    .areas(right);
    let [latency, percentiles] = Split::horizontal([Constraint::Fill(1), Constraint::Length(43)]).areas(top);
    let [served_by, traffic, cost] =
        Split::horizontal([Constraint::Fill(1), Constraint::Fill(1), Constraint::Length(31)]).areas(middle);
    let panes = [
        (Pane::Settings, settings),
        (Pane::Latency, latency),
        (Pane::Percentiles, percentiles),
        (Pane::Heatmap, heatmap),
        (Pane::ServedBy, served_by),
        (Pane::Traffic, traffic),
        (Pane::Cost, cost),
        (Pane::Events, events),
    ];
    Live { tabs: None, panes: panes.into() }
}

fn beside(body: Rect, focus: Pane) -> Live {
    let [settings, right] = Split::horizontal([Constraint::Length(34), Constraint::Fill(1)]).areas(body);
    // With the settings in focus the other half shows what most changes are about.
    let shown = if focus == Pane::Settings { Pane::Percentiles } else { focus };
    let below = if body.height >= 22 { 10 } else { 0 };
    let [tabs, pane, second] =
        Split::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(below)]).areas(right);
    let mut panes = vec![(Pane::Settings, settings), (shown, pane)];
    if below > 0 {
        panes.push((if shown == Pane::ServedBy { Pane::Cost } else { Pane::ServedBy }, second));
    }
    Live { tabs: Some(tabs), panes }
}

/// The Compare screen's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compare {
    pub progress: Rect,
    /// Where the views are named, if some are not seen.
    pub tabs: Option<Rect>,
    pub views: Vec<(View, Rect)>,
}

/// Borders and three lines.
const PROGRESS: u16 = 5;

impl Compare {
    /// `zoomed`: the view that has all of the body below the progress.
    pub fn of(size: Size, view: View, zoomed: Option<View>) -> Self {
        let body = Parts::of(size).body;
        let [progress, rest] = Split::vertical([Constraint::Length(PROGRESS), Constraint::Fill(1)]).areas(body);
        match (zoomed, Form::of(size)) {
            (_, Form::Numbers) => Self { progress: body, tabs: None, views: Vec::new() },
            (Some(view), _) => Self { progress, tabs: None, views: vec![(view, rest)] },
            (None, Form::Whole) => Self { progress, tabs: None, views: all_views(rest) },
            (None, Form::Beside | Form::Tabs) => {
                let [tabs, shown] = Split::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(rest);
                Self { progress, tabs: Some(tabs), views: vec![(view, shown)] }
            }
        }
    }

    pub fn view_at(&self, at: Position) -> Option<View> {
        self.views.iter().find(|(_, area)| area.contains(at)).map(|(view, _)| *view)
    }
}

fn all_views(area: Rect) -> Vec<(View, Rect)> {
    let [pictures, table] =
        Split::vertical([Constraint::Max(15 + area.height.saturating_sub(29) / 2), Constraint::Fill(1)]).areas(area);
    let [latency, curves, phases] =
        Split::horizontal([Constraint::Fill(1), Constraint::Fill(1), Constraint::Length(42)]).areas(pictures);
    vec![(View::Table, table), (View::Latency, latency), (View::Curves, curves), (View::Phases, phases)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compare_screen_has_every_view_at_120x36_and_one_at_a_time_below() {
        let compare = |width, height, zoomed| Compare::of(Size::new(width, height), View::Curves, zoomed);
        let whole = compare(120, 36, None);
        let covered: u32 = whole.views.iter().map(|(_, area)| area.area()).sum();
        assert_eq!((whole.views.len(), covered + whole.progress.area()), (View::ALL.len(), 120 * 34));
        assert_eq!(compare(80, 24, None).views.len(), 1);
        assert_eq!(compare(80, 24, None).views[0].0, View::Curves);
        assert_eq!(compare(120, 36, Some(View::Table)).views.len(), 1);
        assert_eq!(compare(40, 12, None).views.len(), 0);
    }

    #[test]
    fn every_pane_has_its_place_at_120x36_and_none_covers_another() {
        let live = Live::of(Size::new(120, 36), Pane::Settings, None);
        assert_eq!(live.panes.len(), Pane::ALL.len());
        for (i, (pane, area)) in live.panes.iter().enumerate() {
            assert!(area.width >= 26 && area.height >= 4, "{pane:?} has {area}");
            assert!(live.panes[..i].iter().all(|(_, other)| !other.intersects(*area)), "{pane:?}");
        }
        let covered: u32 = live.panes.iter().map(|(_, area)| area.area()).sum();
        assert_eq!(covered, 120 * 34);
    }

    #[test]
    fn a_smaller_screen_shows_less_at_a_time() {
        let panes = |width, height, focus| Live::of(Size::new(width, height), focus, None).panes.len();
        assert_eq!(panes(80, 24, Pane::Heatmap), 3);
        assert_eq!(panes(80, 20, Pane::Heatmap), 2);
        assert_eq!(panes(64, 20, Pane::Heatmap), 1);
        assert_eq!(panes(40, 12, Pane::Heatmap), 0);
        assert_eq!(Live::of(Size::new(120, 36), Pane::Cost, Some(Pane::Cost)).panes.len(), 1);
    }
}
