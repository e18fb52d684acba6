//! What replicas recorded, merged: by second, by epoch, over the run.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::control::{Control, Window};
use super::messages::{Ended, Report};
use super::recently::Recently;
use super::spells::Spells;
use crate::cost::{PriceBook, Pricer};
use crate::metrics::{Bands, Epoch, Event, Gauges, Phase, Point, Recording, Run, Series, Snapshot, Stop, Tally, Time};
use crate::profile::{Mode, Profile};
use crate::stack::ServedBy;

/// Events kept; older ones go.
const EVENTS: usize = 500;

pub struct Gathering {
    started_at: jiff::Timestamp,
    start: Instant,
    pricer: Pricer,
    gauges: Vec<Gauges>,
    epoch: Current,
    past: Arc<Vec<Epoch>>,
    measured: Arc<Tally>,
    total: Arc<Tally>,
    second: Second,
    last_second: Arc<Tally>,
    recent: Recently,
    spells: Spells,
    series: Arc<Series>,
    events: Arc<Vec<Event>>,
    /// The measured window's real end, once no more is sent.
    closed: Option<Instant>,
}

/// The epoch under way.
struct Current {
    number: u32,
    began: Instant,
    /// Its begin on the run's clock, which stands still in a pause.
    counts_from: Instant,
    changed: Vec<String>,
    profile: Arc<Profile>,
    tally: Arc<Tally>,
    ended: u64,
}

impl Current {
    fn new(number: u32, began: Instant, changed: Vec<String>, profile: Arc<Profile>) -> Self {
        Self { number, began, counts_from: began, changed, profile, tally: Arc::new(Tally::new(2)), ended: 0 }
    }
}

/// The second under way.
struct Second {
    began: Instant,
    tally: Tally,
    /// Of calls of the epoch under way.
    of_epoch: Tally,
    dropped_before: u64,
    begun_before: u64,
}

impl Gathering {
    pub fn new(profile: &Arc<Profile>, replicas: usize, start: Instant) -> Self {
        Self {
            started_at: jiff::Timestamp::now(),
            start,
            pricer: Pricer::new(profile, PriceBook::builtin()),
            gauges: vec![Gauges::default(); replicas],
            epoch: Current::new(0, start, Vec::new(), profile.clone()),
            past: Arc::default(),
            measured: Arc::new(Tally::new(2)),
            total: Arc::new(Tally::new(2)),
            second: Second {
                began: start,
                tally: Tally::new(2),
                of_epoch: Tally::new(2),
                dropped_before: 0,
                begun_before: 0,
            },
            last_second: Arc::new(Tally::new(2)),
            recent: Recently::default(),
            spells: Spells::default(),
            series: Arc::default(),
            events: Arc::default(),
            closed: None,
        }
    }

    pub fn add(&mut self, report: Report) {
        self.set_gauges(report.replica, report.gauges);
        self.add_recordings(report.recordings);
    }

    fn set_gauges(&mut self, replica: usize, gauges: Gauges) {
        if replica >= self.gauges.len() {
            self.gauges.resize(replica + 1, Gauges::default());
        }
        self.gauges[replica] = gauges;
    }

    /// A replica that ended without a last word has nothing in flight and nothing open.
    pub fn lose(&mut self, replica: usize) {
        if let Some(gauges) = self.gauges.get_mut(replica) {
            *gauges = gauges.of_the_past();
        }
    }

    fn add_recordings(&mut self, recordings: Vec<Recording>) {
        for recording in recordings {
            let total = Arc::make_mut(&mut self.total);
            total.merge(&recording.warmup);
            total.merge(&recording.measured);
            self.second.tally.merge(&recording.warmup);
            self.second.tally.merge(&recording.measured);
            Arc::make_mut(&mut self.measured).merge(&recording.measured);
            if recording.epoch == self.epoch.number {
                self.epoch.ended += recording.ended;
                Arc::make_mut(&mut self.epoch.tally).merge(&recording.measured);
                self.second.of_epoch.merge(&recording.warmup);
                self.second.of_epoch.merge(&recording.measured);
            } else {
                self.add_late(&recording);
            }
        }
    }

    /// Calls of an epoch that is past.
    fn add_late(&mut self, recording: &Recording) {
        let past = Arc::make_mut(&mut self.past);
        if let Some(epoch) = past.iter_mut().rev().find(|past| past.number == recording.epoch) {
            let tally = Arc::make_mut(&mut epoch.tally);
            tally.merge(&recording.measured);
            epoch.ended += recording.ended;
            epoch.bill = self.pricer.bill(&tally.ledger);
        }
    }

    /// Closes the second under way when it is over.
    pub fn tick(&mut self, now: Instant, window: &Window, control: &Control) {
        // A tick that comes a little early is still the second's end.
        if now.saturating_duration_since(self.second.began) >= Duration::from_millis(900) {
            self.close_second(now, window, control);
        }
    }

    /// Makes a point of the second under way, whole or not.
    pub fn close_second(&mut self, now: Instant, window: &Window, control: &Control) {
        let seconds = now.saturating_duration_since(self.second.began).as_secs_f64();
        let (dropped, begun) = (control.dropped.load(Relaxed), control.begun());
        let tally = std::mem::replace(&mut self.second.tally, Tally::new(2));
        if window.paused.is_none() {
            let of_epoch = std::mem::replace(&mut self.second.of_epoch, Tally::new(2));
            self.recent.push(of_epoch, seconds);
        }
        for (kind, text) in self.spells.second(&tally) {
            self.event(kind, text);
        }
        let mut point = self.point(&tally, seconds, window);
        point.dropped = dropped - self.second.dropped_before;
        point.begun = begun.saturating_sub(self.second.begun_before);
        Arc::make_mut(&mut self.series).push(point);
        self.last_second = Arc::new(tally);
        self.second.began = now;
        self.second.dropped_before = dropped;
        self.second.begun_before = begun;
    }

    fn point(&self, tally: &Tally, seconds: f64, window: &Window) -> Point {
        let service = tally.times.summary(Time::Service);
        let bill = self.pricer.bill(&tally.ledger);
        let served = |by: ServedBy| tally.served_by[by as usize];
        let gauges = self.gauges();
        Point {
            at_s: self.second.began.saturating_duration_since(self.start).as_secs_f64(),
            seconds,
            epoch: self.epoch.number,
            warmup: !window.is_measured(self.second.began),
            sent: tally.sent,
            succeeded: tally.succeeded,
            failed: tally.failed,
            local: served(ServedBy::Local),
            redis: served(ServedBy::Redis),
            shared: served(ServedBy::Shared),
            gateway: served(ServedBy::Gateway),
            model: served(ServedBy::Model),
            p50_ms: service.map(|s| s.p50),
            p99_ms: service.map(|s| s.p99),
            in_flight: gauges.in_flight,
            connections: gauges.open,
            cost_usd: bill.usd,
            cost_cny: bill.cny,
            bands: tally.times.get(Time::Service).map_or_else(Bands::default, Bands::of),
            ..Point::default()
        }
    }

    pub fn begin_epoch(&mut self, number: u32, profile: &Arc<Profile>, changed: Vec<String>, window: &Window) {
        self.event("setting", changed.join(", "));
        let now = Instant::now();
        let ended = self.present(now, window);
        Arc::make_mut(&mut self.past).push(ended);
        self.epoch = Current::new(number, now, changed, profile.clone());
        self.epoch.counts_from = window.clock(now);
        self.recent = Recently::default();
        self.pricer = Pricer::new(profile, PriceBook::builtin());
    }

    /// The epoch under way, as it stands.
    fn present(&self, now: Instant, window: &Window) -> Epoch {
        let Current { number, began, changed, profile, tally, ended, .. } = &self.epoch;
        Epoch {
            number: *number,
            changed: changed.clone(),
            profile: profile.clone(),
            began: began.saturating_duration_since(self.start),
            seconds: self.epoch_time(now, window).as_secs_f64(),
            tally: tally.clone(),
            ended: *ended,
            bill: self.pricer.bill(&tally.ledger),
        }
    }

    pub fn event(&mut self, kind: &'static str, text: String) {
        let events = Arc::make_mut(&mut self.events);
        if events.len() == EVENTS {
            events.remove(0);
        }
        events.push(Event { at: self.start.elapsed(), kind, text });
    }

    /// The load goes on after a pause, which is in no epoch's time.
    pub fn resume(&mut self, pause: Duration) {
        self.epoch.counts_from += pause;
    }

    /// No more is sent from `now` on.
    pub fn close_window(&mut self, now: Instant, window: &Window) {
        self.closed = Some(window.clipped(now));
    }

    pub fn total(&self) -> &Tally {
        &self.total
    }

    pub fn gauges(&self) -> Gauges {
        self.gauges.iter().fold(Gauges::default(), |sum, one| sum.plus(one))
    }

    /// Time of the measured window that this epoch has had.
    fn epoch_time(&self, now: Instant, window: &Window) -> Duration {
        let now = window.clock(self.closed.unwrap_or(now));
        now.saturating_duration_since(self.epoch.counts_from.max(window.measure))
    }

    fn planned(&self, profile: &Profile, control: &Control) -> u64 {
        match profile.load.mode {
            Mode::Open => control.planned.load(Relaxed),
            Mode::Closed => self.measured.sent,
        }
    }

    pub fn snapshot(
        &self,
        now: Instant,
        phase: Phase,
        profile: &Arc<Profile>,
        window: &Window,
        control: &Control,
    ) -> Snapshot {
        Snapshot {
            elapsed: now.saturating_duration_since(self.start),
            phase,
            paused: window.paused.is_some(),
            profile: profile.clone(),
            planned: self.planned(profile, control),
            dropped: control.dropped.load(Relaxed),
            second: self.last_second.clone(),
            recent: self.recent.picture(),
            epoch: self.present(now, window),
            past: self.past.clone(),
            measured: self.measured.clone(),
            total: self.total.clone(),
            measured_s: window.measured(self.closed.unwrap_or(now)).as_secs_f64(),
            gauges: self.gauges(),
            bill: self.pricer.bill(&self.measured.ledger),
            series: self.series.clone(),
            events: self.events.clone(),
        }
    }

    /// The run up to `at`: over, or as it stands.
    pub fn run(
        &self,
        at: Instant,
        profile: &Arc<Profile>,
        stop: Stop,
        window: &Window,
        control: &Control,
        ended: Ended,
    ) -> Run {
        // A window that is still open, of a run of `requests`, ends with the last answer.
        let end = self.closed.or(ended.last_done.map(|done| window.clipped(done))).unwrap_or(at);
        let mut epochs = Vec::clone(&self.past);
        epochs.push(self.present(end, window));
        Run {
            profile: profile.clone(),
            started_at: self.started_at,
            duration: at.saturating_duration_since(self.start),
            measured_window: window.measured(end),
            stop,
            planned: self.planned(profile, control),
            dropped: control.dropped_measured.load(Relaxed),
            measured: ended.total,
            total: Tally::clone(&self.total),
            abandoned: ended.abandoned,
            gauges: self.gauges(),
            series: Series::clone(&self.series),
            epochs,
            simulated: Vec::new(),
            events: Vec::clone(&self.events),
        }
    }

    /// The run as it stood when replicas were last asked, `at`: what has come in since is what they recorded until
    /// then. Its measured calls have 2 significant digits; calls under way are told as abandoned.
    pub fn so_far(&self, at: Instant, profile: &Arc<Profile>, window: &Window, control: &Control) -> Run {
        let abandoned = self.gauges().in_flight;
        let ended = Ended { total: Tally::clone(&self.measured), last_done: None, abandoned };
        self.run(at, profile, Stop::Quit, window, control, ended)
    }
}
