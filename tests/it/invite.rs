//! The owner invites a person by name and address.

use serde_json::json;

use crate::harness::{NOON, OWNER, Rollcall, member_id};

const KIM: &str = "kim@example.com";

#[tokio::test]
async fn an_invite_answers_with_the_person_and_nothing_secret() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;

    let invited = owner.invite("acme", KIM).await.expect_status(201);

    assert_eq!(invited.header("content-type"), "application/json");
    assert_eq!(invited.header("cache-control"), "no-store");
    assert!(!invited.header("x-request-id").is_empty());
    assert_eq!(
        invited.body,
        json!({
            "id": member_id("acme", KIM),
            "firstName": "Kim",
            "lastName": "Lee",
            "email": KIM,
            "role": "member",
            "status": "invited",
            "invitedAt": NOON,
            "lastSentAt": NOON,
            "sends": 1,
            "expiresAt": "2026-12-01T12:00:00Z",
            "delivery": { "status": "sending", "at": NOON },
        })
    );

    let token = rollcall.newest_token();
    let secret = token.rsplit('.').next().unwrap();
    let table = format!("{:?}", rollcall.rows().await);
    assert!(!table.contains(secret), "a secret is stored");
    assert!(!invited.raw.contains(secret));
    for key in rollcall.rows().await.into_keys() {
        assert!(!key.contains("kim"), "an address is in a key: {key}");
    }
}

#[tokio::test]
async fn an_invite_is_in_the_list_as_soon_as_it_is_answered() {
    let (_rollcall, owner) = Rollcall::start_with_owner().await;
    let invited = owner.invite("acme", KIM).await.expect_status(201);
    let list = owner.list("acme", "").await.expect_status(200);
    assert_eq!(list.body["members"][1], invited.body);
}

#[tokio::test]
async fn an_address_is_one_person_whatever_its_case() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;

    let invited = owner.invite("acme", "Kim@EXAMPLE.com").await;
    assert_eq!(invited.expect_status(201).text("email"), KIM);
    assert_eq!(rollcall.newest_mail().to, KIM);
    for address in [KIM, "KIM@example.com", "kim@Example.Com"] {
        let again = owner.invite("acme", address).await;
        again.expect_problem(409, "already_invited");
    }

    let kim = rollcall.person("kIM@example.COM").await;
    let token = rollcall.newest_token();
    let login = kim.login(&json!({ "inviteToken": token })).await;
    assert_eq!(login.expect_status(200).body["member"]["email"], KIM);
    for address in [KIM, "KIM@example.com"] {
        let again = owner.invite("acme", address).await;
        again.expect_problem(409, "already_member");
    }
    assert_eq!(rollcall.stack.mailbox().list().len(), 1);
}

#[tokio::test]
async fn an_internationalised_domain_has_one_form() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let invited = owner.invite("acme", "kim@BÜCHER.example").await;
    assert_eq!(
        invited.expect_status(201).text("email"),
        "kim@xn--bcher-kva.example"
    );
    let again = owner.invite("acme", "kim@xn--bcher-kva.example").await;
    again.expect_problem(409, "already_invited");
    let kim = rollcall.person("kim@bücher.example").await;
    let token = rollcall.newest_token();
    kim.login(&json!({ "inviteToken": token }))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn the_owner_is_a_member_already() {
    let (_rollcall, owner) = Rollcall::start_with_owner().await;
    let reply = owner.invite("acme", OWNER).await;
    reply.expect_problem(409, "already_member");
}

#[tokio::test]
async fn an_expired_invite_is_resent_and_not_replaced() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    rollcall.advance(8 * 86_400).await;
    let again = owner.invite("acme", KIM).await;
    again.expect_problem(409, "already_invited");
    let resent = owner.resend("acme", KIM).await.expect_status(200);
    assert_eq!(resent.text("status"), "invited");
}

#[tokio::test]
async fn only_pro_level_accounts_invite() {
    let rollcall = Rollcall::start().await;
    let owner = rollcall.person(OWNER).await;
    for (account, plan) in [("a", "basic"), ("b", "free"), ("c", "pro-trial")] {
        rollcall.account(account, plan).await;
        let refused = owner.invite(account, KIM).await;
        let refused = refused.expect_problem(403, "upgrade_required");
        assert_eq!(
            refused.text("detail"),
            "Multi-user access is only available to pro-level accounts. \
             Upgrade the account to use it."
        );
    }
    for (account, plan) in [("d", "pro"), ("e", "Business"), ("f", "ENTERPRISE")] {
        rollcall.account(account, plan).await;
        owner.invite(account, KIM).await.expect_status(201);
    }
}

#[tokio::test]
async fn a_downgrade_locks_members_out_until_the_next_upgrade() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let max = rollcall.member(&owner, "max@example.com").await;
    owner.invite("acme", KIM).await.expect_status(201);
    let token = json!({ "inviteToken": rollcall.newest_token() });
    let kim = rollcall.person(KIM).await;
    rollcall.advance(60).await;

    rollcall.account("acme", "basic").await;
    for refused in [
        owner.invite("acme", "new@example.com").await,
        owner.resend("acme", KIM).await,
        max.login(&json!({})).await,
        max.list("acme", "").await,
        max.remove("acme", KIM).await,
        kim.login(&token).await,
        kim.login(&json!({ "accountId": "acme" })).await,
    ] {
        refused.expect_problem(403, "upgrade_required");
    }
    // The owner still gets in, sees who is there, and can take access away.
    let login = owner.login(&json!({})).await.expect_status(200);
    assert_eq!(login.body["account"]["plan"], "basic");
    assert_eq!(login.body["account"]["proLevel"], false);
    assert_eq!(owner.list("acme", "").await.emails().len(), 3);

    rollcall.account("acme", "pro").await;
    max.login(&json!({})).await.expect_status(200);
    kim.login(&token).await.expect_status(200);
    owner
        .invite("acme", "new@example.com")
        .await
        .expect_status(201);
}

#[tokio::test]
async fn an_account_sends_fifty_mails_an_hour() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.advance(15 * 60).await;
    for number in 1..=50 {
        let address = format!("p{number}@example.com");
        owner.invite("acme", &address).await.expect_status(201);
    }
    rollcall.advance(60).await;
    for refused in [
        owner.invite("acme", KIM).await,
        owner.resend("acme", "p1@example.com").await,
    ] {
        let refused = refused.expect_problem(429, "send_limit_reached");
        assert_eq!(refused.header("retry-after"), (44 * 60).to_string());
    }
    // Another account has a limit of its own.
    rollcall.account("other", "pro").await;
    owner.invite("other", KIM).await.expect_status(201);

    rollcall.advance(44 * 60 - 1).await;
    let refused = owner.invite("acme", KIM).await;
    let refused = refused.expect_problem(429, "send_limit_reached");
    assert_eq!(refused.header("retry-after"), "1");
    rollcall.advance(1).await;
    owner.invite("acme", KIM).await.expect_status(201);
}

#[tokio::test]
async fn a_person_gets_ten_mails_a_day_from_all_accounts_together() {
    let rollcall = Rollcall::start().await;
    let owner = rollcall.person(OWNER).await;
    for number in 0..=10 {
        rollcall.account(&format!("a{number}"), "pro").await;
    }
    for number in 0..10 {
        let invited = owner.invite(&format!("a{number}"), KIM).await;
        invited.expect_status(201);
    }
    rollcall.advance(60).await;
    for refused in [
        owner.invite("a10", KIM).await,
        owner.resend("a0", KIM).await,
    ] {
        let refused = refused.expect_problem(429, "send_limit_reached");
        assert_eq!(refused.header("retry-after"), (12 * 3_600 - 60).to_string());
    }
    // Nobody else has to wait, and refused requests didn't count.
    owner
        .invite("a10", "max@example.com")
        .await
        .expect_status(201);
    rollcall.advance(12 * 3_600 - 60).await;
    owner.invite("a10", KIM).await.expect_status(201);
    owner.resend("a0", KIM).await.expect_status(200);
}

#[tokio::test]
async fn limits_are_what_the_deployment_says() {
    let rollcall = Rollcall::start_with(local::Options {
        parameters: vec![
            ("SendsPerHour", "1".to_owned()),
            ("InviteLifetimeDays", "1".to_owned()),
            ("ProPlans", "basic, team".to_owned()),
        ],
        ..local::Options::default()
    })
    .await;
    rollcall.account("acme", "basic").await;
    let owner = rollcall.person(OWNER).await;
    let invited = owner.invite("acme", KIM).await.expect_status(201);
    assert_eq!(invited.text("expiresAt"), "2026-11-25T12:00:00Z");
    let refused = owner.invite("acme", "max@example.com").await;
    refused.expect_problem(429, "send_limit_reached");
    rollcall.account("acme", "pro").await;
    let refused = owner.invite("acme", "max@example.com").await;
    refused.expect_problem(403, "upgrade_required");
}

#[tokio::test]
async fn removed_people_can_be_invited_again_under_a_new_name() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.member(&owner, KIM).await;
    owner.remove("acme", KIM).await.expect_status(200);
    let body = json!({ "firstName": "Kimberly", "lastName": "Li", "email": KIM });
    let invited = owner.post("/accounts/acme/members", &body).await;
    let invited = invited.expect_status(201);
    assert_eq!(invited.text("firstName"), "Kimberly");
    // The invite is new, and its mail can still be distinguished from the earlier invite's mail.
    assert_eq!(invited.body["sends"], 1);
    assert_eq!(rollcall.newest_mail().tags["send"], "2");
    assert!(invited.body.get("removedAt").is_none());
}

#[tokio::test]
async fn spaces_around_names_are_trimmed() {
    let (_rollcall, owner) = Rollcall::start_with_owner().await;
    let body = json!({ "firstName": " Kim ", "lastName": " van der Berg ", "email": KIM });
    let invited = owner.post("/accounts/acme/members", &body).await;
    let invited = invited.expect_status(201);
    assert_eq!(
        [invited.text("firstName"), invited.text("lastName")],
        ["Kim", "van der Berg"]
    );
}

#[tokio::test]
async fn a_misspelt_domain_is_answered_with_the_address_that_was_probably_meant() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    for _ in 0..2 {
        let invited = owner
            .invite_with_key("acme", "Kim.Lee@gmial.com", "key")
            .await;
        let invited = invited.expect_status(201);
        assert_eq!(invited.text("didYouMean"), "kim.lee@gmail.com");
    }
    // It is only a hint: the mail went to the address the owner gave.
    assert_eq!(rollcall.newest_mail().to, "kim.lee@gmial.com");
    let list = owner.list("acme", "?q=gmial").await;
    assert!(list.body["members"][0].get("didYouMean").is_none());
    let right = owner.invite("acme", "kim.lee@gmail.com").await;
    assert!(right.expect_status(201).body.get("didYouMean").is_none());
}
