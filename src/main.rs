//! The thin binary: see the library.

use std::process::ExitCode;

/// A call makes some dozens of short-lived allocations; mimalloc makes them cheaper than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    refuse_huge_pages();
    gatebench::cli::main()
}

/// mimalloc asks the kernel for huge pages, which many threads with small heaps leave mostly empty: 65 MB instead of
/// 45 MB at 512 users.
fn refuse_huge_pages() {
    #[cfg(target_os = "linux")]
    // SAFETY: PR_SET_THP_DISABLE takes one integer and touches no memory of ours.
    unsafe {
        libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0);
    }
}
