//! The run over time: a point a second, never more than [`Series::CAPACITY`] of them.

use serde::{Deserialize, Serialize};

use super::bands::Bands;

/// Some seconds of the run. Counts are of calls that *finished* in them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Point {
    /// Seconds since the load's start, warm-up included, at the point's beginning.
    pub at_s: f64,
    /// How long it lasts.
    pub seconds: f64,
    /// The one under way at its end.
    pub epoch: u32,
    pub warmup: bool,
    /// Calls that were due and sent in it, whenever they finished.
    #[serde(default)]
    pub begun: u64,
    pub sent: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub dropped: u64,
    pub local: u64,
    pub redis: u64,
    pub shared: u64,
    pub gateway: u64,
    pub model: u64,
    /// Of the service time of successes; absent without any. Of merged points: the larger.
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    /// At the point's end.
    pub in_flight: u64,
    pub connections: u64,
    pub cost_usd: f64,
    pub cost_cny: f64,
    /// Service times of successes. Reports have them in their heatmap.
    #[serde(skip)]
    pub bands: Bands,
}

#[derive(Clone, Debug, Default)]
pub struct Series {
    points: Vec<Point>,
    /// Seconds that one point covers: 1, 2, 4, … as the series fills up.
    stride: u32,
    pending: u32,
}

impl Series {
    pub const CAPACITY: usize = 3600;

    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Takes the point of one more second; a rest of less than half of one goes to the last point, since its rates
    /// would say nothing. When full, neighbours merge and each point covers twice the time.
    pub fn push(&mut self, point: Point) {
        self.stride = self.stride.max(1);
        match self.points.last_mut() {
            Some(last) if point.seconds < 0.5 => return last.absorb(point),
            Some(last) if self.pending > 0 && self.pending < self.stride => last.absorb(point),
            _ => {
                if self.points.len() == Self::CAPACITY {
                    self.halve();
                }
                self.points.push(point);
                self.pending = 0;
            }
        }
        self.pending = (self.pending + 1) % self.stride;
    }

    fn halve(&mut self) {
        self.stride *= 2;
        let mut merged: Vec<Point> = Vec::with_capacity(Self::CAPACITY);
        for (i, point) in self.points.drain(..).enumerate() {
            match merged.last_mut() {
                Some(last) if i % 2 == 1 => last.absorb(point),
                _ => merged.push(point),
            }
        }
        self.points = merged;
    }
}

impl Point {
    /// A count as a rate: a point lasts a second and up to one tick more.
    pub fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }

    fn absorb(&mut self, next: Self) {
        let larger = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        self.seconds += next.seconds;
        self.begun += next.begun;
        self.sent += next.sent;
        self.succeeded += next.succeeded;
        self.failed += next.failed;
        self.dropped += next.dropped;
        self.local += next.local;
        self.redis += next.redis;
        self.shared += next.shared;
        self.gateway += next.gateway;
        self.model += next.model;
        self.p50_ms = larger(self.p50_ms, next.p50_ms);
        self.p99_ms = larger(self.p99_ms, next.p99_ms);
        self.in_flight = next.in_flight;
        self.connections = next.connections;
        self.cost_usd += next.cost_usd;
        self.cost_cny += next.cost_cny;
        self.bands.absorb(&next.bands);
        self.epoch = next.epoch;
        self.warmup = next.warmup;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: u32) -> Point {
        Point {
            at_s: f64::from(at),
            seconds: 1.0,
            epoch: 0,
            warmup: false,
            begun: 2,
            sent: 2,
            succeeded: 1,
            failed: 1,
            dropped: 0,
            local: 0,
            redis: 0,
            shared: 0,
            gateway: 0,
            model: 1,
            p50_ms: Some(f64::from(at % 7)),
            p99_ms: None,
            in_flight: 0,
            connections: 0,
            cost_usd: 0.5,
            cost_cny: 1.0,
            bands: Bands::default(),
        }
    }

    #[test]
    fn a_rate_is_taken_over_the_time_the_point_really_lasts() {
        let point = Point { seconds: 1.2, succeeded: 72, ..Point::default() };
        assert!((point.per_second(point.succeeded) - 60.0).abs() < 1e-9);
    }

    #[test]
    fn a_rest_shorter_than_half_a_second_goes_to_the_point_before() {
        let mut series = Series::default();
        series.push(second(0));
        series.push(Point { seconds: 0.02, ..second(1) });
        assert_eq!(series.points().len(), 1);
        assert_eq!((series.points()[0].sent, series.points()[0].seconds), (4, 1.02));
    }

    #[test]
    fn a_day_takes_no_more_points_than_an_hour_and_loses_no_call() {
        let mut series = Series::default();
        for at in 0..86_400 {
            series.push(second(at));
            assert!(series.points().len() <= Series::CAPACITY);
        }
        let points = series.points();
        assert_eq!(points.iter().map(|p| p.sent).sum::<u64>(), 2 * 86_400);
        assert_eq!(points.iter().map(|p| p.seconds).sum::<f64>(), 86_400.0);
        // Each point begins where the one before ends, and all but the last cover the same time.
        assert!(points.windows(2).all(|pair| pair[0].at_s + pair[0].seconds == pair[1].at_s));
        assert!(points[..points.len() - 1].iter().all(|p| p.seconds == points[0].seconds));
    }
}
