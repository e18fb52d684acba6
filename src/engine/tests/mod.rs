//! Time as the whole engine keeps it, against oracles of its own: due times in the past, and a server that writes down
//! when each request came.

mod blocks;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;

use super::*;
use crate::cost::{PriceBook, Pricer};
use crate::metrics::{Phase, Stop, Time};
use crate::plan::distribution::Unit;
use crate::profile::{Draft, Prices, Source};
use crate::report::Report;

fn profile(load: &str, route: &str) -> Profile {
    let text = format!(
        "[load]\nwarmup = \"0s\"\n{load}\n[workload]\nprompts = {{ kind = \"unique\" }}\nstream = false\n\
         [stack.retry]\nattempts = 1\n[routes.gateway]\n{route}\n"
    );
    Draft::from_text(Source::Adhoc, text).finish(Prices::ANY).unwrap().profile
}

/// The whole engine, whose every thread wakes when its load is over already.
fn held_up_for_all_of_it(profile: Profile) -> Run {
    let workload = Arc::new(Workload::new(&profile).unwrap());
    let sims = endpoints::simulate(&profile).unwrap();
    let endpoints = Arc::new(Endpoints::new(&profile, sims.as_ref()).unwrap());
    let keys = Keys::of(&profile, endpoints.accesses());
    let control = Arc::new(Control::new(None, keys));
    let profile = Arc::new(profile);
    let settings = Settings { epoch: 0, profile: profile.clone(), workload };
    let (to_conductor, inbox) = mpsc::channel();
    let bounds = LatencyBounds::default();
    let mut crew = Crew { endpoints, bounds, control: control.clone(), to_conductor, threads: Vec::new() };
    let replicas = crew.hire(1, &settings).unwrap();
    let ago = profile.load.measured().unwrap();
    let window = Window::new(Instant::now() - ago, &profile.load, Until::Planned);
    replicas[0].send(ToReplica::Clock(window));
    let ramp = ramp(&profile, Until::Planned);
    let (to_pacer, to_be_paced) = mpsc::channel();
    let (pacer_ramp, pacer_replicas) = (ramp.clone(), replicas.clone());
    let pacer = Pacer {
        control: control.clone(),
        window,
        profile: profile.clone(),
        ramp: pacer_ramp,
        replicas: pacer_replicas,
        inbox: to_be_paced,
        cut: None,
    };
    let pacer = thread("pacer", move || pacer.run()).unwrap();
    let led = Led { control, window, profile, replicas, routes: Vec::new(), until: Until::Planned, ramp };
    let run = Conductor::new(led, to_pacer, inbox).0.lead();
    pacer.join().unwrap();
    crew.join().unwrap();
    run
}

/// Against the send before, only the first of them would be late.
#[test]
fn a_generator_that_was_held_up_shows_each_call_late_by_all_that_it_is_behind_the_plan() {
    let load = "rate = 100.0\narrivals = \"constant\"\nduration = \"2s\"";
    let run = held_up_for_all_of_it(profile(load, "simulate = \"local\""));
    assert_eq!((run.planned, run.measured.sent, run.measured.succeeded), (199, 199, 199), "nothing is left out");
    let lag = run.measured.times.summary(Time::Lag).unwrap();
    // The k-th was due k x 10 ms after a start that was 2 s ago. A histogram of 3 digits is exact to 0.1%.
    let at_least = |value: f64, truth: f64| assert!(value >= truth * 0.999, "{value} ms of {truth}: {lag:?}");
    at_least(lag.min, 10.0);
    at_least(lag.p50, 1000.0);
    at_least(lag.mean, 1000.0);
    at_least(lag.p99, 1970.0);
    at_least(lag.max, 1990.0);
    let response = run.measured.times.summary(Time::Response).unwrap();
    at_least(response.p50, 1000.0);
    let report = Report::of(&run, &Pricer::new(&run.profile, PriceBook::builtin()), &[]);
    assert!(report.run.invalid_because[0].starts_with("lag p99 was"), "{:?}", report.run.invalid_because);
}

/// Answers every request, and writes down when it came.
struct Witness {
    address: std::net::SocketAddr,
    came: Arc<Mutex<Vec<Instant>>>,
}

impl Witness {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, came) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<Instant>>>::default());
        let notes = came.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let notes = notes.clone();
                std::thread::spawn(move || answer_all(socket, &notes));
            }
        });
        Self { address, came }
    }
}

fn answer_all(mut socket: TcpStream, came: &Mutex<Vec<Instant>>) {
    let body = r#"{"choices":[{"message":{"content":"ok"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
    while let Ok(n @ 1..) = socket.read(&mut bytes) {
        let now = Instant::now();
        seen.extend_from_slice(&bytes[..n]);
        // Bodies of these requests end as JSON objects do, and hold no line's end.
        if seen.windows(4).any(|four| four == b"\r\n\r\n") && seen.ends_with(b"}") {
            seen.clear();
            came.lock().unwrap().push(now);
            let _ = socket.write_all(answer.as_bytes());
        }
    }
}

/// The whole load has begun, and its end is awaited, when the refusal comes.
#[test]
fn a_run_whose_last_answer_refuses_the_key_is_given_up_all_the_same() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let route = format!("base_url = \"http://{}/v1\"", listener.local_addr().unwrap());
    let load = "mode = \"closed\"\nusers = 1\nrequests = 1";
    let handle = start(profile(load, &route), LatencyBounds::default(), Until::Planned).unwrap();
    let (mut socket, _) = listener.accept().unwrap();
    let snapshots = handle.snapshots();
    while snapshots.borrow().phase != Phase::Drain {
        std::thread::yield_now();
    }
    socket.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").unwrap();
    let run = handle.join().unwrap();
    assert_eq!(run.stop, Stop::Hopeless);
    assert!(run.given_up.unwrap().contains("route gateway wants a key: 401"));
}

#[test]
fn blocks_hold_every_measured_call_of_a_run_that_ends_by_its_number_of_requests() {
    let load = "mode = \"closed\"\nusers = 4\nrequests = 50";
    let route = "simulate = { preset = \"local\", ttft = \"50ms\" }";
    let run = start(profile(load, route), LatencyBounds::default(), Until::Planned).unwrap().join().unwrap();
    let blocks = &run.blocks;
    assert!(blocks.len() > 1, "{}", blocks.len());
    assert_eq!(blocks.iter().map(|block| block.tally.sent).sum::<u64>(), 50);
    assert_eq!(blocks.iter().map(|block| block.tally.times.count(Time::Response)).sum::<u64>(), run.measured.succeeded);
    let seconds: f64 = blocks.iter().map(|block| block.seconds).sum();
    assert!((seconds - run.measured_window.as_secs_f64()).abs() < 1e-6, "{seconds} of {:?}", run.measured_window);
}

/// Few enough a second that a busy machine's delays are small against their gaps.
#[test]
fn poisson_arrivals_are_still_a_poisson_process_when_they_reach_a_server() {
    let witness = Witness::start();
    let load = "rate = 25.0\narrivals = \"poisson\"\nduration = \"6s\"";
    let route = format!("base_url = \"http://{}/v1\"", witness.address);
    let run = start(profile(load, &route), LatencyBounds::default(), Until::Planned).unwrap().join().unwrap();
    let mut came = std::mem::take(&mut *witness.came.lock().unwrap());
    came.sort();
    assert_eq!(came.len() as u64, run.measured.sent);
    assert!(came.len() > 100, "{}", came.len());
    let refused = Unit::of(came.iter().map(|at| *at - came[0]), &Ramp::constant(25.0)).refused_by();
    assert!(refused.is_empty(), "{refused:?}");
}

/// Hits, shared calls, retries, another hop, and streams, over real sockets.
#[test]
fn the_phases_of_all_successful_calls_add_up_to_their_service_times() {
    let text = "[load]\nmode = \"closed\"\nusers = 8\nrequests = 300\nwarmup = \"0s\"\n[workload]\nmax_tokens = 20\n\
                prompts = { kind = \"zipf\", distinct = 100, exponent = 1.0 }\n[stack]\nroute = \"near\"\nconcurrency = 4\n\
                [stack.cache]\nlocal = { capacity = 50, ttl = \"60s\" }\n[stack.retry]\nattempts = 2\nbase = \"1ms\"\n\
                [[stack.fallback]]\nmodel = \"gpt-4o-mini\"\nroute = \"far\"\n\
                [routes.near]\nsimulate = { preset = \"local\", error_rate = 0.5, ttft = \"2ms\", tokens_per_second = 5000 }\n\
                [routes.far]\nsimulate = { preset = \"local\", rtt = \"2ms\", tls = \"1.3\" }\n";
    let profile = Draft::from_text(Source::Adhoc, text.into()).finish(Prices::ANY).unwrap().profile;
    let run = start(profile, LatencyBounds::default(), Until::Planned).unwrap().join().unwrap();
    let (tally, service) = (&run.measured, run.measured.times.summary(Time::Service).unwrap());
    let (sum, truth) = (tally.phases.sum().as_secs_f64() * 1000.0, service.mean * tally.succeeded as f64);
    assert!((sum / truth - 1.0).abs() < 0.002, "{sum} ms of {truth} ms");
    let crate::metrics::Phases { local, retries, limit_wait, pool_wait: _, connect, first_token, generation } =
        tally.phases;
    for (phase, time) in [local, retries, limit_wait, connect, first_token, generation].into_iter().enumerate() {
        assert!(!time.is_zero(), "{phase}: {:?}", tally.phases);
    }
}
