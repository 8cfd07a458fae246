//! Support sees why a person hasn't got in.

use data_encoding::BASE64URL_NOPAD;
use local::{Options, SuppressionReason};
use platform::Clock;
use serde_json::{Value, json};

use crate::bad_input::api_event;
use crate::harness::issuer::verified;
use crate::harness::{Fault, NOON, OWNER, Person, Rollcall, member_id};

const KIM: &str = "kim@example.com";

async fn support(rollcall: &Rollcall) -> Person {
    rollcall
        .signed_in(&json!({ "email": "sue@product.example", "groups": ["staff", "support"] }))
        .await
}

async fn start() -> (Rollcall, Person, Person) {
    let options = Options {
        mail_feedback: true,
        ..Options::default()
    };
    let rollcall = Rollcall::start_with(options).await;
    rollcall.account("acme", "pro").await;
    let (owner, support) = (rollcall.person(OWNER).await, support(&rollcall).await);
    (rollcall, owner, support)
}

async fn about(support: &Person, email: &str) -> Value {
    let reply = support
        .get(&format!("/support/feedback?email={email}"))
        .await;
    reply.expect_status(200).body
}

fn texts(list: &Value, name: &str) -> Vec<String> {
    let text = |item: &Value| item[name].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn one_answer_has_everything_about_a_person() {
    let (rollcall, owner, support) = start().await;
    let email = "bounce@simulator.amazonses.com";
    owner.invite("acme", email).await.expect_status(201);
    rollcall.stack.mail_feedback_settled().await;

    let about = about(&support, "Bounce@simulator.amazonses.com").await;
    assert_eq!(about["email"], email);
    assert_eq!(
        about["verdict"],
        "The invite to acme Inc. of 24 November 2026 came back because the recipient's mail \
         server couldn't find this mailbox: check the spelling with the person, and have the \
         owner resend the invite to the right address; this address is on the suppression list as a \
         consequence, and lifting the block would only make the next e-mail come back."
    );
    assert_eq!(about["suppression"]["listed"], true);
    assert_eq!(about["suppression"]["reason"], "bounce");
    assert_eq!(about["accounts"][0]["account"]["id"], "acme");
    assert_eq!(
        about["accounts"][0]["member"]["delivery"]["status"],
        "bounced"
    );
    assert_eq!(about["accounts"][0]["verdict"], about["verdict"]);
    assert_eq!(texts(&about["feedback"], "kind"), ["bounce", "send"]);
    let bounce = about["feedback"][0].as_object().unwrap();
    let expected = json!({
        "id": bounce["id"],
        "at": "2026-11-24T12:00:00.8Z",
        "email": email,
        "accountId": "acme",
        "memberId": member_id("acme", email),
        "send": 1,
        "kind": "bounce",
        "status": "bounced",
        "reason": "The recipient's mail server couldn't find this mailbox.",
        "advice": "The mailbox does not exist: check the spelling of the address.",
        "label": "Permanent",
        "sublabel": "General",
        "smtpStatus": "5.1.1",
        "diagnostic": "smtp; 550 5.1.1 user unknown",
    });
    assert_eq!(about["feedback"][0], expected);
}

#[tokio::test]
async fn only_the_support_group_gets_in() {
    let (rollcall, owner, _) = start().await;
    owner.invite("acme", KIM).await.expect_status(201);
    rollcall.stack.mail_feedback_settled().await;
    rollcall.wire.forget();
    let someone = |groups: Value| json!({ "email": "sue@product.example", "groups": groups });
    for groups in [
        json!([]),
        json!(["staff"]),
        json!(["supporters", "Support", "nosupport"]),
    ] {
        let person = rollcall.signed_in(&someone(groups)).await;
        for path in [
            &format!("/support/feedback?email={KIM}"),
            "/support/feedback",
        ] {
            person.get(path).await.expect_problem(403, "support_only");
        }
        let path = format!("/support/suppressions/{KIM}");
        person
            .delete(&path)
            .await
            .expect_problem(403, "support_only");
    }
    owner
        .get("/support/feedback")
        .await
        .expect_problem(403, "support_only");
    assert_eq!(rollcall.wire.calls(), [""; 0]);
}

/// The greatest age of an accepted token, in seconds.
const A_MOMENT: i64 = 5;

/// The claims of a person with these groups.
fn claims(groups: &Value) -> Value {
    json!({
        "iss": "https://id.example",
        "sub": "sue",
        "email": "sue@product.example",
        "email_verified": true,
        "groups": groups,
        "iat": Clock::system().now().as_second() - A_MOMENT,
    })
}

/// The answer to this `Authorization` header, in a deployment with this support group. The claims
/// from API Gateway always say that the caller is in it.
async fn code_for(rollcall: &Rollcall, authorization: &str) -> String {
    let handed_on = json!({
        "iss": "https://id.example",
        "sub": "sue",
        "email": "sue@product.example",
        "email_verified": "true",
        "groups": "[support premium support]",
        "iat": Clock::system().now().as_second().to_string(),
    });
    let mut event = api_event("GET /support/feedback", &handed_on, "");
    event["headers"]["authorization"] = json!(authorization);
    let answer = rollcall.invoke("support-feedback", event).await.unwrap();
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    body["code"].as_str().unwrap_or("ok").to_owned()
}

async fn with_support_group(group: &str) -> Rollcall {
    Rollcall::start_with(Options {
        parameters: vec![("SupportGroup", group.to_owned())],
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn a_group_is_a_whole_name_in_the_list_of_the_token() {
    let (support, premium) = (
        with_support_group("support").await,
        with_support_group("premium support").await,
    );
    // The groups of a token, and whether they make the caller support staff if the group is called
    // "support", and if it is called "premium support".
    for (groups, is_support, is_premium) in [
        (json!(["support"]), true, false),
        (json!(["staff", "support"]), true, false),
        (json!(["support", "support"]), true, false),
        (json!("support"), true, false),
        (json!(["premium support"]), false, true),
        (json!("premium support"), false, true),
        (json!(["support", "premium support"]), true, true),
        (json!(["no support allowed"]), false, false),
        (json!(["premium", "support"]), true, false),
        (json!(["premium  support"]), false, false),
        (json!(["Support"]), false, false),
        (json!([" support"]), false, false),
        (json!(["support "]), false, false),
        (json!(["support\u{0}"]), false, false),
        (json!(["supporters", "nosupport"]), false, false),
        (json!("[support]"), false, false),
        (json!("[\"support\"]"), false, false),
        (json!("staff support"), false, false),
        (json!("staff,support"), false, false),
        (json!(["[support]"]), false, false),
        (json!(["staff support"]), false, false),
        (json!([["support"]]), false, false),
        (json!([{ "name": "support" }]), false, false),
        (json!({ "support": true }), false, false),
        (json!({ "0": "support" }), false, false),
        (json!([]), false, false),
        (json!(""), false, false),
        (json!(true), false, false),
        (json!(1), false, false),
        (Value::Null, false, false),
    ] {
        let authorization = verified(&claims(&groups));
        for (rollcall, is_in) in [(&support, is_support), (&premium, is_premium)] {
            let expected = if is_in { "ok" } else { "support_only" };
            assert_eq!(
                code_for(rollcall, &authorization).await,
                expected,
                "{groups}"
            );
        }
    }
}

#[tokio::test]
async fn nobody_is_support_without_the_verified_token() {
    let rollcall = with_support_group("support").await;
    let good = claims(&json!(["support"]));
    let token = verified(&good);
    let bare = token.strip_prefix("Bearer ").unwrap();
    for authorization in [&token, bare, &format!("bearer {bare}")] {
        assert_eq!(code_for(&rollcall, authorization).await, "ok");
    }
    rollcall.wire.forget();
    let mut strangers = vec![
        String::new(),
        "Bearer".to_owned(),
        "Bearer x".to_owned(),
        "Bearer a.b.c".to_owned(),
        format!("Basic {bare}"),
        format!("{token}.x"),
        token.rsplit_once('.').unwrap().0.to_owned(),
        format!("{token}, {token}"),
    ];
    for payload in ["[]", "null", "\"support\"", "{\"groups\":"] {
        let payload = BASE64URL_NOPAD.encode(payload.as_bytes());
        strangers.push(format!("Bearer e30.{payload}.verified"));
    }
    for (claim, value) in [
        ("iss", json!("https://other.example")),
        ("sub", json!("somebody else")),
        ("sub", Value::Null),
    ] {
        let mut claims = good.clone();
        claims[claim] = value;
        strangers.push(verified(&claims));
    }
    for authorization in strangers {
        let code = code_for(&rollcall, &authorization).await;
        assert_eq!(code, "support_only", "{authorization}");
    }
    assert_eq!(rollcall.wire.calls(), [""; 0]);
}

#[tokio::test]
async fn support_signs_in_again_from_time_to_time() {
    let rollcall = Rollcall::start_with(Options {
        parameters: vec![("SupportSessionMinutes", "30".to_owned())],
        ..Options::default()
    })
    .await;
    let now = Clock::system().now().as_second();
    for (issued_at, expected) in [
        (json!(now), "ok"),
        (json!(now - 29 * 60), "ok"),
        (json!((now - 60) as f64 + 0.5), "ok"),
        (json!(now - 30 * 60 - 1), "unauthenticated"),
        (json!(now - 24 * 3_600), "unauthenticated"),
        (json!(0), "unauthenticated"),
        (json!(now.to_string()), "unauthenticated"),
        (Value::Null, "unauthenticated"),
    ] {
        let mut claims = claims(&json!(["support"]));
        claims["iat"] = issued_at;
        let code = code_for(&rollcall, &verified(&claims)).await;
        assert_eq!(code, expected, "{claims}");
    }
    // A caller who isn't support staff learns nothing from the age of a token.
    let mut other = claims(&json!(["staff"]));
    other["iat"] = json!(0);
    assert_eq!(code_for(&rollcall, &verified(&other)).await, "support_only");
}

#[tokio::test]
async fn an_unknown_person_gets_a_verdict_too() {
    let (_rollcall, _, support) = start().await;
    let about = about(&support, "nobody@example.com").await;
    let verdict = about["verdict"].as_str().unwrap();
    assert!(
        verdict.starts_with("Nobody has invited this address"),
        "{verdict}"
    );
    assert_eq!(
        (&about["accounts"], &about["feedback"]),
        (&json!([]), &json!([]))
    );
}

#[tokio::test]
async fn a_suppressed_address_can_be_lifted() {
    let (rollcall, owner, support) = start().await;
    let list = rollcall.stack.suppression_list();
    list.add(KIM, SuppressionReason::Bounce, NOON.parse().unwrap())
        .unwrap();
    owner.invite("acme", KIM).await.expect_status(201);
    rollcall.stack.mail_feedback_settled().await;

    let before = about(&support, KIM).await;
    assert_eq!(
        before["suppression"],
        json!({ "listed": true, "reason": "bounce", "since": NOON })
    );
    assert_eq!(
        before["verdict"],
        "The invite to acme Inc. of 24 November 2026 wasn't sent because an earlier e-mail to \
         this address came back: find out why it came back, and once that is fixed, lift the block \
         and ask the owner to resend the invite."
    );
    rollcall.advance(60).await;
    owner
        .resend("acme", KIM)
        .await
        .expect_problem(409, "address_undeliverable");

    let path = format!("/support/suppressions/{KIM}");
    for _ in 0..2 {
        let lifted = support.delete(&path).await.expect_status(200);
        assert_eq!(lifted.body, json!({ "email": KIM, "lifted": true }));
    }
    owner.resend("acme", KIM).await.expect_status(200);
    rollcall.stack.mail_feedback_settled().await;
    let after = about(&support, KIM).await;
    assert_eq!(after["suppression"], json!({ "listed": false }));
    assert_eq!(
        after["accounts"][0]["member"]["delivery"]["status"],
        "delivered"
    );
}

#[tokio::test]
async fn without_an_answer_of_the_mail_service_support_still_sees_the_rest() {
    let (rollcall, owner, support) = start().await;
    owner.invite("acme", KIM).await.expect_status(201);
    rollcall.stack.mail_feedback_settled().await;
    let fault = Fault::Error(429, "TooManyRequestsException");
    rollcall.wire.fail("GetSuppressedDestination", fault, 3);
    let about = about(&support, KIM).await;
    assert_eq!(about["suppression"], json!({}));
    assert_eq!(texts(&about["feedback"], "kind"), ["delivery", "send"]);
}

#[tokio::test]
async fn one_person_costs_two_reads_and_a_question_to_the_mail_service() {
    let (rollcall, owner, support) = start().await;
    owner.invite("acme", KIM).await.expect_status(201);
    rollcall.stack.mail_feedback_settled().await;
    rollcall.wire.forget();
    about(&support, KIM).await;
    let mut calls = rollcall.wire.calls();
    calls.sort();
    assert_eq!(
        calls,
        ["BatchGetItem", "GetSuppressedDestination", "Query", "Query"]
    );
}

#[tokio::test]
async fn recent_feedback_is_newest_first_and_goes_on_by_cursor() {
    let (rollcall, owner, support) = start().await;
    for day in 0..3 {
        for number in 0..20 {
            let email = format!("kim{day}-{number}@example.com");
            owner.invite("acme", &email).await.expect_status(201);
        }
        rollcall.stack.mail_feedback_settled().await;
        rollcall.advance(24 * 3_600).await;
    }
    let (mut at, mut ids, mut pages) = (Vec::new(), Vec::new(), 0);
    let mut path = "/support/feedback?since=2026-11-24T00:00:00Z".to_owned();
    loop {
        let page = support.get(&path).await.expect_status(200);
        at.extend(texts(&page.body["feedback"], "at"));
        ids.extend(texts(&page.body["feedback"], "id"));
        pages += 1;
        let cursor = page.text("cursor");
        if cursor.is_empty() {
            break;
        }
        path = format!("/support/feedback?since=2026-11-24T00:00:00Z&cursor={cursor}");
    }
    assert_eq!((at.len(), pages), (120, 3));
    let times: Vec<domain::Timestamp> = at.iter().map(|at| at.parse().unwrap()).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "{at:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 120);

    let since = "/support/feedback?since=2026-11-26T00:00:00Z";
    let newest = support.get(since).await.expect_status(200);
    assert_eq!(newest.body["feedback"].as_array().unwrap().len(), 40);
    assert_eq!(newest.text("cursor"), "");
}

#[tokio::test]
async fn invalid_queries_are_refused_field_by_field() {
    let (rollcall, _, support) = start().await;
    rollcall.wire.forget();
    for (query, fields) in [
        ("?email=nonsense", vec!["email"]),
        ("?email=", vec!["email"]),
        (
            "?since=yesterday&cursor=!&x=1",
            vec!["since", "cursor", "x"],
        ),
        ("?since=1&since=2", vec!["since", "since"]),
        (
            "?email=kim@example.com&since=2026-11-24T00:00:00Z",
            vec!["email"],
        ),
        ("?cursor=AAAA", vec!["cursor"]),
    ] {
        let refused = support.get(&format!("/support/feedback{query}")).await;
        let refused = refused.expect_problem(400, "invalid_request");
        assert_eq!(refused.wrong_fields(), fields, "{query}");
    }
    let refused = support.delete("/support/suppressions/nonsense").await;
    let refused = refused.expect_problem(400, "invalid_request");
    assert_eq!(refused.wrong_fields(), ["email"]);
    assert_eq!(rollcall.wire.calls(), [""; 0]);
}

/// How support sees a real hard bounce, whatever its cause.
#[tokio::test]
async fn the_verdict_explains_the_bounce_and_quotes_unknown_reasons() {
    let (rollcall, owner, support) = start().await;
    for (name, diagnostic, reason, to_do, may_resend) in [
        (
            "full",
            "smtp; 552 5.2.2 mailbox is full",
            "the mailbox is full",
            "ask the person to free up space in their mailbox, lift the block",
            true,
        ),
        (
            "policy",
            "smtp; 550 5.7.1 blocked, see our blocklist",
            "doesn't accept our e-mails",
            "mail administrator to accept our e-mails, lift the block",
            true,
        ),
        (
            "gone",
            "smtp; 550 5.1.1 user unknown",
            "couldn't find this mailbox",
            "check the spelling",
            false,
        ),
        (
            "odd",
            "smtp; 550 Frobnicated <b>twice</b>",
            "gave no clear reason (“550 Frobnicated <b>twice</b>”)",
            "ask the person for another address",
            true,
        ),
    ] {
        let email = format!("{name}@example.com");
        owner.invite("acme", &email).await.expect_status(201);
        let mail = rollcall.newest_mail();
        let mut bounce = crate::mail_feedback::event(&mail, "Bounce");
        bounce["bounce"] = json!({
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [{ "emailAddress": email, "diagnosticCode": diagnostic }],
        });
        rollcall
            .dev("/dev/feedback", &bounce)
            .await
            .expect_status(200);
        let about = about(&support, &email).await;
        let verdict = about["verdict"].as_str().unwrap();
        assert_eq!(about["suppression"]["listed"], true, "{name}");
        assert!(verdict.contains(reason), "{verdict}");
        assert!(verdict.contains(to_do), "{verdict}");
        rollcall.advance(60).await;
        let resent = owner.resend("acme", &email).await;
        assert_eq!(resent.status == 200, may_resend, "{name}");
    }
}

/// An unescaped plus arrives as a space.
#[tokio::test]
async fn an_address_with_a_plus_is_found_as_pasted() {
    let (rollcall, owner, support) = start().await;
    owner
        .invite("acme", "kim+work@example.com")
        .await
        .expect_status(201);
    rollcall.stack.mail_feedback_settled().await;
    for text in ["kim+work@example.com", "kim%2Bwork@example.com"] {
        let found = support
            .get(&format!("/support/feedback?email={text}"))
            .await;
        assert_eq!(
            found.expect_status(200).body["email"],
            "kim+work@example.com"
        );
    }
}
