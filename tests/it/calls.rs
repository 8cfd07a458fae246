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
/// The address leads to no row of the caller: the identity is looked up.
const LOOKED_UP: &[&str] = &[READ, READ];
/// The search for the accounts of an address and of an identity.
const SEARCH: &str = "Query + Query";
/// A page of the list, or the search for the accounts of an address.
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
const BEFORE_ANY_CALL: [Code; 6] = [
    Code::InvalidRequest,
    Code::Unauthenticated,
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
    lines.extend(identities().await);
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
    let ledger = Ledger::new(&rollcall);
    let invite = ledger.of("invite");
    let resend = ledger.of("resend");
    const SENDS: &[&str] = &[READ, TRANSACTION, MAIL];

    let reply = owner.invite("acme", KIM).await;
    invite.done("invited", SENDS, reply).await;
    let reply = owner.invite("acme", KIM).await;
    invite.refused("already_invited", reply).await;
    let reply = owner.invite("acme", MAX).await;
    invite.refused("already_member", reply).await;
    let reply = owner.invite_with_key("acme", NEW, "key").await;
    invite.done("with a key", SENDS, reply).await;
    let reply = owner.invite_with_key("acme", NEW, "key").await;
    invite.done("the same key again", &[READ], reply).await;
    let reply = owner.invite_with_key("acme", KIM, "key").await;
    invite.refused("idempotency_key_reused", reply).await;

    let reply = owner.resend("acme", KIM).await;
    resend.refused("resend_too_soon", reply).await;
    rollcall.advance(60).await;
    resend
        .done("sent", SENDS, owner.resend("acme", KIM).await)
        .await;
    let reply = owner.resend_with_key("acme", NEW, "again").await;
    resend.done("with a key", SENDS, reply).await;
    let reply = owner.resend_with_key("acme", NEW, "again").await;
    resend.done("the same key again", &[READ], reply).await;
    let reply = owner.resend_with_key("acme", KIM, "again").await;
    resend.refused("idempotency_key_reused", reply).await;
    let reply = owner.resend("acme", MAX).await;
    resend.refused("not_invited", reply).await;
    let reply = owner.resend("acme", "nobody@example.com").await;
    resend.refused("member_not_found", reply).await;

    owner.remove("acme", MAX).await.expect_status(200);
    ledger.skip().await;
    let reply = owner.invite("acme", MAX).await;
    invite.done("somebody who was removed", SENDS, reply).await;

    let path = format!("/accounts/acme/members/{}/resend", member_id("acme", MAX));
    let body = json!({ "email": "right@example.com" });
    let reply = owner.post(&path, &body).await;
    resend.done("to a corrected address", SENDS, reply).await;

    let mailbox = rollcall.stack.mailbox();
    mailbox.fail_next(local::SesFailure::MessageRejected);
    let steps = [READ, TRANSACTION, MAIL, UPDATE];
    let reply = owner.invite("acme", "a@example.com").await;
    invite.done("the mail service refuses", &steps, reply).await;
    mailbox.fail_next(local::SesFailure::MessageRejected);
    let steps = [READ, TRANSACTION, MAIL, TRANSACTION];
    let what = "with a key, the mail service refuses";
    let reply = owner
        .resend_with_key("acme", "a@example.com", "third")
        .await;
    resend.done(what, &steps, reply).await;
    rollcall.advance(60).await;
    mailbox.fail_next(local::SesFailure::MessageRejected);
    let steps = [READ, TRANSACTION, MAIL, UPDATE];
    let reply = owner.resend("acme", "a@example.com").await;
    resend.done("the mail service refuses", &steps, reply).await;

    let mut bounce = event(&rollcall.newest_mail(), "Bounce");
    bounce["bounce"] = json!({ "bounceType": "Permanent", "bounceSubType": "NoEmail" });
    let fed = rollcall.dev("/dev/feedback", &bounce).await;
    fed.expect_status(200);
    rollcall.advance(60).await;
    ledger.skip().await;
    let reply = owner.resend("acme", &rollcall.newest_mail().to).await;
    resend.refused("address_undeliverable", reply).await;
    ledger.lines()
}

async fn removals() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    rollcall.member(&owner, MAX).await;
    owner.invite("acme", KIM).await.expect_status(201);
    let ledger = Ledger::new(&rollcall);
    let remove = ledger.of("remove");
    let reply = owner.remove("acme", MAX).await;
    remove
        .done("an active member", &[READ, UPDATE], reply)
        .await;
    let reply = owner.remove("acme", KIM).await;
    remove.done("an invite", &[READ, UPDATE], reply).await;
    let reply = owner.remove("acme", KIM).await;
    remove.done("again", &[READ], reply).await;
    let reply = owner.remove("acme", NEW).await;
    remove.refused("member_not_found", reply).await;
    let reply = owner.remove("acme", OWNER).await;
    remove.refused("owner_cannot_be_removed", reply).await;
    ledger.lines()
}

async fn lists() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    rollcall.member(&owner, MAX).await;
    owner.invite("acme", KIM).await.expect_status(201);
    owner.invite("acme", NEW).await.expect_status(201);
    owner.remove("acme", NEW).await.expect_status(200);
    // 49 people, and the removed one.
    rollcall.crowd("acme", KIM, 46).await;
    let ledger = Ledger::new(&rollcall);
    let list = ledger.of("list");
    for (query, what) in [
        ("", "49 people"),
        ("?limit=10", "a page of 10"),
        ("?q=p0001", "a search among 49"),
        ("?status=invited", "those invited among 49"),
        ("?status=removed", "the one removed"),
    ] {
        let reply = owner.list("acme", query).await;
        list.done(what, &[READ, QUERY], reply).await;
    }
    ledger.lines()
}

async fn logins() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.person(KIM).await;
    let acme = json!({ "accountId": "acme" });
    let with = |token: &str| json!({ "inviteToken": token });
    let ledger = Ledger::new(&rollcall);
    let login = ledger.of("authorize-login");
    const NAMED: &[&str] = &[READ];
    const SEARCHED: &[&str] = &[SEARCH, READ];

    let first = [SEARCH, READ, TRANSACTION];
    let reply = owner.login(&json!({})).await;
    login.done("first, account not known", &first, reply).await;
    let reply = owner.login(&json!({})).await;
    login.done("account not known", SEARCHED, reply).await;
    login
        .done("account known", NAMED, owner.login(&acme).await)
        .await;

    owner.invite("acme", KIM).await.expect_status(201);
    let superseded = rollcall.newest_token();
    rollcall.advance(60).await;
    owner.resend("acme", KIM).await.expect_status(200);
    let token = rollcall.newest_token();
    let unknown = format!("acme.{}.{}", member_id("acme", KIM), "A".repeat(43));
    let stranger = rollcall.person("stranger@example.com").await;
    ledger.skip().await;

    let reply = kim.login(&acme).await;
    login
        .refused_as("invite_link_required", "", LOOKED_UP, reply)
        .await;
    let reply = kim.login(&json!({})).await;
    login
        .refused_as(
            "invite_link_required",
            ", account not known",
            SEARCHED,
            reply,
        )
        .await;
    let reply = kim.login(&with(&superseded)).await;
    login.refused("invite_superseded", reply).await;
    let reply = kim.login(&with(&unknown)).await;
    login.refused("invite_invalid", reply).await;
    let reply = stranger.login(&with(&token)).await;
    login.refused("wrong_account", reply).await;
    let reply = stranger.login(&json!({})).await;
    login
        .refused_as("no_access", ", account not known", &[SEARCH], reply)
        .await;

    let reply = kim.login(&with(&token)).await;
    login
        .done("accepts an invite", &[READ, TRANSACTION], reply)
        .await;
    let reply = kim.login(&with(&token)).await;
    login
        .done("with a link that is not needed", NAMED, reply)
        .await;

    rollcall.account("other", "pro").await;
    ledger.skip().await;
    let reply = owner.login(&json!({})).await;
    login
        .refused_as("choose_account", ", of two", SEARCHED, reply)
        .await;
    ledger.lines()
}

/// Calls by people whom the identity leads to, and not the address.
async fn identities() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let named = async |email: &str| {
        let claims = json!({ "sub": "max", "email": email, "email_verified": email.contains('@') });
        rollcall.signed_in(&claims).await
    };
    owner.invite("acme", MAX).await.expect_status(201);
    let link = json!({ "inviteToken": rollcall.newest_token() });
    named(MAX).await.login(&link).await.expect_status(200);
    let (moved, nameless) = (named(NEW).await, named("").await);
    let acme = json!({ "accountId": "acme" });
    let own = member_id("acme", MAX);
    let ledger = Ledger::new(&rollcall);
    let list = ledger.of("list");
    let login = ledger.of("authorize-login");
    let guard = ledger.of("authorize-request");
    let with_hint = async |caller: &Person, path: &str| {
        let request = caller.request(Method::GET, path);
        let request = request.header("x-account-id", "acme");
        Reply::of(request.header("x-member-id", own.as_str())).await
    };
    const PAGE: &str = "/accounts/acme/members";
    const PRODUCT: &str = "/dev/product";
    let use_product = async |caller: &Person| {
        let request = caller.request(Method::GET, PRODUCT);
        Reply::of(request.header("x-account-id", "acme")).await
    };

    let new = "a new address";
    let reply = moved.list("acme", "").await;
    list.done(new, &[READ, READ, READ, QUERY], reply).await;
    let reply = use_product(&moved).await;
    guard.done(new, &[READ, READ, READ], reply).await;
    let hint = "a new address, with a hint";
    let reply = with_hint(&moved, PAGE).await;
    list.done(hint, &[READ, QUERY], reply).await;
    let reply = with_hint(&moved, PRODUCT).await;
    guard.done(hint, &[READ], reply).await;
    let reply = moved.login(&acme).await;
    login
        .done(new, &[READ, READ, READ, TRANSACTION], reply)
        .await;

    let later = "a later address";
    let reply = moved.list("acme", "").await;
    list.done(later, &[READ, READ, QUERY], reply).await;
    let reply = use_product(&moved).await;
    guard.done(later, LOOKED_UP, reply).await;
    let reply = moved.login(&acme).await;
    login.done(later, LOOKED_UP, reply).await;

    let none = "no address";
    let reply = nameless.list("acme", "").await;
    list.done(none, &[READ, READ, QUERY], reply).await;
    let reply = use_product(&nameless).await;
    guard.done(none, LOOKED_UP, reply).await;
    let reply = nameless.login(&acme).await;
    login.done(none, LOOKED_UP, reply).await;
    let reply = nameless.login(&json!({})).await;
    let what = "no address, account not known";
    login.done(what, &[QUERY, READ], reply).await;
    let hint = "no address, with a hint";
    let reply = with_hint(&nameless, PAGE).await;
    list.done(hint, &[READ, QUERY], reply).await;
    let reply = with_hint(&nameless, PRODUCT).await;
    guard.done(hint, &[READ], reply).await;
    let reply = named_unknown(&rollcall).await.login(&acme).await;
    login
        .refused_as("email_unverified", "", &[READ], reply)
        .await;

    let invite = ledger.of("invite");
    let reply = owner.invite("acme", MAX).await;
    invite.refused("address_in_use", reply).await;
    let reply = owner.invite("acme", NEW).await;
    let what = ", of a later address";
    invite
        .refused_as("already_member", what, LOOKED_UP, reply)
        .await;
    ledger.lines()
}

async fn named_unknown(rollcall: &Rollcall) -> Person {
    let claims = json!({ "sub": "unknown", "email": "", "email_verified": false });
    rollcall.signed_in(&claims).await
}

async fn guarded_requests() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let stranger = rollcall.person("stranger@example.com").await;
    let ledger = Ledger::new(&rollcall);
    let guard = ledger.of("authorize-request");
    let use_product = async |caller: &Person, account: Option<&str>| {
        let mut request = caller.request(Method::GET, "/dev/product");
        if let Some(account) = account {
            request = request.header("x-account-id", account);
        }
        Reply::of(request).await
    };
    let reply = use_product(&owner, Some("acme")).await;
    guard.done("account known", &[READ], reply).await;
    let reply = use_product(&owner, None).await;
    guard
        .done("account not known", &[SEARCH, READ], reply)
        .await;
    use_product(&stranger, Some("acme"))
        .await
        .expect_status(403);
    guard.happened("a stranger, account known", LOOKED_UP).await;
    use_product(&stranger, None).await.expect_status(403);
    guard
        .happened("a stranger, account not known", &[SEARCH])
        .await;
    ledger.lines()
}

async fn details() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let ledger = Ledger::new(&rollcall);
    let update = ledger.of("update-details");
    let company = json!({ "company": "Acme & Sons" });
    let name = json!({ "firstName": "Olga" });
    let reply = owner.patch("/accounts/acme", &company).await;
    update.done("the company", &[READ, UPDATE], reply).await;
    let reply = owner.patch("/accounts/acme", &company).await;
    update.done("nothing new", &[READ], reply).await;
    let path = format!("/accounts/acme/members/{}", member_id("acme", OWNER));
    let reply = owner.patch(&path, &name).await;
    update.done("a name", &[READ, UPDATE], reply).await;
    let path = format!("/accounts/acme/members/{}", member_id("acme", NEW));
    let reply = owner.patch(&path, &name).await;
    update.refused("member_not_found", reply).await;
    ledger.lines()
}

async fn provisioning_and_closing() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let ledger = Ledger::new(&rollcall);
    let provision = ledger.of("provision-account");
    let close = ledger.of("close-account");
    rollcall.account("new", "pro").await;
    provision
        .happened("a new account", &[READ, TRANSACTION])
        .await;
    rollcall.account("new", "basic").await;
    provision.happened("a new plan", &[READ, UPDATE]).await;
    rollcall.account("new", "basic").await;
    provision.happened("nothing new", &[READ]).await;
    let mut handover = json!({
        "accountId": "new",
        "company": "new Inc.",
        "plan": "basic",
        "handover": true,
        "owner": { "firstName": "Kim", "lastName": "Lee", "email": KIM },
    });
    for (case, email) in [("a new owner", KIM), ("a member and the owner", OWNER)] {
        rollcall.advance(1).await;
        handover["owner"]["email"] = json!(email);
        rollcall.provision(&handover).await.expect_status(200);
        provision.happened(case, &[READ, READ, TRANSACTION]).await;
    }
    rollcall.provision(&handover).await.expect_status(200);
    provision.happened("the same handover", &[READ, READ]).await;
    let reply = owner.delete("/accounts/acme").await;
    close.done("closed", &[READ, UPDATE], reply).await;
    let reply = owner.delete("/accounts/acme").await;
    close.done("again", &[READ], reply).await;
    ledger.lines()
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
    let ledger = Ledger::new(&rollcall);
    let feedback = ledger.of("mail-feedback");
    let search = ledger.of("support-feedback");
    let lift = ledger.of("lift-suppression");

    let reply = rollcall.dev("/dev/feedback", &bounce).await;
    feedback.done("a bounce", &[READ, TRANSACTION], reply).await;
    let reply = rollcall.dev("/dev/feedback", &bounce).await;
    feedback.done("the same again", &[READ], reply).await;
    bounce["mail"]["tags"]["send"] = json!(["7"]);
    bounce["bounce"]["feedbackId"] = json!("0107-other");
    let what = "about another send";
    let reply = rollcall.dev("/dev/feedback", &bounce).await;
    feedback.done(what, &[READ, UPDATE], reply).await;
    bounce["mail"]["tags"]["account"] = json!(["nowhere"]);
    let reply = rollcall.dev("/dev/feedback", &bounce).await;
    feedback.done("no mail of ours", &[READ], reply).await;

    let all = ["GetSuppressedDestination + Query + Query", READ];
    let reply = support.get("/support/feedback?email=kim@example.com").await;
    search.done("about a person", &all, reply).await;
    let reply = support
        .get("/support/feedback?since=2026-11-24T00:00:00Z")
        .await;
    search.done("since this morning", &[QUERY], reply).await;
    // A week touches eight days.
    let reply = support.get("/support/feedback").await;
    search.done("of a week", &[QUERY; 8], reply).await;
    let reply = owner.get("/support/feedback?email=kim@example.com").await;
    search.refused_as("support_only", "", &[], reply).await;

    let lifting = "DeleteSuppressedDestination";
    let path = "/support/suppressions/kim@example.com";
    let reply = support.delete(path).await;
    lift.done("lifted", &[lifting, QUERY, READ, UPDATE], reply)
        .await;
    let reply = support.delete(path).await;
    lift.done("nothing to lift", &[lifting, QUERY, READ], reply)
        .await;
    let reply = owner.delete(path).await;
    lift.refused_as("support_only", "", &[], reply).await;
    ledger.lines()
}

async fn published_changes() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let look = async || {
        let looked = rollcall.anonymous(Method::GET, "/dev/events.json").await;
        looked.expect_status(200);
    };
    look().await;
    owner.invite("acme", KIM).await.expect_status(201);
    let ledger = Ledger::new(&rollcall);
    let publish = ledger.of("publish-changes");
    look().await;
    publish.happened("an invite", &["PutEvents"]).await;
    ledger.lines()
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
    let company = json!({ "company": "x" });
    let ledger = Ledger::new(&rollcall);
    let invite = ledger.of("invite");
    let resend = ledger.of("resend");
    let remove = ledger.of("remove");
    let list = ledger.of("list");
    let update = ledger.of("update-details");
    let close = ledger.of("close-account");
    let login = ledger.of("authorize-login");
    for (person, code) in [
        (&stranger, "no_access"),
        (&removed, "access_revoked"),
        (&kim, "invite_link_required"),
        (&impostor, "identity_mismatch"),
    ] {
        invite
            .refused_as(code, "", LOOKED_UP, person.invite("acme", NEW).await)
            .await;
        resend
            .refused_as(code, "", LOOKED_UP, person.resend("acme", KIM).await)
            .await;
        remove
            .refused_as(code, "", LOOKED_UP, person.remove("acme", KIM).await)
            .await;
        list.refused_as(code, "", LOOKED_UP, person.list("acme", "").await)
            .await;
        let reply = person.patch("/accounts/acme", &company).await;
        update.refused_as(code, "", LOOKED_UP, reply).await;
        close
            .refused_as(code, "", LOOKED_UP, person.delete("/accounts/acme").await)
            .await;
        if code != "invite_link_required" {
            login
                .refused_as(code, "", LOOKED_UP, person.login(&acme).await)
                .await;
        }
    }
    invite
        .refused("owner_only", max.invite("acme", NEW).await)
        .await;
    resend
        .refused("owner_only", max.resend("acme", KIM).await)
        .await;
    remove
        .refused("owner_only", max.remove("acme", KIM).await)
        .await;
    let reply = max.patch("/accounts/acme", &company).await;
    update.refused("owner_only", reply).await;
    let reply = max.delete("/accounts/acme").await;
    close.refused("owner_only", reply).await;
    ledger.lines()
}

/// The refusals of calls once an invite is old, the plan is basic, or the account is closed.
async fn time_and_plans() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let max = rollcall.member(&owner, MAX).await;
    let kim = rollcall.person(KIM).await;
    owner.invite("acme", KIM).await.expect_status(201);
    let link = json!({ "inviteToken": rollcall.newest_token() });
    let acme = json!({ "accountId": "acme" });
    rollcall.advance(8 * 86_400).await;
    let ledger = Ledger::new(&rollcall);
    let login = ledger.of("authorize-login");
    let invite = ledger.of("invite");
    let resend = ledger.of("resend");
    let list = ledger.of("list");
    let remove = ledger.of("remove");
    login
        .refused("invite_expired", kim.login(&link).await)
        .await;

    rollcall.account("acme", "basic").await;
    ledger.skip().await;
    let code = "upgrade_required";
    invite.refused(code, owner.invite("acme", NEW).await).await;
    resend.refused(code, owner.resend("acme", KIM).await).await;
    list.refused(code, max.list("acme", "").await).await;
    login.refused(code, max.login(&acme).await).await;

    rollcall.close("acme").await;
    ledger.skip().await;
    let code = "account_closed";
    invite.refused(code, owner.invite("acme", NEW).await).await;
    resend.refused(code, owner.resend("acme", KIM).await).await;
    remove.refused(code, owner.remove("acme", KIM).await).await;
    list.refused(code, owner.list("acme", "").await).await;
    login.refused(code, owner.login(&acme).await).await;
    ledger.lines()
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
    let ledger = Ledger::new(&rollcall);
    let invite = ledger.of("invite");
    let resend = ledger.of("resend");
    let code = "send_limit_reached";
    let reply = owner.invite("c", KIM).await;
    invite
        .refused_as(code, ", the recipient's", &[READ], reply)
        .await;
    let reply = owner.resend("c", MAX).await;
    resend
        .refused_as(code, ", the invite's", &[READ], reply)
        .await;
    // The recipient isn't known before the read, so the transaction is cancelled.
    let steps = [READ, TRANSACTION];
    let reply = owner.resend("a", KIM).await;
    resend
        .refused_as(code, ", the recipient's", &steps, reply)
        .await;
    for number in 0..2 {
        let email = format!("p{number}@example.com");
        owner.invite("c", &email).await.expect_status(201);
    }
    rollcall.advance(60).await;
    ledger.skip().await;
    let reply = owner.invite("c", "q@example.com").await;
    invite
        .refused_as(code, ", the account's", &[READ], reply)
        .await;
    let reply = owner.resend("c", "p0@example.com").await;
    resend
        .refused_as(code, ", the account's", &[READ], reply)
        .await;
    ledger.lines()
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
            assert_eq!(cost.steps, LOOKED_UP, "{account}{query}");
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
        assert_eq!(costs[0].steps, LOOKED_UP, "{route:?}");
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
