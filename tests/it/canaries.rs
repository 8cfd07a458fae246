//! Canaries: unique values go everywhere that callers, mail systems and services can put a value.
//! The test then checks that they don't appear where they must not.

use std::fmt::Write;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use local::Options;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{AWS_SAYS, Fault, Log, OWNER, Reply, Rollcall, member_id};
use crate::mail_feedback::event;

const KIM: &str = "canary.kim@nest.example";
const SUE: &str = "canary.sue@product.example";
const SUE_IS: &str = "canary-subject-of-sue";
const KIM_IS: &str = "canary-subject-of-kim";
const NOSY_IS: &str = "canary-subject-of-someone-nosy";
const FIRST_NAME: &str = "Canaryfirst";
const LAST_NAME: &str = "Canarylast";
const COMPANY: &str = "Canarycompany";
const KEY: &str = "canary-idempotency-key";
const DIAGNOSTIC: &str = "canary said the other mail server";
const SEARCH: &str = "canarysearch";
const BODY: &str = "canary-in-a-body";
const TOKEN: &str = "canary-that-is-no-token";

/// All the output of a run.
#[derive(Default)]
struct Out {
    log: String,
    answers: String,
    table: String,
    /// What SES was asked to send.
    mail: String,
    /// The parts of it that people other than the recipient see: tags, subject and sender.
    envelope: String,
}

/// Where a canary may be.
#[derive(Default)]
struct Nest {
    answers: bool,
    table: bool,
    mail: bool,
    log: bool,
}

impl Out {
    fn took(&mut self, reply: &Reply) {
        let headers: &HeaderMap = &reply.headers;
        writeln!(self.answers, "{headers:?} {}", reply.raw).unwrap();
    }

    /// Looks for a canary, in any case and in the usual encodings.
    #[track_caller]
    fn expect_only_in(&self, what: &str, canary: &str, nest: &Nest) {
        let digest = Sha256::digest(canary);
        let forms = [
            canary.to_lowercase(),
            canary.to_lowercase().replace('@', "%40"),
            BASE64.encode(canary.as_bytes()).to_lowercase(),
            BASE64URL_NOPAD.encode(canary.as_bytes()).to_lowercase(),
            HEXLOWER.encode(&digest),
        ];
        let is_in = |text: &str| {
            let text = text.to_lowercase();
            forms.iter().any(|form| text.contains(form))
        };
        for (place, text, may) in [
            ("the log", &self.log, nest.log),
            ("answers", &self.answers, nest.answers),
            ("the table", &self.table, nest.table),
            ("mail", &self.mail, nest.mail),
            ("tags, subject or sender", &self.envelope, false),
        ] {
            // A canary that isn't found where it belongs was never released.
            let lines = text.lines().filter(|line| is_in(line));
            assert_eq!(
                is_in(text),
                may,
                "{what} in {place}: {:?}",
                lines.collect::<Vec<_>>()
            );
        }
    }
}

#[tokio::test]
async fn no_canary_is_found_where_it_must_not_be() {
    let log = Log::capture();
    let rollcall = Rollcall::start_with(Options::default()).await;
    rollcall.wire.record();
    let mut out = Out::default();
    let owner_row = json!({ "firstName": "Olivia", "lastName": "Owner", "email": OWNER });
    let account = json!({
        "accountId": "acme", "company": COMPANY, "plan": "pro", "owner": owner_row,
    });
    out.took(&rollcall.provision(&account).await.expect_status(200));
    let mut strange = account.clone();
    strange["plan"] = json!({ "unexpected": BODY });
    out.took(&rollcall.provision(&strange).await.expect_status(400));

    let owner = rollcall.person(OWNER).await;
    let kim = json!({ "email": KIM, "sub": KIM_IS });
    let kim = rollcall.signed_in(&kim).await;
    let sue = json!({ "email": SUE, "sub": SUE_IS, "groups": ["support"] });
    let sue = rollcall.signed_in(&sue).await;
    let bearer = owner.request(reqwest::Method::GET, "/").build().unwrap();
    let bearer = bearer.headers()[AUTHORIZATION].to_str().unwrap().to_owned();

    // What goes well.
    let invitation = json!({ "firstName": FIRST_NAME, "lastName": LAST_NAME, "email": KIM });
    let members = "/accounts/acme/members";
    let invite = owner.request(reqwest::Method::POST, members);
    let invite = invite
        .header("Idempotency-Key", KEY)
        .body(invitation.to_string());
    out.took(&Reply::of(invite).await.expect_status(201));
    let first_token = rollcall.newest_token();
    rollcall.advance(120).await;
    out.took(&owner.resend("acme", KIM).await.expect_status(200));
    let token = rollcall.newest_token();
    let mut bounce = event(&rollcall.newest_mail(), "Bounce");
    bounce["bounce"] = json!({
        "bounceType": "Transient",
        "bounceSubType": "MailboxFull",
        "bouncedRecipients": [{ "emailAddress": KIM, "diagnosticCode": DIAGNOSTIC }],
        "note": BODY,
    });
    out.took(
        &rollcall
            .dev("/dev/feedback", &bounce)
            .await
            .expect_status(200),
    );
    out.took(
        &owner
            .list("acme", &format!("?q={SEARCH}"))
            .await
            .expect_status(200),
    );
    out.took(&owner.list("acme", "").await.expect_status(200));
    let about = format!("/support/feedback?email={KIM}");
    out.took(&sue.get(&about).await.expect_status(200));
    out.took(&sue.get("/support/feedback").await.expect_status(200));

    // What does not.
    for refused in [
        json!({ "firstName": BODY, "lastName": format!("<{BODY}>"), "email": BODY }),
        json!({ "firstName": "Kim", "lastName": "Lee", "email": "k@example.com", "role": BODY }),
        json!([BODY]),
        json!(BODY),
    ] {
        out.took(&owner.post(members, &refused).await.expect_status(400));
    }
    let no_json = owner
        .request(reqwest::Method::POST, members)
        .body(format!("{{{BODY}"));
    out.took(&Reply::of(no_json).await.expect_status(400));
    let no_key = owner.request(reqwest::Method::POST, members);
    let no_key = no_key.header("Idempotency-Key", format!("{KEY} and more"));
    out.took(
        &Reply::of(no_key.body(invitation.to_string()))
            .await
            .expect_status(400),
    );
    out.took(&owner.invite("acme", KIM).await.expect_status(409));
    out.took(
        &kim.login(&json!({ "inviteToken": TOKEN }))
            .await
            .expect_status(410),
    );
    out.took(
        &kim.login(&json!({ "inviteToken": first_token }))
            .await
            .expect_status(410),
    );
    out.took(
        &kim.login(&json!({ "accountId": BODY.to_uppercase() + "/" }))
            .await,
    );
    let nosy = json!({ "email": "nosy@product.example", "sub": NOSY_IS });
    let nosy = rollcall.signed_in(&nosy).await;
    out.took(&nosy.get(&about).await.expect_status(403));
    out.took(
        &kim.list("acme", &format!("?q={SEARCH}"))
            .await
            .expect_status(403),
    );
    out.took(
        &rollcall
            .dev("/dev/feedback", &json!({ "eventType": BODY }))
            .await,
    );
    out.took(&rollcall.dev("/dev/feedback", &json!(BODY)).await);

    // What AWS gets wrong.
    for (operation, fault) in [
        ("BatchGetItem", Fault::Error(400, "ValidationException")),
        ("BatchGetItem", Fault::Garbage),
        (
            "TransactWriteItems",
            Fault::Error(400, "ValidationException"),
        ),
        ("SendEmail", Fault::Error(400, "MessageRejected")),
    ] {
        rollcall.wire.fail(operation, fault, 1);
        let email = format!("canary.{}@nest.example", operation.to_lowercase());
        out.took(&owner.invite("acme", &email).await);
    }
    rollcall.wire.fail(
        "GetSuppressedDestination",
        Fault::Error(400, "BadRequestException"),
        1,
    );
    out.took(&sue.get(&about).await.expect_status(200));
    rollcall.wire.fail(
        "TransactWriteItems",
        Fault::Error(400, "ValidationException"),
        1,
    );
    out.took(
        &kim.login(&json!({ "inviteToken": token }))
            .await
            .expect_status(500),
    );
    rollcall.wire.expect_all_happened();

    out.took(
        &kim.login(&json!({ "inviteToken": token }))
            .await
            .expect_status(200),
    );
    let lift = format!("/support/suppressions/{KIM}");
    out.took(&sue.delete(&lift).await.expect_status(200));
    let row = format!("{members}/{}", member_id("acme", KIM));
    let changed = json!({ "lastName": LAST_NAME });
    out.took(&owner.patch(&row, &changed).await.expect_status(200));
    // A removed row no longer holds the identity it was bound to.
    out.table = format!("{:?}", rollcall.rows().await);
    out.took(&owner.remove("acme", KIM).await.expect_status(200));
    out.took(&kim.login(&json!({})).await.expect_status(403));
    out.took(&owner.delete("/accounts/acme").await.expect_status(200));

    out.log = log.text();
    write!(out.table, "{:?}", rollcall.rows().await).unwrap();
    for request in rollcall.wire.recorded() {
        if request.operation == "SendEmail" {
            let body = &request.body;
            writeln!(out.mail, "{body}").unwrap();
            let parts: [&Value; 3] = [
                &body["EmailTags"],
                &body["Content"]["Simple"]["Subject"],
                &body["FromEmailAddress"],
            ];
            writeln!(out.envelope, "{parts:?}").unwrap();
        }
    }
    assert!(out.mail.contains("#token=") && out.envelope.contains("invitation"));
    assert!(out.log.contains("\"account_id\":\"acme\"") && out.log.contains("\"request_id\""));

    // Of people: for people, never for the log.
    let of_people = Nest {
        answers: true,
        table: true,
        mail: true,
        ..Nest::default()
    };
    out.expect_only_in("an address", KIM, &of_people);
    out.expect_only_in("a first name", FIRST_NAME, &of_people);
    out.expect_only_in("a company", COMPANY, &of_people);
    let not_mailed = Nest {
        mail: false,
        ..of_people
    };
    out.expect_only_in("a last name", LAST_NAME, &not_mailed);
    out.expect_only_in("a diagnostic", DIAGNOSTIC, &not_mailed);
    // The identity from the identity provider binds the row, and appears nowhere else.
    let kept = Nest {
        table: true,
        ..Nest::default()
    };
    out.expect_only_in("a member's subject", KIM_IS, &kept);
    // Anyone who looks at other people's data, or tries to, is logged by an id.
    let logged = Nest {
        log: true,
        ..Nest::default()
    };
    out.expect_only_in("a support person's subject", SUE_IS, &logged);
    out.expect_only_in("a nosy person's subject", NOSY_IS, &logged);

    // Only the recipient gets the token.
    let mailed = Nest {
        mail: true,
        ..Nest::default()
    };
    for token in [&first_token, &token] {
        let secret = token.rsplit('.').next().unwrap();
        out.expect_only_in("the secret of an invite", secret, &mailed);
        let stored = BASE64URL_NOPAD.decode(secret.as_bytes()).unwrap();
        let hash = Sha256::digest(stored);
        for hash in [HEXLOWER.encode(&hash), BASE64URL_NOPAD.encode(&hash)] {
            assert!(!out.answers.contains(&hash) && !out.log.contains(&hash));
        }
    }

    let nowhere = Nest::default();
    for (what, canary) in [
        ("a support person's address", SUE),
        ("an idempotency key", KEY),
        ("a search", SEARCH),
        ("a body that was refused", BODY),
        ("a malformed token", TOKEN),
        ("an ID token", &bearer),
        ("the words of AWS", AWS_SAYS),
    ] {
        out.expect_only_in(what, canary, &nowhere);
    }
}
