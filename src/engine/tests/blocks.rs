//! A load in blocks: the same calls in every load of a profile, none lost or counted twice, and rates that a block's
//! edges do not bias.

use super::*;
use crate::engine::messages::{Cut, FromReplica, Part, Post, ToPacer};
use crate::metrics::Block;
use crate::report::{Figures, invalid_because};

fn standing(load: &str, route: &str) -> Handle {
    start(profile(load, route), LatencyBounds::default(), Until::Blocks).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn block(handle: &Handle, ms: u64) -> Block {
    block_on(handle.block(Duration::from_millis(ms))).unwrap()
}

const POISSON: &str = "rate = 300.0\narrivals = \"poisson\"";
/// 20 ms and a little a call.
const SLOW: &str = "simulate = { preset = \"local\", ttft = \"20ms\" }";

/// What a pacer hands out in blocks of 100 ms between which it stands for `pause`: call numbers, and when in the block.
fn handed_out(pause: Duration) -> Vec<Vec<(u64, Duration)>> {
    let (sender, mut inbox) = tokio::sync::mpsc::unbounded_channel();
    let (to_pacer, to_be_paced) = mpsc::channel();
    let profile = Arc::new(profile(POISSON, "simulate = \"local\""));
    let control = Arc::<Control>::default();
    let mut window = Window::new(Instant::now(), &profile.load, Until::Blocks);
    let pacer = Pacer {
        control: control.clone(),
        window,
        ramp: ramp(&profile, Until::Blocks),
        profile,
        replicas: vec![Post { number: 0, sender }],
        inbox: to_be_paced,
        cut: None,
    };
    let pacer = std::thread::spawn(move || pacer.run());
    let mut blocks = Vec::new();
    for _ in 0..3 {
        let began = window.paused.unwrap() + pause;
        let end = began + Duration::from_millis(100);
        window = Window { paused: Some(end), ..window.resumed(began).unwrap().0 };
        to_pacer.send(ToPacer::Clock(window)).unwrap();
        to_pacer.send(ToPacer::Cut(Cut { at: end, grace: Duration::ZERO })).unwrap();
        let mut block = Vec::new();
        while let Some(ToReplica::Arrival { first, intended, .. }) = inbox.blocking_recv() {
            block.push((first, intended - began));
        }
        blocks.push(block);
    }
    control.stop();
    pacer.join().unwrap();
    blocks
}

#[test]
fn the_kth_block_of_an_open_loop_has_the_same_calls_at_the_same_moments_however_long_the_load_stood() {
    let blocks = handed_out(Duration::ZERO);
    assert_eq!(blocks, handed_out(Duration::from_millis(70)));
    let (numbers, moments): (Vec<_>, Vec<_>) = blocks.concat().into_iter().unzip();
    assert!(numbers.len() > 50 && numbers.iter().copied().eq(0..numbers.len() as u64), "{numbers:?}");
    assert!(moments.iter().all(|at| *at < Duration::from_millis(100)), "{moments:?}");
}

#[test]
fn two_loads_of_one_profile_send_the_same_prompts_in_their_kth_blocks() {
    let handles = [standing(POISSON, "simulate = \"local\""), standing(POISSON, SLOW)];
    for _ in 0..3 {
        let [one, other] = handles.each_ref().map(|handle| {
            let block = block(handle, 120);
            let input: u64 = block.tally.ledger.rows().iter().map(|row| row.billed.input).sum();
            (block.planned, block.tally.sent, block.tally.succeeded, input)
        });
        assert_eq!(one, other);
        assert!(one.0 > 10 && one.0 == one.2, "{one:?}");
    }
}

/// The total of the run is gathered by another way than its blocks, and the simulated route counts by itself.
fn counts_agree(load: &str) {
    let handle = standing(load, SLOW);
    let blocks: Vec<Block> = (0..3).map(|_| block(&handle, 110)).collect();
    let sum = |of: fn(&Block) -> u64| blocks.iter().map(of).sum::<u64>();
    handle.stop(Stop::Finished);
    let run = handle.join().unwrap();
    let sent = sum(|block| block.tally.sent);
    assert!(sent > 10, "{sent}");
    assert_eq!(run.total.sent, sent);
    assert_eq!(run.measured.sent, sent);
    assert_eq!(run.simulated[0].1.requests, sent);
    assert_eq!(sum(|block| block.planned), sent);
    assert_eq!(sum(|block| block.tally.succeeded), run.total.succeeded);
    assert_eq!(sum(|block| block.tally.times.count(Time::Response)), run.total.succeeded);
    assert_eq!(sum(|block| block.abandoned), 0);
}

#[test]
fn no_call_of_an_open_loop_is_lost_between_blocks_or_counted_twice() {
    counts_agree(POISSON);
}

#[test]
fn no_call_of_a_closed_loop_is_lost_between_blocks_or_counted_twice() {
    counts_agree("mode = \"closed\"\nusers = 5\nthink_time = \"7ms\"");
}

#[test]
fn nothing_is_sent_before_the_first_block_and_between_two() {
    let handle = standing("mode = \"closed\"\nusers = 3", "simulate = \"local\"");
    let requests = || handle.simulated()[0].stats().requests;
    assert_eq!(requests(), 0);
    assert!(handle.snapshots().borrow().paused);
    block(&handle, 50);
    let after = requests();
    assert!(after > 0);
    let next = block(&handle, 50);
    assert_eq!(requests(), after + next.tally.sent);
}

/// Three rounds of 43 ms and more fit into 100 ms: the third one ends far beyond it, and so would a rate by the length.
#[test]
fn a_closed_loops_rate_is_its_users_by_the_time_they_take_to_come_around() {
    let handle = standing("mode = \"closed\"\nusers = 4\nthink_time = \"20ms\"", SLOW);
    let block = block(&handle, 100);
    let mean = block.tally.times.summary(Time::Response).unwrap().mean;
    let truth = 4.0 / (mean + 20.0) * 1000.0;
    let rate = Figures::of_block(&block).per_second(block.tally.completed).unwrap();
    // The histogram's mean is exact to 0.1%.
    assert!((rate / truth - 1.0).abs() < 0.002, "{rate}/s, {truth}/s");
}

#[test]
fn an_open_loops_rate_is_its_calls_by_the_blocks_length() {
    let handle = standing(POISSON, SLOW);
    let block = block(&handle, 150);
    assert_eq!((block.seconds, block.tally.completed), (0.15, block.planned));
}

#[test]
fn arrivals_that_are_dropped_make_a_block_invalid() {
    let handle = standing("rate = 300.0\nmax_in_flight = 1", SLOW);
    let block = block(&handle, 200);
    let figures = Figures::of_block(&block);
    assert_eq!(block.planned, block.dropped + block.tally.sent);
    assert!(block.dropped > 0 && figures.achieved().unwrap() < 0.99);
    assert!(invalid_because(&figures)[0].contains("load.max_in_flight"), "{:?}", invalid_because(&figures));
}

#[test]
fn a_load_that_is_stopped_amid_a_block_gives_none_and_keeps_its_counts() {
    let handle = standing("mode = \"closed\"\nusers = 2", SLOW);
    block(&handle, 50);
    let cut_short = block_on(async {
        tokio::select! {
            block = handle.block(Duration::from_secs(3600)) => block,
            () = async {
                let mut snapshots = handle.snapshots();
                let before = snapshots.borrow().total.sent;
                while snapshots.borrow_and_update().total.sent <= before + 4 {
                    snapshots.changed().await.unwrap();
                }
                handle.stop(Stop::Interrupted);
                std::future::pending().await
            } => unreachable!("it waits"),
        }
    });
    assert!(matches!(cut_short, Err(EngineError::Over)));
    let run = handle.join().unwrap();
    assert_eq!((run.stop, run.abandoned), (Stop::Interrupted, 0));
    assert_eq!(run.measured.sent, run.simulated[0].1.requests);
}

#[test]
fn what_a_local_cache_holds_does_not_age_while_the_load_stands() {
    let text = "[load]\nmode = \"closed\"\nusers = 1\nthink_time = \"5ms\"\n[workload]\nprompts = { kind = \"fixed\" }\n\
                [stack.cache]\nlocal = { capacity = 5, ttl = \"1s\" }\n[routes.gateway]\nsimulate = \"local\"\n";
    let profile = Draft::from_text(Source::Adhoc, text.into()).finish(Prices::ANY).unwrap().profile;
    let handle = start(profile, LatencyBounds::default(), Until::Blocks).unwrap();
    assert_eq!(block(&handle, 40).tally.requests, 1);
    std::thread::sleep(Duration::from_millis(1100));
    let after = block(&handle, 40).tally;
    assert!(after.sent > 1 && after.requests == 0, "{} of {}", after.requests, after.sent);
}

/// Calls are bounded by `stack.timeout`, and a block awaits them longer than that: only a replica that is told to be
/// hasty shows what becomes of those that it awaits no longer. Its parts of two blocks, the first one given up at once.
fn hasty(load: &str, begin: impl FnOnce(Instant) -> ToReplica) -> [Part; 2] {
    let profile = Arc::new(profile(load, "simulate = { preset = \"local\", ttft = \"1s\" }"));
    let sims = endpoints::simulate(&profile).unwrap();
    let endpoints = Arc::new(Endpoints::new(&profile, sims.as_ref()).unwrap());
    let (to_conductor, inbox) = mpsc::channel();
    let (bounds, control) = (LatencyBounds::default(), Arc::<Control>::default());
    let mut crew = Crew { endpoints, bounds, control, to_conductor, threads: Vec::new() };
    let workload = Arc::new(Workload::new(&profile).unwrap());
    let replica = crew.hire(1, &Settings { epoch: 0, profile: profile.clone(), workload }).unwrap().remove(0);
    let now = Instant::now();
    let paused = Some(now + Duration::from_millis(990));
    replica.send(ToReplica::Clock(Window { paused, ..Window::new(now, &profile.load, Until::Blocks) }));
    replica.send(begin(now));
    let parts = [Duration::ZERO, Duration::from_secs(60)].map(|grace| {
        replica.send(ToReplica::Cut(Cut { at: now, grace }));
        let Message::Replica(FromReplica::Part(part)) = inbox.recv().unwrap() else { panic!("no part") };
        *part
    });
    replica.send(ToReplica::Finish { grace: Duration::ZERO, cut: None });
    crew.join().unwrap();
    parts
}

#[test]
fn a_call_that_is_awaited_no_longer_is_in_no_block_but_in_the_loads_total() {
    let parts = hasty("rate = 1.0", |intended| ToReplica::Arrival { first: 0, size: 1, intended, measured: true });
    let told = parts.map(|part| {
        let recorded: u64 = part.last.recordings.iter().map(|of| of.measured.sent + of.warmup.sent).sum();
        (part.abandoned, part.tally.sent, part.tally.completed, recorded)
    });
    assert_eq!(told, [(1, 0, 0, 0), (0, 0, 0, 1)]);
}

#[test]
fn a_users_round_that_is_awaited_no_longer_slows_no_later_block() {
    let parts = hasty("mode = \"closed\"\nusers = 1", |_| ToReplica::Users(1));
    assert_eq!(parts.map(|part| (part.abandoned, part.rounds)), [(1, Duration::ZERO), (0, Duration::ZERO)]);
}
