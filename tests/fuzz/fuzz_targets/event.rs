//! Any text as an event from SNS, EventBridge or the table's stream.

#![no_main]
#![allow(dead_code, reason = "each target makes one of the promises")]

#[path = "../../it/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|text: &str| fuzzed::event(text));
