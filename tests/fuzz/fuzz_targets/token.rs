//! Any text as a token, as claims and as a header.

#![no_main]
#![allow(dead_code, reason = "each target makes one of the promises")]

#[path = "../../it/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|text: &str| fuzzed::token(text));
