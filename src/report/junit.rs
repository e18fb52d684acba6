//! Report -> JUnit XML, as GitLab and Jenkins read it: a suite a run, and a case for each thing its exit code hangs on.
//! A failure is an expectation that did not hold; an error is what left nothing, or nothing sound, to judge. What a run
//! that was aborted for one expectation had no time to judge of the others is skipped.

use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::shape::{Judged, Report};
use super::text::{self, Style, met};
use super::verdict::Verdict;
use crate::metrics::Stop;

pub fn junit(report: &Report) -> String {
    let took = Duration::try_from_secs_f64(report.run.duration_s).unwrap_or_default();
    let mut suite = TestSuite::new(text::name(report));
    suite.timestamp = report.run.started_at.parse().ok();
    suite.set_time(took);
    suite.add_property(("gatebench", report.gatebench.as_str()));
    suite.add_test_case(case("run", "ran to its end", ended(report))).test_cases[0].set_time(took);
    suite.add_test_case(case("run", "valid", valid(report)));
    suite.add_test_cases(
        report.expectations.iter().map(|judged| case("expect", &judged.expect, status(judged, report.run.stop))),
    );
    suite.set_system_out(text::text(report, Style::PLAIN));
    written([suite])
}

/// Suites that ran one after the other, as XML. The schema of Jenkins' xUnit plugin has no `skipped` on the element of
/// all suites.
pub(crate) fn written(suites: impl IntoIterator<Item = TestSuite>) -> String {
    let mut all = quick_junit::Report::new("gatebench");
    all.add_test_suites(suites);
    let took = all.test_suites.iter().filter_map(|suite| suite.time).sum();
    all.set_time(took);
    let xml = all.to_string().expect("memory takes all of it");
    xml.replacen(&format!(" skipped=\"{}\"", all.skipped), "", 1)
}

pub(crate) fn case(class: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(format!("gatebench.{class}"));
    case
}

fn ended(report: &Report) -> TestCaseStatus {
    match Verdict::of(report) {
        Verdict::Interrupted | Verdict::Terminated | Verdict::CouldNotRun => {
            let (_, words) = text::closing_words(report);
            let examples = report.error_examples.iter().map(|(kind, example)| format!("first {kind}: {example}\n"));
            not_passed(NonSuccessKind::Error, "run", &words, examples.collect())
        }
        _ => match &report.run.aborted_because {
            Some(because) => not_passed(NonSuccessKind::Failure, "aborted", because, because.clone()),
            None => TestCaseStatus::success(),
        },
    }
}

fn valid(report: &Report) -> TestCaseStatus {
    if report.run.valid {
        return TestCaseStatus::success();
    }
    let because = &report.run.invalid_because;
    let first = because.first().map_or("the figures are not the stack's", String::as_str);
    not_passed(NonSuccessKind::Error, "invalid", first, because.join("\n"))
}

pub(crate) fn status(judged: &Judged, stop: Stop) -> TestCaseStatus {
    let (kind, name) = match (judged.passed, &judged.undecided) {
        (true, _) => return TestCaseStatus::success(),
        // It was another's fault that it was not judged.
        (false, Some(why)) if stop == Stop::Aborted => return skipped(why),
        (false, None) => (NonSuccessKind::Failure, "expectation"),
        (false, Some(_)) => (NonSuccessKind::Error, "undecided"),
    };
    let met = met(judged);
    not_passed(kind, name, &met, format!("{}: {met}", judged.expect))
}

fn skipped(why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(why);
    status
}

pub(crate) fn not_passed(kind: NonSuccessKind, name: &str, message: &str, text: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(name).set_message(message).set_description(text);
    status
}
