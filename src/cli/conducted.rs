//! Runs a comparison to its end, or to the end a signal asks for, and says how far it is.

use std::time::Instant;

use tokio::signal::unix::{SignalKind, signal};

use super::Failure;
use super::progress::Progress;
use super::run::SAME_WISH;
use crate::compare::conduct::{self, ConductError, Course};
use crate::compare::{self, Comparison, Judging, Stage};
use crate::metrics::Stop;
use crate::profile::Loaded;
use crate::report::compared::words;

/// The second signal leaves at once.
pub fn conduct(loaded: &Loaded, progress: &mut Progress) -> Result<Comparison, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::could_not_run)?;
    runtime.block_on(async {
        let mut interrupts = signal(SignalKind::interrupt()).map_err(Failure::could_not_run)?;
        let mut terminations = signal(SignalKind::terminate()).map_err(Failure::could_not_run)?;
        let course = Course::of(loaded.arms.clone(), &loaded.profile);
        let conducted = conduct::start(course, Judging::new(&loaded.profile).into_judge())?;
        let mut steps = conducted.progress();
        let mut asked: Option<Instant> = None;
        loop {
            let why = tokio::select! {
                _ = interrupts.recv() => Stop::Interrupted,
                _ = terminations.recv() => Stop::Terminated,
                changed = steps.changed() => match changed {
                    Ok(()) => {
                        let step = steps.borrow_and_update().clone();
                        progress.tell(step.done, || line(&step));
                        continue;
                    }
                    Err(_) => break,
                },
            };
            match asked {
                None => {
                    asked = Some(Instant::now());
                    progress.note("stopping: awaiting the calls in flight for at most 2 s; once more to leave at once");
                    conducted.stop(why);
                }
                // `timeout` and CI runners signal the process and its group: that is one wish, not two.
                Some(first) if first.elapsed() < SAME_WISH => {}
                Some(_) => std::process::exit(if why == Stop::Interrupted { 130 } else { 143 }),
            }
        }
        progress.clear();
        Ok(conducted.join()?)
    })
}

/// `block 7 of 24: gateway  response.p50 ratio 0.122, 95% 0.121 to 0.123, better  47.0s left`
fn line(step: &compare::Progress) -> String {
    let arm = step.comparison.arms.get(step.arm).map_or("", |arm| arm.name.as_str());
    let doing = match step.stage {
        Stage::WarmUp => format!("warm-up: {arm}"),
        Stage::Block => format!("block {} of {}: {arm}", step.block, step.blocks),
        Stage::CoolDown => format!("block {} of {}: {arm}, cooling down", step.block, step.blocks),
        Stage::Done => "done".to_owned(),
    };
    let known = step.comparison.leading(1).map_or(String::new(), |row| {
        let ratio = row.ratio.map_or_else(|| words::difference(row.unit, row.difference), |_| words::ratio(row));
        let interval = row.interval.map_or(String::new(), |_| format!(", 95% {}", words::interval(row)));
        format!("  {} {ratio}{interval}, {}", row.metric, words::verdict(row))
    });
    format!("{doing}{known}  {} left", words::lasting(step.left.as_secs_f64()))
}

impl From<ConductError> for Failure {
    fn from(error: ConductError) -> Self {
        if error.is_bad_input() { Self::bad_input(error) } else { Self::could_not_run(error) }
    }
}
