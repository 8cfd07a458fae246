//! Any text as an address, a name, an id or a token.

#![no_main]
#![allow(dead_code, reason = "each target makes one of the promises")]

#[path = "../../it/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|text: &str| fuzzed::address(text));
