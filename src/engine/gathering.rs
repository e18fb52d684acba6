//! What replicas recorded, merged: by second, by epoch, over the run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::control::{Control, Counts, Window};
use super::cutting::Cutting;
use super::messages::{Ended, Report};
use super::recently::Recently;
use super::spells::Spells;
use crate::cost::{Bill, PriceBook, Pricer};
use crate::metrics::{Bands, Epoch, Event, Gauges, Phase, Point, Recording, Run, Series, Snapshot, Stop, Tally, Time};
use crate::profile::{Mode, Profile};
use crate::stack::ServedBy;

/// A tick that comes a little early is still the second's end.
pub const SECOND: Duration = Duration::from_millis(900);
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
    asked: Asked,
    last_second: Arc<Tally>,
    recent: Recently,
    spells: Spells,
    series: Arc<Series>,
    cutting: Cutting,
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
    counts_before: Counts,
    changed: Vec<String>,
    profile: Arc<Profile>,
    tally: Arc<Tally>,
    ended: u64,
}

impl Current {
    fn new(number: u32, began: Instant, changed: Vec<String>, profile: Arc<Profile>) -> Self {
        let (tally, counts_before) = (Arc::new(Tally::new(2)), Counts::default());
        Self { number, began, counts_from: began, counts_before, changed, profile, tally, ended: 0 }
    }
}

/// The second under way.
struct Second {
    from: Asked,
    tally: Tally,
}

/// When replicas were last asked for their recordings, and what of the plan was due by then: what has come in since
/// is what they recorded until then.
#[derive(Clone, Copy)]
struct Asked {
    at: Instant,
    counts: Counts,
}

impl Gathering {
    pub fn new(profile: &Arc<Profile>, replicas: usize, start: Instant) -> Self {
        let asked = Asked { at: start, counts: Counts::default() };
        Self {
            started_at: jiff::Timestamp::now(),
            start,
            pricer: Pricer::new(profile, PriceBook::builtin()),
            gauges: vec![Gauges::default(); replicas],
            epoch: Current::new(0, start, Vec::new(), profile.clone()),
            past: Arc::default(),
            measured: Arc::new(Tally::new(2)),
            total: Arc::new(Tally::new(2)),
            second: Second { from: asked, tally: Tally::new(2) },
            asked,
            last_second: Arc::new(Tally::new(2)),
            recent: Recently::new(start),
            spells: Spells::default(),
            series: Arc::default(),
            cutting: Cutting::new(),
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
            self.cutting.add(&recording.measured);
            if recording.epoch == self.epoch.number {
                self.epoch.ended += recording.ended;
                Arc::make_mut(&mut self.epoch.tally).merge(&recording.measured);
                self.recent.add(&recording);
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

    /// Closes the second under way when all of it has come in.
    pub fn tick(&mut self, window: &Window) {
        self.recent.tick(window.clock(self.asked.at));
        self.cutting.tick(self.measured(window));
        if self.asked.at.saturating_duration_since(self.second.from.at) >= SECOND {
            self.close_second(window);
        }
    }

    /// Replicas are asked for their recordings.
    pub fn ask(&mut self, now: Instant, control: &Control) {
        self.asked = Asked { at: now, counts: control.counts() };
    }

    /// Makes a point of the second under way, whole or not.
    pub fn close_second(&mut self, window: &Window) {
        let point = self.point(window);
        Arc::make_mut(&mut self.series).push(point);
        let next = Second { from: self.asked, tally: Tally::new(2) };
        let Second { tally, .. } = std::mem::replace(&mut self.second, next);
        for (kind, text) in self.spells.second(&tally) {
            self.event(kind, text);
        }
        self.last_second = Arc::new(tally);
    }

    /// The second under way, until replicas were last asked.
    fn point(&self, window: &Window) -> Point {
        let Second { from, tally } = &self.second;
        let (before, counts) = (from.counts, self.asked.counts);
        let service = tally.times.summary(Time::Service);
        let bill = self.pricer.bill(&tally.ledger);
        let served = |by: ServedBy| tally.served_by[by as usize];
        let gauges = self.gauges();
        Point {
            at_s: from.at.saturating_duration_since(self.start).as_secs_f64(),
            seconds: self.asked.at.saturating_duration_since(from.at).as_secs_f64(),
            epoch: self.epoch.number,
            warmup: !window.is_measured(from.at),
            begun: counts.begun.saturating_sub(before.begun),
            dropped: counts.dropped - before.dropped,
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
        }
    }

    pub fn begin_epoch(
        &mut self,
        number: u32,
        profile: &Arc<Profile>,
        changed: Vec<String>,
        window: &Window,
        control: &Control,
    ) {
        self.event("setting", changed.join(", "));
        let (now, counts) = (Instant::now(), control.counts());
        let ended = self.present(now, counts, window);
        Arc::make_mut(&mut self.past).push(ended);
        self.epoch = Current::new(number, now, changed, profile.clone());
        self.epoch.counts_from = window.clock(now);
        self.epoch.counts_before = counts;
        self.recent = Recently::new(self.epoch.counts_from);
        self.pricer = Pricer::new(profile, PriceBook::builtin());
    }

    /// The epoch under way, as it stands.
    fn present(&self, now: Instant, counts: Counts, window: &Window) -> Epoch {
        let Current { number, began, changed, profile, tally, ended, counts_before: before, .. } = &self.epoch;
        let is_open_loop = profile.load.mode == Mode::Open;
        Epoch {
            number: *number,
            changed: changed.clone(),
            profile: profile.clone(),
            began: began.saturating_duration_since(self.start),
            seconds: self.epoch_time(now, window).as_secs_f64(),
            planned: if is_open_loop { counts.planned.saturating_sub(before.planned) } else { tally.sent },
            dropped: counts.dropped_measured.saturating_sub(before.dropped_measured),
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
        self.recent.resume(pause);
    }

    /// No more is sent from `now` on.
    pub fn close_window(&mut self, now: Instant, window: &Window) {
        self.closed = Some(window.clipped(now));
    }

    pub fn total(&self) -> &Tally {
        &self.total
    }

    pub fn bill(&self, tally: &Tally) -> Bill {
        self.pricer.bill(&tally.ledger)
    }

    pub fn gauges(&self) -> Gauges {
        self.gauges.iter().fold(Gauges::default(), |sum, one| sum.plus(one))
    }

    /// Time of the measured window that this epoch has had.
    fn epoch_time(&self, now: Instant, window: &Window) -> Duration {
        let now = window.clock(self.closed.unwrap_or(now));
        now.saturating_duration_since(self.epoch.counts_from.max(window.measure))
    }

    /// Of the window, what had passed when replicas were last asked.
    fn measured(&self, window: &Window) -> Duration {
        window.measured(self.closed.unwrap_or(self.asked.at))
    }

    fn planned(&self, profile: &Profile) -> u64 {
        match profile.load.mode {
            Mode::Open => self.asked.counts.planned,
            Mode::Closed => self.measured.sent,
        }
    }

    pub fn snapshot(&self, now: Instant, phase: Phase, profile: &Arc<Profile>, window: &Window) -> Snapshot {
        Snapshot {
            elapsed: now.saturating_duration_since(self.start),
            phase,
            paused: window.holds(now),
            profile: profile.clone(),
            planned: self.planned(profile),
            dropped: self.asked.counts.dropped,
            second: self.last_second.clone(),
            recent: self.recent.picture(),
            epoch: self.present(self.asked.at, self.asked.counts, window),
            past: self.past.clone(),
            measured: self.measured.clone(),
            total: self.total.clone(),
            measured_s: self.measured(window).as_secs_f64(),
            gauges: self.gauges(),
            bill: self.pricer.bill(&self.measured.ledger),
            spent: self.pricer.bill(&self.total.ledger),
            series: self.series.clone(),
            events: self.events.clone(),
        }
    }

    /// The run, which is over.
    pub fn run(&self, profile: &Arc<Profile>, stop: Stop, window: &Window, ended: Ended) -> Run {
        let at = self.asked.at;
        // A window that is still open, of a run of `requests`, ends with the last answer.
        let end = self.closed.or(ended.last_done.map(|done| window.clipped(done))).unwrap_or(at);
        let mut epochs = Vec::clone(&self.past);
        epochs.push(self.present(end, self.asked.counts, window));
        Run {
            profile: profile.clone(),
            started_at: self.started_at,
            duration: at.saturating_duration_since(self.start),
            measured_window: window.measured(end),
            stop,
            given_up: None,
            planned: self.planned(profile),
            dropped: self.asked.counts.dropped_measured,
            measured: ended.total,
            total: Tally::clone(&self.total),
            abandoned: ended.abandoned,
            gauges: self.gauges(),
            series: Series::clone(&self.series),
            blocks: self.cutting.cut(window.measured(end)),
            epochs,
            simulated: Vec::new(),
            events: Vec::clone(&self.events),
        }
    }

    /// The run as it stood when replicas were last asked. Its measured calls have 2 significant digits; calls under
    /// way are told as abandoned.
    pub fn so_far(&self, profile: &Arc<Profile>, window: &Window) -> Run {
        let abandoned = self.gauges().in_flight;
        let ended = Ended { total: Tally::clone(&self.measured), last_done: None, abandoned };
        let mut run = self.run(profile, Stop::Quit, window, ended);
        run.series.push(self.point(window));
        run
    }
}
