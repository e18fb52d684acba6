//! Report -> one HTML page that needs nothing else: no script, no request, light and dark, screen and paper.
//! Must not know the run: what it says is what JSON says.
//!
//! ```text
//! Report --histogram, percentiles, series, heatmap, served_by, cost--> plot (frame) --scale--> SVG
//!      `---tables--> markup (everything escaped)
//! ```

pub(super) mod compared;
mod cost;
mod heatmap;
mod histogram;
mod markup;
mod percentiles;
mod plot;
mod scale;
mod series;
mod served_by;
mod tables;
#[cfg(test)]
mod tests;

use base64::Engine;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;

use self::markup::element;
pub use self::markup::escaped;
use super::shape::Report;
use super::text::format::{count, digits3, money, ms, percent, seconds};
use super::text::{Tone, closing_words};

/// A page that may load nothing and run nothing, whatever a model's name or an error's text holds.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub fn html(report: &Report) -> String {
    let charts: Vec<_> = [histogram::chart(report), percentiles::chart(report)]
        .into_iter()
        .flatten()
        .chain(series::charts(report))
        .collect();
    let charts = charts.concat() + &served_by::chart(report);
    let sections = [
        header(report),
        tiles(report),
        tables::expectations(report),
        element("h2", "", "Charts") + "<div class=\"charts\">\n" + &charts + "</div>\n",
        tables::latency(report),
        tables::epochs(report),
        tables::models(report),
        cost::section(report),
        tables::errors(report),
        tables::events(report),
        settings(&report.profile),
        tables::environment(report),
    ];
    page(&title(report), &sections.concat())
}

/// A whole document around markup.
fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
        escaped(&format!("gatebench: {title}")),
        include_str!("style.css"),
        body
    )
}

/// Of a metric, as it was recorded; none without values.
fn recorded(report: &Report, metric: &str) -> Option<Histogram<u64>> {
    let bytes = base64::prelude::BASE64_STANDARD.decode(report.histograms.get(metric)?).ok()?;
    let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).ok()?;
    Some(histogram).filter(|histogram| !histogram.is_empty())
}

fn title(report: &Report) -> String {
    let of_profile = |pointer| report.profile.pointer(pointer).and_then(|text| text.as_str()).unwrap_or_default();
    match of_profile("/description") {
        "" => format!("{} through {}", of_profile("/workload/model"), of_profile("/stack/route")),
        description => description.to_owned(),
    }
}

fn header(report: &Report) -> String {
    let run = &report.run;
    let window = format!(
        "measured {} of {} from {} with gatebench {}",
        seconds(run.measured_s),
        seconds(run.duration_s),
        moment(&run.started_at),
        report.gatebench
    );
    let (tone, verdict) = closing_words(report);
    let class = match tone {
        Tone::Good => "verdict good",
        Tone::Bad => "verdict bad",
        _ => "verdict doubt",
    };
    let mut out = element("h1", "", &title(report)) + &element("p", "aside", &window) + &element("p", class, &verdict);
    for reason in &run.invalid_because {
        out += &element("p", "bad", &format!("invalid: {reason}"));
    }
    if !run.insecure_routes.is_empty() {
        let routes = run.insecure_routes.join(", ");
        out += &element("p", "doubt", &format!("certificates were not checked (insecure): {routes}"));
    }
    for warning in &run.warnings {
        out += &element("p", "doubt", &format!("warning: {warning}"));
    }
    if report.environment.build == "debug" {
        out += &element("p", "doubt", "a debug build of gatebench: build with --release before you trust its figures");
    }
    if report.epochs.len() > 1 {
        out += &element("p", "doubt", "settings changed while it ran: all but the epochs' own figures mix them");
    }
    out
}

/// To the second, for people.
fn moment(at: &str) -> String {
    at.parse::<jiff::Timestamp>().map_or_else(|_| at.to_owned(), |at| at.strftime("%F %T UTC").to_string())
}

fn tiles(report: &Report) -> String {
    let (load, cost) = (&report.load, &report.cost);
    let or_dash = |value: Option<f64>, show: fn(f64) -> String| value.map_or("-".to_owned(), show);
    let response = report.latency_ms.response.as_ref();
    let n = format!("response, n = {}", count(response.map_or(0, |response| response.count)));
    let finished = load.succeeded + load.failed;
    let tiles = [
        ("QPS", or_dash(load.qps, digits3), format!("successes/s over {}", seconds(report.run.measured_s))),
        ("p50", or_dash(response.map(|response| response.p50), ms), n.clone()),
        ("p99", or_dash(response.map(|response| response.p99), ms), n),
        ("hit rate", or_dash(report.hit_rate, percent), "answered by a cache".to_owned()),
        (
            "errors",
            or_dash(crate::metrics::ratio(load.failed, finished), percent),
            format!("{} of {} finished", count(load.failed), count(finished)),
        ),
        ("fallback", or_dash(report.fallback_rate, percent), "answered by another model".to_owned()),
        (
            "RMB per 1,000",
            or_dash(cost.cny_per_1k, |cny| money('¥', cny)),
            format!("{}, prices as of {}", or_dash(cost.usd_per_1k, |usd| money('$', usd)), cost.prices_as_of),
        ),
        ("sent", count(load.sent), format!("of {} planned, {} dropped", count(load.planned), count(load.dropped))),
    ];
    let tile = |(name, value, about): &(&str, String, String)| {
        let (name, value, about) = (escaped(name), escaped(value), escaped(about));
        format!("<div><dt>{name}</dt><dd>{value} <small>{about}</small></dd></div>\n")
    };
    format!("<dl class=\"tiles\">\n{}</dl>\n", tiles.iter().map(tile).collect::<String>())
}

/// As run, in the language it was written in.
fn settings(profile: &serde_json::Value) -> String {
    let settings = toml::to_string_pretty(profile).unwrap_or_else(|_| format!("{profile:#}"));
    let settings = escaped(&settings);
    let heading = element("h2", "", "Profile");
    format!(
        "{heading}<details>\n<summary>All settings, defaults filled in</summary>\n<pre>{settings}</pre>\n</details>\n"
    )
}
