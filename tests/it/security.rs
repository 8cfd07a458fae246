//! Well-known attacks, each of which must keep failing. Tests of other attacks are next to what
//! they attack; `SECURITY.md` names the test of every threat.

use reqwest::Method;
use serde_json::{Value, json};

use crate::bad_input::api_event;
use crate::harness::{OWNER, Person, Reply, Rollcall, invitation, member_id};

const KIM: &str = "kim@example.com";

/// Status and body, without the request id.
fn without_id(reply: &Reply) -> (u16, String) {
    let id = reply.header("x-request-id");
    (reply.status, reply.raw.replace(&id, "ID"))
}

/// The accounts `acme` and `other`, each with an invite of Kim's, and their owners.
async fn two_accounts() -> (Rollcall, Person, Person) {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let other = json!({
        "accountId": "other",
        "company": "Other",
        "plan": "pro",
        "owner": { "firstName": "Otto", "lastName": "Other", "email": "otto@example.com" },
    });
    rollcall.provision(&other).await.expect_status(200);
    let otto = rollcall.person("otto@example.com").await;
    otto.invite("other", KIM).await.expect_status(201);
    (rollcall, owner, otto)
}

#[tokio::test]
async fn ids_of_another_account_answer_as_unknown_ones_do() {
    let (rollcall, owner, otto) = two_accounts().await;
    otto.invite("other", "max@example.com")
        .await
        .expect_status(201);
    let page = otto.list("other", "?limit=1").await.expect_status(200);
    let rows = rollcall.rows().await;

    let theirs = member_id("other", KIM);
    let nobodys = member_id("acme", "nobody@example.com");
    let name = json!({ "firstName": "Eve" });
    let path = |id| format!("/accounts/acme/members/{id}");
    let renamed = owner.patch(&path(&theirs), &name).await;
    let unknown = owner.patch(&path(&nobodys), &name).await;
    assert_eq!(without_id(&renamed), without_id(&unknown));
    renamed.expect_problem(404, "member_not_found");

    for account in ["other", "nowhere"] {
        let company = json!({ "company": "Mine" });
        let path = format!("/accounts/{account}");
        owner
            .patch(&path, &company)
            .await
            .expect_problem(403, "no_access");
        owner.delete(&path).await.expect_problem(403, "no_access");
    }

    let cursor = format!("?limit=1&cursor={}", page.text("cursor"));
    let foreign = owner.list("acme", &cursor).await;
    let made_up = owner.list("acme", "?limit=1&cursor=AAAAAAAA").await;
    assert_eq!(foreign.status, 400);
    assert_eq!(foreign.wrong_fields(), made_up.wrong_fields());

    let mut body = invitation("new@example.com");
    body["accountId"] = json!("other");
    let refused = owner.post("/accounts/acme/members", &body).await;
    assert_eq!(refused.wrong_fields(), ["accountId"]);
    let token = json!({ "accountId": "acme", "inviteToken": rollcall.newest_token() });
    owner
        .login(&token)
        .await
        .expect_problem(400, "invalid_request");
    assert_eq!(rollcall.rows().await, rows);
}

/// Only the table says who a person is and what they may do. No request body can.
#[tokio::test]
async fn no_call_assigns_a_role_a_status_or_a_plan() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    let rows = rollcall.rows().await;
    let kim = format!("/accounts/acme/members/{}", member_id("acme", KIM));
    let calls = [
        (
            Method::POST,
            "/accounts/acme/members".to_owned(),
            invitation("new@example.com"),
        ),
        (Method::POST, format!("{kim}/resend"), json!({})),
        (Method::PATCH, kim.clone(), json!({ "firstName": "Kim" })),
        (
            Method::PATCH,
            "/accounts/acme".to_owned(),
            json!({ "company": "Acme" }),
        ),
        (Method::DELETE, "/accounts/acme".to_owned(), json!({})),
        (Method::POST, "/login".to_owned(), json!({})),
    ];
    for (method, path, body) in calls {
        for (field, value) in [
            ("role", json!("owner")),
            ("status", json!("active")),
            ("state", json!("active")),
            ("plan", json!("enterprise")),
            ("proLevel", json!(true)),
            ("ownerId", json!(member_id("acme", KIM))),
            ("identity", json!({ "issuer": "x", "subject": "y" })),
            ("abilities", json!(["account:close"])),
            ("version", json!(1)),
            ("reopen", json!(true)),
        ] {
            let mut body = body.clone();
            body[field] = value;
            let request = owner.request(method.clone(), &path).body(body.to_string());
            let refused = Reply::of(request).await;
            let refused = refused.expect_problem(400, "invalid_request");
            assert_eq!(refused.wrong_fields(), [field], "{method} {path}");
        }
    }
    assert_eq!(rollcall.rows().await, rows);
}

/// Mail programs and scanners follow links before people do.
#[tokio::test]
async fn a_thousand_link_previews_leave_the_invite_usable() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    let rows = rollcall.rows().await;
    let link = rollcall.newest_mail().link.unwrap();
    let (page, fragment) = link.split_once('#').unwrap();
    let path = page.strip_prefix(rollcall.stack.url()).unwrap();
    rollcall.wire.forget();
    for number in 0..1_000 {
        // A browser doesn't send the fragment; a careless program sends it as a query.
        let path = if number % 2 == 0 {
            path.to_owned()
        } else {
            format!("{path}?{fragment}")
        };
        let preview = Reply::of(rollcall.request(Method::GET, &path)).await;
        assert_eq!(preview.status, 200);
    }
    assert!(rollcall.wire.calls().is_empty());
    assert_eq!(rollcall.rows().await, rows);
    let kim = rollcall.person(KIM).await;
    let token = json!({ "inviteToken": rollcall.newest_token() });
    kim.login(&token).await.expect_status(200);
}

#[tokio::test]
async fn a_forged_host_does_not_reach_the_link() {
    let (rollcall, _owner) = Rollcall::start_with_owner().await;
    let claims = json!({
        "iss": "https://id.example", "sub": "olivia", "email": OWNER, "email_verified": "true",
    });
    let route = "POST /accounts/{accountId}/members";
    let mut event = api_event(route, &claims, &invitation(KIM).to_string());
    event["pathParameters"] = json!({ "accountId": "acme" });
    for header in [
        "host",
        "x-forwarded-host",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-original-host",
        "x-host",
        "forwarded",
        "origin",
        "referer",
    ] {
        event["headers"][header] = json!("evil.example");
    }
    event["requestContext"]["domainName"] = json!("evil.example");
    event["requestContext"]["domainPrefix"] = json!("evil");
    let answer = rollcall.invoke("invite", event).await.unwrap();
    assert_eq!(answer["statusCode"], 201);
    let mail = rollcall.newest_mail();
    let link = mail.link.clone().unwrap();
    assert!(
        link.starts_with(&format!("{}/invite#token=", rollcall.stack.url())),
        "{link}"
    );
    for part in [
        answer.to_string(),
        mail.text,
        mail.html,
        format!("{:?}", mail.tags),
    ] {
        assert!(!part.contains("evil"), "{part}");
    }
}

/// Only the removed person learns of the removal, and only the issuer can vouch for who they are.
#[tokio::test]
async fn only_the_removed_person_is_told_of_a_removal() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.member(&owner, KIM).await;
    owner.remove("acme", KIM).await.expect_status(200);
    let body = json!({ "accountId": "acme" });
    let kim = rollcall.person(KIM).await;
    kim.login(&body).await.expect_problem(403, "access_revoked");

    let claims = json!({ "email": KIM, "sub": "unknown", "email_verified": false });
    let unverified = rollcall.signed_in(&claims).await;
    let refused = unverified.login(&body).await;
    refused.expect_problem(403, "email_unverified");
    let refused = rollcall.anonymous(Method::POST, "/login").await;
    refused.expect_problem(401, "unauthenticated");
    let stranger = rollcall.person("stranger@example.com").await;
    stranger.login(&body).await.expect_problem(403, "no_access");
}

/// A whole life: the secrets of its invites are in the mail and nowhere else.
#[tokio::test]
async fn no_secret_is_in_an_answer_or_in_the_table() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.person(KIM).await;
    let mut answers = vec![owner.invite_with_key("acme", KIM, "key").await];
    answers.push(owner.invite_with_key("acme", KIM, "key").await);
    let first = rollcall.newest_token();
    rollcall.advance(60).await;
    answers.push(owner.resend("acme", KIM).await);
    let second = rollcall.newest_token();
    answers.push(owner.list("acme", "").await);
    for token in [&first, &second, &second] {
        answers.push(kim.login(&json!({ "inviteToken": token })).await);
    }
    let stranger = rollcall.person("stranger@example.com").await;
    answers.push(stranger.login(&json!({ "inviteToken": second })).await);
    let support = json!({ "email": "sue@product.example", "groups": ["support"] });
    let support = rollcall.signed_in(&support).await;
    answers.push(support.get(&format!("/support/feedback?email={KIM}")).await);
    answers.push(owner.remove("acme", KIM).await);
    answers.push(owner.list("acme", "?status=removed").await);

    let rows = format!("{:?}", rollcall.rows().await);
    for token in [first, second] {
        let secret = token.rsplit('.').next().unwrap();
        assert_eq!(secret.len(), 43);
        assert!(!rows.contains(secret));
        for answer in &answers {
            let headers = format!("{:?}", answer.headers);
            assert!(!answer.raw.contains(secret) && !headers.contains(secret));
        }
    }
}

/// The time of a comparison must not reveal how much of a token is right. This test doesn't measure
/// time: it checks that the only comparison is one of hashes, in constant time.
#[test]
fn tokens_are_compared_in_constant_time() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/domain/src/token.rs");
    let source = std::fs::read_to_string(path).unwrap();
    let (before, after) = source.split_once("pub struct TokenHash").unwrap();
    let derives = before.rsplit("#[derive(").next().unwrap();
    assert!(!derives.contains("PartialEq"), "{derives}");
    let equality = after.split_once("impl PartialEq for TokenHash").unwrap().1;
    let body = equality.split("\n}").next().unwrap();
    assert!(body.contains("self.0.ct_eq(&other.0).into()"), "{body}");
    assert_eq!(body.matches("==").count(), 0);
}

/// Claims of the wrong shape prove nothing. API Gateway passes claims as strings; another
/// authorizer could pass anything.
#[tokio::test]
async fn a_verified_address_has_one_shape() {
    let (rollcall, _owner) = Rollcall::start_with_owner().await;
    let rows = rollcall.rows().await;
    for verified in [
        json!(null),
        json!(false),
        json!(0),
        json!(1),
        json!(""),
        json!("false"),
        json!("False"),
        json!("TRUE"),
        json!("True"),
        json!("yes"),
        json!("1"),
        json!("[true]"),
        json!(["true"]),
        json!({ "value": "true" }),
        json!("true\u{0}"),
        json!(" true"),
    ] {
        let claims: Value = json!({
            "iss": "https://id.example", "sub": "olivia", "email": OWNER,
            "email_verified": verified,
        });
        for (operation, route) in [
            ("authorize-login", "POST /login"),
            ("list", "GET /accounts/{accountId}/members"),
            ("close-account", "DELETE /accounts/{accountId}"),
        ] {
            let mut event = api_event(route, &claims, "");
            event["pathParameters"] = json!({ "accountId": "acme" });
            // Anything but an event of API Gateway is refused before it reaches the function.
            if let Some(answer) = rollcall.stack.invoke(operation, event).await {
                let answer = answer.unwrap();
                let status = answer["statusCode"].as_u64().unwrap();
                assert!(status == 403 || status == 401, "{verified}: {answer}");
            }
        }
    }
    assert_eq!(rollcall.rows().await, rows);
}
