//! Tokens and money of the summary.

use super::super::shape::Report;
use super::format::{count, digits3, money};
use super::page::Page;

pub fn rows(page: &mut Page, report: &Report) {
    let tokens = &report.tokens;
    let written = match tokens.cache_write {
        0 => String::new(),
        written => format!(", {} written to it", count(written)),
    };
    let mut pieces = vec![
        format!("{} in ({} from the prompt cache{written})", count(tokens.input), count(tokens.cached_input)),
        format!("{} out", count(tokens.output)),
    ];
    let further = [
        (tokens.avoided, "saved by caches"),
        (tokens.lost, "billed for failed attempts"),
        (tokens.estimated_answers, "answers' tokens estimated"),
    ];
    pieces.extend(further.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", count(*n))));
    page.row("tokens", &pieces);
    cost(page, report);
}

fn cost(page: &mut Page, report: &Report) {
    let cost = &report.cost;
    let both = |cny, usd| format!("{} / {}", money('¥', cny), money('$', usd));
    let mut pieces = vec![format!("{} for {} successes", both(cost.cny, cost.usd), count(report.load.succeeded))];
    if let (Some(cny), Some(usd)) = (cost.cny_per_1k, cost.usd_per_1k) {
        pieces.push(format!("{} per 1k", both(cny, usd)));
    }
    page.row("cost", &pieces);
    if cost.total_cny > cost.cny {
        page.row("", &[format!("{} with warm-up and drain", both(cost.total_cny, cost.total_usd))]);
    }
    let day = &cost.projection;
    if cost.cny_per_1k.is_some() {
        page.row(
            "",
            &[
                format!("at {} calls/day: {} a day", count(day.calls_per_day), both(day.cny_per_day, day.usd_per_day)),
                format!("{} a month", money('¥', day.cny_per_month)),
            ],
        );
    }
    let saved = &cost.saved;
    let total = saved.by_cache + saved.by_fallback + saved.by_exchange;
    page.row(
        "",
        &[
            format!("saved {} here", money('¥', total)),
            format!("by cache {}", money('¥', saved.by_cache)),
            format!("by fallback {}", money('¥', saved.by_fallback)),
            format!("by exchange {}", money('¥', saved.by_exchange)),
        ],
    );
    page.row(
        "",
        &[
            match cost.prices_as_of.as_str() {
                "profile" => "prices of the profile".to_owned(),
                date => format!("list prices as of {date}"),
            },
            format!("market ¥{} per $", digits3(cost.market_cny_per_usd)),
            match cost.usd > 0.0 {
                true => format!("paid ¥{} per $", digits3(cost.cny / cost.usd)),
                false => "nothing paid".to_owned(),
            },
        ],
    );
    if !cost.unpriced.is_empty() {
        page.row("", &[format!("without a price, counted as free: {}", cost.unpriced.join(", "))]);
    }
}
