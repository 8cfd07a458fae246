//! The events for the rest of the product, from `/dev/events.json`, which reads the table's stream
//! first.

use std::collections::{BTreeMap, BTreeSet};

use local::{Options, SesFailure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::contract::validate_against;
use crate::harness::{Fault, OWNER, Reply, Rollcall, member_id};

const KIM: &str = "kim@example.com";

/// Every kind of event, with its schema.
fn schemas() -> BTreeMap<String, Value> {
    [
        include_str!("../../docs/events/account.closed.json"),
        include_str!("../../docs/events/account.plan_changed.json"),
        include_str!("../../docs/events/account.reopened.json"),
        include_str!("../../docs/events/invite.delivery_changed.json"),
        include_str!("../../docs/events/invite.expired.json"),
        include_str!("../../docs/events/member.activated.json"),
        include_str!("../../docs/events/member.address_changed.json"),
        include_str!("../../docs/events/member.identity_changed.json"),
        include_str!("../../docs/events/member.invited.json"),
        include_str!("../../docs/events/member.removed.json"),
        include_str!("../../docs/events/owner.changed.json"),
    ]
    .into_iter()
    .map(|text| {
        let schema: Value = serde_json::from_str(text).unwrap();
        let title = schema["title"].as_str().unwrap().to_owned();
        (title, schema)
    })
    .collect()
}

async fn look(rollcall: &Rollcall) -> Reply {
    rollcall.anonymous(Method::GET, "/dev/events.json").await
}

/// The events so far, oldest first, each checked against its schema.
pub(crate) async fn events(rollcall: &Rollcall) -> Vec<(String, Value)> {
    let schemas = schemas();
    let reply = look(rollcall).await.expect_status(200);
    let mut events = reply.body.as_array().unwrap().clone();
    events.reverse();
    events
        .into_iter()
        .map(|event| {
            assert_eq!(event["source"], "rollcall");
            let kind = event["detail-type"].as_str().unwrap();
            let detail = event["detail"].clone();
            validate_against(schemas[kind].clone(), &detail).unwrap();
            (kind.to_owned(), detail)
        })
        .collect()
}

#[tokio::test]
async fn the_product_learns_what_happened() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let provision = async |plan: &str, reopen: bool| {
        let payload = json!({
            "accountId": "acme",
            "company": "acme Inc.",
            "plan": plan,
            "owner": { "firstName": "Olivia", "lastName": "Owner", "email": OWNER },
            "reopen": reopen,
        });
        rollcall.provision(&payload).await.expect_status(200);
    };
    let invited = owner.invite("acme", KIM).await.expect_status(201);
    let claims = json!({ "email": KIM, "sub": "kim" });
    let kim = rollcall.signed_in(&claims).await;
    let token = json!({ "inviteToken": rollcall.newest_token() });
    kim.login(&token).await.expect_status(200);
    let claims = json!({ "email": "kim.lee@example.com", "sub": "kim" });
    let kim = rollcall.signed_in(&claims).await;
    kim.login(&json!({})).await.expect_status(200);
    let path = format!("/accounts/acme/members/{}", member_id("acme", KIM));
    let name = json!({ "firstName": "Kimberly" });
    owner.patch(&path, &name).await.expect_status(200);
    owner.remove("acme", KIM).await.expect_status(200);
    let moved = "kim.lee@example.com";
    owner.invite("acme", moved).await.expect_status(201);
    owner.remove("acme", KIM).await.expect_status(200);
    owner.login(&json!({})).await.expect_status(200);
    provision("business", false).await;
    owner.delete("/accounts/acme").await.expect_status(200);
    provision("pro", true).await;

    let events = events(&rollcall).await;
    let kinds: Vec<&str> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "member.invited",
            "member.activated",
            "member.address_changed",
            "member.removed",
            "member.invited",
            "member.removed",
            "account.plan_changed",
            "account.closed",
            "account.plan_changed",
            "account.reopened",
        ]
    );
    let kim_id = member_id("acme", KIM);
    let (_, first) = &events[0];
    assert_eq!(first["accountId"], "acme");
    assert_eq!(first["memberId"], kim_id.as_str());
    assert_eq!(first["invitedBy"], member_id("acme", OWNER).as_str());
    assert_eq!(first["expiresAt"], invited.body["expiresAt"]);
    let (_, plan) = &events[6];
    assert_eq!(
        (&plan["previousPlan"], &plan["plan"]),
        (&json!("pro"), &json!("business"))
    );

    // Each event has an id of its own; those about one person have rising numbers.
    let ids: BTreeSet<_> = events
        .iter()
        .map(|(_, detail)| detail["id"].to_string())
        .collect();
    assert_eq!(ids.len(), events.len());
    let of_kim = events
        .iter()
        .filter(|(_, detail)| detail["memberId"] == kim_id.as_str());
    let numbers: Vec<_> = of_kim
        .map(|(_, detail)| detail["sequence"].as_u64().unwrap())
        .collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");

    let all = look(&rollcall).await.raw;
    assert!(!all.contains('@') && !all.contains("Kim"), "{all}");
}

#[tokio::test]
async fn the_product_learns_the_fate_of_mail() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall
        .stack
        .mailbox()
        .fail_next(SesFailure::SendingPaused);
    owner.invite("acme", KIM).await.expect_status(201);
    owner.resend("acme", KIM).await.expect_status(200);
    rollcall.advance(120).await;
    // Sent again, with nothing new to report: the product gets no event.
    owner.resend("acme", KIM).await.expect_status(200);

    let events = events(&rollcall).await;
    let told: Vec<_> = events
        .iter()
        .map(|(kind, detail)| (kind.as_str(), detail["status"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("member.invited", None),
            ("invite.delivery_changed", Some("failed")),
            ("invite.delivery_changed", Some("sending")),
        ]
    );
}

#[tokio::test]
async fn the_product_learns_what_mail_servers_report() {
    let options = Options {
        mail_feedback: true,
        ..Options::default()
    };
    let rollcall = Rollcall::start_with(options).await;
    rollcall.account("acme", "pro").await;
    let owner = rollcall.person(OWNER).await;
    for (email, status) in [
        ("bounce@simulator.amazonses.com", "bounced"),
        ("ooto@simulator.amazonses.com", "auto_replied"),
        ("complaint@simulator.amazonses.com", "complained"),
        (KIM, "delivered"),
    ] {
        owner.invite("acme", email).await.expect_status(201);
        rollcall.stack.mail_feedback_settled().await;
        let events = events(&rollcall).await;
        let (kind, detail) = events.last().unwrap();
        assert_eq!(kind, "invite.delivery_changed");
        assert_eq!(detail["memberId"], member_id("acme", email).as_str());
        assert_eq!(detail["status"], status, "{email}");
    }
}

#[tokio::test]
async fn events_come_at_least_once() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    for (fault, times) in [
        (Fault::NoConnection, 3),
        (Fault::Garbage, 1),
        (Fault::Error(400, "AccessDeniedException"), 1),
        (
            Fault::Answer(
                r#"{"FailedEntryCount":1,"Entries":[{"ErrorCode":"ThrottlingException"}]}"#,
            ),
            1,
        ),
    ] {
        rollcall.wire.fail("PutEvents", fault, times);
        look(&rollcall).await.expect_problem(503, "unavailable");
        rollcall.wire.expect_all_happened();
    }
    let first = events(&rollcall).await;
    assert_eq!(first.len(), 1);
    assert_eq!(events(&rollcall).await, first, "nothing is read twice");

    // The bus accepted them, but the answer was lost.
    owner.remove("acme", KIM).await.expect_status(200);
    rollcall.wire.fail("PutEvents", Fault::LostAnswer, 1);
    let all = events(&rollcall).await;
    let repeated: Vec<_> = all.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        repeated,
        ["member.invited", "member.removed", "member.removed"]
    );
    assert_eq!(all[1], all[2], "a repetition is told by its id");
}

#[tokio::test]
async fn many_events_keep_their_order() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let emails: Vec<String> = (0..25).map(|n| format!("kim{n}@example.com")).collect();
    for email in &emails {
        owner.invite("acme", email).await.expect_status(201);
    }
    let events = events(&rollcall).await;
    let told = events.iter().map(|(_, detail)| detail["memberId"].clone());
    let invited = emails
        .iter()
        .map(|email| json!(member_id("acme", email).as_str()));
    assert!(told.eq(invited), "25 events, 10 at once");
}

#[tokio::test]
async fn the_example_event_is_understood_and_a_broken_row_is_not() {
    let rollcall = Rollcall::start().await;
    let event = include_str!("../../events/publish-changes.json");
    let mut event: Value = serde_json::from_str(event).unwrap();
    let published = rollcall.invoke("publish-changes", event.clone()).await;
    assert_eq!(published.unwrap(), json!({ "events": 1 }));
    let (kind, _) = &events(&rollcall).await[0];
    assert_eq!(kind, "member.activated");

    event["Records"][0]["dynamodb"]["NewImage"]["state"] = json!({ "S": "unheard of" });
    let failed = rollcall.invoke("publish-changes", event).await;
    // Lambda tries again, and then keeps the record for inspection.
    assert_eq!(failed.unwrap_err().code().as_str(), "internal");
}

#[tokio::test]
async fn the_product_learns_that_an_open_invite_expired() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    for name in ["open", "accepted", "cancelled", "resent"] {
        let email = format!("{name}@example.com");
        owner.invite("acme", &email).await.expect_status(201);
        if name == "accepted" {
            let token = json!({ "inviteToken": rollcall.newest_token() });
            let person = rollcall.person(&email).await;
            person.login(&token).await.expect_status(200);
        }
    }
    owner
        .remove("acme", "cancelled@example.com")
        .await
        .expect_status(200);
    rollcall.advance(3_600).await;
    owner
        .resend("acme", "resent@example.com")
        .await
        .expect_status(200);
    let expired = async || {
        let events = events(&rollcall).await;
        let expired = events
            .into_iter()
            .filter(|(kind, _)| kind == "invite.expired");
        let who = |detail: Value| (detail["memberId"].clone(), detail["expiredAt"].clone());
        expired.map(|(_, detail)| who(detail)).collect::<Vec<_>>()
    };
    let event = |email: &str, at: &str| (json!(member_id("acme", email)), json!(at));

    rollcall.advance(7 * 24 * 3_600 - 3_600 - 1).await;
    assert_eq!(expired().await, []);
    rollcall.advance(2).await;
    let open = event("open@example.com", "2026-12-01T12:00:00Z");
    assert_eq!(expired().await, std::slice::from_ref(&open));
    rollcall.advance(3_600).await;
    let resent = event("resent@example.com", "2026-12-01T13:00:00Z");
    assert_eq!(expired().await, [open, resent]);
}
