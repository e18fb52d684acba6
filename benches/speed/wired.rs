//! What a wire of known delay does to connects and first bytes, against what it was set to and against a raw client.

use std::io::Write;
use std::time::Duration;

use super::measure::median;
use super::raw;
use super::table::{Allowed, Table};
use super::tools::{self, Measured};
use super::wire::{Conditions, SERVER, Wire};
use super::{Length, Problem};

const DELAY: Duration = Duration::from_millis(5);
const RTT_MS: f64 = 10.0;
const JITTER_MS: f64 = 2.0;
const LOSS: f64 = 0.02;
const ALLOWED: Allowed = Allowed { percent: 5.0, room: 0.05 };
/// The arithmetic of a handshake at both ends, beside its round trips.
const WITH_TLS: Allowed = Allowed { percent: 5.0, room: 0.7 };

const STILL: Conditions = Conditions { delay: DELAY, jitter: Duration::ZERO, loss: 0.0 };

pub fn measure(table: &mut Table, _: Length) -> Result<(), Problem> {
    // SAFETY: reads a number of this process.
    if unsafe { libc::geteuid() } != 0 {
        table.note("skipped: a network namespace takes root".into());
        return Ok(());
    }
    still(table)?;
    jitter(table)?;
    loss(table)
}

fn still(table: &Table) -> Result<(), Problem> {
    let wire = Wire::start(STILL)?;
    table.note(match wire.is_netem {
        true => "the wire is tc netem on a veth pair".into(),
        false => {
            "this kernel has no netem: the wire is a pair of tun devices whose packets this process carries".into()
        }
    });
    let seen = (0..100).map(|_| raw::once(&format!("{SERVER}:8080"), "{}")).collect::<Result<Vec<_>, _>>()?;
    let raw = |of: fn(&(Duration, Duration)) -> Duration| median(seen.iter().map(|one| of(one).as_secs_f64() * 1e3));
    let (raw_connect, raw_answer) = (raw(|one| one.0), raw(|one| one.1));
    table.beside("raw client: connect, of one round trip", raw_connect, RTT_MS, " ms", ALLOWED);
    table.beside("raw client: answer", raw_answer, RTT_MS, " ms", ALLOWED);
    let kept = calls(&wire, "http", 8080, "", &[])?;
    table.beside("service p50 on a kept connection", kept.number("/latency_ms/service/p50")?, RTT_MS, " ms", ALLOWED);
    table.beside("  beside the raw client", kept.number("/latency_ms/service/p50")?, raw_answer, " ms", ALLOWED);
    let streamed = calls(&wire, "http", 8080, "/streamed", &["workload.stream=true"])?;
    table.beside("ttft p50", streamed.number("/latency_ms/ttft/p50")?, RTT_MS, " ms", ALLOWED);
    let opened = calls(&wire, "http", 8080, "", &["stack.pool.max_idle=0"])?;
    let connect = opened.number("/latency_ms/connect/p50")?;
    table.beside("connect p50, plain: one round trip", connect, RTT_MS, " ms", ALLOWED);
    table.beside("  beside the raw client", connect, raw_connect, " ms", ALLOWED);
    table.beside("service p50 with a connect", opened.number("/latency_ms/service/p50")?, 2.0 * RTT_MS, " ms", ALLOWED);
    let tls = calls(&wire, "https", 8443, "", &["stack.pool.max_idle=0"])?;
    for (what, trips) in [("connect", 2.0), ("tcp", 1.0), ("tls", 1.0), ("service", 3.0)] {
        let p50 = tls.number(&format!("/latency_ms/{what}/p50"))?;
        table.beside(&format!("TLS 1.3: {what} p50, {trips} round trips"), p50, trips * RTT_MS, " ms", WITH_TLS);
    }
    Ok(())
}

/// The sum of two even distributions is a triangle: half its width 4 ms, a share q lies beyond 4 ms - sqrt(32 q) ms.
fn jitter(table: &Table) -> Result<(), Problem> {
    let wire = Wire::start(Conditions { jitter: Duration::from_secs_f64(JITTER_MS / 1e3), ..STILL })?;
    let run = calls(&wire, "http", 8080, "", &[])?;
    let half = 2.0 * JITTER_MS;
    let beyond = |share: f64| RTT_MS + half - (2.0 * half * half * share).sqrt();
    for (figure, truth) in [("mean", RTT_MS), ("p50", RTT_MS), ("p90", beyond(0.1)), ("p99", beyond(0.01))] {
        let ours = run.number(&format!("/latency_ms/service/{figure}"))?;
        table.beside(&format!("jitter of 2 ms each way: service {figure}"), ours, truth, " ms", ALLOWED);
    }
    Ok(())
}

/// A call whose request or answer is lost waits for a retransmission, of 200 ms at least. Three standard deviations of
/// a share are allowed.
fn loss(table: &Table) -> Result<(), Problem> {
    let wire = Wire::start(Conditions { loss: LOSS, ..STILL })?;
    // Calls within the bounds of expectations are the goodput.
    let run = calls(&wire, "http", 8080, "", &["expect=[\"response.p50 < 150ms\"]", "load.rate=300.0"])?;
    let slow = (1.0 - run.number("/load/goodput")? / run.number("/load/qps")?) * 100.0;
    let truth = (1.0 - (1.0 - LOSS) * (1.0 - LOSS)) * 100.0;
    let room = 3.0 * (truth * (100.0 - truth) / run.number("/load/succeeded")?).sqrt();
    let allowed = Allowed { percent: 0.0, room };
    table.beside("loss of 2% each way: calls that took 150 ms or more", slow, truth, "%", allowed);
    table.figure(
        "  service p50 and p99",
        format!("{:.1} {:.0} ms", run.number("/latency_ms/service/p50")?, run.number("/latency_ms/service/p99")?),
    );
    Ok(())
}

/// 100 calls a second for 8 s, unless set otherwise.
fn calls(wire: &Wire, scheme: &str, port: u16, path: &str, sets: &[&str]) -> Result<Measured, Problem> {
    let mut profile = tempfile::Builder::new().suffix(".toml").tempfile()?;
    let ca = if scheme == "https" { format!("ca_file = {:?}\n", wire.ca_file()) } else { String::new() };
    write!(
        profile,
        "[load]\nrate = 100.0\narrivals = \"constant\"\nwarmup = \"500ms\"\nduration = \"8s\"\n\
         [workload]\nprompts = {{ kind = \"unique\" }}\nstream = false\ninput_tokens = 100\n\
         [stack]\nroute = \"wire\"\n[stack.retry]\nattempts = 1\n\
         [routes.wire]\nbase_url = \"{scheme}://{SERVER}:{port}{path}/v1\"\n{ca}"
    )?;
    tools::run(&[profile.path().to_str().ok_or("the temporary directory's name is not UTF-8")?], sets)
}
