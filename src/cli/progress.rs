//! Progress on stderr: a live line on a terminal, else a line every few seconds.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::metrics::{Phase, Point, Snapshot, Time};

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
        let style = ProgressStyle::with_template("{bar:24} {wide_msg}").expect("a constant template");
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        Self::Live(bar)
    }

    pub fn show(&mut self, snapshot: &Snapshot) {
        match self {
            Self::Live(bar) => {
                bar.set_position((fraction(snapshot) * 1000.0) as u64);
                bar.set_message(line(snapshot));
            }
            Self::Lines { next } => {
                if Instant::now() >= *next {
                    *next += QUIET_PERIOD;
                    eprintln!("{}", line(snapshot));
                }
            }
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
        qps(snapshot.series.points()),
        snapshot.gauges.in_flight
    );
    if let Some(service) = second.times.summary(Time::Response) {
        line += &format!("  p50 {:.1} ms  p99 {:.1} ms", service.p50, service.p99);
    }
    if let Some(hits) = second.hit_rate() {
        line += &format!("  hits {:.0}%", hits * 100.0);
    }
    if snapshot.total.failed + snapshot.dropped > 0 {
        line += &format!("  failed {}  dropped {}", snapshot.total.failed, snapshot.dropped);
    }
    line + &format!("  ¥{:.4} ${:.4}", snapshot.bill.cny, snapshot.bill.usd)
}

/// Of the last point, which lasts a second and up to one tick more.
fn qps(points: &[Point]) -> f64 {
    points.last().map_or(0.0, |point| point.succeeded as f64 / point.seconds.max(f64::MIN_POSITIVE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_taken_over_the_time_the_point_really_lasts() {
        let point = |seconds, succeeded| Point {
            at_s: 0.0,
            seconds,
            epoch: 0,
            warmup: false,
            sent: succeeded,
            succeeded,
            failed: 0,
            dropped: 0,
            local: 0,
            redis: 0,
            shared: 0,
            gateway: 0,
            model: succeeded,
            p50_ms: None,
            p99_ms: None,
            in_flight: 0,
            connections: 0,
            cost_usd: 0.0,
            cost_cny: 0.0,
        };
        assert!((qps(&[point(1.0, 10), point(1.2, 72)]) - 60.0).abs() < 1e-9);
        assert_eq!(qps(&[]), 0.0);
    }
}
