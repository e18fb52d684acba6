//! gatebench's speed and memory as ratios side by side, and the truth of its times beside others and formulas:
//! `benches/run` says what is needed and runs it.
//!
//! Every figure comes from whole processes (their own CPU time and peak memory), from a report's own figures, or from
//! a loop in this process; rivals take turns, and medians are compared.

#[path = "../../tests/compare/apart.rs"]
mod apart;
mod calibrate;
mod compare;
mod compare_real;
mod diff;
mod engine;
mod flat;
mod http;
mod littles_law;
mod local_hit;
mod measure;
mod nginx;
mod overload;
mod poisson;
mod raw;
mod screen;
#[path = "../../tests/compare/series.rs"]
mod series;
mod service;
mod stall;
mod streams;
mod table;
mod tools;
mod transports;
mod tun;
mod wire;
mod wired;

use std::process::ExitCode;

use table::Table;

/// As the binary has it, so that loops in this process pay the same for memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Anything that stops a part, in words.
type Problem = Box<dyn std::error::Error + Send + Sync>;

/// A part's measuring, with whether it may take an hour.
type Part = fn(&mut Table, Length) -> Result<(), Problem>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Short,
    Long,
}

const PARTS: [(&str, &str, Part); 17] = [
    ("http", "CPU and memory of whole runs: 500 B in, 600 B out, static nginx", http::measure),
    ("transports", "why the pool is ours: bare hyper, reqwest and the exact pool, same nginx", transports::measure),
    ("local_hit", "a local cache hit of a 1 KB request, through the stack", local_hit::measure),
    ("streams", "1,000 streams at 50 tokens/s from gatebench sim in another process", streams::measure),
    ("stall", "1,000 requests/s, a server that stops for 1 s of 10 s", stall::measure),
    ("overload", "400 requests/s where 200 are carried, against the fluid formula", overload::measure),
    ("poisson", "200 requests/s as a server sees them, against a Poisson process", poisson::measure),
    ("littles_law", "closed loops against users = rate x (service + think time)", littles_law::measure),
    ("calibrate", "what this machine can generate, and how well that repeats", calibrate::measure),
    ("service", "times of calls to nginx beside oha's, wrk's and a raw client's", service::measure),
    ("wire", "connects and first bytes over a wire of 10 ms, loss and jitter in a namespace", wired::measure),
    ("compare", "statistics of comparisons on made-up networks that drift; no load", compare::measure),
    ("compare_real", "equal and 5% slower arms over real sockets on a network that drifts", compare_real::measure),
    ("diff", "statistics of two runs at different times, their levels still; no load", diff::measure),
    ("flat", "memory over time, 64 users without a pause", flat::measure),
    ("screen", "the workbench on a terminal of 120x36: what it costs the load", screen::measure),
    ("engine", "the most calls/s against gatebench sim local in another process", engine::measure),
];

fn main() -> ExitCode {
    // reqwest wants one even for plain HTTP. It can only be there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // `cargo bench` adds --bench.
    let mut wanted: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let length = if wanted.iter().any(|arg| arg == "--long") { Length::Long } else { Length::Short };
    wanted.retain(|arg| arg != "--long");
    if let Some(unknown) = wanted.iter().find(|name| PARTS.iter().all(|(part, ..)| part != name)) {
        let known: Vec<_> = PARTS.iter().map(|(name, ..)| *name).collect();
        eprintln!("no part \"{unknown}\"; there are {}", known.join(", "));
        return ExitCode::from(2);
    }
    let cache = match tools::calibrated() {
        Ok(cache) => cache,
        Err(problem) => {
            eprintln!("gatebench calibrate: {problem}");
            return ExitCode::FAILURE;
        }
    };
    let mut broken = false;
    for (name, about, measure) in PARTS {
        if !wanted.is_empty() && wanted.iter().all(|part| part != name) {
            continue;
        }
        let mut table = Table::begin(name, about);
        if let Err(problem) = measure(&mut table, length) {
            broken = true;
            table.note(format!("could not be measured: {problem}"));
        }
        table.end();
    }
    drop(cache);
    ExitCode::from(u8::from(broken))
}
