//! What a report says against itself: the edges of validity, Little's law, the generator's share of the machine.

use std::time::Duration;

use super::synthetic::{Calls, attempt, ms, report_of, run_of, tally};
use crate::calibration::{Calibration, Machine, Rates, Shape};
use crate::metrics::{Point, Run, Tally};
use crate::profile::{Batch, BatchMode, Mode};
use crate::report::{Report, Style, text};
use crate::route::{Connection, FailureKind};
use crate::stack::ServedBy;

/// So many calls through a route: `slow` of them sent late by `lag`, each answered after `service`.
fn sent_late(calls: u32, slow: u32, lag: f64, service: f64) -> Report {
    let mut tally = Tally::new(3);
    for i in 0..calls {
        let calls = Calls { lag: ms(if i < slow { lag } else { 0.0 }), ..Calls::new() };
        let tries = vec![attempt(&calls.asked, Connection::Reused)];
        tally.record(&calls.answered(ServedBy::Model, &calls.asked, ms(service), tries));
    }
    report_of(&run_of(tally), &[])
}

#[test]
fn ninety_nine_percent_of_the_plan_is_just_enough() {
    let valid = |planned: u64| {
        let run = Run { planned, ..run_of(sent(990)) };
        report_of(&run, &[]).run.valid
    };
    assert!(valid(1000), "990 of 1,000 are 99%");
    assert!(!valid(1001));
}

fn sent(calls: u32) -> Tally {
    let made = Calls::new();
    let mut tally = Tally::new(3);
    let answered = made.answered(ServedBy::Local, &made.asked, ms(1.0), vec![]);
    (0..calls).for_each(|_| tally.record(&answered));
    tally
}

#[test]
fn abandoned_calls_were_sent_and_dropped_ones_were_not() {
    let mut run = run_of(sent(980));
    (run.planned, run.abandoned) = (1000, 10);
    assert!(!report_of(&run, &[]).run.invalid_because[..].iter().any(|why| why.contains("planned calls")));
    (run.abandoned, run.dropped) = (0, 20);
    assert!(report_of(&run, &[]).run.invalid_because[0].contains("20 arrivals found load.max_in_flight"));
}

/// A histogram of 3 digits tells 5 ms from 5.01 ms.
#[test]
fn lag_is_allowed_up_to_the_floor_of_five_milliseconds() {
    assert!(sent_late(100, 100, 4.99, 10.0).run.valid);
    assert!(!sent_late(100, 100, 5.01, 10.0).run.valid);
}

#[test]
fn lag_is_allowed_up_to_a_twentieth_of_a_service_longer_than_a_tenth_of_a_second() {
    assert!(sent_late(100, 100, 4.99, 99.0).run.valid && !sent_late(100, 100, 5.01, 99.0).run.valid);
    assert!(sent_late(100, 100, 9.98, 200.0).run.valid);
    assert!(!sent_late(100, 100, 10.04, 200.0).run.valid);
}

#[test]
fn one_late_call_of_a_hundred_is_allowed_and_two_are_not() {
    assert!(sent_late(100, 1, 900.0, 10.0).run.valid);
    assert!(!sent_late(100, 2, 900.0, 10.0).run.valid);
}

#[test]
fn the_service_that_lag_is_held_against_is_of_answers_that_a_route_gave() {
    let calls = Calls { lag: ms(20.0), ..Calls::new() };
    let mut tally = Tally::new(3);
    // Failed calls were slow, hits were quick: neither says how long a route takes.
    (0..50).for_each(|_| tally.record(&calls.failed(FailureKind::Timeout)));
    (0..50).for_each(|_| tally.record(&calls.answered(ServedBy::Local, &calls.asked, ms(900.0), vec![])));
    assert!(!report_of(&run_of(tally.clone()), &[]).run.valid, "5 ms is all there is without a route's answer");
    let tries = vec![attempt(&calls.asked, Connection::Reused)];
    tally.record(&calls.answered(ServedBy::Gateway, &calls.asked, ms(401.0), tries));
    assert!(report_of(&run_of(tally), &[]).run.valid);
}

/// 8 users over 20 s, 400 calls of 300 ms, each with a pause of 100 ms after it.
fn closed_loop() -> Run {
    let mut run = run_of(tally());
    let mut profile = (*run.profile).clone();
    profile.load.mode = Mode::Closed;
    run.profile = profile.into();
    run.measured.ended = 400;
    run.measured.service_in_window = Duration::from_secs(120);
    run.gauges.think_time = Duration::from_secs(40);
    run.gauges.user_time = Duration::from_secs(160);
    run
}

#[test]
fn a_closed_loop_says_that_littles_law_holds() {
    let report = report_of(&closed_loop(), &[]);
    let law = report.run.littles_law.clone().unwrap();
    assert_eq!((law.users, law.calls_per_s, law.service_ms, law.think_ms), (8.0, 20.0, 300.0, 100.0));
    assert!(law.holds && law.deviation.abs() < 1e-9);
    assert!(report.run.warnings.is_empty());
    let said = text(&report, Style::PLAIN);
    let line = "Little's law holds: 20.0/s x (300ms + 100ms think) = 8.00 of 8.00 users (+0.0%)";
    assert!(said.contains(line), "{said}");
}

#[test]
fn a_closed_loop_whose_users_were_held_up_says_so_in_words() {
    let mut run = closed_loop();
    run.measured.service_in_window = Duration::from_millis(120_000 - 3_100);
    assert!(report_of(&run, &[]).run.littles_law.unwrap().holds, "2% is allowed");
    run.measured.service_in_window = Duration::from_millis(120_000 - 8_000);
    let report = report_of(&run, &[]);
    assert!(report.run.valid, "a doubt is no verdict");
    let law = report.run.littles_law.clone().unwrap();
    assert!(!law.holds && (law.deviation + 0.05).abs() < 1e-9);
    let warning = &report.run.warnings[..];
    assert!(
        warning[0].contains("account for 7.60 of 8.00 users; 5.0% of the users' time is in no call"),
        "{warning:?}"
    );
    assert!(text(&report, Style::PLAIN).contains("WARNING: Little's law does not hold"));
    run.measured.service_in_window = Duration::from_secs(140);
    let warning = report_of(&run, &[]).run.warnings;
    assert!(warning[0].contains("account for 9.00 of 8.00 users; that is 12.5% more"), "{warning:?}");
}

#[test]
fn where_littles_law_says_nothing_nothing_is_said() {
    let told = |change: fn(&mut Run)| {
        let mut run = closed_loop();
        run.measured.service_in_window = Duration::ZERO;
        change(&mut run);
        let report = report_of(&run, &[]);
        assert_eq!(report.run.littles_law.is_some(), !report.run.warnings.is_empty());
        report.run.littles_law.is_some()
    };
    let batches = |run: &mut Run, mode| {
        let mut profile = (*run.profile).clone();
        profile.workload.batch = Batch { size: 4, mode };
        run.profile = profile.into();
    };
    assert!(told(|_| {}));
    assert!(told(|run| run.measured.ended = 30));
    assert!(!told(|run| run.measured.ended = 29), "too few calls");
    assert!(!told(|run| run.measured_window = Duration::from_millis(999)), "too little time");
    assert!(!told(|run| run.abandoned = 1), "the time of a call that nobody awaited is not known");
    assert!(!told(|run| run.gauges.user_time = Duration::ZERO));
    assert!(!told(|run| run.profile = run_of(Tally::new(3)).profile), "an open loop");
    let mut run = closed_loop();
    batches(&mut run, BatchMode::Serial);
    assert!(report_of(&run, &[]).run.littles_law.is_some());
    batches(&mut run, BatchMode::Gather);
    assert!(report_of(&run, &[]).run.littles_law.is_none(), "a user is in several calls at once");
}

const ONE_REPLICA: Shape = Shape { mode: Mode::Closed, replicas: 1, streamed_tokens: 0.0 };

fn calibration() -> Calibration {
    Calibration {
        machine: Machine { cores: 2, ..Machine::here() },
        measured_at: "2026-11-23T02:00:00Z".into(),
        closed: Rates { one_replica: 10_000.0, all_cores: 16_000.0 },
        open: Rates { one_replica: 4_000.0, all_cores: 6_000.0 },
        streamed_token: 0.1,
    }
}

/// A run of points with their seconds, calls, and how many of these the local cache answered.
fn in_these_seconds(points: &[(f64, u64, u64)]) -> Report {
    let mut report = report_of(&run_of(tally()), &[]);
    let point = |(seconds, sent, local)| Point { seconds, sent, local, ..Point::default() };
    report.series = points.iter().copied().map(point).collect();
    report
}

fn held_against(points: &[(f64, u64, u64)], shape: Shape) -> Report {
    let mut report = in_these_seconds(points);
    report.hold_against(&calibration(), shape);
    report
}

#[test]
fn a_run_up_to_70_percent_of_what_the_machine_can_generate_says_how_much_and_warns_of_nothing() {
    let report = held_against(&[(1.0, 300, 0), (2.0, 14_000, 0), (1.0, 900, 0)], ONE_REPLICA);
    assert_eq!(report.run.generator.as_ref().map(|facts| facts.used), Some(0.7));
    assert!(report.run.warnings.is_empty());
    let said = text(&report, Style::PLAIN);
    assert!(
        said.contains("busiest second 7,000 calls/s: 70.0% of what this machine can generate (10,000/s)"),
        "{said}"
    );
}

#[test]
fn a_run_beyond_70_percent_is_warned_about() {
    let report = held_against(&[(1.0, 7_001, 0)], ONE_REPLICA);
    assert!(report.run.valid, "a doubt is no verdict");
    let warnings = &report.run.warnings;
    assert!(
        warnings[0]
            .starts_with("the busiest second had 7,001 calls to routes, 70.0% of the 10,000 a second that one replica"),
        "{warnings:?}"
    );
    assert!(!warnings[0].contains("simulated"));
    assert!(text(&report, Style::PLAIN).contains("WARNING: the busiest second"));
    assert!(held_against(&[(1.0, 7_001, 0)], Shape { replicas: 2, ..ONE_REPLICA }).run.warnings.is_empty());
    let open = held_against(&[(1.0, 2_801, 0)], Shape { mode: Mode::Open, ..ONE_REPLICA }).run.warnings;
    assert!(
        open[0].contains("the 4,000 a second that one replica can generate of such calls in an open loop"),
        "{open:?}"
    );
    let streamed = Shape { streamed_tokens: 60.0, ..ONE_REPLICA };
    assert_eq!(held_against(&[(1.0, 1_001, 0)], streamed).run.warnings.len(), 1);
}

#[test]
fn simulated_routes_are_said_to_share_the_machine() {
    let mut report = in_these_seconds(&[(1.0, 9_000, 0)]);
    report.simulated.insert("gateway".into(), crate::sim::Stats::default());
    report.hold_against(&calibration(), ONE_REPLICA);
    assert!(report.run.warnings[0].contains("the simulated routes took their part"));
}

#[test]
fn small_loads_cache_hits_and_splinters_of_a_second_are_held_against_nothing() {
    let judged = |seconds| held_against(seconds, ONE_REPLICA).run.generator.is_some();
    assert!(judged(&[(1.0, 1_001, 0)]));
    assert!(!judged(&[(1.0, 1_000, 0)]));
    assert!(!judged(&[(1.0, 90_000, 89_500)]), "what the local cache answers never reaches a route");
    assert!(!judged(&[(0.01, 200, 0)]));
}
