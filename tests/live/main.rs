//! Settings changed while load runs: what the stack, its pools and the simulated routes do next.

mod clock;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gatebench::cost::{PriceBook, Pricer};
use gatebench::engine::{self, Handle, Until};
use gatebench::metrics::{Run, Snapshot, Stop};
use gatebench::profile::expect::LatencyBounds;
use gatebench::profile::{Client, Draft, FaultKind, Http, LocalCache, Prices, Profile, Source};
use gatebench::report::{Report, exit_code};
use gatebench::route::FailureKind;

const PROFILE: &str = r#"
[load]
mode = "closed"
users = 16
duration = "20s"
warmup = "0s"

[workload]
prompts = { kind = "unique" }

[stack.retry]
attempts = 1

[routes.gateway]
simulate = { preset = "local", ttft = "20ms" }
"#;

/// A run under way whose profile a test changes.
struct Live(Handle);

impl Live {
    fn start(text: &str) -> Self {
        Self::running(text, Until::Planned)
    }

    fn until_stopped(text: &str) -> Self {
        Self::running(text, Until::Stopped)
    }

    fn running(text: &str, until: Until) -> Self {
        let draft = Draft::from_text(Source::Builtin("test"), text.to_owned());
        let profile = draft.finish(Prices::ANY).unwrap().profile;
        Self(engine::start(profile, LatencyBounds::default(), until).unwrap())
    }

    fn change(&mut self, change: impl FnOnce(&mut Profile)) -> u32 {
        let mut profile = Profile::clone(self.0.profile());
        change(&mut profile);
        self.0.apply(profile, vec!["a change".into()]).unwrap()
    }

    fn now(&self) -> Arc<Snapshot> {
        self.0.snapshots().borrow().clone()
    }

    #[track_caller]
    fn until(&self, what: &str, holds: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            let now = self.now();
            if holds(&now) {
                return now;
            }
            assert!(Instant::now() < deadline, "waited in vain until {what}: {:?}", now.gauges);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until so many seconds have passed since the load's start.
    #[track_caller]
    fn until_second(&self, seconds: f64) -> Arc<Snapshot> {
        self.until("time has passed", |now| now.elapsed.as_secs_f64() >= seconds)
    }

    fn requests(&self) -> u64 {
        self.0.simulated()[0].stats().requests
    }

    /// Stops the load and waits for its end.
    fn end(self) -> Report {
        self.end_as(Stop::Finished)
    }

    fn end_as(self, why: Stop) -> Report {
        self.0.stop(why);
        report(&self.0.join().unwrap())
    }
}

fn report(run: &Run) -> Report {
    Report::of(run, &Pricer::new(&run.profile, PriceBook::builtin()), &[])
}

fn open(rate: u32) -> String {
    PROFILE.replace("mode = \"closed\"", &format!("mode = \"open\"\nrate = {rate}\narrivals = \"constant\""))
}

fn events<'a>(report: &'a Report, kind: &str) -> Vec<&'a str> {
    report.events.iter().filter(|event| event.kind == kind).map(|event| event.text.as_str()).collect()
}

fn sum(counts: &[u64]) -> u64 {
    counts.iter().sum()
}

/// Whatever changes, nothing is lost and nothing counted twice.
#[track_caller]
fn adds_up(report: &Report) {
    let of_epochs = |count: fn(&gatebench::report::EpochFacts) -> u64| report.epochs.iter().map(count).sum::<u64>();
    assert_eq!(of_epochs(|epoch| epoch.sent), report.load.sent);
    assert_eq!(of_epochs(|epoch| epoch.succeeded), report.load.succeeded);
    assert_eq!(of_epochs(|epoch| epoch.failed), report.load.failed);
    let finished = report.series.iter().map(|point| point.succeeded + point.failed).sum::<u64>();
    assert_eq!(finished, report.load.succeeded + report.load.failed);
    let blocks = &report.blocks;
    let measured = (report.load.sent, report.load.succeeded, report.load.failed);
    assert_eq!((sum(&blocks.sent), sum(&blocks.succeeded), sum(&blocks.failed)), measured);
    let seconds = blocks.seconds.iter().sum::<f64>();
    assert!((seconds / report.run.measured_s - 1.0).abs() < 1e-3, "{seconds} s of {}", report.run.measured_s);
    assert_eq!(report.attempts.total, report.simulated["gateway"].requests);
    assert_eq!(report.connections.opened.total, report.simulated["gateway"].accepted);
}

#[test]
fn a_smaller_pool_closes_what_is_too_much_and_a_larger_one_opens_again() {
    let mut live = Live::start(PROFILE);
    live.until("16 connections are open", |now| now.gauges.open == 16);
    assert_eq!(live.change(|profile| profile.stack.pool.max_connections = 4), 1);
    let now = live.until("4 are left", |now| now.epoch.number == 1 && now.gauges.open <= 4);
    let opened = now.gauges.opened;
    let now = live.until("some calls more", |now| now.epoch.tally.succeeded > 40);
    assert_eq!((now.gauges.open, now.gauges.opened), (4, opened), "a drained pool opens none");
    assert_eq!(live.0.simulated()[0].stats().live, 4);
    live.change(|profile| profile.stack.pool.max_connections = 8);
    live.until("8 are open", |now| now.epoch.number == 2 && now.gauges.open == 8);
    let report = live.end();
    adds_up(&report);
    assert_eq!(report.load.failed, 0);
    assert_eq!(report.epochs.len(), 3);
    let p50 = |epoch: usize| report.epochs[epoch].response_ms.as_ref().unwrap().p50;
    assert!(p50(1) >= 60.0, "16 users took turns at 4 connections of 20 ms and waited {} ms", p50(1));
}

#[test]
fn no_idle_connections_are_kept_once_max_idle_is_0() {
    let mut live = Live::start(PROFILE);
    live.until("connections are reused", |now| now.gauges.reused > 30);
    live.change(|profile| profile.stack.pool.max_idle = 0);
    let reused =
        live.until("the change is there", |now| now.epoch.tally.succeeded > 30 && now.epoch.number == 1).gauges.reused;
    let now = live.until("some calls more", |now| now.epoch.tally.succeeded > 80);
    assert_eq!(now.gauges.reused, reused);
    adds_up(&live.end());
}

#[test]
fn the_client_is_exchanged_and_the_old_ones_connections_drain() {
    let mut live = Live::start(PROFILE);
    live.until("the exact pool is in use", |now| now.gauges.reused > 30);
    live.change(|profile| profile.stack.pool.client = Client::Reqwest);
    let now = live.until("its connections are gone", |now| now.epoch.number == 1 && now.gauges.open == 0);
    let reused = now.gauges.reused;
    let now = live.until("reqwest's calls succeed", |now| now.epoch.tally.succeeded > 60);
    assert_eq!(now.gauges.reused, reused, "reqwest does not tell what it reuses");
    assert!(now.gauges.opened > 16, "it has connections of its own");
    live.change(|profile| profile.stack.pool.client = Client::Exact);
    let now =
        live.until("the exact pool is in use again", |now| now.epoch.number == 2 && now.gauges.reused > reused + 30);
    assert_eq!(now.gauges.open, 16);
    let report = live.end();
    assert_eq!(report.connections.opened.total, report.simulated["gateway"].accepted);
    assert_eq!(report.connections.closed["drain"], 16);
    assert_eq!(report.load.failed, 0, "a call was lost in an exchange");
    assert_eq!(report.attempts.total, report.simulated["gateway"].requests);
}

#[test]
fn http_2_is_tried_from_the_next_call_on_fails_in_the_open_and_auto_falls_back() {
    for tls in ["false", "\"1.3\""] {
        let text = PROFILE.replace("ttft =", &format!("tls = {tls}, http = \"1.1\", ttft ="))
            + "[stack.pool]\nclient = \"reqwest\"\n";
        let mut live = Live::start(&text.replace("users = 16", "users = 2\nthink_time = \"5ms\""));
        live.until("calls succeed", |now| now.measured.succeeded > 10);
        live.change(|profile| profile.stack.pool.http = Http::V2);
        live.until("calls fail", |now| now.epoch.number == 1 && now.epoch.tally.failed > 5);
        live.change(|profile| profile.stack.pool.http = Http::Auto);
        live.until("calls succeed again", |now| now.epoch.number == 2 && now.epoch.tally.succeeded > 10);
        let report = live.end();
        assert_eq!((report.epochs[0].failed, report.epochs[2].failed), (0, 0));
        assert_eq!(report.epochs[1].succeeded, 0);
    }
}

#[test]
fn a_local_cache_is_switched_off_and_on() {
    let fixed = PROFILE.replace("\"unique\"", "\"fixed\"").replace("users = 16", "users = 2\nthink_time = \"5ms\"");
    let mut live = Live::start(
        &(fixed.replace("[stack.retry]", "[stack]\nsingle_flight = false\n[stack.cache]\nlocal = {}\n[stack.retry]")),
    );
    live.until("the cache answers", |now| now.measured.served_by[0] > 50);
    live.change(|profile| profile.stack.cache.local = None);
    live.until("the model answers", |now| now.epoch.number == 1 && now.epoch.tally.succeeded > 30);
    live.change(|profile| profile.stack.cache.local = Some(LocalCache::default()));
    live.until("the cache answers again", |now| now.epoch.number == 2 && now.epoch.tally.succeeded > 50);
    let report = live.end();
    adds_up(&report);
    let hit_rate = |epoch: usize| report.epochs[epoch].hit_rate.unwrap();
    assert!(hit_rate(0) > 0.9, "{}", hit_rate(0));
    assert_eq!(hit_rate(1), 0.0, "a call of this epoch was answered by a cache it does not have");
    assert!(hit_rate(2) > 0.9, "{}", hit_rate(2));
}

#[test]
fn a_lower_concurrency_makes_calls_wait_and_a_higher_one_lets_them_go() {
    let mut live = Live::start(PROFILE);
    live.until("calls succeed", |now| now.measured.succeeded > 30);
    assert_eq!(live.now().gauges.limit_waiting, 0);
    live.change(|profile| profile.stack.concurrency = 3);
    live.until("13 of 16 wait", |now| now.epoch.number == 1 && now.gauges.limit_waiting == 13);
    live.change(|profile| profile.stack.concurrency = 64);
    live.until("none waits", |now| {
        now.epoch.number == 2 && now.gauges.limit_waiting == 0 && now.epoch.tally.succeeded > 30
    });
    adds_up(&live.end());
}

#[test]
fn users_come_and_go() {
    let mut live = Live::start(PROFILE);
    live.until("16 users are there", |now| now.gauges.users == 16);
    live.change(|profile| profile.load.users = 3);
    live.until("3 are left", |now| now.gauges.users == 3 && now.gauges.in_flight <= 3);
    live.change(|profile| profile.load.users = 9);
    live.until("9 are there", |now| now.gauges.users == 9);
    adds_up(&live.end());
}

#[test]
fn a_simulated_route_turns_bad_and_good_again_and_a_fault_strikes_it() {
    let mut live = Live::start(PROFILE);
    live.until("calls succeed", |now| now.measured.succeeded > 30);
    let sick = |rate| {
        move |profile: &mut Profile| {
            profile.routes.get_mut("gateway").unwrap().simulate.as_mut().unwrap().error_rate = rate
        }
    };
    live.change(sick(1.0));
    live.until("calls fail", |now| now.epoch.number == 1 && now.epoch.tally.failed > 40);
    live.change(sick(0.0));
    live.until("calls succeed again", |now| now.epoch.number == 2 && now.epoch.tally.succeeded > 40);
    live.0.simulated()[0].add_fault(FaultKind::Unavailable, None, Duration::from_secs(60));
    live.until("the fault strikes", |now| now.measured.failures.contains_key(&FailureKind::Status(503)));
    let report = live.end();
    adds_up(&report);
    let by_status = &report.simulated["gateway"].by_status;
    assert_eq!(by_status["500"] + by_status["503"], report.load.failed);
    // Calls on their way when a change comes may meet the provider after it.
    assert_eq!(report.epochs[0].failed.saturating_sub(16), 0);
    assert_eq!(report.epochs[1].succeeded.saturating_sub(16), 0);
    assert!(report.epochs[2].succeeded > 40);
}

#[test]
fn a_stop_awaits_what_is_in_flight() {
    let live = Live::start(&PROFILE.replace("ttft = \"20ms\"", "ttft = \"400ms\""));
    live.until("calls are in flight", |now| now.gauges.in_flight == 16);
    let report = live.end();
    adds_up(&report);
    assert_eq!(report.run.abandoned, 0);
    assert_eq!(report.load.failed, 0);
    assert!(report.load.succeeded >= 16);
}

#[test]
fn replicas_come_and_go_under_users_and_no_call_is_lost() {
    let mut live = Live::start(&PROFILE.replace("[stack.retry]", "[stack]\nconcurrency = 2\n[stack.retry]"));
    live.until("2 of 16 may go", |now| now.gauges.limit_waiting == 14);
    live.change(|profile| profile.stack.replicas = 3);
    live.until("6 of 16 may go", |now| now.epoch.number == 1 && now.gauges.limit_waiting == 10);
    live.until("calls succeed", |now| now.epoch.tally.succeeded > 40);
    live.change(|profile| profile.stack.replicas = 1);
    live.until("2 of 16 may go", |now| now.epoch.number == 2 && now.gauges.limit_waiting == 14 && now.gauges.open == 2);
    let report = live.end();
    adds_up(&report);
    assert_eq!((report.load.failed, report.run.abandoned), (0, 0));
    assert_eq!(report.connections.peak, 6);
    assert_eq!(report.connections.closed.values().sum::<u64>(), report.connections.opened.total);
}

#[test]
fn replicas_come_and_go_under_arrivals_and_no_call_is_lost() {
    let mut live = Live::start(&open(300));
    live.until("calls succeed", |now| now.measured.succeeded > 50);
    for (epoch, replicas) in [(1, 3), (2, 1), (3, 4), (4, 2)] {
        live.change(|profile| profile.stack.replicas = replicas);
        let begun = live.until("calls succeed", |now| now.epoch.number == epoch && now.epoch.tally.succeeded > 60);
        let later = live.until("more calls succeed", |now| now.epoch.tally.succeeded > 120);
        let of_the_past = |now: &Snapshot| now.past.iter().map(|past| past.tally.sent).sum::<u64>();
        assert_eq!(of_the_past(&later), of_the_past(&begun), "what joins in epoch {epoch} counts for an earlier one");
    }
    let report = live.end();
    adds_up(&report);
    assert_eq!((report.load.failed, report.run.abandoned), (0, 0));
    assert_eq!(report.load.planned, report.load.sent);
}

#[test]
fn a_route_that_is_broken_by_hand_recovers_and_both_are_told() {
    let live = Live::start(PROFILE);
    live.until("calls succeed", |now| now.measured.succeeded > 30);
    live.0.inject("gateway", FaultKind::TooManyRequests, None, Duration::from_millis(600)).unwrap();
    let struck = live.until("it refuses", |now| now.measured.failures.contains_key(&FailureKind::Status(429)));
    let healed = live.until("it is over", |now| now.events.iter().any(|event| event.text == "gateway: 429 over"));
    assert!(healed.elapsed > struck.elapsed);
    let now = live.until("calls succeed", |now| now.measured.succeeded > healed.measured.succeeded + 100);
    let later = live.until("calls go on", |later| later.measured.succeeded > now.measured.succeeded + 200);
    assert_eq!(later.measured.failed, now.measured.failed);
    let refused = live.0.inject("nowhere", FaultKind::Hang, None, Duration::from_secs(1)).unwrap_err().to_string();
    assert_eq!(refused, "routes.nowhere is not simulated, so it cannot be broken here; simulated are: gateway");
    let report = live.end();
    adds_up(&report);
    assert_eq!(events(&report, "fault"), ["gateway: 429 for 600ms", "gateway: 429 over"]);
    assert_eq!(report.simulated["gateway"].by_status["429"], report.load.failed);
}

#[test]
fn a_report_can_be_taken_while_load_goes_on() {
    let mut live = Live::until_stopped(&open(100));
    live.until("calls succeed", |now| now.measured.succeeded > 50);
    live.change(|profile| profile.load.rate = 150.0);
    live.until("calls succeed", |now| now.epoch.number == 1 && now.epoch.tally.succeeded > 150);
    let midst = report(&live.0.so_far().unwrap());
    assert!(midst.load.achieved.unwrap() > 0.9, "{:?}", midst.run.invalid_because);
    assert_eq!(midst.epochs.iter().map(|epoch| epoch.succeeded).sum::<u64>(), midst.load.succeeded);
    assert_eq!(midst.series.iter().map(|point| point.succeeded).sum::<u64>(), midst.load.succeeded);
    let qps = midst.epochs[1].qps.unwrap();
    assert!((110.0..190.0).contains(&qps), "{qps}");
    live.until("load goes on", |now| now.measured.succeeded > midst.load.succeeded + 100);
    let last = live.end();
    adds_up(&last);
    assert_eq!(last.load.planned, last.load.sent);
}

#[test]
fn a_load_ended_on_the_screen_is_judged_like_any_other() {
    let live = Live::until_stopped(PROFILE);
    live.until("calls succeed", |now| now.measured.succeeded > 50);
    let report = live.end_as(Stop::Quit);
    adds_up(&report);
    assert!(!report.run.interrupted);
    // A busy machine makes it invalid.
    assert_eq!(exit_code(&report), if report.run.valid { 0 } else { 3 });
}
