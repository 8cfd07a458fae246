//! Logging in, and accepting an invite on the first login.

use serde_json::{Value, json};

use crate::harness::{NOON, OWNER, Person, Reply, Rollcall, member_id};

const KIM: &str = "kim@example.com";

/// An open invite of Kim's to `acme`, and the body that accepts it.
async fn invited() -> (Rollcall, Person, Person, Value) {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    let kim = rollcall.person(KIM).await;
    let token = json!({ "inviteToken": rollcall.newest_token() });
    (rollcall, owner, kim, token)
}

#[tokio::test]
async fn a_login_returns_the_account_and_the_abilities() {
    let (_rollcall, owner, kim, token) = invited().await;
    let login = kim.login(&token).await.expect_status(200);
    assert_eq!(
        login.body,
        json!({
            "account": {
                "id": "acme",
                "company": "acme Inc.",
                "plan": "pro",
                "status": "active",
                "proLevel": true,
            },
            "member": {
                "id": member_id("acme", KIM),
                "firstName": "Kim",
                "lastName": "Lee",
                "email": KIM,
                "role": "member",
                "status": "active",
                "invitedAt": NOON,
                "lastSentAt": NOON,
                "sends": 1,
                "activeSince": NOON,
            },
            "abilities": ["account:use", "members:list"],
        })
    );
    let login = owner.login(&json!({})).await.expect_status(200);
    assert_eq!(login.body["member"]["role"], "owner");
    assert_eq!(
        login.body["abilities"],
        json!([
            "account:use",
            "members:list",
            "members:invite",
            "members:resend",
            "members:remove",
            "account:update",
            "account:close",
        ])
    );
}

#[tokio::test]
async fn an_invite_works_to_the_last_second() {
    let (rollcall, _owner, kim, token) = invited().await;
    rollcall.advance(7 * 86_400 - 1).await;
    kim.login(&token).await.expect_status(200);
}

#[tokio::test]
async fn an_invite_ends_in_the_second_it_expires() {
    let (rollcall, owner, kim, token) = invited().await;
    rollcall.advance(7 * 86_400).await;
    let refused = kim.login(&token).await;
    let refused = refused.expect_problem(410, "invite_expired");
    assert_eq!(
        refused.text("detail"),
        "This invite has expired. Ask the account owner to resend it."
    );
    let list = owner.list("acme", "").await;
    assert_eq!(list.body["members"][1]["status"], "expired");
    assert_eq!(list.body["members"][1]["expiresAt"], "2026-12-01T12:00:00Z");
    // A membership outlives the invite.
    owner.resend("acme", KIM).await.expect_status(200);
    let token = json!({ "inviteToken": rollcall.newest_token() });
    kim.login(&token).await.expect_status(200);
    rollcall.advance(365 * 86_400).await;
    kim.login(&json!({})).await.expect_status(200);
}

#[tokio::test]
async fn the_first_login_needs_the_link_however_the_account_is_named() {
    let (_rollcall, _owner, kim, _token) = invited().await;
    for body in [json!({}), json!({ "accountId": "acme" })] {
        let refused = kim.login(&body).await;
        let refused = refused.expect_problem(403, "invite_link_required");
        assert_eq!(
            refused.text("detail"),
            "Use the link in your invite e-mail to log in for the first time."
        );
    }
    let refused = kim.list("acme", "").await;
    refused.expect_problem(403, "invite_link_required");
}

#[tokio::test]
async fn another_address_is_told_which_one_was_invited_and_the_invite_stays_usable() {
    let (rollcall, owner, kim, token) = invited().await;
    let rows = rollcall.rows().await;
    let member = rollcall.person("max@example.com").await;
    for other in [&owner, &member] {
        let refused = other.login(&token).await;
        let refused = refused.expect_problem(403, "wrong_account");
        assert_eq!(
            refused.text("detail"),
            "This invite is for k***@example.com. Sign in with that address to accept it."
        );
        assert!(!refused.raw.contains("kim@"));
    }
    assert_eq!(rollcall.rows().await, rows);
    kim.login(&token).await.expect_status(200);
}

#[tokio::test]
async fn an_earlier_link_in_other_hands_says_so_too_and_a_made_up_one_says_nothing() {
    let (rollcall, owner, kim, first) = invited().await;
    rollcall.advance(60).await;
    owner.resend("acme", KIM).await.expect_status(200);
    let stranger = rollcall.person("stranger@example.com").await;
    let refused = stranger.login(&first).await;
    refused.expect_problem(403, "wrong_account");

    let made_up = format!("acme.{}.{}", member_id("acme", KIM), "A".repeat(43));
    let made_up = json!({ "inviteToken": made_up });
    let refused = stranger.login(&made_up).await;
    refused.expect_problem(403, "no_access");
    let refused = kim.login(&made_up).await;
    refused.expect_problem(410, "invite_invalid");
}

#[tokio::test]
async fn a_link_to_one_account_opens_no_other() {
    let (rollcall, owner, kim, acme) = invited().await;
    rollcall.account("other", "pro").await;
    owner.invite("other", KIM).await.expect_status(201);
    let secret = acme["inviteToken"].as_str().unwrap().rsplit('.').next();
    let mixed = format!("other.{}.{}", member_id("other", KIM), secret.unwrap());
    let refused = kim.login(&json!({ "inviteToken": mixed })).await;
    refused.expect_problem(410, "invite_invalid");

    let mut named = acme.clone();
    named["accountId"] = json!("other");
    let refused = kim.login(&named).await;
    let refused = refused.expect_problem(400, "invalid_request");
    assert_eq!(refused.wrong_fields(), ["accountId"]);
    named["accountId"] = json!("acme");
    kim.login(&named).await.expect_status(200);
}

#[tokio::test]
async fn a_person_with_several_accounts_chooses_one() {
    let (rollcall, owner, kim, token) = invited().await;
    kim.login(&token).await.expect_status(200);
    rollcall.account("other", "pro").await;
    owner.invite("other", KIM).await.expect_status(201);
    // An invite isn't an account to choose yet.
    let login = kim.login(&json!({})).await.expect_status(200);
    assert_eq!(login.body["account"]["id"], "acme");

    let token = json!({ "inviteToken": rollcall.newest_token() });
    kim.login(&token).await.expect_status(200);
    let choose = kim.login(&json!({})).await;
    let choose = choose.expect_problem(409, "choose_account");
    assert_eq!(
        choose.body["accounts"],
        json!([
            { "id": "acme", "company": "acme Inc." },
            { "id": "other", "company": "other Inc." },
        ])
    );
    for account in ["acme", "other"] {
        let login = kim.login(&json!({ "accountId": account })).await;
        let login = login.expect_status(200);
        assert_eq!(login.body["account"]["id"], account);
    }
    // An account that can't be used isn't offered.
    owner.remove("other", KIM).await.expect_status(200);
    let login = kim.login(&json!({})).await.expect_status(200);
    assert_eq!(login.body["account"]["id"], "acme");
    rollcall.account("acme", "basic").await;
    let refused = kim.login(&json!({})).await;
    refused.expect_problem(403, "upgrade_required");
}

#[tokio::test]
async fn a_person_in_a_hundred_accounts_can_choose() {
    let rollcall = Rollcall::start().await;
    for number in 0..120 {
        rollcall.account(&format!("a{number}"), "basic").await;
    }
    let owner = rollcall.person(OWNER).await;
    let choose = owner.login(&json!({})).await;
    let choose = choose.expect_problem(409, "choose_account");
    assert_eq!(choose.body["accounts"].as_array().unwrap().len(), 120);
    let login = owner.login(&json!({ "accountId": "a77" })).await;
    login.expect_status(200);
}

#[tokio::test]
async fn the_first_login_binds_the_identity() {
    let (rollcall, _owner, kim, token) = invited().await;
    kim.login(&token).await.expect_status(200);
    let claims = json!({ "email": KIM, "sub": "somebody-else" });
    let impostor = rollcall.signed_in(&claims).await;
    for refused in [
        impostor.login(&json!({})).await,
        impostor.login(&json!({ "accountId": "acme" })).await,
        impostor.login(&token).await,
        impostor.list("acme", "").await,
    ] {
        refused.expect_problem(403, "identity_mismatch");
    }
    kim.login(&json!({})).await.expect_status(200);
}

#[tokio::test]
async fn the_owners_first_login_binds_the_owner() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    assert!(!rollcall.row("acme", OWNER).await.contains_key("identity"));
    owner.login(&json!({})).await.expect_status(200);
    assert!(rollcall.row("acme", OWNER).await.contains_key("identity"));
    let claims = json!({ "email": OWNER, "sub": "somebody-else" });
    let impostor = rollcall.signed_in(&claims).await;
    for refused in [
        impostor.login(&json!({})).await,
        impostor.invite("acme", KIM).await,
        impostor.resend("acme", KIM).await,
        impostor.remove("acme", KIM).await,
        impostor.list("acme", "").await,
    ] {
        refused.expect_problem(403, "identity_mismatch");
    }
    owner.invite("acme", KIM).await.expect_status(201);
}

#[tokio::test]
async fn another_identity_provider_may_vouch_for_the_same_address() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.login(&json!({})).await.expect_status(200);
    let event = crate::bad_input::api_event(
        "POST /login",
        &json!({ "iss": "https://new.example", "sub": "x", "email": OWNER, "email_verified": "true" }),
        "{}",
    );
    let answer = rollcall.invoke("authorize-login", event).await.unwrap();
    assert_eq!(answer["statusCode"], 200);
    // The first identity stays the bound one.
    owner.login(&json!({})).await.expect_status(200);
}

#[tokio::test]
async fn an_address_that_is_not_verified_opens_nothing() {
    let (rollcall, _owner, _kim, token) = invited().await;
    let claims = json!({ "email": KIM, "email_verified": false });
    let unverified = rollcall.signed_in(&claims).await;
    let rows = rollcall.rows().await;
    rollcall.wire.forget();
    for refused in [
        unverified.login(&token).await,
        unverified.login(&json!({})).await,
        unverified.list("acme", "").await,
        unverified.invite("acme", KIM).await,
        unverified.resend("acme", KIM).await,
        unverified.remove("acme", KIM).await,
    ] {
        refused.expect_problem(403, "email_unverified");
    }
    assert_eq!(rollcall.rows().await, rows);
}

#[tokio::test]
async fn a_closed_account_lets_nobody_in() {
    let (rollcall, owner, kim, token) = invited().await;
    let max = rollcall.member(&owner, "max@example.com").await;
    let removed = rollcall.member(&owner, "mia@example.com").await;
    owner.remove("acme", "mia@example.com").await;
    rollcall.close("acme").await;
    rollcall.account("acme", "basic").await;
    // `account_closed` comes before every other refusal.
    for refused in [
        owner.login(&json!({})).await,
        owner.list("acme", "").await,
        owner.invite("acme", "new@example.com").await,
        owner.resend("acme", KIM).await,
        owner.remove("acme", KIM).await,
        max.login(&json!({ "accountId": "acme" })).await,
        max.invite("acme", "new@example.com").await,
        removed.login(&json!({})).await,
        kim.login(&token).await,
    ] {
        refused.expect_problem(403, "account_closed");
    }
    let stranger = rollcall.person("stranger@example.com").await;
    let refused = stranger.list("acme", "").await;
    refused.expect_problem(403, "no_access");
}

/// Adds one reason for a refusal at a time: each one comes before those already there.
#[tokio::test]
async fn refusals_come_in_their_order() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.member(&owner, KIM).await;
    let impostor = json!({ "email": KIM, "sub": "somebody-else" });
    let impostor = rollcall.signed_in(&impostor).await;
    let log_in = async || impostor.login(&json!({ "accountId": "acme" })).await;

    // Not the same person; then also not pro-level; then also removed; then also closed.
    log_in().await.expect_problem(403, "identity_mismatch");
    rollcall.account("acme", "basic").await;
    log_in().await.expect_problem(403, "upgrade_required");
    owner.remove("acme", KIM).await.expect_status(200);
    log_in().await.expect_problem(403, "access_revoked");
    rollcall.close("acme").await;
    log_in().await.expect_problem(403, "account_closed");
    kim.login(&json!({}))
        .await
        .expect_problem(403, "account_closed");
}

#[tokio::test]
async fn an_invite_is_refused_in_the_order_of_what_the_person_can_do() {
    let (rollcall, owner, kim, first) = invited().await;
    rollcall.advance(60).await;
    owner.resend("acme", KIM).await.expect_status(200);
    let newest = json!({ "inviteToken": rollcall.newest_token() });
    rollcall.advance(7 * 86_400).await;
    // Superseded and expired: the newer mail has to be found first.
    let refused = kim.login(&first).await;
    refused.expect_problem(410, "invite_superseded");
    let refused = kim.login(&newest).await;
    refused.expect_problem(410, "invite_expired");
    let refused = kim.login(&json!({})).await;
    refused.expect_problem(403, "invite_link_required");
    // The plan comes before the invite, another's invite before the plan.
    rollcall.account("acme", "basic").await;
    let refused = kim.login(&newest).await;
    refused.expect_problem(403, "upgrade_required");
    let refused = owner.login(&newest).await;
    refused.expect_problem(403, "wrong_account");
}

/// The refusals a person could get from several accounts, the most useful first.
#[tokio::test]
async fn of_several_refusals_the_one_that_leads_on_is_told() {
    let rollcall = Rollcall::start().await;
    let owner = rollcall.person(OWNER).await;
    let kim = rollcall.person(KIM).await;
    let log_in = async || kim.login(&json!({})).await;
    let accounts = ["closed", "revoked", "basic", "invited"];
    for account in accounts {
        rollcall.account(account, "pro").await;
    }
    log_in().await.expect_problem(403, "no_access");
    for (account, code) in accounts.into_iter().zip([
        "account_closed",
        "access_revoked",
        "upgrade_required",
        "invite_link_required",
    ]) {
        owner.invite(account, KIM).await.expect_status(201);
        if account != "invited" {
            let token = json!({ "inviteToken": rollcall.newest_token() });
            kim.login(&token).await.expect_status(200);
        }
        match account {
            "closed" => rollcall.close(account).await,
            "revoked" => drop(owner.remove(account, KIM).await.expect_status(200)),
            "basic" => rollcall.account(account, "basic").await,
            _ => {}
        }
        log_in().await.expect_problem(403, code);
    }
}

#[tokio::test]
async fn members_can_do_nothing_that_only_the_owner_can() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.member(&owner, KIM).await;
    rollcall.member(&owner, "max@example.com").await;
    owner.invite("acme", "open@example.com").await;
    rollcall.advance(60).await;
    let rows = rollcall.rows().await;
    for refused in [
        kim.invite("acme", "new@example.com").await,
        kim.invite("acme", OWNER).await,
        kim.invite_with_key("acme", "new@example.com", "key").await,
        kim.resend("acme", "open@example.com").await,
        kim.resend("acme", "nobody@example.com").await,
        kim.remove("acme", "max@example.com").await,
        kim.remove("acme", KIM).await,
        kim.remove("acme", OWNER).await,
        kim.remove("acme", "nobody@example.com").await,
    ] {
        refused.expect_problem(403, "owner_only");
    }
    assert_eq!(rollcall.rows().await, rows);
    kim.list("acme", "").await.expect_status(200);
}

/// Status, headers except the date, and body, without the request id.
fn bytes(reply: &Reply) -> (u16, Vec<(String, String)>, String) {
    let id = reply.header("x-request-id");
    let headers = reply.headers.iter().filter(|(name, _)| *name != "date");
    let headers = headers.map(|(name, value)| {
        let value = value.to_str().unwrap().replace(&id, "ID");
        (name.to_string(), value)
    });
    (
        reply.status,
        headers.collect(),
        reply.raw.replace(&id, "ID"),
    )
}

#[tokio::test]
async fn nobody_can_find_out_which_accounts_exist() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.member(&owner, KIM).await;
    rollcall.account("basic", "basic").await;
    rollcall.account("closed", "pro").await;
    rollcall.close("closed").await;
    let stranger = rollcall.person("stranger@example.com").await;
    let made_up = |account: &str| {
        let member = member_id(account, KIM);
        json!({ "inviteToken": format!("{account}.{member}.{}", "A".repeat(43)) })
    };
    let mut seen = Vec::new();
    for account in ["nowhere", "acme", "basic", "closed"] {
        seen.push([
            bytes(&stranger.list(account, "").await),
            bytes(&stranger.invite(account, "new@example.com").await),
            bytes(&stranger.resend(account, KIM).await),
            bytes(&stranger.remove(account, KIM).await),
            bytes(&stranger.login(&json!({ "accountId": account })).await),
            bytes(&stranger.login(&made_up(account)).await),
        ]);
    }
    let (first, others) = seen.split_first().unwrap();
    for answers in first {
        assert_eq!(answers.0, 403);
        assert!(answers.2.contains("no_access"), "{}", answers.2);
    }
    for other in others {
        assert_eq!(other, first);
    }
}

#[tokio::test]
async fn people_of_other_accounts_are_unknown() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall
        .provision(&json!({
            "accountId": "other",
            "company": "Other",
            "plan": "pro",
            "owner": { "firstName": "Otto", "lastName": "Other", "email": "otto@example.com" },
        }))
        .await
        .expect_status(200);
    let otto = rollcall.person("otto@example.com").await;
    otto.invite("other", KIM).await.expect_status(201);

    let theirs = member_id("other", KIM);
    let nobodys = member_id("acme", "nobody@example.com");
    for path in ["", "/resend"] {
        let call = async |id| {
            let path = format!("/accounts/acme/members/{id}{path}");
            let reply = match path.ends_with("resend") {
                true => owner.post(&path, &json!({})).await,
                false => owner.delete(&path).await,
            };
            reply.expect_problem(404, "member_not_found")
        };
        assert_eq!(bytes(&call(&theirs).await), bytes(&call(&nobodys).await));
    }
    let refused = owner.remove("other", KIM).await;
    refused.expect_problem(403, "no_access");
}
