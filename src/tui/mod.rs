//! The workbench on a terminal: a person changes a setting and sees what it did.
//! Must not know `stack`, `route` or `plan`: it works through `engine::Handle` and `Snapshot`.
//!
//! ```text
//! Snapshot --> panels --> widgets --> cells --> terminal
//!                            ^          `-----> export: text, SVG
//!                          theme
//! ```

pub mod export;
pub mod theme;
pub mod widgets;
