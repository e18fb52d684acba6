#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| gatebench_fuzz::stream::holds(input));
