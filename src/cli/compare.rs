//! `gatebench compare`: arms that take turns, what they differ by, and how sure that is.

use toml_edit::{InlineTable, Value};

use super::args::{CompareArgs, OutputArgs};
use super::delivery::{check_formats, delivered, style, warn};
use super::progress::Progress;
use super::{Failure, arms, conducted, load, print, step_summary};
use crate::compare::Comparison;
use crate::metrics::Stop;
use crate::profile::{self, Compare, ComparedAt, Draft, Loaded, Override, Profile, Tolerance};
use crate::report::compared::{self, At, ComparedSweep};
use crate::report::{self, Formats, Verdict};

pub fn run(args: &CompareArgs) -> Result<u8, Failure> {
    check_formats::<Comparison>(&args.out)?;
    let draft = draft(args)?;
    let loaded = finished(&draft, args)?;
    let Some(compare) = loaded.profile.compare.clone() else {
        let profile = args.profile.as_deref().unwrap_or("the ad-hoc profile");
        return Err(Failure::bad_input(format!(
            "{profile} has no [compare], so there is nothing to compare; name arms, such as --arm 'direct: \
             stack.route=direct' (against the profile as it is), or write compare.arms"
        )));
    };
    warn(&loaded, &args.output);
    warn_of_blocks(&loaded.profile, &compare, &args.output);
    match compare.sweep {
        None => one(&loaded, args),
        Some(sweep) => at_each_value(&draft, &sweep, args),
    }
}

fn one(loaded: &Loaded, args: &CompareArgs) -> Result<u8, Failure> {
    let comparison = conducted::conduct(loaded, &mut Progress::new(args.output.quiet))?;
    step_summary::append(|| compared::markdown(&comparison));
    let text = |comparison: &Comparison| compared::text(comparison, style(&args.output));
    let (_, closing) = compared::closing_words(&comparison);
    deliver(&comparison, compared::verdict(&comparison), text, &closing, args)
}

/// Every value is checked before the first request is sent.
fn at_each_value(draft: &Draft, at: &ComparedAt, args: &CompareArgs) -> Result<u8, Failure> {
    let mut loaded = Vec::new();
    for value in &at.values {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let over = at.keys.iter().map(|key| swept(key, &value)).collect::<Result<Vec<_>, _>>()?;
        loaded.push((value, finished(&draft.clone().with(&over), args)?));
    }
    let mut sweep = ComparedSweep::new(at.keys.clone());
    let count = loaded.len();
    for (i, (value, loaded)) in loaded.into_iter().enumerate() {
        if !args.output.quiet {
            eprintln!("comparison {} of {count}: {}", i + 1, sweep.label(&value));
        }
        match conducted::conduct(&loaded, &mut Progress::new(args.output.quiet)) {
            Ok(comparison) => sweep.points.push(At::new(value, &loaded.arms, comparison)),
            Err(failure) if sweep.points.is_empty() => return Err(failure),
            Err(failure) => {
                failure.tell();
                sweep.error = Some(failure.message);
            }
        }
        let stop = sweep.points.last().map(|at| at.comparison.run.stop);
        if sweep.error.is_some() || matches!(stop, Some(Stop::Interrupted | Stop::Terminated)) {
            break;
        }
    }
    step_summary::append(|| compared::of_sweep(&sweep));
    let text = |sweep: &ComparedSweep| sweep.text(style(&args.output));
    let (_, closing) = sweep.closing_words();
    deliver(&sweep, sweep.verdict(), text, &closing, args)
}

fn swept(key: &str, value: &str) -> Result<Override, Failure> {
    let over = Override::set(&format!("{key}={value}")).map_err(Failure::bad_input)?;
    Ok(Override { typed: format!("compare.sweep with {key} = {value}"), ..over })
}

/// Stdout, then every file; a way out that fails closes none of the others.
fn deliver<R: Formats>(
    result: &R,
    verdict: Verdict,
    text: impl Fn(&R) -> String,
    closing: &str,
    args: &CompareArgs,
) -> Result<u8, Failure> {
    let shown = match (&args.output, verdict) {
        (OutputArgs { json: true, .. }, _) => print(&report::as_json(result)),
        (OutputArgs { quiet: false, .. }, _) => print(&text(result)),
        (_, Verdict::Passed) => Ok(0),
        _ => {
            eprintln!("{closing}");
            Ok(0)
        }
    };
    let written = args.out.iter().map(|path| report::write(path, result).map_err(Failure::could_not_run));
    let delivered = delivered(std::iter::once(shown.map(drop)).chain(written));
    Ok(Verdict::of_all([verdict, delivered]).exit_code())
}

/// What a comparison makes of the profile that its author may not expect.
fn warn_of_blocks(profile: &Profile, compare: &Compare, output: &OutputArgs) {
    let least = Compare::LEAST_FOR_AN_INTERVAL;
    if compare.blocks < least && !output.quiet {
        eprintln!("warning: {} blocks of each arm give no 95% interval; {least} or more do (--blocks)", compare.blocks);
    }
    if let Some(requests) = profile.load.requests.filter(|_| !output.quiet) {
        let length = humantime::format_duration(compare.block_length(&profile.load));
        eprintln!("warning: load.requests = {requests} bounds no comparison: its blocks last {length} (--block)");
    }
}

/// The profile or the endpoint, with what the flags say of `[compare]`.
fn draft(args: &CompareArgs) -> Result<Draft, Failure> {
    let mut over = Vec::new();
    let mut flag = |typed: String, key: &str, value: Value| over.push(Override::flag(typed, key, value));
    if let Some(blocks) = args.blocks {
        flag(format!("--blocks {blocks}"), "compare.blocks", i64::from(blocks).into());
    }
    if let Some(block) = &args.block {
        flag(format!("--block {block}"), "compare.block", block.into());
    }
    if let Some(until) = &args.until {
        flag(format!("--until {until}"), "compare.until", until.into());
    }
    for metric in &args.metric {
        flag(format!("--metric {metric}"), "compare.metrics.+", metric.into());
    }
    if let Some(text) = &args.sweep {
        flag(format!("--sweep {text}"), "compare.sweep", Value::InlineTable(sweep(text)?));
    }
    let mut draft = load::draft(args.profile.as_deref(), &args.load)?;
    if !args.metric.is_empty() {
        draft = draft.without("compare.metrics");
    }
    if !args.arm.is_empty() {
        draft = draft.without("compare.arms").with(&arms::overrides(&args.arm)?);
    }
    Ok(draft.with(&over))
}

fn finished(draft: &Draft, args: &CompareArgs) -> Result<Loaded, Failure> {
    let mut loaded = load::finished(draft.clone(), &args.load)?;
    for text in &args.tolerance {
        let Some(compare) = &mut loaded.profile.compare else { break };
        let with = Tolerance::with(compare.tolerance.take(), text);
        compare.tolerance = Some(with.map_err(|why| Failure::bad_input(format!("--tolerance {text}: {why}")))?);
    }
    Ok(loaded)
}

/// `users=1,8,64`, `stack.concurrency,stack.pool.max_connections=8,16`.
fn sweep(text: &str) -> Result<InlineTable, Failure> {
    let wrong = |why: &str| Failure::bad_input(format!("--sweep {text}: {why}"));
    let (keys, values) = text.split_once('=').ok_or_else(|| wrong("write KEY=V1,V2, such as --sweep users=1,8,64"))?;
    let keys = keys.split(',').map(|key| profile::full_key(key.trim()));
    let keys = keys.collect::<Result<Vec<_>, _>>().map_err(|why| wrong(&why))?;
    let read = |value: String| value.parse().unwrap_or_else(|_| Value::from(value));
    let values: toml_edit::Array =
        arms::values_of(values).into_iter().filter(|value| !value.is_empty()).map(read).collect();
    let keys: toml_edit::Array = keys.into_iter().collect();
    Ok(InlineTable::from_iter([("keys", Value::Array(keys)), ("values", Value::Array(values))]))
}
