//! The command line as scripts and CI jobs meet it: the real binary, its exit codes, what it prints where.

mod aborts;
mod bad_input;
mod baselines;
mod binary;
mod calibration;
mod checks;
mod ci_examples;
mod clients;
mod comparisons;
mod diffs;
mod files;
#[cfg(target_os = "linux")]
mod open_files;
mod outcomes;
mod overview;
mod page;
mod secrets;
mod signals;
mod simulator;
mod sweeps;
mod unreachable;
