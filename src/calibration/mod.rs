//! What this machine can generate: measured once against a responder of our own over loopback, and kept in a file.
//! Must not know the run that is held against it, or the screen.
//!
//! ```text
//! engine: users -> stack -> exact pool --HTTP over loopback--> responder (raw sockets, threads of their own)
//!    '-- calls/s, CPU a call --> Calibration <--> Cache (one file a user, an entry a machine)
//! ```

mod cache;
mod capacity;
mod machine;
mod measure;
mod responder;

pub use cache::Cache;
pub use capacity::{Calibration, JUDGED_FROM, MOST_USED, Rates, Shape, planned_peak};
pub use machine::Machine;
pub use measure::{CalibrationError, Measured, TAKES, measure};
