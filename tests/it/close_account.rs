//! `DELETE /accounts/{accountId}`, and reopening by `provision-account`.

use serde_json::{Value, json};

use crate::harness::{Fault, OWNER, Person, Reply, Rollcall};

const KIM: &str = "kim@example.com";

async fn close(caller: &Person) -> Reply {
    caller.delete("/accounts/acme").await
}

fn provisioning(plan: &str) -> Value {
    json!({
        "accountId": "acme",
        "company": "acme Inc.",
        "plan": plan,
        "owner": { "firstName": "Olivia", "lastName": "Owner", "email": OWNER },
    })
}

fn reopening(plan: &str) -> Value {
    let mut payload = provisioning(plan);
    payload["reopen"] = json!(true);
    payload
}

#[tokio::test]
async fn closing_is_immediate_for_everyone() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let member = rollcall.member(&owner, KIM).await;
    let removed = rollcall.member(&owner, "gone@example.com").await;
    owner.remove("acme", "gone@example.com").await;
    owner.invite("acme", "new@example.com").await;
    let invited = rollcall.person("new@example.com").await;
    let invite = json!({ "inviteToken": rollcall.newest_token() });
    let stranger = rollcall.person("stranger@example.com").await;
    rollcall.advance(120).await;
    let mails = rollcall.stack.mailbox().list().len();
    rollcall.wire.forget();

    let closed = close(&owner).await.expect_status(200);
    assert_eq!(rollcall.wire.calls(), ["BatchGetItem", "UpdateItem"]);
    assert_eq!(closed.text("status"), "closed");
    assert!(closed.text("closedAt").ends_with('Z'));

    for person in [&owner, &member, &removed, &invited] {
        for body in [json!({}), json!({ "accountId": "acme" })] {
            let login = person.login(&body).await;
            login.expect_problem(403, "account_closed");
        }
    }
    let accepted = invited.login(&invite).await;
    accepted.expect_problem(403, "account_closed");
    stranger
        .login(&json!({ "accountId": "acme" }))
        .await
        .expect_problem(403, "no_access");

    for refused in [
        owner.list("acme", "").await,
        owner.invite("acme", "late@example.com").await,
        owner.resend("acme", "new@example.com").await,
        owner.remove("acme", KIM).await,
        owner
            .patch("/accounts/acme", &json!({ "company": "A" }))
            .await,
        member.list("acme", "").await,
    ] {
        refused.expect_problem(403, "account_closed");
    }
    assert_eq!(rollcall.stack.mailbox().list().len(), mails);
}

#[tokio::test]
async fn the_owner_can_retry_after_a_lost_answer() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    rollcall.wire.fail("UpdateItem", Fault::LostAnswer, 1);
    let first = close(&owner).await.expect_status(200);
    rollcall.wire.expect_all_happened();
    rollcall.wire.forget();

    rollcall.advance(60).await;
    let again = close(&owner).await.expect_status(200);
    assert_eq!(again.body, first.body);
    assert_eq!(rollcall.wire.calls(), ["BatchGetItem"]);
}

#[tokio::test]
async fn nobody_else_closes_an_account() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.login(&json!({})).await.expect_status(200);
    let member = rollcall.member(&owner, KIM).await;
    let removed = rollcall.member(&owner, "gone@example.com").await;
    owner.remove("acme", "gone@example.com").await;
    owner.invite("acme", "new@example.com").await;
    let invited = rollcall.person("new@example.com").await;
    let stranger = rollcall.person("stranger@example.com").await;
    let impostor = json!({ "email": OWNER, "sub": "somebody else" });
    let impostor = rollcall.signed_in(&impostor).await;

    let refused = [
        (&member, "owner_only"),
        (&removed, "access_revoked"),
        (&invited, "invite_link_required"),
        (&impostor, "identity_mismatch"),
        (&stranger, "no_access"),
    ];
    for (caller, code) in refused {
        close(caller).await.expect_problem(403, code);
    }
    let nowhere = stranger.delete("/accounts/nowhere").await;
    assert_eq!(
        nowhere.without_request_id(),
        close(&stranger).await.without_request_id()
    );
    let body = owner.request(reqwest::Method::DELETE, "/accounts/acme");
    let reply = Reply::of(body.body(r#"{"reason":"x"}"#)).await;
    assert_eq!(reply.wrong_fields(), ["reason"]);

    close(&owner).await.expect_status(200);
    // Once it is closed, everyone the account knows is told so, and only the owner gets a success.
    for (caller, code) in refused {
        let code = match code {
            "no_access" => code,
            _ => "account_closed",
        };
        close(caller).await.expect_problem(403, code);
    }
    close(&owner).await.expect_status(200);
}

#[tokio::test]
async fn an_account_on_any_plan_can_be_closed() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.account("acme", "basic").await;
    assert_eq!(close(&owner).await.expect_status(200).text("plan"), "basic");
    close(&owner).await.expect_status(200);
}

#[tokio::test]
async fn an_invite_that_began_before_the_closing_is_not_sent_after_it() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let other = owner.clone();
    rollcall.wire.before("TransactWriteItems", async move {
        close(&other).await.expect_status(200);
    });
    let late = owner.invite("acme", KIM).await;
    late.expect_problem(403, "account_closed");
    rollcall.wire.expect_all_happened();
    assert!(rollcall.stack.mailbox().list().is_empty());
}

#[tokio::test]
async fn a_plan_change_in_between_is_kept() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let body = json!({ "company": "Other" });
    let other = owner.clone();
    rollcall.wire.before("UpdateItem", async move {
        other
            .patch("/accounts/acme", &body)
            .await
            .expect_status(200);
    });
    let closed = close(&owner).await.expect_status(200);
    rollcall.wire.expect_all_happened();
    assert_eq!(closed.text("company"), "Other");
    assert_eq!(closed.text("status"), "closed");
}

#[tokio::test]
async fn billing_reopens_an_account_only_when_it_says_so() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let member = rollcall.member(&owner, KIM).await;
    close(&owner).await.expect_status(200);

    // A closed account is kept up to date, and billing is told that it is closed.
    let updated = rollcall.provision(&provisioning("enterprise")).await;
    let updated = updated.expect_status(200);
    assert_eq!(
        updated.body,
        json!({ "accountId": "acme", "outcome": "updated", "status": "closed" })
    );
    let mut unwilling = provisioning("enterprise");
    unwilling["reopen"] = json!(false);
    let unchanged = rollcall.provision(&unwilling).await.expect_status(200);
    assert_eq!(unchanged.text("outcome"), "unchanged");
    member
        .login(&json!({}))
        .await
        .expect_problem(403, "account_closed");

    let reopened = rollcall.provision(&reopening("enterprise")).await;
    let reopened = reopened.expect_status(200);
    assert_eq!(
        reopened.body,
        json!({ "accountId": "acme", "outcome": "updated", "status": "active" })
    );
    let login = member.login(&json!({})).await.expect_status(200);
    assert_eq!(login.body["account"]["plan"], "enterprise");
    assert_eq!(login.body["account"].get("closedAt"), None);
    let again = rollcall.provision(&reopening("enterprise")).await;
    assert_eq!(again.text("outcome"), "unchanged");

    let mut wrong = provisioning("pro");
    wrong["reopen"] = json!("yes");
    let refused = rollcall.provision(&wrong).await;
    assert_eq!(refused.wrong_fields(), ["reopen"]);
}

#[tokio::test]
async fn an_event_from_before_the_closing_reopens_nothing() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let event = |time: String| {
        json!({
            "detail-type": "account.provisioned",
            "source": "billing",
            "time": time,
            "detail": reopening("pro"),
        })
    };
    let closed = close(&owner).await.expect_status(200);
    let closed_at: jiff::Timestamp = closed.text("closedAt").parse().unwrap();
    let second = jiff::SignedDuration::from_secs(1);
    for (time, status) in [
        (closed_at - second, "closed"),
        (closed_at, "closed"),
        (closed_at + second, "active"),
    ] {
        let told = rollcall.provision(&event(time.to_string())).await;
        assert_eq!(told.expect_status(200).text("status"), status, "{time}");
    }
    // The owner closes it again. The event that reopened it comes once more, as events do.
    rollcall.advance(60).await;
    close(&owner).await.expect_status(200);
    let repeated = event((closed_at + second).to_string());
    let repeated = rollcall.provision(&repeated).await;
    assert_eq!(repeated.expect_status(200).text("status"), "closed");
}

#[tokio::test]
async fn the_example_event_is_understood() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let event = serde_json::from_str(include_str!("../../events/close-account.json")).unwrap();
    let answer = rollcall.invoke("close-account", event).await.unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    close(&owner).await.expect_status(200);
}
