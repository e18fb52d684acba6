//! What is printed: a part's figures beside their targets, and how busy others kept the machine.

use std::time::Duration;

use super::measure::Machine;

/// More of the machine than this in other hands, and a figure is said to be taken under load.
const QUIET: f64 = 0.10;
const GLANCE: Duration = Duration::from_secs(1);

pub struct Table {
    others_before: f64,
}

/// How far a figure may be from its oracle's; the larger of both counts.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    pub percent: f64,
    pub room: f64,
}

impl Table {
    pub fn begin(name: &str, about: &str) -> Self {
        println!("\n{name}: {about}");
        Self { others_before: Machine::busy_for(GLANCE) }
    }

    /// A figure without a target.
    pub fn figure(&self, what: &str, value: String) {
        println!("  {what:<58} {value:>14}");
    }

    /// A figure that has to be at most `most`.
    pub fn at_most(&self, what: &str, value: f64, most: f64, unit: &str) {
        let verdict = if value <= most { "held" } else { "missed" };
        println!("  {what:<58} {:>14}   target <= {most}{unit}: {verdict}", format!("{value:.2}{unit}"));
    }

    /// A figure beside that of an oracle, in the same unit: it has to be within `percent` of it or `room` off at most.
    pub fn beside(&self, what: &str, ours: f64, oracle: f64, unit: &str, allowed: Allowed) {
        let off = ours - oracle;
        let is_held = off.abs() <= (oracle.abs() * allowed.percent / 100.0).max(allowed.room);
        let verdict = if is_held { "held" } else { "missed" };
        let share = format!("{:+.1}%", off / oracle * 100.0);
        println!("  {what:<58} {:>14}   oracle {oracle:.3}{unit}, {share}: {verdict}", format!("{ours:.3}{unit}"));
    }

    /// A figure that has to be exactly `wanted`.
    pub fn exactly(&self, what: &str, value: u64, wanted: u64) {
        let verdict = if value == wanted { "held" } else { "missed" };
        println!("  {what:<58} {value:>14}   target {wanted}: {verdict}");
    }

    pub fn note(&self, text: String) {
        println!("  {text}");
    }

    pub fn end(self) {
        let others = self.others_before.max(Machine::busy_for(GLANCE));
        let word = if others > QUIET { "TAKEN UNDER LOAD: " } else { "" };
        println!(
            "  {word}others used {:.0}% of {} cores before or after; load average {}",
            others * 100.0,
            Machine::cores(),
            Machine::load_average(),
        );
    }
}
