//! `gatebench sweep`: a run for each value of a setting, a table, the knee, the value to pick and why.

use super::args::{OutputArgs, RunArgs};
use super::arms::values_of;
use super::calibrate::Standard;
use super::delivery::{check_formats, delivered, style, warn};
use super::run::measure;
use super::{Failure, load, print, step_summary};
use crate::metrics::Stop;
use crate::profile::Override;
use crate::report::sweep::{self, Row, Sweep};
use crate::report::{self, Verdict, markdown};

pub fn run(args: &RunArgs) -> Result<u8, Failure> {
    check_formats::<Sweep>(&args.out)?;
    let (swept, fixed) = split(&args.load.set);
    if swept.is_empty() {
        return Err(Failure::bad_input(
            "a sweep needs a key with several values: --set stack.pool.max_connections=4,8,16",
        ));
    }
    let mut base = args.load.clone();
    base.set = fixed;
    // Every combination is checked before the first request is sent.
    let mut profiles = Vec::new();
    for combination in combinations(&swept) {
        let overrides = combination
            .iter()
            .map(|(key, value)| Override::set(&format!("{key}={value}")))
            .collect::<Result<Vec<_>, _>>()
            .map_err(Failure::bad_input)?;
        profiles.push((combination, load::load_with(args.profile.as_deref(), &base, &overrides)?));
    }
    if let Some((_, first)) = profiles.first() {
        warn(first, &args.output);
    }
    let (mut sweep, mut standard) = (Sweep::default(), Standard::default());
    let count = profiles.len();
    for (i, (set, loaded)) in profiles.into_iter().enumerate() {
        if !args.output.quiet {
            eprintln!("run {} of {count}: {}", i + 1, sweep::label(&set));
        }
        let report = match measure(&loaded.profile, args, &mut standard) {
            Ok(report) => report,
            Err(failure) if sweep.rows.is_empty() => return Err(failure),
            Err(failure) => {
                failure.tell();
                sweep.error = Some(failure.message);
                break;
            }
        };
        sweep.rows.push(Row::of(set, &report));
        let signal = Some(report.run.stop).filter(|stop| matches!(stop, Stop::Interrupted | Stop::Terminated));
        sweep.stopped = signal.or(standard.stopped());
        if sweep.stopped.is_some() {
            break;
        }
    }
    step_summary::append(|| markdown::of_sweep(&sweep));
    let written = args.out.iter().map(|path| report::write(path, &sweep).map_err(Failure::could_not_run));
    let delivered = delivered(std::iter::once(show(&sweep, &args.output)).chain(written));
    Ok(Verdict::of_all([sweep.verdict(), delivered]).exit_code())
}

fn show(sweep: &Sweep, output: &OutputArgs) -> Result<(), Failure> {
    if output.json {
        print(&format!("{:#}\n", sweep.json()))?;
    } else if !output.quiet {
        print(&sweep.text(style(output)))?;
    }
    Ok(())
}

/// Keys with several values, and the other `--set`s.
fn split(sets: &[String]) -> (Vec<(String, Vec<String>)>, Vec<String>) {
    let mut swept = Vec::new();
    let mut fixed = Vec::new();
    for set in sets {
        match set.split_once('=') {
            Some((key, values)) if values_of(values).len() > 1 => {
                swept.push((key.trim().to_owned(), values_of(values)))
            }
            _ => fixed.push(set.clone()),
        }
    }
    (swept, fixed)
}

fn combinations(swept: &[(String, Vec<String>)]) -> Vec<Vec<(String, String)>> {
    swept.iter().fold(vec![Vec::new()], |so_far, (key, values)| {
        let with = |set: &Vec<(String, String)>| {
            let set = set.clone();
            values.iter().map(move |value| [set.clone(), vec![(key.clone(), value.clone())]].concat())
        };
        so_far.iter().flat_map(with).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_keys_give_every_combination() {
        let (swept, fixed) = split(&["a.b=1,2".into(), "c=x".into(), "d=3,4".into()]);
        assert_eq!(combinations(&swept).len(), 4);
        assert_eq!(fixed, ["c=x"]);
    }
}
