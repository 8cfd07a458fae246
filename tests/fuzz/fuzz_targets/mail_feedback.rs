//! Any message from SNS is read without a panic, and reads the same twice.

#![no_main]

use domain::Timestamp;
use libfuzzer_sys::fuzz_target;
use mail_feedback::ses_event::read;

fuzz_target!(|message: &str| {
    let first = read(message, "sns", Timestamp::UNIX_EPOCH);
    let second = read(message, "sns", Timestamp::UNIX_EPOCH);
    match (first, second) {
        (Ok(first), Ok(second)) => assert_eq!((first.id, first.status), (second.id, second.status)),
        (Err(first), Err(second)) => assert_eq!(first, second),
        (first, second) => panic!("{first:?} and {second:?}"),
    }
});
