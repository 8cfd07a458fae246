//! The requests that each call makes to AWS, and what they cost. These numbers decide the price and
//! the speed of a call, so they only change on purpose. `docs/performance.md` has them all in one
//! table.

mod ledger;
mod rates;

use std::collections::BTreeSet;

use local::Template;
use platform::problem::Code;
use reqwest::Method;
use serde_json::json;

use self::ledger::{Ledger, Line};
use crate::harness::{OWNER, Person, Reply, Rollcall, compare_or_bless, invitation, member_id};
use crate::mail_feedback::event;

const KIM: &str = "kim@example.com";
const MAX: &str = "max@example.com";
const NEW: &str = "new@example.com";

/// One read of several items.
const READ: &str = "BatchGetItem";
/// The search for a person's accounts, or a page of the list.
const QUERY: &str = "Query";
/// One item changes.
const UPDATE: &str = "UpdateItem";
/// Several items change together.
const TRANSACTION: &str = "TransactWriteItems";
const MAIL: &str = "SendEmail";

/// The operations, in the order of the table.
const OPERATIONS: &[&str] = &[
    "invite",
    "resend",
    "remove",
    "list",
    "authorize-login",
    "authorize-request",
    "update-details",
    "close-account",
    "provision-account",
    "mail-feedback",
    "support-feedback",
    "lift-suppression",
    "publish-changes",
];

/// Refusals that make no request to AWS in any operation, and answers that aren't decisions.
const BEFORE_ANY_CALL: [Code; 7] = [
    Code::InvalidRequest,
    Code::Unauthenticated,
    Code::EmailUnverified,
    Code::NotFound,
    Code::BodyTooLarge,
    Code::Internal,
    Code::Unavailable,
];

#[tokio::test]
async fn what_calls_cost_is_up_to_date() {
    // One after the other: side by side on one thread, a request could wait so long that the SDK
    // repeats it.
    let mut lines = invites_and_resends().await;
    lines.extend(removals().await);
    lines.extend(lists().await);
    lines.extend(logins().await);
    lines.extend(guarded_requests().await);
    lines.extend(details().await);
    lines.extend(provisioning_and_closing().await);
    lines.extend(feedback_and_support().await);
    lines.extend(published_changes().await);
    lines.extend(people_without_rights().await);
    lines.extend(time_and_plans().await);
    lines.extend(limits().await);
    let measured: BTreeSet<&str> = lines.iter().map(|line| line.operation).collect();
    assert_eq!(measured, OPERATIONS.iter().copied().collect());
    lines.sort_by_key(|line| OPERATIONS.iter().position(|name| *name == line.operation));
    let table = ledger::table(&lines);
    for code in Code::ALL {
        let costs = table.contains(&format!("`{}`", code.as_str()));
        assert_ne!(costs, BEFORE_ANY_CALL.contains(code), "{}", code.as_str());
    }
    expect_written("calls", &table);

    expect_written("rates", &rates::table(&lines));
}

#[test]
fn no_operation_is_left_out() {
    let functions = Template::of_this_repository().unwrap().functions().unwrap();
    let functions = functions.into_iter().map(|function| function.operation);
    // The page makes no request to AWS.
    let expected: BTreeSet<String> = functions.filter(|name| name != "members-page").collect();
    let listed = OPERATIONS.iter().map(ToString::to_string);
    assert_eq!(listed.collect::<BTreeSet<_>>(), expected);
}

/// Checks that a table is in the document, between its two markers.
#[track_caller]
fn expect_written(name: &str, table: &str) {
    let (begin, end) = (format!("<!-- {name}: -->\n"), format!("<!-- :{name} -->"));
    compare_or_bless("docs/performance.md", |document| {
        let (before, rest) = document.split_once(&begin).unwrap();
        let (_, after) = rest.split_once(&end).unwrap();
        [before, &begin, table, &end, after].concat()
    });
}

async fn invites_and_resends() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    rollcall.member(&owner, MAX).await;
    let mut ledger = Ledger::of(&rollcall);
    const SENDS: &[&str] = &[READ, TRANSACTION, MAIL];

    let reply = owner.invite("acme", KIM).await;
    ledger.done("invite", "invited", SENDS, reply).await;
    let reply = owner.invite("acme", KIM).await;
    ledger
        .refused("invite", "already_invited", &[READ], reply)
        .await;
    let reply = owner.invite("acme", MAX).await;
    ledger
        .refused("invite", "already_member", &[READ], reply)
        .await;
    let reply = owner.invite_with_key("acme", NEW, "key").await;
    ledger.done("invite", "with a key", SENDS, reply).await;
    let reply = owner.invite_with_key("acme", NEW, "key").await;
    ledger
        .done("invite", "the same key again", &[READ], reply)
        .await;
    let reply = owner.invite_with_key("acme", KIM, "key").await;
    ledger
        .refused("invite", "idempotency_key_reused", &[READ], reply)
        .await;

    let reply = owner.resend("acme", KIM).await;
    ledger
        .refused("resend", "resend_too_soon", &[READ], reply)
        .await;
    rollcall.advance(60).await;
    let reply = owner.resend("acme", KIM).await;
    ledger.done("resend", "sent", SENDS, reply).await;
    let reply = owner.resend_with_key("acme", NEW, "again").await;
    ledger.done("resend", "with a key", SENDS, reply).await;
    let reply = owner.resend_with_key("acme", NEW, "again").await;
    ledger
        .done("resend", "the same key again", &[READ], reply)
        .await;
    let reply = owner.resend_with_key("acme", KIM, "again").await;
    ledger
        .refused("resend", "idempotency_key_reused", &[READ], reply)
        .await;
    let reply = owner.resend("acme", MAX).await;
    ledger
        .refused("resend", "not_invited", &[READ], reply)
        .await;
    let reply = owner.resend("acme", "nobody@example.com").await;
    ledger
        .refused("resend", "member_not_found", &[READ], reply)
        .await;

    owner.remove("acme", MAX).await.expect_status(200);
    ledger.skip().await;
    let reply = owner.invite("acme", MAX).await;
    ledger
        .done("invite", "somebody who was removed", SENDS, reply)
        .await;

    let mailbox = rollcall.stack.mailbox();
    mailbox.fail_next(local::SesFailure::MessageRejected);
    let reply = owner.invite("acme", "a@example.com").await;
    let steps = [READ, TRANSACTION, MAIL, UPDATE];
    ledger
        .done("invite", "the mail service refuses", &steps, reply)
        .await;
    mailbox.fail_next(local::SesFailure::MessageRejected);
    let reply = owner
        .resend_with_key("acme", "a@example.com", "third")
        .await;
    let steps = [READ, TRANSACTION, MAIL, TRANSACTION];
    let what = "with a key, the mail service refuses";
    ledger.done("resend", what, &steps, reply).await;
    rollcall.advance(60).await;
    mailbox.fail_next(local::SesFailure::MessageRejected);
    let reply = owner.resend("acme", "a@example.com").await;
    let steps = [READ, TRANSACTION, MAIL, UPDATE];
    ledger
        .done("resend", "the mail service refuses", &steps, reply)
        .await;

    let mut bounce = event(&rollcall.newest_mail(), "Bounce");
    bounce["bounce"] = json!({ "bounceType": "Permanent", "bounceSubType": "NoEmail" });
    let fed = rollcall.dev("/dev/feedback", &bounce).await;
    fed.expect_status(200);
    rollcall.advance(60).await;
    ledger.skip().await;
    let reply = owner.resend("acme", &rollcall.newest_mail().to).await;
    ledger
        .refused("resend", "address_undeliverable", &[READ], reply)
        .await;
    ledger.lines
}

async fn removals() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    rollcall.member(&owner, MAX).await;
    owner.invite("acme", KIM).await.expect_status(201);
    let mut ledger = Ledger::of(&rollcall);
    let reply = owner.remove("acme", MAX).await;
    ledger
        .done("remove", "an active member", &[READ, UPDATE], reply)
        .await;
    let reply = owner.remove("acme", KIM).await;
    ledger
        .done("remove", "an invite", &[READ, UPDATE], reply)
        .await;
    let reply = owner.remove("acme", KIM).await;
    ledger.done("remove", "again", &[READ], reply).await;
    let reply = owner.remove("acme", NEW).await;
    ledger
        .refused("remove", "member_not_found", &[READ], reply)
        .await;
    let reply = owner.remove("acme", OWNER).await;
    ledger
        .refused("remove", "owner_cannot_be_removed", &[READ], reply)
        .await;
    ledger.lines
}

async fn lists() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    rollcall.member(&owner, MAX).await;
    owner.invite("acme", KIM).await.expect_status(201);
    owner.invite("acme", NEW).await.expect_status(201);
    owner.remove("acme", NEW).await.expect_status(200);
    // 49 people, and the removed one.
    rollcall.crowd("acme", KIM, 46).await;
    let mut ledger = Ledger::of(&rollcall);
    for (query, what) in [
        ("", "49 people"),
        ("?limit=10", "a page of 10"),
        ("?q=p0001", "a search among 49"),
        ("?status=invited", "those invited among 49"),
        ("?status=removed", "the one removed"),
    ] {
        let reply = owner.list("acme", query).await;
        ledger.done("list", what, &[READ, QUERY], reply).await;
    }
    ledger.lines
}

async fn logins() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.person(KIM).await;
    let acme = json!({ "accountId": "acme" });
    let with = |token: &str| json!({ "inviteToken": token });
    let mut ledger = Ledger::of(&rollcall);
    let name = "authorize-login";
    const NAMED: &[&str] = &[READ];
    const SEARCHED: &[&str] = &[QUERY, READ];

    let reply = owner.login(&json!({})).await;
    let first = [QUERY, READ, TRANSACTION];
    ledger
        .done(name, "first, account not known", &first, reply)
        .await;
    let reply = owner.login(&json!({})).await;
    ledger
        .done(name, "account not known", SEARCHED, reply)
        .await;
    let reply = owner.login(&acme).await;
    ledger.done(name, "account known", NAMED, reply).await;

    owner.invite("acme", KIM).await.expect_status(201);
    let superseded = rollcall.newest_token();
    rollcall.advance(60).await;
    owner.resend("acme", KIM).await.expect_status(200);
    let token = rollcall.newest_token();
    let unknown = format!("acme.{}.{}", member_id("acme", KIM), "A".repeat(43));
    let stranger = rollcall.person("stranger@example.com").await;
    ledger.skip().await;

    let reply = kim.login(&acme).await;
    ledger
        .refused(name, "invite_link_required", NAMED, reply)
        .await;
    let reply = kim.login(&json!({})).await;
    let code = "invite_link_required";
    ledger
        .refused_as(name, code, ", account not known", SEARCHED, reply)
        .await;
    let reply = kim.login(&with(&superseded)).await;
    ledger
        .refused(name, "invite_superseded", NAMED, reply)
        .await;
    let reply = kim.login(&with(&unknown)).await;
    ledger.refused(name, "invite_invalid", NAMED, reply).await;
    let reply = stranger.login(&with(&token)).await;
    ledger.refused(name, "wrong_account", NAMED, reply).await;
    let reply = stranger.login(&json!({})).await;
    ledger
        .refused_as(name, "no_access", ", account not known", &[QUERY], reply)
        .await;

    let reply = kim.login(&with(&token)).await;
    ledger
        .done(name, "accepts an invite", &[READ, UPDATE], reply)
        .await;
    let reply = kim.login(&with(&token)).await;
    ledger
        .done(name, "with a link that is not needed", NAMED, reply)
        .await;

    rollcall.account("other", "pro").await;
    ledger.skip().await;
    let reply = owner.login(&json!({})).await;
    ledger
        .refused_as(name, "choose_account", ", of two", SEARCHED, reply)
        .await;
    ledger.lines
}

async fn guarded_requests() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let stranger = rollcall.person("stranger@example.com").await;
    let mut ledger = Ledger::of(&rollcall);
    let name = "authorize-request";
    let use_product = async |caller: &Person, account: Option<&str>| {
        let mut request = caller.request(Method::GET, "/dev/product");
        if let Some(account) = account {
            request = request.header("x-account-id", account);
        }
        Reply::of(request).await
    };
    let reply = use_product(&owner, Some("acme")).await;
    ledger.done(name, "account known", &[READ], reply).await;
    let reply = use_product(&owner, None).await;
    ledger
        .done(name, "account not known", &[QUERY, READ], reply)
        .await;
    use_product(&stranger, Some("acme"))
        .await
        .expect_status(403);
    ledger
        .happened(name, "a stranger, account known", &[READ])
        .await;
    use_product(&stranger, None).await.expect_status(403);
    ledger
        .happened(name, "a stranger, account not known", &[QUERY])
        .await;
    ledger.lines
}

async fn details() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let mut ledger = Ledger::of(&rollcall);
    let name = "update-details";
    let company = json!({ "company": "Acme & Sons" });
    let reply = owner.patch("/accounts/acme", &company).await;
    ledger
        .done(name, "the company", &[READ, UPDATE], reply)
        .await;
    let reply = owner.patch("/accounts/acme", &company).await;
    ledger.done(name, "nothing new", &[READ], reply).await;
    let path = format!("/accounts/acme/members/{}", member_id("acme", OWNER));
    let reply = owner.patch(&path, &json!({ "firstName": "Olga" })).await;
    ledger.done(name, "a name", &[READ, UPDATE], reply).await;
    let path = format!("/accounts/acme/members/{}", member_id("acme", NEW));
    let reply = owner.patch(&path, &json!({ "firstName": "Olga" })).await;
    ledger
        .refused(name, "member_not_found", &[READ], reply)
        .await;
    ledger.lines
}

async fn provisioning_and_closing() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let mut ledger = Ledger::of(&rollcall);
    let name = "provision-account";
    rollcall.account("new", "pro").await;
    ledger
        .happened(name, "a new account", &[READ, TRANSACTION])
        .await;
    rollcall.account("new", "basic").await;
    ledger.happened(name, "a new plan", &[READ, UPDATE]).await;
    rollcall.account("new", "basic").await;
    ledger.happened(name, "nothing new", &[READ]).await;
    let reply = owner.delete("/accounts/acme").await;
    ledger
        .done("close-account", "closed", &[READ, UPDATE], reply)
        .await;
    let reply = owner.delete("/accounts/acme").await;
    ledger.done("close-account", "again", &[READ], reply).await;
    ledger.lines
}

async fn feedback_and_support() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    let mut bounce = event(&rollcall.newest_mail(), "Bounce");
    bounce["bounce"] = json!({
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [{ "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 unknown" }],
        "feedbackId": "0107-bounce",
    });
    let claims = json!({ "email": "sue@product.example", "groups": ["support"] });
    let support = rollcall.signed_in(&claims).await;
    let mut ledger = Ledger::of(&rollcall);

    let name = "mail-feedback";
    let reply = rollcall.dev("/dev/feedback", &bounce).await;
    ledger
        .done(name, "a bounce", &[READ, TRANSACTION], reply)
        .await;
    let reply = rollcall.dev("/dev/feedback", &bounce).await;
    ledger.done(name, "the same again", &[READ], reply).await;
    bounce["mail"]["tags"]["send"] = json!(["7"]);
    bounce["bounce"]["feedbackId"] = json!("0107-other");
    let reply = rollcall.dev("/dev/feedback", &bounce).await;
    let what = "about another send";
    ledger.done(name, what, &[READ, UPDATE], reply).await;
    bounce["mail"]["tags"]["account"] = json!(["nowhere"]);
    let reply = rollcall.dev("/dev/feedback", &bounce).await;
    ledger.done(name, "no mail of ours", &[READ], reply).await;

    let name = "support-feedback";
    let reply = support.get("/support/feedback?email=kim@example.com").await;
    let all = ["GetSuppressedDestination + Query + Query", READ];
    ledger.done(name, "about a person", &all, reply).await;
    let reply = support
        .get("/support/feedback?since=2026-11-24T00:00:00Z")
        .await;
    ledger
        .done(name, "since this morning", &[QUERY], reply)
        .await;
    let reply = support.get("/support/feedback").await;
    // A week touches eight days.
    ledger.done(name, "of a week", &[QUERY; 8], reply).await;
    let reply = owner.get("/support/feedback?email=kim@example.com").await;
    ledger.refused(name, "support_only", &[], reply).await;

    let name = "lift-suppression";
    let lift = "DeleteSuppressedDestination";
    let path = "/support/suppressions/kim@example.com";
    let reply = support.delete(path).await;
    ledger
        .done(name, "lifted", &[lift, QUERY, READ, UPDATE], reply)
        .await;
    let reply = support.delete(path).await;
    ledger
        .done(name, "nothing to lift", &[lift, QUERY, READ], reply)
        .await;
    let reply = owner.delete(path).await;
    ledger.refused(name, "support_only", &[], reply).await;
    ledger.lines
}

async fn published_changes() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let look = async || {
        let looked = rollcall.anonymous(Method::GET, "/dev/events.json").await;
        looked.expect_status(200);
    };
    look().await;
    owner.invite("acme", KIM).await.expect_status(201);
    let mut ledger = Ledger::of(&rollcall);
    look().await;
    let name = "publish-changes";
    ledger.happened(name, "an invite", &["PutEvents"]).await;
    ledger.lines
}

/// The refusals that come before each call's own rules.
async fn people_without_rights() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let max = rollcall.member(&owner, MAX).await;
    let removed = rollcall.member(&owner, "mia@example.com").await;
    owner.remove("acme", "mia@example.com").await;
    let kim = rollcall.person(KIM).await;
    owner.invite("acme", KIM).await.expect_status(201);
    let stranger = rollcall.person("stranger@example.com").await;
    let impostor = json!({ "email": OWNER, "sub": "somebody-else" });
    let impostor = rollcall.signed_in(&impostor).await;
    let acme = json!({ "accountId": "acme" });
    let mut ledger = Ledger::of(&rollcall);
    for (person, code) in [
        (&stranger, "no_access"),
        (&removed, "access_revoked"),
        (&kim, "invite_link_required"),
        (&impostor, "identity_mismatch"),
    ] {
        let reply = person.invite("acme", NEW).await;
        ledger.refused("invite", code, &[READ], reply).await;
        let reply = person.resend("acme", KIM).await;
        ledger.refused("resend", code, &[READ], reply).await;
        let reply = person.remove("acme", KIM).await;
        ledger.refused("remove", code, &[READ], reply).await;
        let reply = person.list("acme", "").await;
        ledger.refused("list", code, &[READ], reply).await;
        let reply = person
            .patch("/accounts/acme", &json!({ "company": "x" }))
            .await;
        ledger.refused("update-details", code, &[READ], reply).await;
        let reply = person.delete("/accounts/acme").await;
        ledger.refused("close-account", code, &[READ], reply).await;
        if code != "invite_link_required" {
            let reply = person.login(&acme).await;
            ledger
                .refused("authorize-login", code, &[READ], reply)
                .await;
        }
    }
    let reply = max.invite("acme", NEW).await;
    ledger.refused("invite", "owner_only", &[READ], reply).await;
    let reply = max.resend("acme", KIM).await;
    ledger.refused("resend", "owner_only", &[READ], reply).await;
    let reply = max.remove("acme", KIM).await;
    ledger.refused("remove", "owner_only", &[READ], reply).await;
    let reply = max
        .patch("/accounts/acme", &json!({ "company": "x" }))
        .await;
    ledger
        .refused("update-details", "owner_only", &[READ], reply)
        .await;
    let reply = max.delete("/accounts/acme").await;
    ledger
        .refused("close-account", "owner_only", &[READ], reply)
        .await;
    ledger.lines
}

/// The refusals of calls once an invite is old, the plan is basic, or the account is closed.
async fn time_and_plans() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let max = rollcall.member(&owner, MAX).await;
    let kim = rollcall.person(KIM).await;
    owner.invite("acme", KIM).await.expect_status(201);
    let invite = json!({ "inviteToken": rollcall.newest_token() });
    let acme = json!({ "accountId": "acme" });
    rollcall.advance(8 * 86_400).await;
    let mut ledger = Ledger::of(&rollcall);
    let login = "authorize-login";
    let reply = kim.login(&invite).await;
    ledger
        .refused(login, "invite_expired", &[READ], reply)
        .await;

    rollcall.account("acme", "basic").await;
    ledger.skip().await;
    let code = "upgrade_required";
    let reply = owner.invite("acme", NEW).await;
    ledger.refused("invite", code, &[READ], reply).await;
    let reply = owner.resend("acme", KIM).await;
    ledger.refused("resend", code, &[READ], reply).await;
    let reply = max.list("acme", "").await;
    ledger.refused("list", code, &[READ], reply).await;
    let reply = max.login(&acme).await;
    ledger.refused(login, code, &[READ], reply).await;

    rollcall.close("acme").await;
    ledger.skip().await;
    let code = "account_closed";
    let reply = owner.invite("acme", NEW).await;
    ledger.refused("invite", code, &[READ], reply).await;
    let reply = owner.resend("acme", KIM).await;
    ledger.refused("resend", code, &[READ], reply).await;
    let reply = owner.remove("acme", KIM).await;
    ledger.refused("remove", code, &[READ], reply).await;
    let reply = owner.list("acme", "").await;
    ledger.refused("list", code, &[READ], reply).await;
    let reply = owner.login(&acme).await;
    ledger.refused(login, code, &[READ], reply).await;
    ledger.lines
}

/// Limits are known before a write, except the recipient's limit on a resend.
async fn limits() -> Vec<Line> {
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
        let named = json!({ "accountId": account });
        owner.login(&named).await.expect_status(200);
    }
    owner.invite("a", KIM).await.expect_status(201);
    owner.invite("b", KIM).await.expect_status(201);
    owner.invite("c", MAX).await.expect_status(201);
    rollcall.advance(60).await;
    owner.resend("c", MAX).await.expect_status(200);
    rollcall.advance(60).await;
    let mut ledger = Ledger::of(&rollcall);
    let code = "send_limit_reached";
    let reply = owner.invite("c", KIM).await;
    ledger
        .refused_as("invite", code, ", the recipient's", &[READ], reply)
        .await;
    let reply = owner.resend("c", MAX).await;
    ledger
        .refused_as("resend", code, ", the invite's", &[READ], reply)
        .await;
    // The recipient isn't known before the read, so the transaction is cancelled.
    let reply = owner.resend("a", KIM).await;
    let steps = [READ, TRANSACTION];
    ledger
        .refused_as("resend", code, ", the recipient's", &steps, reply)
        .await;
    for number in 0..2 {
        let email = format!("p{number}@example.com");
        owner.invite("c", &email).await.expect_status(201);
    }
    rollcall.advance(60).await;
    ledger.skip().await;
    let reply = owner.invite("c", "q@example.com").await;
    ledger
        .refused_as("invite", code, ", the account's", &[READ], reply)
        .await;
    let reply = owner.resend("c", "p0@example.com").await;
    ledger
        .refused_as("resend", code, ", the account's", &[READ], reply)
        .await;
    ledger.lines
}

/// Read units too few to matter to the owner of an account.
const A_STRANGERS_PRICE: f64 = 3.0;

/// Anyone who is signed in can ask about any account. That must cost its owner next to nothing, and
/// the same for every account, or the price would reveal which accounts exist.
#[tokio::test]
async fn a_list_costs_a_stranger_the_same_whatever_is_in_the_account() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    rollcall.account("small", "pro").await;
    owner.invite("acme", KIM).await.expect_status(201);
    rollcall.crowd("acme", KIM, 600).await;
    let removed = rollcall.member(&owner, MAX).await;
    owner.remove("acme", MAX).await.expect_status(200);
    let stranger = rollcall.person("stranger@example.com").await;
    let meter = rollcall.wire.meter();
    for query in [
        "",
        "?limit=1",
        "?limit=100",
        "?q=nobody",
        "?q=nobody&limit=100",
        "?status=active",
        "?status=invited",
        "?status=expired&limit=100",
        "?status=removed",
        "?delivery=bounced",
        "?delivery=bounced&status=expired&q=nobody&limit=100",
    ] {
        for (account, person, code) in [
            ("acme", &stranger, "no_access"),
            ("small", &stranger, "no_access"),
            ("nowhere", &stranger, "no_access"),
            ("acme", &removed, "access_revoked"),
        ] {
            let refused = person.list(account, query).await;
            refused.expect_problem(403, code);
            let cost = meter.take(&rollcall.stack).await;
            assert_eq!(cost.steps, [READ], "{account}{query}");
            assert!(
                cost.read_units <= A_STRANGERS_PRICE,
                "{account}{query}: {cost:?}"
            );
        }
    }
}

/// The other calls about an account read a fixed number of items for any caller.
#[tokio::test]
async fn no_call_costs_a_stranger_more_in_a_large_account() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    rollcall.crowd("acme", KIM, 300).await;
    let stranger = rollcall.person("stranger@example.com").await;
    let meter = rollcall.wire.meter();
    for route in rollcall.stack.routes() {
        if !route.path.contains("{accountId}") {
            continue;
        }
        let body = match (route.method.as_str(), route.path.contains("{memberId}")) {
            ("POST", false) => invitation(NEW),
            ("PATCH", false) => json!({ "company": "Acme & Sons" }),
            ("PATCH", true) => json!({ "firstName": "Tim" }),
            _ => json!({}),
        };
        let mut costs = Vec::new();
        for account in ["acme", "nowhere"] {
            let path = route.path.replace("{accountId}", account);
            let path = path.replace("{memberId}", member_id(account, KIM).as_str());
            let request = stranger.request(route.method.parse().unwrap(), &path);
            let refused = Reply::of(request.body(body.to_string())).await;
            refused.expect_problem(403, "no_access");
            costs.push(meter.take(&rollcall.stack).await);
        }
        assert_eq!(costs[0].steps, [READ], "{route:?}");
        assert_eq!(costs[0], costs[1], "{route:?}");
    }
}

#[tokio::test]
async fn an_unauthenticated_call_costs_nothing() {
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
async fn a_malformed_call_costs_nothing() {
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
