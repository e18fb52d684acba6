//! The thin binary: see the library.

use std::process::ExitCode;

/// A call makes some dozens of short-lived allocations; mimalloc makes them cheaper than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    gatebench::cli::main()
}
