//! Other writers between read and commit, and commits whose answer is lost: nothing is overwritten,
//! nothing happens twice, and the answer is right.

use serde_json::{Value, json};

use crate::harness::{Fault, OWNER, Person, Rollcall, member_id};

const KIM: &str = "kim@example.com";
const READ: &str = "BatchGetItem";
const UPDATE: &str = "UpdateItem";
const TRANSACTION: &str = "TransactWriteItems";

/// An invite of Kim's a minute ago, and the body that accepts it.
async fn invited() -> (Rollcall, Person, Person, Value) {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    let token = json!({ "inviteToken": rollcall.newest_token() });
    let kim = rollcall.person(KIM).await;
    rollcall.advance(60).await;
    rollcall.wire.forget();
    (rollcall, owner, kim, token)
}

/// Kim's entry in the list.
async fn kim_in_list(owner: &Person, status: &str) -> Value {
    let list = owner.list("acme", &format!("?q=kim&status={status}")).await;
    let members = list.expect_status(200).body["members"].clone();
    assert_eq!(members.as_array().unwrap().len(), 1, "{members}");
    members[0].clone()
}

fn mails(rollcall: &Rollcall) -> usize {
    rollcall.stack.mailbox().count()
}

/// What the counters of sent mail say, in the order of their keys: accounts, then people.
async fn counts(rollcall: &Rollcall) -> Vec<String> {
    let rows = rollcall.rows().await;
    let counters = rows.iter().filter(|(key, _)| key.contains(" SENDS#"));
    counters
        .map(|(_, row)| row["count"].as_n().unwrap().clone())
        .collect()
}

#[tokio::test]
async fn two_invites_with_the_same_key_get_the_same_answer() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let other = owner.clone();
    rollcall.wire.before(TRANSACTION, async move {
        let first = other.invite_with_key("acme", KIM, "key").await;
        first.expect_status(201);
    });
    let second = owner.invite_with_key("acme", KIM, "key").await;
    let second = second.expect_status(201);
    rollcall.wire.expect_all_happened();
    assert_eq!(second.body, kim_in_list(&owner, "invited").await);
    assert_eq!(mails(&rollcall), 1);
    assert_eq!(counts(&rollcall).await, ["1", "1"]);
}

#[tokio::test]
async fn two_requests_under_one_key_are_not_both_carried_out() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let other = owner.clone();
    rollcall.wire.before(TRANSACTION, async move {
        let first = other.invite_with_key("acme", "max@example.com", "key");
        first.await.expect_status(201);
    });
    let refused = owner.invite_with_key("acme", KIM, "key").await;
    refused.expect_problem(422, "idempotency_key_reused");
    assert_eq!(mails(&rollcall), 1);
    assert_eq!(owner.list("acme", "").await.emails().len(), 2);
}

#[tokio::test]
async fn the_last_mail_of_the_hour_is_sent_once() {
    let rollcall = Rollcall::start_with(local::Options {
        parameters: vec![("SendsPerHour", "1".to_owned())],
        ..local::Options::default()
    })
    .await;
    rollcall.account("acme", "pro").await;
    let owner = rollcall.person(OWNER).await;
    let other = owner.clone();
    rollcall.wire.before(TRANSACTION, async move {
        let first = other.invite("acme", "max@example.com").await;
        first.expect_status(201);
    });
    let refused = owner.invite("acme", KIM).await;
    let refused = refused.expect_problem(429, "send_limit_reached");
    assert_eq!(refused.header("retry-after"), "3600");
    assert_eq!(mails(&rollcall), 1);
    assert_eq!(owner.list("acme", "").await.emails().len(), 2);
    assert_eq!(counts(&rollcall).await, ["1", "1"]);
}

#[tokio::test]
async fn two_removals_are_one() {
    let (rollcall, owner, _kim, _token) = invited().await;
    let rollcall = std::sync::Arc::new(rollcall);
    let (other, clock) = (owner.clone(), std::sync::Arc::clone(&rollcall));
    rollcall.wire.before(UPDATE, async move {
        clock.advance(5).await;
        other.remove("acme", KIM).await.expect_status(200);
    });
    let removed = owner.remove("acme", KIM).await.expect_status(200);
    rollcall.wire.expect_all_happened();
    assert_eq!(removed.text("removedAt"), "2026-11-24T12:01:05Z");
    let row = kim_in_list(&owner, "removed").await;
    assert_eq!(row["removedAt"], removed.body["removedAt"]);
}

#[tokio::test]
async fn of_two_people_with_one_address_the_first_login_counts() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let claims = json!({ "email": OWNER, "sub": "somebody-else" });
    let impostor = rollcall.signed_in(&claims).await;
    let first = owner.clone();
    rollcall.wire.before(TRANSACTION, async move {
        first.login(&json!({})).await.expect_status(200);
    });
    let refused = impostor.login(&json!({})).await;
    refused.expect_problem(403, "identity_mismatch");
    rollcall.wire.expect_all_happened();
    owner.login(&json!({})).await.expect_status(200);
}

/// Before the first login, anyone with the owner's address can act as the owner. After it, only the
/// owner can.
#[tokio::test]
async fn the_owners_address_alone_does_nothing_after_the_first_login() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    rollcall.advance(60).await;
    let claims = json!({ "email": OWNER, "sub": "somebody-else" });
    let impostor = rollcall.signed_in(&claims).await;
    let kims_row = format!("/accounts/acme/members/{}", member_id("acme", KIM));
    let name = json!({ "lastName": "Li" });
    let company = json!({ "company": "Acme" });
    // The first of them meets the owner's first login, the others come after it.
    let first = owner.clone();
    rollcall.wire.before(TRANSACTION, async move {
        first.login(&json!({})).await.expect_status(200);
    });
    let rows = rollcall.rows().await;
    for refused in [
        impostor.remove("acme", KIM).await,
        impostor.resend("acme", KIM).await,
        impostor.invite("acme", "max@example.com").await,
        impostor.patch(&kims_row, &name).await,
        impostor.patch("/accounts/acme", &company).await,
        impostor.delete("/accounts/acme").await,
    ] {
        refused.expect_problem(403, "identity_mismatch");
    }
    rollcall.wire.expect_all_happened();
    let owners_row = format!("ACCOUNT#acme MEMBER#{}", member_id("acme", OWNER));
    let others = |mut rows: crate::harness::Rows| {
        // The first login of the owner writes these.
        rows.retain(|key, _| *key != owners_row && !key.starts_with("IDENTITY#"));
        rows
    };
    assert_eq!(others(rollcall.rows().await), others(rows));
}

fn provisioning(plan: &str, email: &str) -> Value {
    json!({
        "accountId": "new",
        "company": "New",
        "plan": plan,
        "owner": { "firstName": "Olivia", "lastName": "Owner", "email": email },
    })
}

#[tokio::test]
async fn two_provisionings_make_one_account_with_one_owner() {
    let rollcall = std::sync::Arc::new(Rollcall::start().await);
    let other = std::sync::Arc::clone(&rollcall);
    rollcall.wire.before(TRANSACTION, async move {
        let payload = provisioning("basic", "first@example.com");
        other.provision(&payload).await.expect_status(200);
    });
    let payload = provisioning("pro", "second@example.com");
    let second = rollcall.provision(&payload).await.expect_status(200);
    rollcall.wire.expect_all_happened();
    assert_eq!(second.text("outcome"), "updated");
    let rows = rollcall.rows().await;
    assert_eq!(rows.len(), 3);
    let account = &rows["ACCOUNT#new ACCOUNT"];
    assert_eq!(account["plan"].as_s().unwrap(), "pro");
    let owner = member_id("new", "first@example.com").to_string();
    assert_eq!(account["ownerId"].as_s().unwrap(), &owner);
    let first = rollcall.person("first@example.com").await;
    first.login(&json!({})).await.expect_status(200);
}

#[tokio::test]
async fn of_two_events_the_later_one_counts_whichever_commits_first() {
    let rollcall = std::sync::Arc::new(Rollcall::start().await);
    rollcall
        .provision(&provisioning("basic", OWNER))
        .await
        .expect_status(200);
    let event = |time: &str, plan: &str| json!({ "detail-type": "x", "time": time, "detail": provisioning(plan, OWNER) });
    let other = std::sync::Arc::clone(&rollcall);
    let later = event("2026-11-24T12:00:02Z", "business");
    rollcall.wire.before(UPDATE, async move {
        other.provision(&later).await.expect_status(200);
    });
    let earlier = event("2026-11-24T12:00:01Z", "pro");
    let outcome = rollcall.provision(&earlier).await.expect_status(200);
    assert_eq!(outcome.text("outcome"), "unchanged");
    let rows = rollcall.rows().await;
    let plan = rows["ACCOUNT#new ACCOUNT"]["plan"].as_s().unwrap();
    assert_eq!(plan, "business");
}

/// If one answer is lost, the SDK tries again. If all of them are lost, the operation reads the
/// outcome.
const LOST: [usize; 2] = [1, 3];

#[tokio::test]
async fn an_invite_whose_answer_is_lost_happens_once() {
    for times in LOST {
        let (rollcall, owner) = Rollcall::start_with_owner().await;
        rollcall.wire.fail(TRANSACTION, Fault::LostAnswer, times);
        let invited = owner.invite_with_key("acme", KIM, "key").await;
        let invited = invited.expect_status(201);
        rollcall.wire.expect_all_happened();
        assert_eq!(invited.body["sends"], 1);
        assert_eq!(invited.body, kim_in_list(&owner, "invited").await);
        assert_eq!(mails(&rollcall), 1);
        assert_eq!(counts(&rollcall).await, ["1", "1"]);
        let again = owner.invite_with_key("acme", KIM, "key").await;
        assert_eq!(again.expect_status(201).raw, invited.raw);
        let kim = rollcall.person(KIM).await;
        let token = json!({ "inviteToken": rollcall.newest_token() });
        kim.login(&token).await.expect_status(200);
    }
}

#[tokio::test]
async fn the_last_invite_of_the_hour_does_not_count_against_itself() {
    let rollcall = Rollcall::start_with(local::Options {
        parameters: vec![("SendsPerHour", "1".to_owned())],
        ..local::Options::default()
    })
    .await;
    rollcall.account("acme", "pro").await;
    let owner = rollcall.person(OWNER).await;
    rollcall.wire.fail(TRANSACTION, Fault::LostAnswer, 3);
    owner.invite("acme", KIM).await.expect_status(201);
    assert_eq!(mails(&rollcall), 1);
}

#[tokio::test]
async fn a_failed_mail_is_stored_after_a_lost_answer() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.wire.fail(TRANSACTION, Fault::LostAnswer, 3);
    let mailbox = rollcall.stack.mailbox();
    mailbox.fail_next(local::SesFailure::MessageRejected);
    let invited = owner.invite_with_key("acme", KIM, "key").await;
    let invited = invited.expect_status(201);
    assert_eq!(invited.body["delivery"]["status"], "failed");
    assert_eq!(invited.body, kim_in_list(&owner, "invited").await);
    let again = owner.invite_with_key("acme", KIM, "key").await;
    assert_eq!(again.expect_status(201).raw, invited.raw);
}

/// The removal took effect. The owner didn't ask to take away the invite that came after it.
#[tokio::test]
async fn a_removal_whose_answer_is_lost_spares_a_new_invite() {
    let (rollcall, owner, kim, _token) = invited().await;
    let other = owner.clone();
    rollcall.wire.fail(UPDATE, Fault::LostAnswer, 1);
    rollcall.wire.before(UPDATE, async move {
        other.invite("acme", KIM).await.expect_status(201);
    });
    owner.remove("acme", KIM).await.expect_status(200);
    rollcall.wire.expect_all_happened();
    let token = json!({ "inviteToken": rollcall.newest_token() });
    kim.login(&token).await.expect_status(200);
}

/// A retry doesn't bring back a person who was removed in the meantime.
#[tokio::test]
async fn an_invite_whose_answer_is_lost_does_not_undo_a_removal() {
    for key in [None, Some("key")] {
        let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
        let other = owner.clone();
        rollcall.wire.fail(TRANSACTION, Fault::LostAnswer, 3);
        rollcall.wire.before(READ, async {});
        rollcall.wire.before(READ, async move {
            other.remove("acme", KIM).await.expect_status(200);
        });
        match key {
            None => {
                let unsure = owner.invite("acme", KIM).await;
                unsure.expect_problem(503, "unavailable");
            }
            // The key gives the outcome of the first attempt.
            Some(key) => {
                let invited = owner.invite_with_key("acme", KIM, key).await;
                invited.expect_status(201);
            }
        }
        rollcall.wire.expect_all_happened();
        assert_eq!(
            kim_in_list(&owner, "removed").await["status"],
            Value::from("removed")
        );
        owner.invite("acme", KIM).await.expect_status(201);
    }
}
