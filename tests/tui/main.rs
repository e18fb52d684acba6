//! The workbench as a person meets it: the real binary on a terminal, keys in, the screen and the shell afterwards.

mod comparing;
mod leaving;
mod output;
mod picture;
mod pty;
mod tuning;
mod workbench;
