//! Served by: which tier answered, of everything that finished in the last seconds, and over the epoch.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::{focus, frame};
use crate::metrics::{ServedBy, Tally, ratio};
use crate::report::format;
use crate::tui::app::App;
use crate::tui::command::Pane;
use crate::tui::theme::{Theme, Tier};
use crate::tui::widgets::Bar;

const LABEL: u16 = 8;
const VALUE: usize = 6;

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let shown = app.shown();
    let (recent, epoch) = (&*shown.recent.tally, &*shown.epoch.tally);
    let hits =
        recent.hit_rate().map_or_else(|| "no answer yet".to_owned(), |hits| format!("hits {}", format::percent(hits)));
    let block = frame("Served by", &hits, focus(app, Pane::ServedBy), theme);
    let inner = block.inner(area);
    block.render(area, buf);
    let head = format!("last {:.0}s, n {}", shown.recent.seconds, format::count(recent.finished()));
    let epoch_head = format!("epoch {}", shown.epoch.number);
    let has_room = inner.width >= 30;
    let width = usize::from(inner.width);
    buf.set_stringn(inner.x, inner.y, head, width, theme.dim());
    if has_room {
        let at = inner.right().saturating_sub(epoch_head.len() as u16);
        buf.set_stringn(at, inner.y, &epoch_head, width, theme.dim());
    }
    for (tier, y) in Tier::ALL.into_iter().zip((inner.top() + 1)..inner.bottom()) {
        let share = |tally: &Tally| ratio(count(tally, tier), tally.finished());
        let value = share(recent).map_or_else(|| "-".to_owned(), format::percent);
        let value = match has_room {
            true => {
                let epoch = share(epoch).map_or_else(|| "-".to_owned(), format::percent);
                format!("{} {}", format::right(&value, VALUE), format::right(&epoch, VALUE + 1))
            }
            false => format::right(&value, VALUE),
        };
        let bar = Bar {
            label: tier.name(),
            label_width: LABEL,
            share: share(recent).unwrap_or(0.0),
            value: &value,
            value_width: value.len() as u16,
            paint: theme.tier(tier),
            theme,
        };
        bar.render(Rect { y, height: 1, ..inner }, buf);
    }
}

/// Calls of a tier; those that another model answered are the fallback's, not the model's.
fn count(tally: &Tally, tier: Tier) -> u64 {
    let rows = tally.ledger.rows().iter();
    let by_fallback: u64 = rows.filter(|row| row.lane.model != row.asked.model).map(|row| row.answers).sum();
    let served = |by: ServedBy| tally.served_by[by as usize];
    match tier {
        Tier::Local => served(ServedBy::Local),
        Tier::Redis => served(ServedBy::Redis),
        Tier::Shared => served(ServedBy::Shared),
        Tier::Gateway => served(ServedBy::Gateway),
        Tier::Model => served(ServedBy::Model).saturating_sub(by_fallback),
        Tier::Fallback => by_fallback,
        Tier::Failed => tally.failed,
    }
}
