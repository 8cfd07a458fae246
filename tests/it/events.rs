//! The payloads in `events/`: one for every operation, fit for the demo accounts.

use std::collections::BTreeSet;
use std::path::Path;

use local::{Options, Template};
use serde_json::{Value, json};

use crate::harness::Rollcall;

/// Every file, with one value of the answer that shows that the operation did its work.
const EVENTS: [(&str, &str, &str); 7] = [
    ("list", "/members/0/firstName", "Maria"),
    ("authorize-login", "/member/status", "active"),
    ("invite", "/delivery/status", "sending"),
    ("resend", "/delivery/status", "sending"),
    ("remove", "/status", "removed"),
    ("provision-account", "/outcome", "updated"),
    ("provision-account-direct", "/outcome", "created"),
];

#[tokio::test]
async fn every_event_does_its_operation() {
    let rollcall = Rollcall::start_with(Options {
        demo: true,
        ..Options::default()
    })
    .await;
    // The demo invite was sent a moment ago.
    rollcall.advance(60).await;

    for (file, pointer, expected) in EVENTS {
        let answer = rollcall.invoke(&operation(file), payload(file)).await;
        let answer = answer.unwrap_or_else(|problem| panic!("{file}: {}", problem.detail()));
        let result = match answer.get("statusCode").and_then(Value::as_u64) {
            Some(status) => {
                assert!(matches!(status, 200 | 201), "{file}: {answer}");
                serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
            }
            None => answer,
        };
        let value = result.pointer(pointer);
        assert_eq!(value, Some(&json!(expected)), "{file}: {result}");
    }

    let mails = rollcall.stack.mailbox().list();
    let newest: Vec<_> = mails.iter().take(2).map(|mail| mail.to.as_str()).collect();
    assert_eq!(
        newest,
        ["bounce@simulator.amazonses.com", "kim@example.com"]
    );
}

#[test]
fn every_file_is_an_event_of_this_test() {
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = EVENTS.map(|(file, ..)| format!("{file}.json"));
    assert_eq!(files, BTreeSet::from(expected));
}

#[test]
fn every_operation_has_an_event() {
    for function in Template::of_this_repository().unwrap().functions().unwrap() {
        let file = folder().join(format!("{}.json", function.operation));
        assert!(file.is_file(), "{} is missing", file.display());
    }
}

/// The operation that a file `<operation>.json` or `<operation>-<variant>.json` is for.
fn operation(file: &str) -> String {
    let functions = Template::of_this_repository().unwrap().functions().unwrap();
    functions
        .into_iter()
        .map(|function| function.operation)
        .filter(|operation| {
            file.strip_prefix(operation.as_str())
                .is_some_and(|variant| variant.is_empty() || variant.starts_with('-'))
        })
        .max_by_key(String::len)
        .unwrap_or_else(|| panic!("{file} is the event of no operation"))
}

fn payload(file: &str) -> Value {
    let text = std::fs::read_to_string(folder().join(format!("{file}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../events"))
}
