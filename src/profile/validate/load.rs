//! The rules of `[load]`.

use std::time::Duration;

use super::Findings;
use crate::profile::problem::KeyPath;
use crate::profile::{Batch, Load, Mode};

pub fn check(load: &Load, findings: &mut Findings) {
    match load.mode {
        Mode::Open => findings.above_zero("load.rate", load.rate),
        Mode::Closed => findings.range("load.users", load.users.into(), 1, 1_000_000),
    }
    if load.rate > 1e6 {
        findings.bad("load.rate", format!("= {} exceeds 1000000 requests/s; lower it", load.rate));
    }
    if let Some(duration) = load.duration {
        findings.takes_time("load.duration", duration);
    }
    if let Some(requests) = load.requests {
        findings.at_least_one("load.requests", requests);
    }
    findings.range("load.max_in_flight", load.max_in_flight as u64, 1, 10_000_000);
    check_stages(load, findings);
    let last = load.stages.last();
    let fades_out = last.is_some_and(|stage| load.mode == Mode::Open && stage.rate == Some(0.0));
    if fades_out && load.requests.is_some() && load.duration.is_none() {
        findings.bad("load.stages", "end at rate 0, so load.requests may never be reached; give a load.duration too");
        findings.also(&["load.requests"]);
    }
}

/// A run of `requests` is made of whole batches.
pub fn check_batches(load: &Load, batch: Batch, findings: &mut Findings) {
    let size = u64::from(batch.size.max(1));
    if let Some(requests) = load.requests
        && !requests.is_multiple_of(size)
    {
        let up = requests.next_multiple_of(size);
        let message = format!("= {requests} is no multiple of workload.batch.size = {size}; write {up}");
        findings.bad("load.requests", message);
        findings.also(&["workload.batch.size"]);
    }
}

fn check_stages(load: &Load, findings: &mut Findings) {
    for (i, stage) in load.stages.iter().enumerate() {
        let path = KeyPath::from("load.stages").key(i);
        match (load.mode, stage.rate, stage.users) {
            (Mode::Open, None, _) => findings.bad(path, "needs `rate`: the target of a stage of an open loop"),
            (Mode::Closed, _, None) => findings.bad(path, "needs `users`: the target of a stage of a closed loop"),
            (Mode::Open, Some(rate), _) => findings.from(path.key("rate"), rate, 0.0),
            (Mode::Closed, _, Some(users)) => findings.at_least_one(path.key("users"), users.into()),
        }
        findings.also(&["load.mode"]);
    }
    let sum: Duration = load.stages.iter().map(|stage| stage.duration).sum();
    match load.duration {
        Some(duration) if sum > duration => {
            let text = humantime::format_duration;
            let message = format!("take {}, longer than load.duration = {}; raise it", text(sum), text(duration));
            findings.bad("load.stages", message);
            findings.also(&["load.duration"]);
        }
        None if !load.stages.is_empty() && sum.is_zero() && load.requests.is_none() => {
            findings.bad("load.stages", "take no time; give one a duration such as \"10s\"");
        }
        _ => {}
    }
}
