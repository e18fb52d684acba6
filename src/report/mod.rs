//! Run -> report: JSON, text, HTML, Markdown, JUnit, CSV, expectations, verdict, exit code.
//! Must not know the screen, or how anything was measured.
//!
//! ```text
//! Run --build--> Report --write--> file.json .html .csv .md .xml
//!      figures     |---text-----> stdout
//!      verdict     `---verdict--> exit code
//! ```

pub mod baselines;
mod blocks;
mod build;
pub mod compared;
mod csv;
mod environment;
mod figures;
mod generator;
mod heatmap;
mod html;
pub(crate) mod junit;
mod littles_law;
pub mod markdown;
mod outlook;
mod read;
mod redact;
mod shape;
pub mod sweep;
mod text;
mod validity;
mod verdict;
mod write;

pub use blocks::{BlockFacts, block_metrics};
pub(crate) use build::{examples, histograms};
pub use figures::{ERROR_KINDS, Figures, Metric, error_kind, metric_value};
pub use generator::{overused, shape};
pub use heatmap::{Heatmap, HeatmapColumn};
pub use html::escaped;
pub use outlook::{Hopeless, Outlook};
pub use read::{ReadError, read};
pub use redact::profile as redacted;
pub use shape::*;
pub use text::{Page, Style, Tone, format, in_unit, shortfall, text};
pub use validity::{invalid_because, lag_limit_ms, unsound};
pub use verdict::{Verdict, exit_code, judge};
pub use write::{Format, Formats, WriteError, as_json, check_path, json, write, write_text};

/// The report's JSON Schema.
pub fn schema() -> serde_json::Value {
    schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Report>()
        .to_value()
}

#[cfg(test)]
pub(crate) mod tests;
