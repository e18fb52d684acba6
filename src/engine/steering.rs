//! What people do to a load under way: change settings and replicas, pause it, break a route, tell of something.
//! Must not know how a run is led to its end.

use std::sync::Arc;
use std::sync::mpsc::SendError;
use std::time::{Duration, Instant};

use super::conductor::Conductor;
use super::messages::{Change, Lasts, Leaving, Post, ToPacer, ToReplica};
use super::ramp;
use crate::metrics::Phase;
use crate::profile::Profile;

impl Conductor {
    pub fn change(&mut self, change: Change) {
        if self.phase == Phase::Drain {
            return;
        }
        let Change { profile: new, settings, changed, joining } = change;
        let old = std::mem::replace(&mut self.profile, new.clone());
        self.follow_rate(&old, &new);
        for replica in &self.replicas {
            replica.send(ToReplica::Change(settings.clone()));
        }
        self.longest_timeout = self.longest_timeout.max(new.stack.timeout);
        self.gathering.begin_epoch(settings.epoch, &new, changed, &self.window, &self.control);
        self.staff(joining, new.stack.replicas as usize);
    }

    fn follow_rate(&mut self, old: &Profile, new: &Arc<Profile>) {
        let (was, is) = (&old.load, &new.load);
        let is_level_other = was.rate != is.rate || was.users != is.users || was.stages != is.stages;
        if is_level_other {
            self.ramp = ramp(new, self.until);
        }
        let paced_anew = is_level_other
            || old.load.arrivals != new.load.arrivals
            || old.load.max_in_flight != new.load.max_in_flight
            || old.workload.batch != new.workload.batch;
        if paced_anew {
            let _ = self.to_pacer.send(ToPacer::Change(new.clone(), self.ramp.clone()));
        }
    }

    /// Brings the replicas to `count`: the last ones leave when they have done what they began.
    fn staff(&mut self, joining: Vec<Post>, count: usize) {
        if joining.is_empty() && self.replicas.len() <= count {
            return;
        }
        for replica in &joining {
            replica.send(ToReplica::Clock(self.window));
        }
        self.replicas.extend(joining);
        let replicas = self.replicas.split_off(count.min(self.replicas.len()));
        self.leaving.extend(replicas.iter().cloned());
        let leaving = Leaving { replicas, grace: self.grace(self.serial_batch()) };
        let staying = self.replicas.clone();
        // Without a pacer (closed loop) no arrival can come too late.
        if let Err(SendError(ToPacer::Replicas { leaving, .. })) =
            self.to_pacer.send(ToPacer::Replicas { staying, leaving })
        {
            leaving.finish();
        }
        self.assign_users();
    }

    pub fn pause(&mut self, at: Instant) {
        if self.phase != Phase::Drain && self.window.paused.is_none() {
            self.window.paused = Some(at);
            self.set_clocks();
            self.gathering.event("pause", "paused".into());
            self.publish(Instant::now());
        }
        self.control.pause_has_come();
    }

    pub fn resume(&mut self, at: Instant) {
        if self.phase == Phase::Drain {
            return;
        }
        let Some(pause) = self.go_on(at) else { return };
        self.set_clocks();
        self.gathering.event("pause", format!("resumed after {:.1} s", pause.as_secs_f64()));
        self.publish(Instant::now());
    }

    /// All that is on the run's clock comes later by the pause, and this says how long that was.
    pub fn go_on(&mut self, at: Instant) -> Option<Duration> {
        let (window, pause) = self.window.resumed(at)?;
        self.gathering.resume(pause);
        self.window = window;
        self.routes.iter().for_each(|route| route.delay_faults(pause));
        Some(pause)
    }

    pub fn set_clocks(&mut self) {
        let _ = self.to_pacer.send(ToPacer::Clock(self.window));
        for replica in self.replicas.iter().chain(&self.leaving) {
            replica.send(ToReplica::Clock(self.window));
        }
        self.assign_users();
    }

    pub fn note(&mut self, kind: &'static str, text: String, lasts: Option<Lasts>) {
        self.gathering.event(kind, text);
        self.lasting.extend(lasts.map(|lasts| (kind, lasts)));
    }

    /// Tells what is over.
    pub fn tell_ends(&mut self, now: Instant) {
        for (kind, lasts) in self.lasting.extract_if(.., |(_, lasts)| lasts.until <= now) {
            self.gathering.event(kind, lasts.over);
        }
    }

    /// How long calls under way are awaited when nobody is in a hurry: each of those `in_turn` may time out.
    pub fn grace(&self, in_turn: u32) -> Duration {
        self.longest_timeout * in_turn + Duration::from_secs(1)
    }
}
