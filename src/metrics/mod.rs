//! Samples -> recorder -> tallies -> one immutable [`Snapshot`], and at the end one [`Run`].
//! Must not know who reads them.
//!
//! ```text
//! Sample --replica's own Recorder (no lock)--> Tally --every tick--> aggregate --> Snapshot (while it runs)
//!                                                                        `------> Run (when it is over)
//! ```

mod bands;
mod block;
mod epoch;
mod interval;
mod lanes;
mod ledger;
mod phases;
mod recorder;
mod run;
mod sample;
mod series;
mod snapshot;
mod stretches;
mod tally;
mod times;

pub use crate::stack::ServedBy;
pub use bands::Bands;
pub use block::Block;
pub use epoch::Epoch;
pub use interval::{RESOLUTION, even_quantile, quantile_interval, samples_for};
pub use lanes::{LaneRow, Lanes};
pub use ledger::{Ledger, LedgerRow, Tokens};
pub use phases::Phases;
pub use recorder::{Recorder, Recording};
pub use run::{Run, Stop};
pub use sample::Sample;
pub use series::{Point, Series};
pub use snapshot::{Event, Gauges, Phase, Recent, Snapshot};
pub use stretches::{Stretch, Stretches};
pub use tally::{Tally, ratio};
pub use times::{Summary, Time, Times};
