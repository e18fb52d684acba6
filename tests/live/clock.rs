//! The run's clock: rates, epochs, pauses, stages and periods.

use std::time::Duration;

use gatebench::profile::Profile;

use super::{Live, PROFILE, adds_up, events, open};

#[test]
fn an_open_loop_follows_its_rate_down_and_up() {
    let mut live = Live::start(&open(200));
    live.until("calls succeed", |now| now.measured.succeeded > 50);
    live.change(|profile| profile.load.rate = 20.0);
    live.until("a second has passed", |now| now.epoch.number == 1 && now.epoch.seconds > 1.2);
    live.change(|profile| profile.load.rate = 100.0);
    live.until("a second has passed", |now| now.epoch.number == 2 && now.epoch.seconds > 1.2);
    let report = live.end();
    adds_up(&report);
    let rate = |epoch: usize| report.epochs[epoch].sent as f64 / report.epochs[epoch].seconds;
    assert!((10.0..30.0).contains(&rate(1)), "{}", rate(1));
    assert!((80.0..115.0).contains(&rate(2)), "{}", rate(2));
    assert_eq!(report.load.planned, report.load.sent);
}

#[test]
fn a_load_until_it_is_stopped_goes_on_past_its_duration_and_plays_its_faults_again() {
    let fault = "faults = [{ at = \"500ms\", for = \"300ms\", kind = \"503\" }]";
    let text = PROFILE.replace("\"20s\"", "\"2s\"").replace("ttft = \"20ms\"", &format!("ttft = \"20ms\", {fault}"));
    let live = Live::until_stopped(&text);
    for period in 0..3 {
        let quiet = live.until_second(2.0 * f64::from(period) + 0.3).measured.failed;
        let struck = live.until("the fault strikes", |now| now.measured.failed > quiet).elapsed.as_secs_f64();
        let since = struck - 2.0 * f64::from(period);
        assert!((0.5..1.5).contains(&since), "{since} s after the beginning of period {period}");
        let failed = live.until_second(2.0 * f64::from(period) + 1.4).measured.failed;
        let later = live.until_second(2.0 * f64::from(period) + 1.9).measured.failed;
        assert_eq!(failed, later, "the fault was over");
    }
    let report = live.end();
    adds_up(&report);
    assert!(report.run.measured_s > 5.0, "{}", report.run.measured_s);
}

#[test]
fn a_pause_sends_nothing_and_lowers_no_rate() {
    let live = Live::start(&open(100));
    live.until("calls succeed", |now| now.measured.succeeded > 100);
    live.0.pause().unwrap();
    live.0.pause().unwrap();
    let paused = live.until("nothing is in flight", |now| now.paused && now.gauges.in_flight == 0);
    let (requests, planned) = (live.requests(), paused.planned);
    let still = live.until_second(paused.elapsed.as_secs_f64() + 1.5);
    assert_eq!((live.requests(), still.planned), (requests, planned));
    assert_eq!((still.measured_s, still.epoch.seconds), (paused.measured_s, paused.epoch.seconds));
    live.0.resume().unwrap();
    live.0.resume().unwrap();
    live.until("it goes on", |now| !now.paused && now.measured_s > paused.measured_s + 1.0);
    let report = live.end();
    adds_up(&report);
    assert_eq!(report.load.planned, report.load.sent);
    let epoch = &report.epochs[0];
    for rate in [report.load.qps.unwrap(), epoch.qps.unwrap(), report.load.sent as f64 / report.run.measured_s] {
        // 60 with the pause in its time, 160 with its arrears made up.
        assert!((75.0..125.0).contains(&rate), "{rate} instead of 100 calls a second");
    }
    assert!(report.run.duration_s > report.run.measured_s + 1.5);
    assert_eq!(events(&report, "pause").len(), 2, "{:?}", report.events);
}

#[test]
fn users_leave_for_a_pause_and_come_back_after_it() {
    let live = Live::start(PROFILE);
    live.until("16 users are there", |now| now.gauges.users == 16);
    live.0.pause().unwrap();
    live.until("none is left", |now| now.paused && now.gauges.users == 0 && now.gauges.in_flight == 0);
    live.0.resume().unwrap();
    live.until("they are back", |now| !now.paused && now.gauges.users == 16);
    adds_up(&live.end());
}

#[test]
fn a_pause_is_in_no_users_time() {
    let live = Live::start(PROFILE);
    let before = live.until("a second is measured", |now| now.measured_s > 1.0);
    live.0.pause().unwrap();
    live.until("none is left", |now| now.paused && now.gauges.users == 0 && now.gauges.in_flight == 0);
    live.until_second(before.elapsed.as_secs_f64() + 2.0);
    live.0.resume().unwrap();
    live.until("two more are measured", |now| !now.paused && now.measured_s > 3.0);
    let report = live.end();
    let (law, lag) = (report.run.littles_law.unwrap(), report.latency_ms.lag.unwrap());
    // What the generator itself takes of it is its lag.
    let accounted = law.accounted + law.calls_per_s * lag.mean / 1e3;
    assert!((0.97..1.03).contains(&(accounted / law.users)), "{accounted}: {law:?}");
    assert!((14.0..16.1).contains(&law.users), "{law:?}");
}

/// Answers come at once, so that none of an epoch ends in the next one.
fn instant(rate: u32) -> String {
    open(rate).replace(", ttft = \"20ms\"", "")
}

#[test]
fn an_epochs_rate_is_its_own_from_its_beginning() {
    let mut live = Live::start(&instant(200));
    live.until("calls succeed", |now| now.measured.succeeded > 100);
    // Into the midst of a tick, where the last report is oldest.
    std::thread::sleep(Duration::from_millis(100));
    live.change(|profile| profile.load.rate = 20.0);
    let now = live.until("two seconds have passed", |now| now.epoch.number == 1 && now.epoch.seconds > 2.0);
    let qps = now.epoch.qps().unwrap();
    assert!((18.0..22.0).contains(&qps), "{qps}");
    assert!((now.epoch.planned as f64 / now.epoch.seconds - 20.0).abs() < 2.0, "{}", now.epoch.planned);
    let report = live.end();
    adds_up(&report);
}

#[test]
fn changes_and_pauses_make_no_false_peak_in_the_series() {
    let mut live = Live::start(&instant(100));
    live.until("calls succeed", |now| now.measured.succeeded > 50);
    for change in 0..8 {
        std::thread::sleep(Duration::from_millis(270));
        live.change(|profile| profile.stack.concurrency = 40 + change);
        let recent = live.now().recent.clone();
        assert!(recent.seconds == 0.0 || recent.seconds > 0.8, "{}", recent.seconds);
    }
    live.0.pause().unwrap();
    live.0.resume().unwrap();
    live.until("calls succeed", |now| now.epoch.number == 8 && now.recent.seconds > 1.0);
    let report = live.end();
    adds_up(&report);
    for point in &report.series {
        let qps = point.per_second(point.succeeded);
        assert!(qps < 130.0 && point.seconds > 0.5, "{qps} in {} s instead of 100", point.seconds);
    }
}

#[test]
fn stages_end_when_the_rate_is_set_and_play_again_when_their_profile_is_back() {
    let stages = "\nstages = [{ duration = \"100ms\", rate = 200.0 }]";
    let text = instant(20).replace("duration = \"20s\"", &format!("duration = \"2s\"{stages}"));
    let mut live = Live::until_stopped(&text);
    let staged = Profile::clone(live.0.profile());
    let rate = |live: &Live, epoch: u32| {
        let now = live.until("time passes", |now| now.epoch.number == epoch && now.epoch.seconds > 1.5);
        now.epoch.planned as f64 / now.epoch.seconds
    };
    let first = rate(&live, 0);
    live.change(|profile| profile.load.stages.clear());
    let held = rate(&live, 1);
    live.change(|profile| *profile = staged);
    let again = rate(&live, 2);
    assert!(first > 150.0 && again > 150.0, "{first} and {again} with stages to 200");
    assert!((15.0..25.0).contains(&held), "{held} without them");
    adds_up(&live.end());
}

#[test]
fn a_stop_in_a_pause_ends_the_batches_under_way() {
    let text = PROFILE.replace("users = 16", "users = 1").replace("ttft = \"20ms\"", "ttft = \"50ms\"");
    let live = Live::start(&text.replace("[stack.retry]", "batch = { size = 60, mode = \"serial\" }\n[stack.retry]"));
    live.until("the batch has begun", |now| now.measured.succeeded > 0);
    live.0.pause().unwrap();
    live.until("it is paused", |now| now.paused);
    let report = live.end();
    assert!(report.load.sent < 40, "{} calls of a batch of 60 were played", report.load.sent);
}
