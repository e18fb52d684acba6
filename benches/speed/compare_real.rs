//! Comparisons over real sockets on a network that drifts by 20%: an arm against itself, and against one that is 5%
//! slower; and what the same blocks would have said one half after the other.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatebench::compare::conduct::{self, Course, Stacks, Taken};
use gatebench::compare::{Comparison, Judging, Row};
use gatebench::metrics::Time;
use gatebench::profile::{Draft, Loaded, Prices, Source};

use super::measure::median;
use super::series::differ;
use super::table::Table;
use super::{Length, Problem};

const BLOCKS: u32 = 20;
const BLOCK: Duration = Duration::from_millis(800);
const COOL_DOWN: Duration = Duration::from_millis(50);

/// 100 calls a second, of which the slower arm's take 5% longer in all that the simulated route is made of.
const PROFILE: &str = r#"
[load]
rate = 100.0
warmup = "1s"
[workload]
prompts = { kind = "unique" }
stream = false
[stack]
route = "net"
[stack.retry]
attempts = 1
[compare]
tolerance = "1%"
arms = [ { name = "base", set = {} }, { name = "other", set = { "stack.route" = "OTHER" } } ]
[routes.net]
simulate = { preset = "local", rtt = "20ms", ttft = { median = "40ms", p95 = "46ms" }, drift = { share = "20%", period = "60s" } }
[routes.slower]
simulate = { preset = "local", rtt = "21ms", ttft = { median = "42ms", p95 = "48.3ms" }, drift = { share = "20%", period = "60s" } }
"#;

pub fn measure(table: &mut Table, _: Length) -> Result<(), Problem> {
    let (equal, taken) = compare(&loaded("net")?)?;
    show(table, "A/A", &equal)?;
    one_half_after_the_other(table, &taken);
    let (slower, _) = compare(&loaded("slower")?)?;
    show(table, "A/B, 5% slower", &slower)?;
    let ratio = row(&slower, "response.p50")?.ratio.ok_or("a latency has a ratio")?;
    table.at_most("A/B: the ratio of response.p50 is off 1.05 by", (ratio - 1.05).abs() * 100.0, 1.5, " points");
    Ok(())
}

fn loaded(other: &str) -> Result<Loaded, Problem> {
    Ok(Draft::from_text(Source::Adhoc, PROFILE.replace("OTHER", other)).finish(Prices::ANY)?)
}

/// With all that was taken.
fn compare(loaded: &Loaded) -> Result<(Comparison, Taken), Problem> {
    let course =
        Course { arms: loaded.arms.clone(), blocks: BLOCKS, block: BLOCK, cool_down: COOL_DOWN, stacks: Stacks::Own };
    let (mut judging, last) = (Judging::new(&loaded.profile), Arc::<Mutex<Option<Taken>>>::default());
    let kept = last.clone();
    let judge = move |taken: &Taken| {
        *kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(taken.clone());
        judging.of(taken)
    };
    let comparison = conduct::start(course, Box::new(judge))?.join()?;
    let taken = last.lock().map_err(|_| "the judge panicked")?.take().ok_or("nothing was judged")?;
    Ok((comparison, taken))
}

fn row<'a>(comparison: &'a Comparison, metric: &str) -> Result<&'a Row, Problem> {
    comparison.row(metric, 1).ok_or_else(|| format!("{metric} has no row").into())
}

fn show(table: &Table, arms: &str, comparison: &Comparison) -> Result<(), Problem> {
    for metric in ["response.p50", "response.mean", "response.p95"] {
        let row = row(comparison, metric)?;
        let percent = |ratio: f64| format!("{:+.2}%", (ratio - 1.0) * 100.0);
        let interval = row.ratio_interval.ok_or("20 blocks an arm have an interval")?;
        let (low, high) = (percent(interval.low), percent(interval.high));
        let word = serde_json::to_value(row.verdict)?;
        let what = format!("{arms}: {metric}, {low} to {high}, {}", word.as_str().unwrap_or_default());
        table.figure(&what, row.ratio.map_or_else(String::new, percent));
    }
    let run = &comparison.run;
    table.note(format!("{} blocks in {:.0} s, valid: {}", run.blocks, run.duration_s, run.valid));
    Ok(())
}

/// All blocks are of equal arms: A first and B then would have been such halves.
fn one_half_after_the_other(table: &Table, taken: &Taken) {
    let mut blocks: Vec<(usize, f64)> = taken
        .arms
        .iter()
        .flat_map(|arm| &arm.turns)
        .filter_map(|turn| Some((turn.at, turn.block.tally.times.summary(Time::Response)?.p50)))
        .collect();
    blocks.sort_unstable_by_key(|(at, _)| *at);
    let levels: Vec<f64> = blocks.into_iter().map(|(_, p50)| p50).collect();
    let (first, then) = levels.split_at(levels.len() / 2);
    let change = median(then.iter().copied()) / median(first.iter().copied()) - 1.0;
    let word = if differ(first, then) { "\"different\"" } else { "no difference" };
    let what = format!("the same blocks of A/A, one half after the other: {word}");
    table.figure(&what, format!("{:+.2}%", change * 100.0));
}
