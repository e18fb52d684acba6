//! gatebench: a workbench for teams that call AI models through a gateway.
//!
//! One engine drives a seeded plan through the client stack (caches, limiter, retries, fallback, connection pool)
//! over real sockets; reports read the snapshots it publishes.

pub mod calibration;
pub mod chat;
pub mod check;
pub mod cli;
pub mod compare;
pub mod cost;
pub mod diff;
pub mod engine;
pub mod metrics;
pub mod plan;
pub mod profile;
pub mod report;
pub mod route;
pub mod settings;
pub mod sim;
pub mod stack;
pub mod tui;
