//! Whatever the input, the answer names everything wrong with it and nothing is written.

use data_encoding::BASE64;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{OWNER, Person, Reply, Rollcall, Rows, invitation, member_id};

/// An event as API Gateway makes it for a route, with these claims.
pub(crate) fn api_event(route: &str, claims: &Value, body: &str) -> Value {
    let (method, path) = route.split_once(' ').unwrap();
    json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "content-type": "application/json", "host": "api.example.com" },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "authorizer": { "jwt": { "claims": claims, "scopes": null } },
            "domainName": "api.example.com",
            "domainPrefix": "api",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "test",
            },
            "requestId": "hand-made",
            "routeKey": route,
            "stage": "$default",
            "time": "24/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1_795_521_600_000_i64,
        },
        "body": body,
        "isBase64Encoded": false,
    })
}

const KIM: &str = "kim@example.com";

/// A valid body except for one field.
fn invitation_with(field: &str, value: Value) -> Value {
    let mut body = invitation(KIM);
    body[field] = value;
    body
}

async fn post_raw(person: &Person, path: &str, body: impl Into<reqwest::Body>) -> Reply {
    Reply::of(person.request(Method::POST, path).body(body)).await
}

const MEMBERS: &str = "/accounts/acme/members";

/// A stack, its owner, and a check that nothing changes and AWS gets no requests.
struct Untouched {
    rollcall: Rollcall,
    owner: Person,
    rows: Rows,
}

impl Untouched {
    async fn start() -> Self {
        let (rollcall, owner) = Rollcall::start_with_owner().await;
        owner.invite("acme", "max@example.com").await;
        let rows = rollcall.rows().await;
        rollcall.wire.forget();
        Self {
            rollcall,
            owner,
            rows,
        }
    }

    async fn expect_untouched(self) {
        assert!(self.rollcall.wire.calls().is_empty());
        assert_eq!(self.rollcall.rows().await, self.rows);
        assert_eq!(self.rollcall.stack.mailbox().list().len(), 1);
    }
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let stack = Untouched::start().await;
    let names = |value: &str| ["firstName", "lastName"].map(|field| (field, json!(value)));
    let long_name = "x".repeat(65);
    let long_address = format!("{}@example.com", "x".repeat(65));
    let mut wrong: Vec<(&str, Value)> = [
        "",
        " ",
        "-",
        &long_name,
        "Kim\r\nBcc: eve@example.com",
        "Kim\nLee",
        "Kim\u{202e}eeL",
        "Kim\u{2066}",
        "Kim\u{200b}",
        "Kim\u{0}",
        "Kim\u{7f}",
        "<b>Kim</b>",
        "<script>",
        "Kim &amp; Co",
        "http://example.com",
        "www.example.com",
        "kim@example.com",
        "{{7*7}}",
        "Kim7",
        "😀",
        "\u{301}",
    ]
    .into_iter()
    .flat_map(names)
    .collect();
    wrong.extend(
        [
            "",
            "kim",
            "kim@",
            "@example.com",
            "kim@localhost",
            "kim@[192.0.2.1]",
            "kim@192.0.2.1",
            "\"kim\"@example.com",
            "kim(x)@example.com",
            "Kim <kim@example.com>",
            "kim@example.com,eve@example.com",
            "kim@example.com\r\nBcc: eve@example.com",
            "kim@example.com\n",
            " kim@example.com",
            "kim@exam ple.com",
            "kim@example.com\u{0}",
            "k\u{131}m@example.com",
            "\u{212a}im@example.com",
            "kim@\u{212a}elvin.com",
            "kim@exa\u{202e}mple.com",
            "kim..lee@example.com",
            "kim@-example.com",
            "<kim@example.com>",
            &long_address,
        ]
        .map(|address| ("email", json!(address))),
    );
    for value in [
        json!(null),
        json!(7),
        json!(1e300),
        json!(true),
        json!([]),
        json!({}),
        json!(["Kim"]),
    ] {
        wrong.extend(["firstName", "lastName", "email"].map(|field| (field, value.clone())));
    }
    // Only the table says who a person is and what they may do.
    for field in [
        "role",
        "status",
        "plan",
        "state",
        "id",
        "accountId",
        "version",
        "rank",
        "invite",
        "pk",
        "__proto__",
        "",
        "FirstName",
        "first_name",
    ] {
        wrong.push((field, json!("owner")));
    }
    for (field, value) in wrong {
        let body = invitation_with(field, value);
        let refused = stack.owner.post(MEMBERS, &body).await;
        let refused = refused.expect_problem(400, "invalid_request");
        assert_eq!(refused.wrong_fields(), [field], "{body}");
        assert!(refused.text("detail").starts_with(field), "{body}");
    }
    stack.expect_untouched().await;
}

#[tokio::test]
async fn all_mistakes_are_told_at_once() {
    let stack = Untouched::start().await;
    let body = json!({ "firstName": 7, "email": "x", "role": "owner" });
    let refused = stack.owner.post(MEMBERS, &body).await;
    let refused = refused.expect_problem(400, "invalid_request");
    assert_eq!(
        refused.body["errors"],
        json!([
            { "field": "firstName", "message": "must be a string" },
            { "field": "lastName", "message": "is required" },
            {
                "field": "email",
                "message": "must be an e-mail address such as name@example.com",
            },
            { "field": "role", "message": "is not a known field" },
        ])
    );
    stack.expect_untouched().await;
}

#[tokio::test]
async fn a_body_that_is_not_a_json_object_is_refused() {
    let stack = Untouched::start().await;
    let kim = member_id("acme", "max@example.com");
    let resend = format!("/accounts/acme/members/{kim}/resend");
    let deep = "[".repeat(8_000);
    let deep_field = format!(r#"{{"email":{}"#, r#"{"a":"#.repeat(2_000));
    for body in [
        &b"null"[..],
        b"7",
        b"\"text\"",
        b"[]",
        b"true",
        b"{",
        b"{}{}",
        b"{} x",
        b"{\"email\":}",
        b"{'email':'x'}",
        b"{\"email\":\"a\",}",
        b"{\"email\":\"a\",\"email\":\"b\"}",
        b"{\"email\":\"a\",\"\\u0065mail\":\"b\"}",
        b"{\"x\":1,\"x\":1}",
        b"{\"email\":\"\xff\xfe\"}",
        b"{\"email\":\"\xc0\xaf\"}",
        b"{\"email\":\"\\ud800\"}",
        b"{\"email\":\"\x01\"}",
        b"{\"email\":1e999999}",
        b"{\"email\":-}",
        b"{\"email\":NaN}",
        b"\xef\xbb\xbf{}",
        b"\xff",
        b"\0",
        b"email=kim@example.com",
        b"<invite/>",
        deep.as_bytes(),
        deep_field.as_bytes(),
    ] {
        for path in [MEMBERS, &resend, "/login"] {
            let refused = post_raw(&stack.owner, path, body.to_vec()).await;
            let refused = refused.expect_problem(400, "invalid_request");
            assert_eq!(
                refused.text("detail"),
                "The body must be a JSON object that names each field once.",
                "{path} {}",
                String::from_utf8_lossy(body)
            );
        }
    }
    // An empty body is an empty object: what is missing is named.
    let refused = post_raw(&stack.owner, MEMBERS, "").await;
    let refused = refused.expect_problem(400, "invalid_request");
    assert_eq!(refused.wrong_fields(), ["firstName", "lastName", "email"]);
    stack.expect_untouched().await;
}

#[tokio::test]
async fn numbers_are_not_names_however_large() {
    let stack = Untouched::start().await;
    for number in ["1e400", "123456789012345678901234567890", "-0", "0.1"] {
        let body = format!(r#"{{"firstName":{number},"lastName":"Lee","email":"{KIM}"}}"#);
        let refused = post_raw(&stack.owner, MEMBERS, body).await;
        refused.expect_problem(400, "invalid_request");
    }
    stack.expect_untouched().await;
}

#[tokio::test]
async fn a_body_may_have_sixteen_kilobytes_and_no_more() {
    let stack = Untouched::start().await;
    let padded = |length: usize| format!("{{{}}}", " ".repeat(length - 2));
    for path in [MEMBERS, "/login", "/accounts/acme/members/x/resend"] {
        let largest = post_raw(&stack.owner, path, padded(16 * 1024)).await;
        assert!(largest.text("code") != "body_too_large", "{path}");
        for length in [16 * 1024 + 1, 1024 * 1024, 6 * 1024 * 1024] {
            let refused = post_raw(&stack.owner, path, padded(length)).await;
            refused.expect_problem(413, "body_too_large");
        }
        // A hundred thousand brackets are too many bytes, but don't overflow the stack.
        let deep = post_raw(&stack.owner, path, "[".repeat(100_000)).await;
        deep.expect_problem(413, "body_too_large");
    }
    // Bodies that aren't UTF-8 arrive in base64, and their real length counts.
    let refused = post_raw(&stack.owner, MEMBERS, vec![0xff; 16 * 1024 + 1]).await;
    refused.expect_problem(413, "body_too_large");
    let allowed = post_raw(&stack.owner, MEMBERS, vec![0xff; 16 * 1024]).await;
    allowed.expect_problem(400, "invalid_request");
    stack.owner.login(&json!({})).await.expect_status(200);
}

#[tokio::test]
async fn a_deep_payload_from_anywhere_is_refused() {
    let rollcall = Rollcall::start().await;
    for path in ["/dev/accounts", "/dev/token", "/dev/clock"] {
        let request = reqwest::Client::new().post(format!("{}{path}", rollcall.stack.url()));
        let refused = Reply::of(request.body("[".repeat(100_000))).await;
        refused.expect_problem(400, "invalid_request");
    }
}

#[tokio::test]
async fn a_body_in_base64_is_read_like_any_other() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.login(&json!({})).await.expect_status(200);
    let claims = json!({
        "iss": format!("{}/dev/oidc", rollcall.stack.url()),
        "sub": rollcall.row("acme", OWNER).await["identity"].as_m().unwrap()["subject"]
            .as_s()
            .unwrap(),
        "email": OWNER,
        "email_verified": "true",
    });
    let body = BASE64.encode(invitation(KIM).to_string().as_bytes());
    let mut event = api_event("POST /accounts/{accountId}/members", &claims, &body);
    event["pathParameters"] = json!({ "accountId": "acme" });
    event["isBase64Encoded"] = json!(true);
    let answer = rollcall.invoke("invite", event).await.unwrap();
    assert_eq!(answer["statusCode"], 201, "{answer}");
}

#[tokio::test]
async fn every_wrong_id_is_named() {
    let stack = Untouched::start().await;
    let owner = &stack.owner;
    let good = member_id("acme", "max@example.com").to_string();
    let long = "x".repeat(65);
    for account in [
        "a.b",
        "a%23b",
        "a%20b",
        "%00",
        "a%0d%0ab",
        "%C3%A4",
        "a%2Fb",
        "%ff",
        "*",
        &long,
        "acme%23MEMBER",
    ] {
        let members = format!("/accounts/{account}/members");
        for refused in [
            owner.get(&members).await,
            owner.post(&members, &invitation(KIM)).await,
            owner
                .post(&format!("{members}/{good}/resend"), &json!({}))
                .await,
            owner.delete(&format!("{members}/{good}")).await,
        ] {
            let refused = refused.expect_problem(400, "invalid_request");
            assert_eq!(refused.wrong_fields(), ["accountId"], "{account}");
        }
        let body = json!({ "accountId": account });
        let refused = owner.login(&body).await;
        let refused = refused.expect_problem(400, "invalid_request");
        assert_eq!(refused.wrong_fields(), ["accountId"], "{account}");
    }
    let shorter = good.split_at(1).1;
    for member in [
        "x",
        "%23",
        &good.to_uppercase(),
        &format!("{good}a"),
        shorter,
        &format!("{shorter}0"),
        "kim@example.com",
        "%F0%9F%98%80",
    ] {
        let path = format!("/accounts/acme/members/{member}");
        for refused in [
            owner.post(&format!("{path}/resend"), &json!({})).await,
            owner.delete(&path).await,
        ] {
            let refused = refused.expect_problem(400, "invalid_request");
            assert_eq!(refused.wrong_fields(), ["memberId"], "{member}");
        }
    }
    stack.expect_untouched().await;
}

#[tokio::test]
async fn every_wrong_parameter_of_the_list_is_named() {
    let stack = Untouched::start().await;
    let long = "x".repeat(255);
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=%2B5", "limit"),
        ("limit=1.5", "limit"),
        ("limit=1e1", "limit"),
        ("limit=", "limit"),
        ("limit=%D9%A5", "limit"),
        ("limit=99999999999999999999999", "limit"),
        ("limit=5&limit=6", "limit"),
        ("status=owner", "status"),
        ("status=", "status"),
        ("status=ACTIVE", "status"),
        ("status=active,removed", "status"),
        ("status=active&status=removed", "status"),
        ("q=a&q=b", "q"),
        (&format!("q={long}"), "q"),
        ("cursor=", "cursor"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=AAAA", "cursor"),
        ("cursor=____", "cursor"),
        ("cursor=e30", "cursor"),
        ("role=owner", "role"),
        ("Limit=5", "Limit"),
        ("accountId=other", "accountId"),
    ] {
        let refused = stack.owner.list("acme", &format!("?{query}")).await;
        let refused = refused.expect_problem(400, "invalid_request");
        assert_eq!(refused.wrong_fields(), [field], "{query}");
    }
    stack.expect_untouched().await;
}

/// Mail programs can damage a link, so the answer must help the person.
#[tokio::test]
async fn a_damaged_link_is_not_valid() {
    let stack = Untouched::start().await;
    let good = stack.rollcall.newest_token();
    let (front, secret) = good.rsplit_once('.').unwrap();
    for token in [
        "".to_owned(),
        ".".to_owned(),
        "..".to_owned(),
        "x".repeat(10_000),
        good.replacen("acme", "c#me", 1),
        good.replacen("acme", "", 1),
        format!("{good}="),
        format!("{good} "),
        format!(" {good}"),
        format!("{good}\r\n"),
        format!("{good}\u{0}"),
        format!("{good}.x"),
        format!("{front}.{}", secret.split_at(1).1),
        format!("{front}.{secret}A"),
        format!("{front}."),
        front.to_owned(),
        good.replace('.', "#"),
        good.to_uppercase(),
    ] {
        let refused = stack.owner.login(&json!({ "inviteToken": token })).await;
        let refused = refused.expect_problem(410, "invite_invalid");
        assert_eq!(
            refused.text("detail"),
            "This invite link isn't valid. Use the link in your latest invite e-mail."
        );
    }
    for value in [json!(7), json!([]), json!({}), json!(true)] {
        let refused = stack.owner.login(&json!({ "inviteToken": value })).await;
        let refused = refused.expect_problem(400, "invalid_request");
        assert_eq!(refused.wrong_fields(), ["inviteToken"]);
    }
    for field in ["token", "email", "role", "sub", "invitetoken"] {
        let refused = stack.owner.login(&json!({ field: "x" })).await;
        let refused = refused.expect_problem(400, "invalid_request");
        assert_eq!(refused.wrong_fields(), [field]);
    }
    stack.expect_untouched().await;
}

/// An unknown field isn't sent back in full, however long it is.
#[tokio::test]
async fn an_answer_does_not_repeat_long_input() {
    let stack = Untouched::start().await;
    let name = "\u{202e}<script>".repeat(500);
    let refused = stack.owner.post(MEMBERS, &json!({ name: "x" })).await;
    let refused = refused.expect_problem(400, "invalid_request");
    assert!(refused.raw.len() < 2_000);
    stack.expect_untouched().await;
}

#[tokio::test]
async fn there_is_nothing_at_other_addresses() {
    let stack = Untouched::start().await;
    for (method, path) in [
        (Method::GET, "/accounts"),
        (Method::GET, "/accounts/acme/member"),
        (Method::GET, "/accounts/acme/members/"),
        (Method::GET, "//accounts/acme/members"),
        (Method::GET, "/ACCOUNTS/acme/members"),
        (Method::PUT, MEMBERS),
        (Method::DELETE, MEMBERS),
        (Method::POST, "/login/"),
        (Method::GET, "/accounts//members"),
        (Method::POST, "/accounts/acme/members/x/remove"),
    ] {
        let reply = Reply::of(stack.owner.request(method, path)).await;
        reply.expect_problem(404, "not_found");
    }
    stack.expect_untouched().await;
}

fn claims() -> Value {
    json!({
        "iss": "https://issuer.example",
        "sub": "olivia",
        "email": OWNER,
        "email_verified": "true",
        "aud": "client",
        "exp": "1795521600",
        "groups": "[a b]",
    })
}

#[tokio::test]
async fn only_a_verified_address_counts() {
    let stack = Untouched::start().await;
    for verified in [
        "false", "False", "True", "TRUE", "1", "0", "yes", "", " true", "true ", "[true]",
        "\"true\"", "null", "tru", "truetrue", "verified",
    ] {
        let mut claims = claims();
        claims["email_verified"] = json!(verified);
        let event = api_event("POST /login", &claims, "{}");
        let answer = stack.rollcall.invoke("authorize-login", event).await;
        let body = answer.unwrap()["body"].as_str().unwrap().to_owned();
        assert!(body.contains("\"email_unverified\""), "{verified}: {body}");
    }
    for email in [
        "",
        "olivia",
        "[olivia@example.com]",
        "olivia@example.com eve@example.com",
    ] {
        let mut claims = claims();
        claims["email"] = json!(email);
        let event = api_event("POST /login", &claims, "{}");
        let answer = stack.rollcall.invoke("authorize-login", event).await;
        assert_eq!(answer.unwrap()["statusCode"], 403, "{email}");
    }
    for missing in ["email", "email_verified"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(missing);
        let event = api_event("POST /login", &claims, "{}");
        let answer = stack.rollcall.invoke("authorize-login", event).await;
        assert_eq!(answer.unwrap()["statusCode"], 403, "{missing}");
    }
    stack.rollcall.wire.forget();
    stack.expect_untouched().await;
}

/// A gap in the template, or an emulator without an authorizer, opens nothing.
#[tokio::test]
async fn a_request_without_authorizer_claims_is_not_signed_in() {
    let stack = Untouched::start().await;
    let with = |change: fn(&mut Value)| {
        let mut event = api_event("POST /login", &claims(), "{}");
        event["pathParameters"] = json!({
            "accountId": "acme",
            "memberId": member_id("acme", OWNER),
        });
        change(&mut event["requestContext"]);
        event
    };
    let events = [
        with(|context| drop(context.as_object_mut().unwrap().remove("authorizer"))),
        with(|context| context["authorizer"] = json!({})),
        with(|context| context["authorizer"] = json!({ "lambda": claims() })),
        with(|context| context["authorizer"] = json!({ "jwt": {} })),
        with(|context| context["authorizer"]["jwt"]["claims"] = json!({})),
        with(|context| context["authorizer"]["jwt"]["claims"]["sub"] = json!("")),
        with(|context| context["authorizer"]["jwt"]["claims"]["iss"] = json!("")),
        with(|context| {
            let claims = context["authorizer"]["jwt"]["claims"].as_object_mut();
            claims.unwrap().remove("sub");
        }),
        with(|context| {
            let claims = context["authorizer"]["jwt"]["claims"].as_object_mut();
            claims.unwrap().remove("iss");
        }),
    ];
    for operation in ["authorize-login", "invite", "list", "remove", "resend"] {
        for event in &events {
            let answer = stack.rollcall.invoke(operation, event.clone()).await;
            let answer = answer.unwrap();
            assert_eq!(answer["statusCode"], 401, "{operation} {event}");
            assert!(answer["body"].as_str().unwrap().contains("unauthenticated"));
        }
    }
    stack.expect_untouched().await;
}

/// Callers can't set the headers that the gateway writes.
#[tokio::test]
async fn a_caller_cannot_speak_for_the_gateway() {
    let stack = Untouched::start().await;
    for (name, value) in [
        ("x-forwarded-proto", "~"),
        ("x-forwarded-port", "x"),
        ("host", "["),
        ("x-request-id", "mine"),
    ] {
        let request = stack.owner.request(Method::GET, "/accounts/acme/members/");
        let reply = Reply::of(request.header(name, value)).await;
        reply.expect_problem(404, "not_found");
        let request = stack.owner.request(Method::GET, "/accounts/a.b/members");
        let reply = Reply::of(request.header(name, value)).await;
        let reply = reply.expect_problem(400, "invalid_request");
        assert_ne!(reply.header("x-request-id"), "mine");
    }
    stack.expect_untouched().await;
}
