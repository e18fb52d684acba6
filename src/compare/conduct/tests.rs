//! Comparisons of simulated routes on real sockets, in blocks short enough for a test.

use std::sync::{Arc, Mutex};

use super::*;
use crate::compare::progress::Stage;
use crate::compare::{Judging, Row, Word};
use crate::profile::{Draft, Loaded, Prices, Source};

fn loaded(text: &str) -> Loaded {
    let text = format!(
        "{text}\n[workload]\nprompts = {{ kind = \"unique\" }}\nstream = false\n[stack]\nroute = \"near\"\n\
         [stack.retry]\nattempts = 1\n"
    );
    Draft::from_text(Source::Adhoc, text).finish(Prices::ANY).unwrap().clone()
}

const CLOSED: &str = "[load]\nmode = \"closed\"\nusers = 4\nwarmup = \"50ms\"\n";
const OPEN: &str = "[load]\nrate = 200.0\nwarmup = \"50ms\"\n";

/// Two routes, and as arms one of them and what `set` makes of it.
fn two(load: &str, compare: &str, set: &str) -> Loaded {
    loaded(&format!(
        "{load}[compare]\n{compare}\narms = [{{ name = \"near\", set = {{}} }}, {{ name = \"other\", set = {{ {set} }} }}]\n\
         [routes.near]\nsimulate = {{ preset = \"local\", ttft = \"20ms\" }}\n\
         [routes.far]\nsimulate = {{ preset = \"local\", ttft = \"30ms\" }}\n\
         [routes.broken]\nsimulate = {{ preset = \"local\", error_rate = 1.0 }}\n\
         [routes.locked]\nsimulate = {{ preset = \"local\", keys = [\"a key\"] }}"
    ))
}

const FAR: &str = "\"stack.route\" = \"far\"";

/// All that a judge was shown last.
type Shown = Arc<Mutex<Option<Taken>>>;

fn begin(loaded: &Loaded, blocks: u32, stacks: Stacks) -> Result<(Conducted, Shown), ConductError> {
    let (mut judging, shown) = (Judging::new(&loaded.profile), Shown::default());
    let course = Course {
        arms: loaded.arms.clone(),
        blocks,
        block: Duration::from_millis(100),
        cool_down: Duration::from_millis(5),
        stacks,
    };
    let seen = shown.clone();
    let judge = move |taken: &Taken| {
        *seen.lock().unwrap() = Some(taken.clone());
        judging.of(taken)
    };
    Ok((start(course, Box::new(judge))?, shown))
}

fn compare(loaded: &Loaded, blocks: u32, stacks: Stacks) -> (Comparison, Taken) {
    let (conducted, shown) = begin(loaded, blocks, stacks).unwrap();
    let comparison = conducted.join().unwrap();
    let taken = shown.lock().unwrap().take().unwrap();
    (comparison, taken)
}

fn row<'a>(comparison: &'a Comparison, metric: &str) -> &'a Row {
    comparison.row(metric, 1).unwrap_or_else(|| panic!("no {metric}"))
}

#[test]
fn an_arm_that_takes_half_as_long_again_is_worse() {
    let (comparison, taken) = compare(&two(CLOSED, "", FAR), 12, Stacks::Own);
    let response = row(&comparison, "response.p50");
    assert_eq!((response.verdict, response.rounds), (Word::Worse, 6), "{response:?}");
    assert!((1.2..1.7).contains(&response.ratio.unwrap()), "{response:?}");
    assert_eq!(row(&comparison, "qps").verdict, Word::Worse);
    let mut order: Vec<_> =
        (0..2).flat_map(|arm| taken.arms[arm].turns.iter().map(move |turn| (turn.at, arm))).collect();
    order.sort_unstable();
    let arms: Vec<_> = order.into_iter().map(|(_, arm)| arm).collect();
    assert_eq!(arms, [0, 1, 1, 0].repeat(6));
    assert_eq!((comparison.run.stop, comparison.run.rounds, comparison.run.blocks), (Stop::Finished, 6, 24));
}

#[test]
fn every_arm_of_an_open_loop_gets_the_same_calls_block_by_block() {
    let (comparison, taken) = compare(&two(OPEN, "", FAR), 4, Stacks::Own);
    let calls = |arm: usize| {
        let turns = taken.arms[arm].turns.iter();
        turns.map(|turn| (turn.block.planned, turn.block.tally.sent)).collect::<Vec<_>>()
    };
    assert_eq!(calls(0), calls(1));
    let sent: u64 = calls(0).iter().map(|(_, sent)| sent).sum();
    assert!(sent > 40 && comparison.arms[1].sent == sent, "{sent}");
    let same = |metric| row(&comparison, metric).difference == 0.0;
    assert!(same("load.failed") && same("load.dropped"));
}

#[test]
fn warm_ups_are_in_no_figure_but_in_what_was_spent() {
    let (comparison, taken) = compare(&two(OPEN, "", FAR), 2, Stacks::Own);
    for (facts, arm) in comparison.arms.iter().zip(&taken.arms) {
        let counted: f64 = arm.turns.iter().map(|turn| turn.block.bill.cny).sum();
        assert!(facts.spent_cny > counted * 1.05 && counted > 0.0, "{} of {counted}", facts.spent_cny);
    }
}

#[test]
fn arms_of_their_own_open_connections_each_and_arms_that_share_keep_them() {
    let opened = |stacks| {
        let (comparison, _) = compare(&two(CLOSED, "", "\"stack.retry.attempts\" = 2"), 2, stacks);
        comparison.arms.iter().map(|arm| arm.connections.opened).sum::<u64>()
    };
    let unwarmed = |text: &str| text.replace("50ms", "0ms");
    let (own, _) = compare(&two(&unwarmed(CLOSED), "", FAR), 2, Stacks::Own);
    assert!(own.arms.iter().all(|arm| arm.connections.opened >= 4));
    assert_eq!(opened(Stacks::Shared), 0, "the first warm-up opened all of them");
}

#[test]
fn arms_that_share_a_stack_still_differ_by_their_settings() {
    let (comparison, _) = compare(&two(CLOSED, "", FAR), 2, Stacks::Shared);
    let response = row(&comparison, "response.p50");
    assert!((1.2..1.7).contains(&response.ratio.unwrap()), "{response:?}");
}

#[test]
fn what_cannot_change_under_load_is_refused_for_a_shared_stack_with_the_keys_and_a_way_out() {
    let loaded = two(CLOSED, "", "\"routes.near.headers\" = { x-team = \"a\" }, seed = 8");
    let refused = begin(&loaded, 2, Stacks::Shared).err().unwrap();
    assert!(refused.is_bad_input());
    let words = refused.to_string();
    for word in ["arm \"other\"", "routes.near.headers", "seed", "compare.shared = false"] {
        assert!(words.contains(word), "`{word}` is not in {words}");
    }
    assert!(begin(&loaded, 2, Stacks::Own).is_ok());
}

#[test]
fn an_arm_that_cannot_start_is_named_and_nothing_is_sent() {
    let key = "\"routes.near.api_key_env\" = \"GATEBENCH_NO_SUCH_KEY\"";
    let (conducted, shown) = begin(&two(CLOSED, "", key), 2, Stacks::Own).unwrap();
    let failed = conducted.join().unwrap_err();
    assert!(failed.is_bad_input());
    let words = failed.to_string();
    assert!(words.starts_with("arm \"other\": routes.near: ") && words.contains("GATEBENCH_NO_SUCH_KEY"), "{words}");
    assert_eq!(shown.lock().unwrap().as_ref().unwrap().blocks(), 0);
}

#[test]
fn an_interruption_leaves_the_whole_rounds_so_far() {
    let (conducted, _) = begin(&two(CLOSED, "", FAR), 1000, Stacks::Own).unwrap();
    let mut progress = conducted.progress();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(progress.wait_for(|now| now.block >= 6)).unwrap();
    conducted.stop(Stop::Interrupted);
    let comparison = conducted.join().unwrap();
    assert!(comparison.run.interrupted);
    let run = &comparison.run;
    assert!(run.stop == Stop::Interrupted && run.blocks >= 5, "{run:?}");
    assert_eq!((run.rounds, row(&comparison, "response.p50").rounds), (run.blocks / 4, run.blocks / 4));
    assert_eq!(progress.borrow().stage, Stage::Done);
}

#[test]
fn an_arm_whose_key_is_refused_ends_the_comparison_in_words() {
    let (comparison, _) = compare(&two(CLOSED, "", "\"stack.route\" = \"locked\""), 4, Stacks::Own);
    assert_eq!((comparison.run.stop, comparison.run.rounds), (Stop::Hopeless, 0));
    let why = comparison.run.given_up_because.unwrap();
    assert!(why.starts_with("arm \"other\": route locked wants a key"), "{why}");
}

#[test]
fn an_arm_of_which_nothing_succeeds_ends_the_comparison_in_words() {
    let (comparison, _) = compare(&two(CLOSED, "", "\"stack.route\" = \"broken\""), 4, Stacks::Own);
    assert_eq!(comparison.run.stop, Stop::Hopeless);
    let why = comparison.run.given_up_because.unwrap();
    assert!(why.starts_with("arm \"other\": none of its ") && why.contains("500"), "{why}");
}

#[test]
fn one_budget_is_for_all_arms_together() {
    let budget = "[limits]\nbudget = \"¥1.5\"\n";
    let (comparison, _) = compare(&two(&format!("{budget}{CLOSED}"), "", FAR), 100, Stacks::Own);
    assert_eq!(comparison.run.stop, Stop::Budget);
    let spent: Vec<f64> = comparison.arms.iter().map(|arm| arm.spent_cny).collect();
    let all: f64 = spent.iter().sum();
    assert!(all <= 1.5 && all > 1.2 && spent.iter().all(|spent| *spent > 0.2), "{spent:?}");
    let refused = begin(&two(CLOSED, "", "\"limits.budget\" = \"¥1\""), 2, Stacks::Own).err().unwrap();
    assert!(refused.is_bad_input() && refused.to_string().contains("limits.budget"), "{refused}");
}

#[test]
fn a_comparison_ends_early_by_its_intervals_width_after_a_whole_round() {
    let narrow = "until = \"500%\"\nmetrics = [\"response.p50\"]";
    let (comparison, _) = compare(&two(CLOSED, narrow, FAR), 40, Stacks::Own);
    assert!(comparison.run.ended_early && comparison.run.stop == Stop::Finished);
    assert_eq!(comparison.run.blocks, 24, "six rounds are the fewest that have an interval");
}

#[test]
fn progress_tells_whose_turn_it_is_and_how_far_all_is() {
    let (conducted, _) = begin(&two(CLOSED, "", FAR), 2, Stacks::Own).unwrap();
    let mut progress = conducted.progress();
    let mut seen = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        while progress.changed().await.is_ok() {
            let now = progress.borrow_and_update().clone();
            assert!((0.0..=1.0).contains(&now.done), "{}", now.done);
            seen.push((now.block, now.arm));
        }
    });
    // A reader that is held up misses some.
    seen.dedup();
    let mut turns = [(0, 0), (0, 1), (1, 0), (2, 1), (3, 1), (4, 0)].into_iter();
    assert!(seen.iter().all(|told| turns.any(|turn| turn == *told)), "{seen:?}");
    let last = progress.borrow().clone();
    assert_eq!((last.stage, last.block, last.done, last.left), (Stage::Done, 4, 1.0, Duration::ZERO));
    conducted.join().unwrap();
}
