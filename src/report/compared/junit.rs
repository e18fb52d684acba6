//! Comparison -> JUnit XML: a suite a comparison, and a case for each thing its exit code hangs on.

use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCaseStatus, TestSuite};

use super::super::junit::{case, not_passed, status, written};
use super::super::text::Style;
use super::super::verdict::Verdict;
use super::verdict::{untold, verdict};
use super::{closing_words, name, words};
use crate::compare::Comparison;

pub fn junit(comparison: &Comparison) -> String {
    written([suite(comparison, &name(comparison))])
}

pub fn suite(comparison: &Comparison, name: &str) -> TestSuite {
    let took = Duration::try_from_secs_f64(comparison.run.duration_s).unwrap_or_default();
    let mut suite = TestSuite::new(name);
    suite.timestamp = comparison.run.started_at.parse().ok();
    suite.set_time(took);
    suite.add_property(("gatebench", comparison.gatebench));
    suite.add_test_case(case("compare", "ran to its end", ended(comparison))).test_cases[0].set_time(took);
    suite.add_test_case(case("compare", "valid", valid(comparison)));
    for arm in &comparison.arms {
        let class = format!("expect.{}", arm.name);
        let judged = arm.expectations.iter();
        suite.add_test_cases(judged.map(|judged| case(&class, &judged.expect, status(judged, comparison.run.stop))));
    }
    if comparison.plan.demands_a_verdict {
        suite.add_test_case(case("compare", "a word on every metric asked for", conclusive(comparison)));
    }
    suite.set_system_out(super::text(comparison, Style::PLAIN));
    suite
}

fn ended(comparison: &Comparison) -> TestCaseStatus {
    match verdict(comparison) {
        Verdict::Interrupted | Verdict::Terminated | Verdict::CouldNotRun => {
            let (_, words) = closing_words(comparison);
            let examples = comparison.arms.iter().flat_map(super::examples).map(|said| said + "\n");
            not_passed(NonSuccessKind::Error, "compare", &words, examples.collect())
        }
        _ => TestCaseStatus::success(),
    }
}

fn valid(comparison: &Comparison) -> TestCaseStatus {
    let because = &comparison.run.invalid_because;
    match because.first() {
        None => TestCaseStatus::success(),
        Some(first) => not_passed(NonSuccessKind::Error, "invalid", first, because.join("\n")),
    }
}

/// An error, not a failure: it says that nothing was found out.
fn conclusive(comparison: &Comparison) -> TestCaseStatus {
    let untold = untold(comparison);
    if untold.is_empty() {
        return TestCaseStatus::success();
    }
    let message = format!("inconclusive: {}", untold.join(", "));
    not_passed(NonSuccessKind::Error, "inconclusive", &message, words::further(comparison).unwrap_or_default())
}
