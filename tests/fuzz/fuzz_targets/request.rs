//! Any text as an event from API Gateway.

#![no_main]
#![allow(dead_code, reason = "each target makes one of the promises")]

#[path = "../../it/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|text: &str| fuzzed::request(text));
