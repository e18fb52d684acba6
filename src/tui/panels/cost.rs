//! Cost: what was spent, and what the epoch's settings cost at the profile's daily volume, in RMB and USD.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::quantile::is_young;
use super::{focus, frame, lines};
use crate::cost::{PriceBook, Pricer};
use crate::metrics::Epoch;
use crate::profile::Profile;
use crate::report::format;
use crate::tui::app::App;
use crate::tui::command::Pane;
use crate::tui::theme::Theme;

const LABEL: usize = 9;
const CELL: usize = 10;

/// RMB, then USD.
type Amounts = [Option<f64>; 2];

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let shown = app.shown();
    let epoch = &shown.epoch;
    let pricer = Pricer::new(&epoch.profile, PriceBook::builtin());
    let month = pricer.prices_as_of().get(..7).unwrap_or("own");
    let note = format!("prices {month}");
    let room = usize::from(area.width).saturating_sub("Cost".len() + 8);
    let block = frame("Cost", &format::clipped(&note, room), focus(app, Pane::Cost), theme);
    let inner = block.inner(area);
    block.render(area, buf);
    let (bill, day) = (&epoch.bill, Day::of(epoch));
    let volume = format::compact(bill.projection.calls_per_day as f64);
    let rows = [
        row("run", [Some(shown.spent.cny), Some(shown.spent.usd)]),
        row("per 1k", [bill.cny_per_1k, bill.usd_per_1k]),
        row(&format!("{volume}/day"), day.paid),
        row("no cache", day.without_cache),
    ];
    let n = format!("n {}", format::compact(epoch.tally.succeeded as f64));
    let heads = format!("{}{}{}", format::left(&n, LABEL), format::right("RMB", CELL), format::right("USD", CELL));
    let head = vec![(heads, theme.dim())];
    let plain = rows.into_iter().map(|text| vec![(text, Style::new())]);
    let cache = day.saved_share().map_or_else(|| "-".to_owned(), format::percent);
    let tail = [
        match app.reference() {
            Some(before) if is_young(shown, epoch, before) => {
                vec![("young: slow calls yet to come".to_owned(), theme.warn())]
            }
            _ => vec![(format!("caches save {cache}"), theme.good())],
        },
        vec![(
            format!("exchange saves {}/day", day.by_exchange.map_or_else(|| "-".to_owned(), format::amount)),
            Style::new(),
        )],
        vec![(exchange(&pricer, &epoch.profile), theme.dim())],
    ];
    lines(inner, buf, std::iter::once(head).chain(plain).chain(tail));
}

/// What a dollar of the list price costs on the first route, and elsewhere.
fn exchange(pricer: &Pricer, profile: &Profile) -> String {
    let market = pricer.market_cny_per_usd();
    let paid = profile.routes.get(&profile.stack.route).and_then(|route| route.cny_per_usd).unwrap_or(market);
    format!("$1 costs RMB {paid}, market {market}")
}

fn row(label: &str, [cny, usd]: Amounts) -> String {
    let cell = |amount: Option<f64>| format::right(&amount.map_or_else(|| "-".to_owned(), format::amount), CELL);
    format!("{}{}{}", format::left(label, LABEL), cell(cny), cell(usd))
}

/// A day of calls like the epoch's.
struct Day {
    paid: Amounts,
    without_cache: Amounts,
    /// RMB, against buying the same USD at the market rate.
    by_exchange: Option<f64>,
}

impl Day {
    fn of(epoch: &Epoch) -> Self {
        let (bill, calls) = (&epoch.bill, epoch.tally.succeeded);
        let scaled = |amount: f64| (calls > 0).then(|| amount * bill.projection.calls_per_day as f64 / calls as f64);
        Self {
            paid: [bill.projection.cny_per_day, bill.projection.usd_per_day].map(|day| (calls > 0).then_some(day)),
            without_cache: [scaled(bill.cny + bill.avoided.cny), scaled(bill.usd + bill.avoided.usd)],
            by_exchange: scaled(bill.saved.by_exchange),
        }
    }

    fn saved_share(&self) -> Option<f64> {
        match (self.paid[0], self.without_cache[0]) {
            (Some(paid), Some(whole)) if whole > 0.0 => Some(1.0 - paid / whole),
            _ => None,
        }
    }
}
