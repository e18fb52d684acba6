//! The workbench on the screen: settings changed while load runs, and at once what each change did.
//! Must not know `stack`, `route`, `plan`: it works through [`crate::engine::Handle`] and [`crate::metrics::Snapshot`].
//!
//! ```text
//! keys, mouse, snapshots, signals --session--> Action --App::update (pure)--> Effect --session--> engine, files
//!                                                        |
//!                                                 App --screens, panels (pure)--> Buffer --terminal--> screen
//! ```

mod action;
mod app;
mod command;
pub mod export;
mod keymap;
mod layout;
mod panels;
#[cfg(test)]
mod scene;
mod screens;
mod session;
mod terminal;
pub mod theme;
pub mod widgets;

pub use session::{Left, Workbench, WorkbenchError};
