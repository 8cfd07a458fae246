//! Billing creates accounts and changes plans.

use serde_json::{Value, json};

use crate::harness::{OWNER, Rollcall, member_id};

fn payload(plan: &str) -> Value {
    json!({
        "accountId": "acme",
        "company": "Acme Inc.",
        "plan": plan,
        "owner": { "firstName": "Olivia", "lastName": "Owner", "email": OWNER },
    })
}

/// An EventBridge event
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>).
fn event(time: &str, detail: &Value) -> Value {
    json!({
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "account.provisioned",
        "source": "billing",
        "account": "123456789012",
        "time": time,
        "region": "eu-central-1",
        "resources": [],
        "detail": detail,
    })
}

async fn outcome(rollcall: &Rollcall, payload: Value) -> String {
    let outcome = rollcall.invoke("provision-account", payload).await.unwrap();
    assert_eq!(outcome["accountId"], "acme");
    outcome["outcome"].as_str().unwrap().to_owned()
}

async fn plan(rollcall: &Rollcall) -> String {
    let row = rollcall.rows().await.remove("ACCOUNT#acme ACCOUNT");
    row.unwrap()["plan"].as_s().unwrap().clone()
}

#[tokio::test]
async fn a_payload_creates_an_account_whose_owner_can_log_in() {
    let rollcall = Rollcall::start().await;
    assert_eq!(outcome(&rollcall, payload("pro")).await, "created");
    let rows: Vec<_> = rollcall.rows().await.into_keys().collect();
    let id = member_id("acme", OWNER);
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0], "ACCOUNT#acme ACCOUNT");
    assert_eq!(rows[1], format!("ACCOUNT#acme MEMBER#{id}"));
    assert!(rows[2].starts_with("PERSON#") && rows[2].ends_with(" ACCOUNT#acme"));

    let owner = rollcall.person("OLIVIA@example.com").await;
    let login = owner.login(&json!({})).await.expect_status(200);
    assert_eq!(login.body["account"]["company"], "Acme Inc.");
    assert_eq!(login.body["member"]["role"], "owner");
    assert_eq!(login.body["member"]["firstName"], "Olivia");
    assert!(rollcall.stack.mailbox().list().is_empty());
}

#[tokio::test]
async fn an_event_does_the_same() {
    let rollcall = Rollcall::start().await;
    let created = event("2026-11-24T11:00:00Z", &payload("basic"));
    assert_eq!(outcome(&rollcall, created.clone()).await, "created");
    // Events come more than once.
    assert_eq!(outcome(&rollcall, created).await, "unchanged");
    let upgraded = event("2026-11-24T11:30:00Z", &payload("Pro"));
    assert_eq!(outcome(&rollcall, upgraded).await, "updated");
    assert_eq!(plan(&rollcall).await, "pro");
}

#[tokio::test]
async fn a_stale_event_is_ignored() {
    let rollcall = Rollcall::start().await;
    let events = [
        ("2026-11-24T11:00:00Z", "pro", "created", "pro"),
        ("2026-11-24T10:59:59Z", "basic", "unchanged", "pro"),
        ("2026-11-24T12:59:59+02:00", "basic", "unchanged", "pro"),
        ("2026-11-24T11:00:01Z", "business", "updated", "business"),
        // The same plan again, with a later time: events between the two are stale from now on.
        ("2026-11-24T11:00:05Z", "business", "updated", "business"),
        ("2026-11-24T11:00:04Z", "basic", "unchanged", "business"),
        ("2026-11-24T11:00:05Z", "basic", "updated", "basic"),
    ];
    for (time, wanted, expected, left) in events {
        let event = event(time, &payload(wanted));
        assert_eq!(outcome(&rollcall, event).await, expected, "{time}");
        assert_eq!(plan(&rollcall).await, left, "{time}");
    }
    // A direct call states what is true now, and no earlier event undoes it.
    assert_eq!(outcome(&rollcall, payload("pro")).await, "updated");
    for time in ["2026-11-24T11:00:04Z", "2026-11-24T11:59:59Z"] {
        let stale = event(time, &payload("basic"));
        let answer = rollcall.invoke("provision-account", stale).await.unwrap();
        let not_newer = json!({
            "accountId": "acme",
            "outcome": "unchanged",
            "reason": "not_newer",
            "status": "active",
        });
        assert_eq!(answer, not_newer);
        assert_eq!(plan(&rollcall).await, "pro");
    }
}

#[tokio::test]
async fn a_revision_or_an_exact_time_orders_events_of_one_second() {
    let time = "2026-11-24T11:00:00Z";
    for mark in [
        |n: u64| json!({ "revision": n }),
        |n: u64| json!({ "at": format!("2026-11-24T11:00:00.{n:03}Z") }),
        |n: u64| json!({ "revision": n, "at": "2026-11-24T11:00:00Z" }),
    ] {
        let rollcall = Rollcall::start().await;
        let marked = |plan: &str, number: u64| {
            let mut payload = payload(plan);
            let fields = mark(number).as_object().unwrap().clone();
            payload.as_object_mut().unwrap().extend(fields);
            payload
        };
        for (number, wanted, expected, left) in [
            (4, "basic", "created", "basic"),
            (6, "pro", "updated", "pro"),
            (5, "basic", "unchanged", "pro"),
            (6, "pro", "unchanged", "pro"),
            (6, "basic", "unchanged", "pro"),
            (7, "business", "updated", "business"),
        ] {
            let payload = marked(wanted, number);
            // First by an event, then by a call: both follow one order.
            let outcome = outcome(&rollcall, event(time, &payload)).await;
            assert_eq!(outcome, expected, "{payload}");
            let repeated = rollcall.invoke("provision-account", payload).await.unwrap();
            assert_eq!(repeated["outcome"], "unchanged");
            let is_late = (number, wanted) != (6, "pro") && expected == "unchanged";
            let reason = is_late.then_some("not_newer");
            assert_eq!(repeated["reason"].as_str(), reason, "{number}: {repeated}");
            assert_eq!(plan(&rollcall).await, left);
        }
    }
}

#[tokio::test]
async fn an_existing_account_ignores_the_other_fields_of_a_payload() {
    let rollcall = Rollcall::start().await;
    assert_eq!(outcome(&rollcall, payload("basic")).await, "created");
    let before = rollcall.rows().await;
    let owner = |first: &str, last: &str| json!({ "firstName": first, "lastName": last, "email": "accounts@example.com" });
    for (number, owner) in [
        owner("Accounts", "Payable 2"),
        owner("Olivia", ""),
        owner("Müller", "(Einkauf)"),
        owner("www.example.com", "1234567890"),
        json!({ "email": 7, "vatId": "DE1" }),
        json!({}),
        json!("Olivia Owner"),
        json!(null),
    ]
    .into_iter()
    .enumerate()
    {
        for by_event in [true, false] {
            let plan_of_it = if by_event { "pro" } else { "basic" };
            let mut payload = payload(plan_of_it);
            payload["owner"] = owner.clone();
            payload["seats"] = json!(25);
            payload["nested"] = json!({ "anything": [1, 2] });
            payload["revision"] = json!(number * 2 + usize::from(!by_event));
            let payload = if by_event {
                event("2026-11-24T12:00:00Z", &payload)
            } else {
                payload
            };
            assert_eq!(outcome(&rollcall, payload).await, "updated", "{owner}");
            assert_eq!(plan(&rollcall).await, plan_of_it);
        }
    }
    let after = rollcall.rows().await;
    let people = |rows: &crate::harness::Rows| -> Vec<_> {
        let rows = rows.iter().filter(|(key, _)| !key.ends_with(" ACCOUNT"));
        rows.map(|(key, row)| (key.clone(), row.clone())).collect()
    };
    assert_eq!(people(&after), people(&before));
    // A new account still needs its owner.
    let mut stranger = payload("pro");
    stranger["accountId"] = json!("new");
    stranger["owner"] = owner("Accounts", "Payable 2345");
    let refused = rollcall.provision(&stranger).await;
    let refused = refused.expect_problem(400, "invalid_request");
    assert_eq!(refused.wrong_fields(), ["owner.lastName"]);
    assert_eq!(rollcall.rows().await, after);
}

#[tokio::test]
async fn an_event_that_cannot_be_ordered_is_refused() {
    let rollcall = Rollcall::start().await;
    for (field, value) in [
        ("revision", json!(-1)),
        ("revision", json!(1.5)),
        ("revision", json!("7")),
        ("revision", json!(9_007_199_254_740_992_u64)),
        ("revision", json!(1e300)),
        ("revision", json!([7])),
        ("at", json!("yesterday")),
        ("at", json!(1_795_521_600)),
        ("at", json!("2026-11-24")),
        ("at", json!("2062-11-24T12:00:00Z")),
        ("at", json!("2026-11-25T12:00:01Z")),
    ] {
        let mut wrong = payload("pro");
        wrong[field] = value.clone();
        let in_an_event = event("2026-11-24T11:00:00Z", &wrong);
        for wrong in [wrong, in_an_event] {
            let refused = rollcall.provision(&wrong).await;
            let refused = refused.expect_problem(400, "invalid_request");
            assert_eq!(refused.wrong_fields(), [field], "{value}");
        }
    }
    let ahead = event("2062-11-24T12:00:00Z", &payload("pro"));
    let refused = rollcall.provision(&ahead).await;
    let refused = refused.expect_problem(400, "invalid_request");
    assert_eq!(refused.wrong_fields(), ["time"]);
    assert!(rollcall.wire.calls().is_empty());

    for (field, value) in [
        ("revision", json!(0)),
        ("revision", json!(9_007_199_254_740_991_u64)),
        ("revision", json!(null)),
        ("at", json!("2026-11-25T12:00:00Z")),
        ("at", json!("2026-11-24T13:00:00.123456789+02:00")),
        ("at", json!(null)),
    ] {
        let rollcall = Rollcall::start().await;
        let mut right = payload("pro");
        right[field] = value;
        assert_eq!(outcome(&rollcall, right).await, "created");
    }
}

#[tokio::test]
async fn people_are_never_touched() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.member(&owner, "kim@example.com").await;
    owner.login(&json!({})).await.expect_status(200);
    owner.invite("acme", "open@example.com").await;
    let mut before = rollcall.rows().await;
    let account = before.remove("ACCOUNT#acme ACCOUNT").unwrap();
    rollcall
        .provision(&json!({
            "accountId": "acme",
            "company": "Renamed",
            "plan": "basic",
            "owner": { "firstName": "Eve", "lastName": "Else", "email": "eve@example.com" },
        }))
        .await
        .expect_status(200);
    let mut after = rollcall.rows().await;
    let changed = after.remove("ACCOUNT#acme ACCOUNT").unwrap();
    assert_eq!(after, before);
    for (name, value) in &account {
        let may_change = ["company", "provisionedCompany", "plan", "version"];
        let may_change = may_change.contains(&name.as_str());
        assert!(may_change || changed[name] == *value, "{name}");
    }
    let eve = rollcall.person("eve@example.com").await;
    let refused = eve.login(&json!({})).await;
    refused.expect_problem(403, "no_access");
    let list = owner.list("acme", "").await.expect_status(200);
    assert_eq!(list.body["account"]["company"], "Renamed");
    assert_eq!(list.emails().len(), 3);
}

#[tokio::test]
async fn a_closed_account_stays_closed() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.close("acme").await;
    rollcall.account("acme", "enterprise").await;
    let refused = owner.login(&json!({})).await;
    refused.expect_problem(403, "account_closed");
}

#[tokio::test]
async fn wrong_fields_are_named_even_inside_the_owner() {
    let rollcall = Rollcall::start().await;
    let with = |pointer: &str, value: Value| {
        let mut payload = payload("pro");
        *payload.pointer_mut(pointer).unwrap() = value;
        payload
    };
    let owner_fields = ["owner.firstName", "owner.lastName", "owner.email"];
    let everything = ["accountId", "company", "plan"].into_iter();
    let everything: Vec<_> = everything.chain(owner_fields).collect();
    for (payload, fields) in [
        (json!({}), everything),
        (with("/accountId", json!("a#b")), vec!["accountId"]),
        (with("/accountId", json!(7)), vec!["accountId"]),
        (with("/accountId", json!("x".repeat(65))), vec!["accountId"]),
        (with("/company", json!("")), vec!["company"]),
        (with("/company", json!("a\u{202e}b")), vec!["company"]),
        (with("/company", json!("a\r\nb")), vec!["company"]),
        (with("/company", json!(null)), vec!["company"]),
        (with("/plan", json!("pro level")), vec!["plan"]),
        (with("/plan", json!(["pro"])), vec!["plan"]),
        (with("/owner", json!(null)), owner_fields.to_vec()),
        (with("/owner", json!({})), owner_fields.to_vec()),
        (
            with("/owner", json!("olivia")),
            [&["owner"][..], &owner_fields].concat(),
        ),
        (with("/owner/email", json!("x")), vec!["owner.email"]),
        (with("/owner/email", json!({})), vec!["owner.email"]),
        (
            with("/owner/firstName", json!("<b>")),
            vec!["owner.firstName"],
        ),
        (
            with("/owner/lastName", json!("a.example")),
            vec!["owner.lastName"],
        ),
    ] {
        let in_an_event = event("2026-11-24T11:00:00Z", &payload);
        for payload in [payload, in_an_event] {
            let refused = rollcall.provision(&payload).await;
            let refused = refused.expect_problem(400, "invalid_request");
            let mut found = refused.wrong_fields();
            let mut expected = fields.clone();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{payload}");
        }
    }
    assert!(rollcall.rows().await.is_empty());
}

#[tokio::test]
async fn a_call_or_event_without_a_valid_payload_is_refused() {
    let rollcall = Rollcall::start().await;
    for payload in [
        json!(null),
        json!([]),
        json!("text"),
        json!(7),
        json!([payload("pro")]),
    ] {
        let refused = rollcall.provision(&payload).await;
        refused.expect_problem(400, "invalid_request");
        let in_an_event = event("2026-11-24T11:00:00Z", &payload);
        let refused = rollcall.provision(&in_an_event).await;
        let refused = refused.expect_problem(400, "invalid_request");
        assert_eq!(refused.wrong_fields(), ["detail"]);
    }
    for time in [
        json!(null),
        json!(""),
        json!("yesterday"),
        json!(1_795_521_600),
    ] {
        let mut event = event("", &payload("pro"));
        event["time"] = time;
        let refused = rollcall.provision(&event).await;
        let refused = refused.expect_problem(400, "invalid_request");
        assert_eq!(refused.wrong_fields(), ["time"]);
    }
    let mut event = event("2026-11-24T11:00:00Z", &payload("pro"));
    event.as_object_mut().unwrap().remove("detail");
    let refused = rollcall.provision(&event).await;
    let refused = refused.expect_problem(400, "invalid_request");
    assert_eq!(refused.wrong_fields(), ["detail"]);
    assert!(rollcall.rows().await.is_empty());
    assert!(rollcall.wire.calls().is_empty());
}
