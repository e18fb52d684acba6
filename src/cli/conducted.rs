//! Runs a comparison to its end, or to the end a signal asks for, and says how far it is.

use super::Failure;
use super::progress::Progress;
use super::wishes::Wishes;
use crate::compare::conduct::{self, ConductError, Course};
use crate::compare::{self, Comparison, Judging, Stage};
use crate::profile::Loaded;
use crate::report::compared::words;

/// The second signal leaves at once.
pub fn conduct(loaded: &Loaded, progress: &mut Progress) -> Result<Comparison, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::could_not_run)?;
    runtime.block_on(async {
        let mut wishes = Wishes::heard()?;
        let course = Course::of(loaded.arms.clone(), &loaded.profile);
        let conducted = conduct::start(course, Judging::new(&loaded.profile).into_judge())?;
        let mut steps = conducted.progress();
        loop {
            let why = tokio::select! {
                why = wishes.next() => why,
                changed = steps.changed() => match changed {
                    Ok(()) => {
                        let step = steps.borrow_and_update().clone();
                        progress.tell(step.done, || line(&step));
                        continue;
                    }
                    Err(_) => break,
                },
            };
            wishes.heed(why, progress, |why| conducted.stop(why));
        }
        progress.clear();
        Ok(conducted.join()?)
    })
}

/// `block 7 of 24: gateway  response.p50; ratio 0.122, 95% 0.121 to 0.123, better  47.0s left`
fn line(step: &compare::Progress) -> String {
    let arm = step.comparison.arms.get(step.arm).map_or("", |arm| arm.name.as_str());
    let doing = match step.stage {
        Stage::WarmUp => format!("warm-up: {arm}"),
        Stage::Block => format!("block {} of {}: {arm}", step.block, step.blocks),
        Stage::CoolDown => format!("block {} of {}: {arm}, cooling down", step.block, step.blocks),
        Stage::Done => "done".to_owned(),
    };
    let known = step.comparison.leading(1).map_or(String::new(), |row| {
        let change = row.ratio.map_or_else(|| words::difference(row.unit, row.difference), |_| words::ratio(row));
        let change = row.ratio.map_or(change.clone(), |_| format!("ratio {change}"));
        match row.interval {
            Some(_) => format!("  {} {change}, 95% {}, {}", row.metric, words::interval(row), words::verdict(row)),
            None => format!("  {} {change} after {}", row.metric, words::rounds(row.rounds)),
        }
    });
    format!("{doing}{known}  {} left", words::lasting(step.left.as_secs_f64()))
}

impl From<ConductError> for Failure {
    fn from(error: ConductError) -> Self {
        if error.is_bad_input() { Self::bad_input(error) } else { Self::could_not_run(error) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_progress_line_says_whose_turn_it_is_and_what_the_figures_are() {
        let comparison = Arc::new(compare::tests::synthetic::comparison());
        let (stage, left) = (Stage::Block, Duration::from_secs(47));
        let step = compare::Progress { stage, arm: 1, block: 7, blocks: 24, done: 0.3, left, comparison };
        let line = line(&step);
        assert!(line.starts_with("block 7 of 24: gateway  response.p50 ratio 0.122, 95% 0.122 to 0.1"), "{line}");
        assert!(line.ends_with(", better  47.0s left"), "{line}");
    }
}
