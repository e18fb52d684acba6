//! Comparison -> the page: both arms on one axis, block by block, phase by phase. Must not know how a difference is
//! judged.

use super::markup::{Cell, element, table};
use super::plot::{ACROSS, Look, Plot, UPWARD, line, stacked_bar};
use super::scale::{Scale, decades, round_steps, short_ms, ticks};
use super::{histogram, moment, page, settings};
use crate::compare::{ArmFacts, Comparison};
use crate::metrics::Time;
use crate::report::compared::{self, ComparedSweep, Table, words};
use crate::report::figures::Metric;
use crate::report::text::format::{compact, count, ms, percent};
use crate::report::text::{Tone, met};
use hdrhistogram::Histogram;

/// Of arms, in their order; further ones begin anew.
const LINES: [Look; 5] = ["line a", "line b", "line c", "line d", "line e"];
const AREAS: [Look; 5] = ["area a", "area b", "area c", "area d", "area e"];
/// Over the whole axis of a histogram, as long as a decade has ten.
const BARS: i32 = 60;
/// Times further apart than this share no linear axis.
const FAR_APART: f64 = 20.0;
/// Of phases that are told apart in one bar.
const PHASES: [Look; 7] = ["bar e", "bar f", "bar d", "bar g", "bar b", "bar a", "bar c"];

pub fn html(comparison: &Comparison) -> String {
    let title = compared::name(comparison);
    let top = element("h1", "", &title) + &sections(comparison);
    page(&title, &(top + &settings(&comparison.profile)))
}

pub fn of_sweep(sweep: &ComparedSweep) -> String {
    let name = sweep.points.first().map_or("a sweep of comparisons".to_owned(), |at| compared::name(&at.comparison));
    let (tone, closing) = sweep.closing_words();
    let mut body = element("h1", "", &name) + &element("p", verdict_class(tone), &closing);
    sweep.tables().iter().for_each(|(heading, table)| body += &as_markup(heading, table));
    for at in &sweep.points {
        body += &(element("h2", "value", &sweep.label(&at.value)) + &sections(&at.comparison));
    }
    let profile = sweep.points.first().map_or(String::new(), |at| settings(&at.comparison.profile));
    page(&name, &(body + &profile))
}

fn verdict_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "verdict good",
        Tone::Bad => "verdict bad",
        _ => "verdict doubt",
    }
}

fn sections(comparison: &Comparison) -> String {
    let mut out = header(comparison);
    for arm in 1..comparison.arms.len() {
        let heading = format!("{} against {}", comparison.arms[arm].name, comparison.arms[0].name);
        out += &as_markup(&heading, &compared::metrics(comparison, arm));
    }
    out += &notes(comparison);
    let charts = [overlay(comparison), cumulative(comparison), by_block(comparison)];
    let charts = charts.into_iter().flatten().collect::<String>() + &phases(comparison);
    out += &(element("h2", "", "Charts") + "<div class=\"charts\">\n" + &charts + "</div>\n");
    if comparison.arms.iter().all(|arm| words::total(&arm.phases_ms) > 0.0) {
        out += &as_markup("Where time goes (mean of a successful call)", &compared::phases(comparison));
        for other in &comparison.arms[1..] {
            let said = words::where_time_goes(&comparison.arms[0], other);
            out += &said.map_or(String::new(), |said| element("p", "", &said));
        }
    }
    out + &as_markup("What each arm did", &compared::arms(comparison)) + &expectations(comparison)
}

fn header(comparison: &Comparison) -> String {
    let run = &comparison.run;
    let plan = format!(
        "{} of blocks of {}, {} in all, from {} with gatebench {}",
        words::rounds(run.rounds),
        words::lasting(comparison.plan.block_s),
        words::lasting(run.duration_s),
        moment(&run.started_at),
        comparison.gatebench
    );
    let (_, closing) = compared::closing_words(comparison);
    let mut out = element("p", "aside", &plan);
    for arm in 1..comparison.arms.len() {
        for row in compared::headlines(comparison, arm) {
            out += &element("p", verdict_class(compared::tone(row)), &words::sentence(comparison, row));
        }
    }
    out += &element("p", "aside", &closing);
    for (tone, doubt) in compared::doubts(comparison) {
        out += &element("p", if tone == Tone::Bad { "bad" } else { "doubt" }, &doubt);
    }
    out
}

fn as_markup(heading: &str, of: &Table) -> String {
    let heads: Vec<_> = of.heads.iter().map(String::as_str).collect();
    let cell = |(i, text): (usize, &String)| {
        let is_words = i == 0 || heads[i] == Table::WORDS;
        if is_words { Cell::words(text) } else { Cell::figure(text) }
    };
    let rows: Vec<Vec<_>> = of.rows.iter().map(|row| row.iter().enumerate().map(cell).collect()).collect();
    table(heading, &heads, &rows)
}

fn notes(comparison: &Comparison) -> String {
    let mut out = String::new();
    if comparison.metrics.iter().any(|row| row.asked_for && row.pooled) {
        out += &element("p", "aside", "* of a round's two blocks together: one alone has too few samples");
    }
    for arm in 1..comparison.arms.len() {
        out.extend(compared::silent(comparison, arm).map(|why| element("p", "doubt", &why)));
    }
    out + &words::further(comparison).map_or(String::new(), |further| element("p", "doubt", &further))
}

/// The kind of time that the comparison is about.
fn leading_time(comparison: &Comparison) -> Time {
    let metric = comparison.leading(1).and_then(|row| Metric::by_name(&row.metric));
    match metric {
        Some(Metric::Time { time, .. }) => time,
        _ => Time::Response,
    }
}

/// Of each arm that has values.
fn recorded(comparison: &Comparison, time: Time) -> Vec<(usize, &ArmFacts, &Histogram<u64>)> {
    let arms = comparison.arms.iter().enumerate();
    arms.filter_map(|(i, arm)| Some((i, arm, arm.tally.times.get(time).filter(|times| !times.is_empty())?))).collect()
}

/// The decades of a log axis that holds every value.
fn axis(arms: &[(usize, &ArmFacts, &Histogram<u64>)]) -> Option<Vec<f64>> {
    let ms = |pick: fn(&Histogram<u64>) -> u64| arms.iter().map(move |(.., times)| pick(times).max(1_000) as f64 / 1e6);
    Some(decades(ms(|times| times.min()).reduce(f64::min)?, ms(|times| times.max()).reduce(f64::max)?))
}

fn legend(arms: &[(usize, &ArmFacts, &Histogram<u64>)]) -> Vec<(Look, String)> {
    arms.iter().map(|(i, arm, times)| (LINES[i % 5], format!("{} n={}", arm.name, count(times.len())))).collect()
}

/// How large a share of each arm's calls took how long.
fn overlay(comparison: &Comparison) -> Option<String> {
    let time = leading_time(comparison);
    let arms = recorded(comparison, time);
    let decades = axis(&arms)?;
    // Arms may be close: as many bars as can be told apart.
    let a_decade = (BARS / (decades.len() as i32 - 1)).max(10);
    let bars = histogram::Bars::of(&decades, a_decade);
    let shares = |times: &Histogram<u64>| {
        let counts = bars.counts(times);
        counts.into_iter().map(|n| n as f64 / times.len() as f64).collect::<Vec<_>>()
    };
    let all: Vec<_> = arms.iter().map(|(i, _, times)| (*i, shares(times))).collect();
    let highest = all.iter().flat_map(|(_, shares)| shares.iter().copied()).fold(0.0, f64::max);
    let steps = round_steps(highest * 100.0);
    let y = Scale::linear((0.0, steps[steps.len() - 1]), UPWARD);
    let width = (ACROSS.1 - ACROSS.0) / bars.count() as f64;
    let outline = |shares: &[f64]| -> Vec<Option<(f64, f64)>> {
        let bar = |(bar, share): (usize, &f64)| {
            let (left, top) = (ACROSS.0 + bar as f64 * width, y.at(share * 100.0));
            [Some((left, top)), Some((left + width, top))]
        };
        let tops = shares.iter().enumerate().flat_map(bar);
        [Some((ACROSS.0, UPWARD.0))].into_iter().chain(tops).chain([Some((ACROSS.1, UPWARD.0))]).collect()
    };
    let areas = all.iter().map(|(i, shares)| line(AREAS[i % 5], outline(shares)));
    let lines = all.iter().map(|(i, shares)| line(LINES[i % 5], outline(shares)));
    Some(over_time_taken(
        "share of an arm's calls (%)",
        time,
        &decades,
        (y, ticks(&steps, compact)),
        legend(&arms),
        areas.chain(lines).collect(),
    ))
}

/// How large a share of each arm's calls took at most so long.
fn cumulative(comparison: &Comparison) -> Option<String> {
    let time = leading_time(comparison);
    let arms = recorded(comparison, time);
    let decades = axis(&arms)?;
    let x = Scale::log((decades[0], decades[decades.len() - 1]), ACROSS);
    let y = Scale::linear((0.0, 100.0), UPWARD);
    let curve = |times: &Histogram<u64>| {
        let places: Vec<_> = (0..=200).map(|step| f64::from(step) / 2.0).collect();
        let at = |share: f64| times.value_at_quantile(share / 100.0).max(1_000) as f64 / 1e6;
        let mut places: Vec<_> = places.into_iter().map(|share| Some((x.at(at(share)), y.at(share)))).collect();
        // To the right of its slowest call an arm is done.
        places.push(Some((ACROSS.1, y.at(100.0))));
        places
    };
    let marks = arms.iter().map(|(i, _, times)| line(LINES[i % 5], curve(times))).collect();
    let y_ticks = ticks(&[0.0, 25.0, 50.0, 75.0, 100.0], |share| percent(share / 100.0).replace(".0", ""));
    Some(over_time_taken("calls done after so long", time, &decades, (y, y_ticks), legend(&arms), marks))
}

fn over_time_taken(
    title: &str,
    time: Time,
    decades: &[f64],
    y: (Scale, Vec<super::scale::Tick>),
    legend: Vec<(Look, String)>,
    marks: String,
) -> String {
    let names: Vec<_> = legend.iter().map(|(_, name)| name.as_str()).collect();
    Plot {
        title: format!("{}: {title}", time.name()),
        description: format!("on a logarithmic axis of time; {}", names.join(", ")),
        x_label: "time taken (log)",
        x: (Scale::log((decades[0], decades[decades.len() - 1]), ACROSS), ticks(decades, short_ms)),
        y,
        legend,
        marks,
    }
    .figure()
}

/// The first metric in each block: drift is what both arms have, a difference what one has.
fn by_block(comparison: &Comparison) -> Option<String> {
    let row = comparison.leading(1)?;
    let of = |arm: &ArmFacts| -> Vec<(f64, Option<f64>)> {
        arm.blocks
            .iter()
            .map(|block| (block.at_s + block.seconds / 2.0, block.figures.get(&row.metric).copied()))
            .collect()
    };
    let all: Vec<_> = comparison.arms.iter().map(of).collect();
    let values = || all.iter().flatten().filter_map(|(_, value)| *value);
    let end = all.iter().flatten().map(|(at, _)| *at).fold(0.0, f64::max);
    let (mut seconds, x) = (round_steps(end), Scale::linear((0.0, end.max(f64::MIN_POSITIVE)), ACROSS));
    seconds.retain(|step| *step <= end);
    let is_time = matches!(Metric::by_name(&row.metric), Some(Metric::Time { .. }));
    let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    // Hits and misses lie too far apart for an axis from 0.
    let (y, y_ticks, how) = if is_time && least > 0.0 && most > FAR_APART * least {
        let decades = decades(least, most);
        (Scale::log((decades[0], decades[decades.len() - 1]), UPWARD), ticks(&decades, short_ms), " (log)")
    } else {
        let steps = round_steps(most);
        let label = if is_time { short_ms } else { compact };
        (Scale::linear((0.0, steps[steps.len() - 1]), UPWARD), ticks(&steps, label), "")
    };
    let place = |(at, value): &(f64, Option<f64>)| value.map(|value| (x.at(*at), y.at(value)));
    let marks = all.iter().enumerate().map(|(i, blocks)| line(LINES[i % 5], blocks.iter().map(place)));
    let names: Vec<_> = comparison.arms.iter().map(|arm| arm.name.clone()).collect();
    let plot = Plot {
        title: format!("{} block by block{how}", row.metric),
        description: format!("over {} seconds, an arm a line: {}", compact(end), names.join(", ")),
        x_label: "seconds since the start",
        x: (x, ticks(&seconds, compact)),
        y: (y, y_ticks),
        marks: marks.collect(),
        legend: names.into_iter().enumerate().map(|(i, name)| (LINES[i % 5], name)).collect(),
    };
    Some(plot.figure())
}

/// A bar an arm; the longest call's fills the width, so that lengths can be compared.
fn phases(comparison: &Comparison) -> String {
    let longest = comparison.arms.iter().map(|arm| words::total(&arm.phases_ms)).fold(0.0, f64::max);
    let bar = |arm: &ArmFacts| {
        let phases = words::phases(&arm.phases_ms);
        let parts =
            phases.iter().zip(PHASES).map(|((name, time), look)| (look, format!("{name} {}", ms(*time)), *time));
        let total = words::total(&arm.phases_ms);
        stacked_bar(&format!("{}: {} a call", arm.name, ms(total)), &parts.collect::<Vec<_>>(), longest)
    };
    comparison.arms.iter().map(bar).collect()
}

fn expectations(comparison: &Comparison) -> String {
    let rows: Vec<_> = comparison
        .arms
        .iter()
        .flat_map(|arm| arm.expectations.iter().map(move |judged| (arm, judged)))
        .map(|(arm, judged)| {
            let word = match (judged.passed, &judged.undecided) {
                (true, _) => "held",
                (false, None) => "failed",
                (false, Some(_)) => "undecided",
            };
            [&arm.name, judged.expect.as_str(), word, &met(judged)].map(Cell::words).into()
        })
        .collect();
    table("Expectations", &["arm", "expectation", "", "result"], &rows)
}
