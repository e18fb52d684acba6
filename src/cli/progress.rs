//! Progress on stderr: a live line on a terminal, else a line every few seconds.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::metrics::{Phase, Snapshot, Time};
use crate::report::format::{money, ms, percent};

/// Between lines where there is no terminal.
const QUIET_PERIOD: Duration = Duration::from_secs(5);

pub enum Progress {
    Live(ProgressBar),
    Lines { next: Instant },
    None,
}

impl Progress {
    pub fn new(quiet: bool) -> Self {
        if quiet {
            return Self::None;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines { next: Instant::now() + QUIET_PERIOD };
        }
        let bar = ProgressBar::new(1000);
        let style = ProgressStyle::with_template("{bar:12} {wide_msg}").expect("a constant template");
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        Self::Live(bar)
    }

    pub fn show(&mut self, snapshot: &Snapshot) {
        self.tell(fraction(snapshot), || line(snapshot));
    }

    /// How much is done, 0 to 1, and what there is to say of it.
    pub fn tell(&mut self, done: f64, line: impl FnOnce() -> String) {
        match self {
            Self::Live(bar) => {
                bar.set_position((done * 1000.0) as u64);
                bar.set_message(line());
            }
            Self::Lines { next } => {
                if Instant::now() >= *next {
                    *next += QUIET_PERIOD;
                    eprintln!("{}", line());
                }
            }
            Self::None => {}
        }
    }

    /// A line that stays.
    pub fn note(&self, text: &str) {
        match self {
            Self::Live(bar) => bar.println(text),
            Self::Lines { .. } => eprintln!("{text}"),
            Self::None => {}
        }
    }

    pub fn clear(&self) {
        if let Self::Live(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// How much of the plan is done, 0 to 1.
fn fraction(snapshot: &Snapshot) -> f64 {
    let load = &snapshot.profile.load;
    match (load.measured(), load.requests) {
        (_, Some(requests)) => snapshot.measured.sent as f64 / requests as f64,
        (Some(time), None) => snapshot.elapsed.as_secs_f64() / (load.warmup + time).as_secs_f64(),
        (None, None) => 0.0,
    }
}

fn line(snapshot: &Snapshot) -> String {
    let phase = match snapshot.phase {
        Phase::Warmup => "warm-up",
        Phase::Measure => "running",
        Phase::Drain | Phase::Done => "waiting for the last answers",
    };
    let second = &snapshot.second;
    let mut line = format!(
        "{phase} {:>3.0}s  qps {:.0}  in flight {}",
        snapshot.elapsed.as_secs_f64(),
        snapshot.series.points().last().map_or(0.0, |point| point.per_second(point.succeeded)),
        snapshot.gauges.in_flight
    );
    if let Some(response) = second.times.summary(Time::Response) {
        line += &format!("  p50 {}  p99 {}", ms(response.p50), ms(response.p99));
    }
    if let Some(hits) = second.hit_rate() {
        line += &format!("  hits {}", percent(hits));
    }
    if snapshot.total.failed + snapshot.dropped > 0 {
        line += &format!("  failed {}  dropped {}", snapshot.total.failed, snapshot.dropped);
    }
    line + &format!("  {} {}", money('¥', snapshot.spent.cny), money('$', snapshot.spent.usd))
}
