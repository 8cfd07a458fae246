//! What each operation asks of AWS, in sequence. These numbers are what a call costs and how long
//! it takes: they change on purpose only.

use reqwest::Method;
use serde_json::json;

use crate::harness::{OWNER, Person, Reply, Rollcall, member_id};

const KIM: &str = "kim@example.com";

/// One read of several items.
const READ: &str = "BatchGetItem";
/// The search for somebody's accounts, or a page of the list.
const QUERY: &str = "Query";
/// One item changes.
const UPDATE: &str = "UpdateItem";
/// Several items change together.
const TRANSACTION: &str = "TransactWriteItems";
const MAIL: &str = "SendEmail";

#[tokio::test]
async fn each_operation_makes_its_calls_and_no_others() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.person(KIM).await;
    let calls = || rollcall.wire.calls();

    owner.login(&json!({})).await.expect_status(200);
    assert_eq!(
        calls(),
        [QUERY, READ, TRANSACTION],
        "first login of an owner"
    );
    owner.login(&json!({})).await.expect_status(200);
    assert_eq!(calls(), [QUERY, READ], "login, account not known");
    let named = json!({ "accountId": "acme" });
    owner.login(&named).await.expect_status(200);
    assert_eq!(calls(), [READ], "login, account known");

    owner.invite("acme", KIM).await.expect_status(201);
    assert_eq!(calls(), [READ, TRANSACTION, MAIL], "invite");
    let keyed = owner.invite_with_key("acme", "max@example.com", "key");
    keyed.await.expect_status(201);
    assert_eq!(calls(), [READ, TRANSACTION, MAIL], "invite with a key");
    let keyed = owner.invite_with_key("acme", "max@example.com", "key");
    keyed.await.expect_status(201);
    assert_eq!(calls(), [READ], "a repeated invite");

    rollcall.advance(60).await;
    owner.resend("acme", KIM).await.expect_status(200);
    assert_eq!(calls(), [READ, TRANSACTION, MAIL], "resend");
    let keyed = owner.resend_with_key("acme", "max@example.com", "again");
    keyed.await.expect_status(200);
    assert_eq!(calls(), [READ, TRANSACTION, MAIL], "resend with a key");
    let keyed = owner.resend_with_key("acme", "max@example.com", "again");
    keyed.await.expect_status(200);
    assert_eq!(calls(), [READ], "a repeated resend");

    owner.resend("acme", KIM).await;
    rollcall.wire.forget();
    let mails = rollcall.stack.mailbox().list();
    let to_kim = mails.iter().find(|mail| mail.to == KIM).unwrap();
    let token = to_kim.link.as_deref().unwrap().split_once("#token=");
    let token = json!({ "inviteToken": token.unwrap().1 });
    kim.login(&token).await.expect_status(200);
    assert_eq!(calls(), [READ, UPDATE], "accepting an invite");
    kim.login(&token).await.expect_status(200);
    assert_eq!(calls(), [READ], "login with a link that is not needed");

    for query in ["", "?q=kim", "?status=active", "?status=removed&limit=1"] {
        owner.list("acme", query).await.expect_status(200);
        // The two run side by side.
        let mut made = calls();
        made.sort_unstable();
        assert_eq!(made, [READ, QUERY], "list {query}");
    }

    owner.remove("acme", KIM).await.expect_status(200);
    assert_eq!(calls(), [READ, UPDATE], "remove");
    owner.remove("acme", KIM).await.expect_status(200);
    assert_eq!(calls(), [READ], "removing again");

    rollcall.account("new", "pro").await;
    assert_eq!(calls(), [READ, TRANSACTION], "a new account");
    rollcall.account("new", "basic").await;
    assert_eq!(calls(), [READ, UPDATE], "a new plan");
    rollcall.account("new", "basic").await;
    assert_eq!(calls(), [READ], "nothing new");
}

#[tokio::test]
async fn a_failed_mail_is_written_down_in_one_call() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let mailbox = rollcall.stack.mailbox();
    mailbox.fail_next(local::SesFailure::MessageRejected);
    owner.invite("acme", KIM).await.expect_status(201);
    let calls = rollcall.wire.calls();
    assert_eq!(calls, [READ, TRANSACTION, MAIL, UPDATE]);
    mailbox.fail_next(local::SesFailure::MessageRejected);
    owner.resend_with_key("acme", KIM, "key").await;
    let calls = rollcall.wire.calls();
    assert_eq!(calls, [READ, TRANSACTION, MAIL, TRANSACTION]);
}

/// A way to be refused: what it is, the answer, the code, the calls.
struct Refused(&'static str, Reply, &'static str, &'static [&'static str]);

/// Demands that no row changes, and that every refusal made its calls.
async fn expect_reads_only(
    rollcall: &Rollcall,
    refused: impl AsyncFn() -> Vec<(Refused, Vec<String>)>,
) {
    let rows = rollcall.rows().await;
    let mails = rollcall.stack.mailbox().list().len();
    rollcall.wire.forget();
    for (Refused(what, reply, code, expected), mut calls) in refused().await {
        assert_eq!(reply.text("code"), code, "{what}");
        // The list reads side by side.
        calls.sort_unstable();
        assert_eq!(calls, expected, "{what}");
    }
    assert_eq!(rollcall.rows().await, rows);
    assert_eq!(rollcall.stack.mailbox().list().len(), mails);
}

#[tokio::test]
async fn a_refusal_reads_and_writes_nothing() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.login(&json!({})).await.expect_status(200);
    let max = rollcall.member(&owner, "max@example.com").await;
    let removed = rollcall.member(&owner, "mia@example.com").await;
    owner.remove("acme", "mia@example.com").await;
    let kim = rollcall.person(KIM).await;
    owner.invite_with_key("acme", KIM, "key").await;
    let superseded = rollcall.newest_token();
    rollcall.advance(60).await;
    owner.resend("acme", KIM).await.expect_status(200);
    let token = rollcall.newest_token();
    let stranger = rollcall.person("stranger@example.com").await;
    let impostor = json!({ "email": OWNER, "sub": "somebody-else" });
    let impostor = rollcall.signed_in(&impostor).await;
    let unknown = format!("acme.{}.{}", member_id("acme", KIM), "A".repeat(43));
    let with = |token: &str| json!({ "inviteToken": token });
    let acme = json!({ "accountId": "acme" });
    let wire = &rollcall.wire;

    expect_reads_only(&rollcall, async || {
        let mut refused = Vec::new();
        let mut note = |what, reply, code, calls| {
            refused.push((Refused(what, reply, code, calls), wire.calls()));
        };
        for (who, person, code) in [
            ("stranger", &stranger, "no_access"),
            ("removed", &removed, "access_revoked"),
            ("invited", &kim, "invite_link_required"),
            ("impostor", &impostor, "identity_mismatch"),
        ] {
            let new = "new@example.com";
            note(who, person.invite("acme", new).await, code, &[READ]);
            note(who, person.resend("acme", KIM).await, code, &[READ]);
            note(who, person.remove("acme", KIM).await, code, &[READ]);
            note(who, person.list("acme", "").await, code, &[READ, QUERY]);
            note(who, person.login(&acme).await, code, &[READ]);
        }
        let new = "new@example.com";
        let reply = max.invite("acme", new).await;
        note("a member's invite", reply, "owner_only", &[READ]);
        let reply = max.resend("acme", KIM).await;
        note("a member's resend", reply, "owner_only", &[READ]);
        let reply = max.remove("acme", KIM).await;
        note("a member's removal", reply, "owner_only", &[READ]);

        let reply = owner.invite("acme", KIM).await;
        note("invited twice", reply, "already_invited", &[READ]);
        let reply = owner.invite("acme", "max@example.com").await;
        note("invited a member", reply, "already_member", &[READ]);
        let reply = owner.invite_with_key("acme", new, "key").await;
        note("key reused", reply, "idempotency_key_reused", &[READ]);
        let reply = owner.resend_with_key("acme", KIM, "key").await;
        note("key reused", reply, "idempotency_key_reused", &[READ]);
        let reply = owner.resend("acme", KIM).await;
        note("resent too soon", reply, "resend_too_soon", &[READ]);
        let reply = owner.resend("acme", "max@example.com").await;
        note("resent to a member", reply, "not_invited", &[READ]);
        let reply = owner.resend("acme", new).await;
        note("resent to nobody", reply, "member_not_found", &[READ]);
        let reply = owner.remove("acme", new).await;
        note("removed nobody", reply, "member_not_found", &[READ]);
        let reply = owner.remove("acme", OWNER).await;
        note(
            "removed the owner",
            reply,
            "owner_cannot_be_removed",
            &[READ],
        );

        let reply = kim.login(&with(&superseded)).await;
        note("old link", reply, "invite_superseded", &[READ]);
        let reply = kim.login(&with(&unknown)).await;
        note("unknown link", reply, "invite_invalid", &[READ]);
        let reply = kim.login(&json!({})).await;
        note("no link", reply, "invite_link_required", &[READ, QUERY]);
        let reply = stranger.login(&with(&token)).await;
        note("another's link", reply, "wrong_account", &[READ]);
        let reply = stranger.login(&json!({})).await;
        note("nobody's login", reply, "no_access", &[QUERY]);
        refused
    })
    .await;

    rollcall.advance(8 * 86_400).await;
    expect_reads_only(&rollcall, async || {
        let reply = kim.login(&with(&token)).await;
        let expired = Refused("expired", reply, "invite_expired", &[READ]);
        vec![(expired, wire.calls())]
    })
    .await;

    rollcall.account("acme", "basic").await;
    expect_reads_only(&rollcall, async || {
        let mut refused = Vec::new();
        let mut note = |what, reply| {
            let refusal = Refused(what, reply, "upgrade_required", &[READ]);
            refused.push((refusal, wire.calls()));
        };
        let new = "new@example.com";
        note("basic plan: invite", owner.invite("acme", new).await);
        note("basic plan: resend", owner.resend("acme", KIM).await);
        note("basic plan: login", max.login(&acme).await);
        refused
    })
    .await;

    rollcall.close("acme").await;
    expect_reads_only(&rollcall, async || {
        let reply = owner.login(&acme).await;
        let closed = Refused("closed", reply, "account_closed", &[READ]);
        vec![(closed, wire.calls())]
    })
    .await;
}

#[tokio::test]
async fn limits_are_known_before_a_write_but_for_the_recipient_of_a_resend() {
    let rollcall = Rollcall::start_with(local::Options {
        parameters: vec![
            ("SendsPerHour", "4".to_owned()),
            ("ResendsPerDay", "1".to_owned()),
            ("SendsPerRecipientPerDay", "2".to_owned()),
        ],
        ..local::Options::default()
    })
    .await;
    let owner = rollcall.person(OWNER).await;
    for account in ["a", "b", "c"] {
        rollcall.account(account, "pro").await;
    }
    owner.invite("a", KIM).await.expect_status(201);
    owner.invite("b", KIM).await.expect_status(201);
    owner.invite("c", "max@example.com").await;
    rollcall.advance(60).await;
    owner.resend("c", "max@example.com").await;
    rollcall.advance(60).await;
    let rows = rollcall.rows().await;
    rollcall.wire.forget();
    let limited = |reply: Reply| {
        reply.expect_problem(429, "send_limit_reached");
        rollcall.wire.calls()
    };
    assert_eq!(limited(owner.invite("c", KIM).await), [READ]);
    assert_eq!(limited(owner.resend("c", "max@example.com").await), [READ]);
    // Whom the mail would go to is not known before the read: the transaction is cancelled.
    assert_eq!(limited(owner.resend("a", KIM).await), [READ, TRANSACTION]);
    assert_eq!(rollcall.rows().await, rows);

    for number in 0..2 {
        let email = format!("p{number}@example.com");
        owner.invite("c", &email).await.expect_status(201);
    }
    rollcall.advance(60).await;
    rollcall.wire.forget();
    assert_eq!(limited(owner.invite("c", "q@example.com").await), [READ]);
    assert_eq!(limited(owner.resend("c", "p0@example.com").await), [READ]);
}

#[tokio::test]
async fn who_is_not_signed_in_costs_nothing() {
    let (rollcall, _owner) = Rollcall::start_with_owner().await;
    let member = member_id("acme", OWNER);
    for route in rollcall.stack.routes() {
        let path = route.path.replace("{accountId}", "acme");
        let path = path.replace("{memberId}", member.as_str());
        let method: Method = route.method.parse().unwrap();
        if route.has_authorizer {
            let refused = rollcall.anonymous(method, &path).await;
            let refused = refused.expect_problem(401, "unauthenticated");
            assert_eq!(refused.header("www-authenticate"), "Bearer");
        }
    }
    assert!(rollcall.wire.calls().is_empty());
}

#[tokio::test]
async fn what_is_malformed_costs_nothing() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let post = async |person: &Person, path: &str| person.post(path, &json!({ "x": 1 })).await;
    let kim = member_id("acme", KIM);
    for refused in [
        post(&owner, "/accounts/acme/members").await,
        post(&owner, "/accounts/a.b/members").await,
        post(&owner, &format!("/accounts/acme/members/{kim}/resend")).await,
        post(&owner, "/accounts/acme/members/x/resend").await,
        post(&owner, "/login").await,
        owner.delete("/accounts/acme/members/x").await,
        owner.list("acme", "?limit=0").await,
        rollcall.provision(&json!({})).await,
    ] {
        refused.expect_problem(400, "invalid_request");
    }
    let refused = owner.login(&json!({ "inviteToken": "x" })).await;
    refused.expect_problem(410, "invite_invalid");
    assert!(rollcall.wire.calls().is_empty());
}
