//! Who people are: their identity, from the first login on. The address leads to them once, and may
//! change or pass to somebody else.

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::Method;
use serde_json::{Value, json};

use crate::authorize_request::product;
use crate::bad_input::api_event;
use crate::harness::{OWNER, Person, Reply, Rollcall, invitation, member_id};

const OLD: &str = "kim@example.com";
const NEW: &str = "kim.lee@example.com";
const READ: &str = "BatchGetItem";

/// The person `subject`, with an address that the identity provider vouches for now.
async fn sign_in(rollcall: &Rollcall, subject: &str, email: &str) -> Person {
    let claims = json!({ "sub": subject, "email": email });
    rollcall.signed_in(&claims).await
}

async fn without_address(rollcall: &Rollcall, subject: &str) -> Person {
    let claims = json!({ "sub": subject, "email": "", "email_verified": false });
    rollcall.signed_in(&claims).await
}

async fn accept(rollcall: &Rollcall, owner: &Person, subject: &str, email: &str) -> Person {
    owner.invite("acme", email).await.expect_status(201);
    let person = sign_in(rollcall, subject, email).await;
    let token = json!({ "inviteToken": rollcall.newest_token() });
    person.login(&token).await.expect_status(200);
    rollcall.wire.forget();
    person
}

/// Kim, who was invited with the old address, and whom the identity provider calls by the new one.
async fn moved() -> (Rollcall, Person, Person) {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    accept(&rollcall, &owner, "kim", OLD).await;
    let kim = sign_in(&rollcall, "kim", NEW).await;
    (rollcall, owner, kim)
}

async fn put(rollcall: &Rollcall, key: [&str; 2], attributes: &[(&str, AttributeValue)]) {
    let mut put = rollcall.stack.dynamodb().put_item().table_name("Table");
    for (name, text) in ["pk", "sk"].into_iter().zip(key) {
        put = put.item(name, AttributeValue::S(text.to_owned()));
    }
    for (name, value) in attributes {
        put = put.item(*name, value.clone());
    }
    put.send().await.unwrap();
}

#[tokio::test]
async fn a_person_whose_address_changes_stays_in_and_the_row_follows() {
    let (rollcall, owner, kim) = moved().await;
    // Before the next login as after it.
    kim.list("acme", "").await.expect_status(200);
    product(&kim, Some("acme")).await.expect_status(200);
    product(&kim, None).await.expect_status(200);

    let login = kim.login(&json!({})).await.expect_status(200);
    assert_eq!(login.body["member"]["email"], NEW);
    assert_eq!(login.body["member"]["id"], member_id("acme", OLD).as_str());
    let list = owner.list("acme", "").await;
    assert_eq!(list.emails(), [OWNER, NEW]);
    kim.login(&json!({ "accountId": "acme" }))
        .await
        .expect_status(200);
    let invited = owner.invite("acme", NEW).await;
    invited.expect_problem(409, "already_member");
    let claims = json!({ "email": "sue@product.example", "groups": ["support"] });
    let support = rollcall.signed_in(&claims).await;
    let found = support.get(&format!("/support/feedback?email={NEW}")).await;
    assert_eq!(found.body["accounts"][0]["member"]["email"], NEW);

    // A removal takes effect whatever the address is.
    owner.remove("acme", OLD).await.expect_status(200);
    for refused in [kim.list("acme", "").await, kim.login(&json!({})).await] {
        refused.expect_problem(403, "access_revoked");
    }
    // An invite to the new address is for the same row.
    owner.invite("acme", NEW).await.expect_status(201);
    let token = json!({ "inviteToken": rollcall.newest_token() });
    let login = kim.login(&token).await.expect_status(200);
    assert_eq!(login.body["member"]["id"], member_id("acme", OLD).as_str());
}

#[tokio::test]
async fn an_address_can_change_back_and_on() {
    let (rollcall, owner, kim) = moved().await;
    kim.login(&json!({})).await.expect_status(200);
    for email in [OLD, "third@example.com", NEW, OLD, NEW] {
        let kim = sign_in(&rollcall, "kim", email).await;
        for body in [json!({ "accountId": "acme" }), json!({})] {
            let login = kim.login(&body).await.expect_status(200);
            assert_eq!(login.body["member"]["email"], email);
        }
        assert_eq!(owner.list("acme", "?q=lee").await.emails(), [email]);
    }
}

#[tokio::test]
async fn an_owner_whose_address_changes_stays_the_owner() {
    let rollcall = Rollcall::start().await;
    rollcall.account("acme", "pro").await;
    let owner = sign_in(&rollcall, "olivia", OWNER).await;
    owner.login(&json!({})).await.expect_status(200);
    let owner = sign_in(&rollcall, "olivia", "olivia@new.example").await;
    owner.invite("acme", OLD).await.expect_status(201);
    let login = owner.login(&json!({})).await.expect_status(200);
    assert_eq!(login.body["member"]["role"], "owner");
    assert_eq!(login.body["member"]["email"], "olivia@new.example");
    owner.remove("acme", OLD).await.expect_status(200);
    owner.delete("/accounts/acme").await.expect_status(200);
}

#[tokio::test]
async fn whoever_gets_the_old_address_gets_nothing_with_it() {
    let (rollcall, owner, kim) = moved().await;
    kim.login(&json!({})).await.expect_status(200);
    let other = sign_in(&rollcall, "other", OLD).await;
    let rows = rollcall.rows().await;
    for refused in [
        other.login(&json!({})).await,
        other.login(&json!({ "accountId": "acme" })).await,
        other.list("acme", "").await,
        other.invite("acme", "max@example.com").await,
    ] {
        let nowhere = other.list("nowhere", "").await;
        assert_eq!(refused.without_request_id(), nowhere.without_request_id());
        refused.expect_problem(403, "no_access");
    }
    let refused = owner.invite("acme", OLD).await;
    let refused = refused.expect_problem(409, "address_in_use");
    assert!(refused.text("detail").contains("Remove that person first"));
    assert_eq!(rollcall.rows().await, rows);

    // That is how the owner helps: the place is free once Kim is out.
    owner.remove("acme", OLD).await.expect_status(200);
    owner.invite("acme", OLD).await.expect_status(201);
    let token = json!({ "inviteToken": rollcall.newest_token() });
    other.login(&token).await.expect_status(200);
    let refused = kim.list("acme", "").await;
    refused.expect_problem(403, "no_access");
}

#[tokio::test]
async fn a_removed_person_with_a_new_address_is_told_of_the_removal() {
    let (_rollcall, owner, kim) = moved().await;
    owner.remove("acme", OLD).await.expect_status(200);
    for refused in [
        kim.login(&json!({})).await,
        kim.login(&json!({ "accountId": "acme" })).await,
        kim.list("acme", "").await,
    ] {
        refused.expect_problem(403, "access_revoked");
    }
}

#[tokio::test]
async fn an_address_of_another_member_is_not_taken_over() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    accept(&rollcall, &owner, "kim", OLD).await;
    accept(&rollcall, &owner, "max", "max@example.com").await;
    let kim = sign_in(&rollcall, "kim", "max@example.com").await;
    let rows = rollcall.rows().await;
    for refused in [
        kim.login(&json!({})).await,
        kim.login(&json!({ "accountId": "acme" })).await,
        kim.list("acme", "").await,
    ] {
        refused.expect_problem(403, "identity_mismatch");
    }
    assert_eq!(rollcall.rows().await, rows);
    // An owner who never logged in keeps the account, too.
    rollcall.account("other", "pro").await;
    let kim = sign_in(&rollcall, "kim", OLD).await;
    kim.login(&json!({})).await.expect_status(200);
}

/// An identity has one membership in an account.
#[tokio::test]
async fn a_member_who_accepts_another_invite_moves_there() {
    let (rollcall, owner, kim) = moved().await;
    owner.invite("acme", NEW).await.expect_status(201);
    let token = json!({ "inviteToken": rollcall.newest_token() });
    // Without the link, Kim is who Kim was.
    let login = kim.login(&json!({})).await.expect_status(200);
    assert_eq!(login.body["member"]["id"], member_id("acme", OLD).as_str());
    let login = kim.login(&token).await.expect_status(200);
    assert_eq!(login.body["member"]["id"], member_id("acme", NEW).as_str());
    kim.login(&token).await.expect_status(200);
    assert_eq!(owner.list("acme", "").await.emails(), [OWNER, NEW]);
    let removed = owner.list("acme", "?status=removed").await;
    assert_eq!(
        removed.body["members"][0]["id"],
        member_id("acme", OLD).as_str()
    );

    // An owner stays the owner.
    let olivia = rollcall.row("acme", OWNER).await;
    let subject = olivia["identity"].as_m().unwrap()["subject"]
        .as_s()
        .unwrap();
    owner
        .invite("acme", "o@example.com")
        .await
        .expect_status(201);
    let token = json!({ "inviteToken": rollcall.newest_token() });
    let owner = sign_in(&rollcall, subject, "o@example.com").await;
    let login = owner.login(&token).await.expect_status(200);
    assert_eq!(login.body["member"]["role"], "owner");
}

#[tokio::test]
async fn the_identity_alone_lets_a_person_in() {
    let (rollcall, owner, _) = moved().await;
    let kim = without_address(&rollcall, "kim").await;
    rollcall.wire.forget();
    kim.list("acme", "").await.expect_status(200);
    product(&kim, Some("acme")).await.expect_status(200);
    product(&kim, None).await.expect_status(200);
    let login = kim.login(&json!({})).await.expect_status(200);
    assert_eq!(login.body["member"]["email"], OLD);
    owner.remove("acme", OLD).await.expect_status(200);
    let refused = kim.list("acme", "").await;
    refused.expect_problem(403, "access_revoked");

    // An invite is for an address: without one, nobody accepts it.
    owner.invite("acme", OLD).await.expect_status(201);
    let token = json!({ "inviteToken": rollcall.newest_token() });
    let unknown = without_address(&rollcall, "unknown").await;
    for refused in [
        kim.login(&token).await,
        unknown.login(&token).await,
        unknown.login(&json!({})).await,
        unknown.list("acme", "").await,
        unknown.list("nowhere", "").await,
    ] {
        refused.expect_problem(403, "email_unverified");
    }
}

#[tokio::test]
async fn an_address_that_no_invite_can_be_sent_to_is_called_that() {
    let rollcall = Rollcall::start().await;
    let jose = sign_in(&rollcall, "jose", "josé@example.com").await;
    let refused = jose.login(&json!({})).await;
    let refused = refused.expect_problem(403, "email_unverified");
    assert!(refused.text("detail").contains("is verified"));
}

async fn list_with_hint(person: &Person, hint: &str) -> Reply {
    let request = person.request(Method::GET, "/accounts/acme/members");
    Reply::of(request.header("x-member-id", hint)).await
}

#[tokio::test]
async fn a_hint_saves_reads_and_opens_nothing() {
    let (rollcall, owner, kim) = moved().await;
    rollcall.wire.forget();
    let own = member_id("acme", OLD).to_string();
    list_with_hint(&kim, &own).await.expect_status(200);
    assert_eq!(rollcall.wire.calls(), [READ, "Query"]);
    kim.list("acme", "").await.expect_status(200);
    assert_eq!(rollcall.wire.calls(), [READ, READ, READ, "Query"]);

    let owners = member_id("acme", OWNER).to_string();
    let stranger = sign_in(&rollcall, "stranger", "stranger@example.com").await;
    for hint in [&owners, &own, "x", "", "*", &"a".repeat(10_000)] {
        let refused = list_with_hint(&stranger, hint).await;
        refused.expect_problem(403, "no_access");
        let listed = list_with_hint(&kim, hint).await.expect_status(200);
        assert_eq!(
            listed.body["abilities"],
            json!(["account:use", "members:list"])
        );
    }
    owner.remove("acme", OLD).await.expect_status(200);
    let refused = list_with_hint(&kim, &own).await;
    refused.expect_problem(403, "access_revoked");
}

/// A person of an issuer calls an operation on `acme`.
async fn call(rollcall: &Rollcall, issuer: &str, subject: &str, route: &str) -> (u64, String) {
    let (operation, route) = route.split_once(' ').unwrap();
    let claims = json!({
        "iss": issuer, "sub": subject, "email": OWNER, "email_verified": "true",
    });
    let mut event = api_event(route, &claims, "");
    if operation == "invite" {
        event["body"] = json!(invitation("max@example.com").to_string());
    }
    event["pathParameters"] = json!({ "accountId": "acme" });
    let answer = rollcall.invoke(operation, event).await.unwrap();
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    let code = body["code"].as_str().unwrap_or_default();
    (answer["statusCode"].as_u64().unwrap(), code.to_owned())
}

const LOGIN: &str = "authorize-login POST /login";
const LIST: &str = "list GET /accounts/{accountId}/members";
const CLOSE: &str = "close-account DELETE /accounts/{accountId}";

/// The product changes its identity provider. The first login there binds anew; whoever gets the
/// address after that gets nothing.
#[tokio::test]
async fn another_issuer_binds_once_and_its_recycled_addresses_open_nothing() {
    let rollcall = Rollcall::start().await;
    rollcall.account("acme", "pro").await;
    let (here, there) = ("https://here.example", "https://there.example");
    let done = (200, String::new());
    let mismatch = (403, "identity_mismatch".to_owned());
    assert_eq!(call(&rollcall, here, "olivia", LOGIN).await, done);
    assert_eq!(call(&rollcall, here, "evil", LOGIN).await, mismatch);

    assert_eq!(call(&rollcall, there, "olivia-7", LOGIN).await, done);
    let identity = rollcall.row("acme", OWNER).await["identity"]
        .as_m()
        .unwrap()
        .clone();
    assert_eq!(identity["issuer"].as_s().unwrap(), there);
    assert_eq!(identity["subject"].as_s().unwrap(), "olivia-7");
    let rows = rollcall.rows().await;
    for route in [
        LOGIN,
        LIST,
        CLOSE,
        "invite POST /accounts/{accountId}/members",
    ] {
        assert_eq!(
            call(&rollcall, there, "evil", route).await,
            mismatch,
            "{route}"
        );
    }
    assert_eq!(rollcall.rows().await, rows);
    assert_eq!(call(&rollcall, there, "olivia-7", LIST).await, done);
}

/// Until then, the address leads. A login that comes between the read and the write of another
/// identity's call decides.
#[tokio::test]
async fn a_call_that_meets_the_first_login_at_another_issuer_is_refused() {
    let rollcall = std::sync::Arc::new(Rollcall::start().await);
    rollcall.account("acme", "pro").await;
    call(&rollcall, "https://here.example", "olivia", LOGIN).await;
    let there = "https://there.example";
    let other = std::sync::Arc::clone(&rollcall);
    rollcall.wire.before("TransactWriteItems", async move {
        assert_eq!(call(&other, there, "olivia-7", LOGIN).await.0, 200);
    });
    let met = call(&rollcall, there, "evil", CLOSE).await;
    assert_eq!(met, (403, "identity_mismatch".to_owned()));
    rollcall.wire.expect_all_happened();
}

/// Leaves rows as releases before this one bound them: without a pointer from the identity.
async fn forget_pointers(rollcall: &Rollcall, emails: &[&str]) {
    let rows = rollcall.rows().await;
    let pointers = rows.iter().filter(|(key, _)| key.starts_with("IDENTITY#"));
    for (_, pointer) in pointers {
        let mut delete = rollcall.stack.dynamodb().delete_item().table_name("Table");
        for name in ["pk", "sk"] {
            delete = delete.key(name, pointer[name].clone());
        }
        delete.send().await.unwrap();
    }
    for email in emails {
        let mut row = rollcall.row("acme", email).await;
        let mut identity = row["identity"].as_m().unwrap().clone();
        identity.remove("hasPointer").unwrap();
        row.insert("identity".to_owned(), AttributeValue::M(identity));
        let put = rollcall.stack.dynamodb().put_item().table_name("Table");
        let put = put.set_item(Some(row.into_iter().collect()));
        put.send().await.unwrap();
    }
}

#[tokio::test]
async fn a_binding_without_a_pointer_gets_one_at_the_next_login() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let kim = accept(&rollcall, &owner, "kim", OLD).await;
    let rows = rollcall.rows().await;
    forget_pointers(&rollcall, &[OLD, OWNER]).await;
    kim.list("acme", "").await.expect_status(200);
    kim.login(&json!({ "accountId": "acme" }))
        .await
        .expect_status(200);
    owner.login(&json!({})).await.expect_status(200);
    assert_eq!(rollcall.rows().await.len(), rows.len());
    rollcall.wire.forget();
    kim.login(&json!({ "accountId": "acme" }))
        .await
        .expect_status(200);
    assert_eq!(rollcall.wire.calls(), [READ]);
    let kim = sign_in(&rollcall, "kim", NEW).await;
    kim.login(&json!({})).await.expect_status(200);
}

/// Without a pointer, the hint alone can lead to the row.
#[tokio::test]
async fn a_hint_leads_to_a_binding_without_a_pointer() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    accept(&rollcall, &owner, "kim", OLD).await;
    forget_pointers(&rollcall, &[OLD]).await;
    let kim = without_address(&rollcall, "kim").await;
    let body = json!({ "accountId": "acme" });
    kim.login(&body)
        .await
        .expect_problem(403, "email_unverified");
    let login = kim.request(Method::POST, "/login").body(body.to_string());
    let login = login.header("x-member-id", member_id("acme", OLD).as_str());
    Reply::of(login).await.expect_status(200);
    kim.login(&body).await.expect_status(200);
}

/// Rows can be damaged by hand. That must not let anyone in, nor last.
#[tokio::test]
async fn aliases_and_pointers_that_lead_astray_open_nothing() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    accept(&rollcall, &owner, "max", "max@example.com").await;
    let kim = sign_in(&rollcall, "kim", OLD).await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let version = || ("version", AttributeValue::N("1".to_owned()));
    let ids = [OLD, NEW, "nobody@example.com", OWNER, "max@example.com"]
        .map(|email| member_id("acme", email).to_string());
    let [old, new, nobody, owners, maxs] = &ids;
    let identity = domain::identity::Identity {
        issuer: format!("{}/dev/oidc", rollcall.stack.url()),
        subject: "kim".to_owned(),
    };
    let identity = domain::identity::IdentityKey::of(&identity).to_string();
    for target in [old, new, nobody, owners, maxs] {
        let alias = [("alias", text(target)), version()];
        let sk = format!("MEMBER#{old}");
        put(&rollcall, ["ACCOUNT#acme", &sk], &alias).await;
        // A loop of two.
        let back = [("alias", text(old)), version()];
        let sk = format!("MEMBER#{new}");
        put(&rollcall, ["ACCOUNT#acme", &sk], &back).await;
        let pointer = [("member", text(target)), version()];
        let pk = format!("IDENTITY#{identity}");
        put(&rollcall, [&pk, "ACCOUNT#acme"], &pointer).await;
        for refused in [
            kim.login(&json!({ "accountId": "acme" })).await,
            kim.login(&json!({})).await,
            kim.list("acme", "").await,
        ] {
            refused.expect_problem(403, "no_access");
        }
        let refused = owner.remove("acme", OLD).await;
        refused.expect_problem(404, "member_not_found");
    }
    owner.invite("acme", OLD).await.expect_status(201);
    let token = json!({ "inviteToken": rollcall.newest_token() });
    kim.login(&token).await.expect_status(200);
    kim.list("acme", "").await.expect_status(200);
    assert_eq!(owner.list("acme", "").await.emails().len(), 3);
}

#[tokio::test]
async fn an_identity_can_be_any_text() {
    let rollcall = Rollcall::start().await;
    rollcall.account("acme", "pro").await;
    let long = "x".repeat(10_000);
    for subject in ["", " ", "\u{0}", "a\r\nb", "#", "IDENTITY#x", &long] {
        let (status, code) = call(&rollcall, "https://here.example", subject, LOGIN).await;
        match subject {
            "" => assert_eq!((status, code.as_str()), (401, "unauthenticated")),
            " " => assert_eq!((status, code.as_str()), (200, "")),
            _ => assert_eq!((status, code.as_str()), (403, "identity_mismatch")),
        }
    }
}
