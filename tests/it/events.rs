//! The payloads in `events/`, each invoked unchanged. They fit the demo accounts and an account
//! `acme`.

use std::collections::BTreeSet;
use std::path::Path;

use local::{Options, Template};
use serde_json::Value;

use crate::harness::{OWNER, Rollcall};

/// Every file, with the place and content of one value in the answer that shows that the operation
/// did its work. `tests/sam/invoke.py` uses this list too.
///
/// The order matters: the demo's invite that bounced can be resent once that is lifted.
/// `authorize-request` holds no token, because a token in a file would expire. The tokens of
/// support staff are checked for their age alone, and were issued in 2100. The bounce that is a
/// notification names no send, and none was at its time.
fn events() -> Vec<(String, String, Value)> {
    serde_json::from_str(include_str!("../answers.json")).unwrap()
}

#[tokio::test]
async fn every_event_does_its_operation() {
    let rollcall = Rollcall::start_with(Options {
        demo: true,
        ..Options::default()
    })
    .await;
    rollcall.account("acme", "pro").await;
    let olivia = rollcall.person(OWNER).await;
    olivia
        .invite("acme", "kim@example.com")
        .await
        .expect_status(201);
    // The demo invite was sent a moment ago.
    rollcall.advance(60).await;

    for (file, pointer, expected) in events() {
        let answer = rollcall.invoke(&operation(&file), payload(&file)).await;
        let answer = answer.unwrap_or_else(|problem| panic!("{file}: {}", problem.detail()));
        let result = match answer.get("statusCode").and_then(Value::as_u64) {
            Some(status) => {
                assert!(matches!(status, 200 | 201), "{file}: {answer}");
                // The page isn't JSON, so check its headers.
                serde_json::from_str(answer["body"].as_str().unwrap()).unwrap_or(answer)
            }
            None => answer,
        };
        let value = result.pointer(&pointer);
        assert_eq!(value, Some(&expected), "{file}: {result}");
    }

    let mails = rollcall.stack.mailbox().list();
    let newest: Vec<_> = mails.iter().take(3).map(|mail| mail.to.as_str()).collect();
    assert_eq!(
        newest,
        [
            "success+zoe@simulator.amazonses.com",
            "bounce@simulator.amazonses.com",
            "kim@example.com"
        ]
    );
}

#[test]
fn every_file_is_an_event_of_this_test() {
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = events()
        .into_iter()
        .map(|(file, ..)| format!("{file}.json"));
    assert_eq!(files, expected.collect());
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

/// What a file of `events/` holds.
pub(crate) fn payload(file: &str) -> Value {
    let text = std::fs::read_to_string(folder().join(format!("{file}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../events"))
}
