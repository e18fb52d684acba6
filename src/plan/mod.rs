//! When each request is due, and which: pure and seeded, no clock, no I/O but the prompt files read at the start.
//! Must not know sockets or the screen.
//!
//! ```text
//! [load]     --> Ramp --> Arrivals: the k-th due time
//! [workload] --> Workload: the i-th call
//! ```

mod arrivals;
mod corpus;
mod extent;
mod period;
mod prompts;
mod ramp;
mod trace;
mod workload;

pub use arrivals::Arrivals;
#[cfg(test)]
pub(crate) use arrivals::distribution;
pub use extent::measured_calls;
pub use period::period;
pub use prompts::PromptFileError;
pub use ramp::Ramp;
pub use workload::{Call, Workload};

/// One well-mixed seed of several numbers (SplitMix64's finaliser over a running sum), so that call `i` is a
/// function of (seed, i) alone and any worker can make it.
fn mix(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |state: u64, part| {
        let mut z = state.wrapping_add(*part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}
