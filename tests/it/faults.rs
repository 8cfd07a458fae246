//! DynamoDB fails: the answer is a timely 503, never access that can't be proved, and whatever was
//! committed stays usable.

use serde_json::{Value, json};

use crate::harness::{Fault, OWNER, Person, Reply, Rollcall};

const KIM: &str = "kim@example.com";
const READ: &str = "BatchGetItem";
const QUERY: &str = "Query";
const UPDATE: &str = "UpdateItem";
const TRANSACTION: &str = "TransactWriteItems";

/// Transient errors: trying again later is right. The SDK tries each request three times.
const PASSING: [Fault; 7] = [
    Fault::NoConnection,
    Fault::Error(400, "ProvisionedThroughputExceededException"),
    Fault::Error(400, "ThrottlingException"),
    Fault::Error(400, "RequestLimitExceeded"),
    Fault::Error(500, "InternalServerError"),
    Fault::Error(503, "ServiceUnavailable"),
    Fault::Garbage,
];

/// More requests than any call makes.
const ALWAYS: usize = 100;

/// An invite of Kim's that can be resent, a member, and the body that accepts the invite.
async fn scene() -> (Rollcall, Person, Person, Value) {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.login(&json!({})).await.expect_status(200);
    let max = rollcall.member(&owner, "max@example.com").await;
    owner.invite("acme", KIM).await.expect_status(201);
    let token = json!({ "inviteToken": rollcall.newest_token() });
    rollcall.advance(60).await;
    (rollcall, owner, max, token)
}

#[track_caller]
fn expect_unavailable(reply: Reply) {
    let reply = reply.expect_problem(503, "unavailable");
    assert_eq!(reply.header("retry-after"), "2");
    assert_eq!(
        reply.text("detail"),
        "The service is busy. Try again in a moment."
    );
}

#[tokio::test]
async fn a_failed_lookup_gives_no_access_and_asks_the_caller_to_retry() {
    let (rollcall, owner, max, token) = scene().await;
    let kim = rollcall.person(KIM).await;
    let acme = json!({ "accountId": "acme" });
    let rows = rollcall.rows().await;
    for fault in PASSING {
        rollcall.wire.fail(READ, fault, ALWAYS);
        for reply in [
            owner.login(&acme).await,
            max.login(&json!({})).await,
            kim.login(&token).await,
            owner.list("acme", "").await,
            max.list("acme", "").await,
            owner.invite("acme", "new@example.com").await,
            owner
                .invite_with_key("acme", "new@example.com", "key")
                .await,
            owner.resend("acme", KIM).await,
            owner.remove("acme", "max@example.com").await,
        ] {
            expect_unavailable(reply);
        }
        rollcall.wire.heal();
        rollcall.wire.fail(QUERY, fault, ALWAYS);
        expect_unavailable(owner.login(&json!({})).await);
        expect_unavailable(owner.list("acme", "").await);
        rollcall.wire.heal();
    }
    assert_eq!(rollcall.rows().await, rows);
    kim.login(&token).await.expect_status(200);
}

/// A stranger is still refused when the list can't be read.
#[tokio::test]
async fn a_stranger_is_refused_whether_or_not_the_list_can_be_read() {
    let (rollcall, _owner, _max, _token) = scene().await;
    let stranger = rollcall.person("stranger@example.com").await;
    rollcall.wire.fail(QUERY, Fault::NoConnection, 3);
    let refused = stranger.list("acme", "").await;
    refused.expect_problem(403, "no_access");
}

#[tokio::test]
async fn a_moment_of_trouble_is_not_noticed() {
    for fault in PASSING.into_iter().chain([Fault::TransactionConflict]) {
        let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
        rollcall.wire.fail(TRANSACTION, fault, 2);
        owner.invite("acme", KIM).await.expect_status(201);
        rollcall.wire.expect_all_happened();
        if !matches!(fault, Fault::TransactionConflict | Fault::Garbage) {
            rollcall.wire.fail(UPDATE, fault, 2);
            rollcall.wire.fail(READ, fault, 2);
            owner.remove("acme", KIM).await.expect_status(200);
            rollcall.wire.expect_all_happened();
        }
    }
}

/// DynamoDB leaves keys unread when it throttles, so retries wait longer each time.
#[tokio::test]
async fn keys_left_unread_are_read_later() {
    let (rollcall, owner, max, _token) = scene().await;
    rollcall.wire.forget();
    rollcall.wire.fail(READ, Fault::NothingRead, 5);
    owner.list("acme", "").await.expect_status(200);
    assert_eq!(
        rollcall.wire.calls(),
        [READ, READ, READ, READ, READ, READ, QUERY]
    );
    rollcall.wire.fail(READ, Fault::NothingRead, ALWAYS);
    expect_unavailable(max.login(&json!({ "accountId": "acme" })).await);
    assert_eq!(rollcall.wire.calls(), [READ; 6]);
}

/// The clock moves only for pauses, so the test can see them.
#[tokio::test]
async fn reads_of_unread_keys_pause_and_then_give_up() {
    let rollcall = Rollcall::start().await;
    rollcall.wire.fail(READ, Fault::NothingRead, ALWAYS);
    let payload = json!({
        "accountId": "acme",
        "company": "Acme",
        "plan": "pro",
        "owner": { "firstName": "Olivia", "lastName": "Owner", "email": OWNER },
    });
    let [_, longest] = platform::aws::DYNAMODB_TIMEOUTS;
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    let refused = rollcall.invoke("provision-account", payload).await;
    let took = started.elapsed();
    tokio::time::resume();
    assert_eq!(refused.unwrap_err().code().as_str(), "unavailable");
    assert_eq!(rollcall.wire.calls(), [READ; 6]);
    // Each pause is drawn at random, but all five are this short once in ten million times. What is not
    // a pause takes no time here, but the clock goes by whole milliseconds.
    let shortest = std::time::Duration::from_millis(10);
    assert!(took > shortest && took <= longest, "{took:?}");
}

/// A permanent error: trying again wouldn't help, and the answer hides the cause.
#[tokio::test]
async fn a_permanent_error_is_internal_and_hides_its_cause() {
    let (rollcall, owner, max, _token) = scene().await;
    for code in [
        "AccessDeniedException",
        "ResourceNotFoundException",
        "ValidationException",
        "UnrecognizedClientException",
    ] {
        rollcall.wire.fail(READ, Fault::Error(400, code), 1);
        let refused = max.login(&json!({})).await;
        let refused = refused.expect_problem(500, "internal");
        rollcall.wire.expect_all_happened();
        rollcall.wire.fail(TRANSACTION, Fault::Error(400, code), 1);
        let written = owner.invite("acme", "new@example.com").await;
        let written = written.expect_problem(500, "internal");
        rollcall.wire.expect_all_happened();
        for reply in [refused, written] {
            let id = reply.header("x-request-id");
            let said = reply.raw.replace(&id, "");
            assert!(!said.contains("Exception") && !said.contains("dynamodb"));
        }
    }
}

/// A row can be damaged by hand. That must not let anyone in.
#[tokio::test]
async fn a_row_that_cannot_be_read_opens_nothing() {
    let (rollcall, owner, max, _token) = scene().await;
    let id = crate::harness::member_id("acme", "max@example.com");
    let text = |text: String| aws_sdk_dynamodb::types::AttributeValue::S(text);
    let update = rollcall.stack.dynamodb().update_item().table_name("Table");
    update
        .key("pk", text("ACCOUNT#acme".to_owned()))
        .key("sk", text(format!("MEMBER#{id}")))
        .update_expression("SET #state = :unknown")
        .expression_attribute_names("#state", "state")
        .expression_attribute_values(":unknown", text("boss".to_owned()))
        .send()
        .await
        .unwrap();
    let refused = max.login(&json!({})).await;
    let refused = refused.expect_problem(500, "internal");
    assert!(!refused.raw.contains("max@"));
    let refused = owner.remove("acme", "max@example.com").await;
    refused.expect_problem(500, "internal");
}

/// The worst case: the mail service hangs once the invite is committed.
#[tokio::test]
async fn a_mail_service_that_hangs_fails_the_mail_and_not_the_call() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.wire.fail("SendEmail", Fault::Hang, ALWAYS);
    let invited = owner.invite("acme", KIM).await.expect_status(201);
    assert_eq!(invited.body["delivery"]["status"], "failed");
    rollcall.wire.heal();
    let resent = owner.resend("acme", KIM).await.expect_status(200);
    assert_eq!(resent.body["delivery"]["status"], "sending");
}
