//! What SES reports about mail, through SNS's envelope.

use domain::id::EmailKey;
use local::{Mail, Options};
use serde_json::{Value, json};

use crate::harness::{NOON, OWNER, Person, Reply, Rollcall, member_id};

const KIM: &str = "kim@example.com";

/// An event about a mail, without the part that its kind adds.
pub(crate) fn event(mail: &Mail, kind: &str) -> Value {
    let tags: serde_json::Map<_, _> = mail
        .tags
        .iter()
        .map(|(name, value)| (name.clone(), json!([value])))
        .collect();
    json!({
        "eventType": kind,
        "mail": {
            "timestamp": mail.received_at,
            "source": mail.from,
            "sourceArn": "arn:aws:ses:eu-central-1:000000000000:identity/rollcall.example",
            "sendingAccountId": "000000000000",
            "messageId": mail.id,
            "destination": [mail.to],
            "headersTruncated": false,
            "headers": [{ "name": "To", "value": mail.to }],
            "commonHeaders": { "to": [mail.to], "subject": mail.subject },
            "tags": tags,
        },
    })
}

fn event_with(mail: &Mail, kind: &str, part: &str, content: Value) -> Value {
    let mut event = event(mail, kind);
    event[part] = content;
    event
}

fn delivered(mail: &Mail) -> Value {
    let content = json!({ "timestamp": "2026-11-24T12:00:01.000Z", "smtpResponse": "250 ok" });
    event_with(mail, "Delivery", "delivery", content)
}

fn bounced(mail: &Mail) -> Value {
    let content = json!({
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [{ "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 unknown" }],
        "timestamp": "2026-11-24T12:00:02.000Z",
        "feedbackId": "0107-bounce",
    });
    event_with(mail, "Bounce", "bounce", content)
}

fn complained(mail: &Mail) -> Value {
    let content = json!({
        "complaintFeedbackType": "abuse",
        "timestamp": "2026-11-24T12:00:03.000Z",
        "feedbackId": "0107-complaint",
    });
    event_with(mail, "Complaint", "complaint", content)
}

async fn start_with_invite() -> (Rollcall, Person, Mail) {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    let mail = rollcall.newest_mail();
    rollcall.wire.forget();
    (rollcall, owner, mail)
}

/// What the owner sees of Kim's mail.
async fn delivery(owner: &Person) -> Value {
    let list = owner.list("acme", "?q=kim").await.expect_status(200);
    list.body["members"][0]["delivery"].clone()
}

async fn feed(rollcall: &Rollcall, event: &Value) -> Reply {
    rollcall.dev("/dev/feedback", event).await
}

async fn recorded(rollcall: &Rollcall, event: &Value) {
    let reply = feed(rollcall, event).await.expect_status(200);
    assert_eq!(reply.body, json!({ "recorded": 1, "ignored": 0 }));
}

async fn ignored(rollcall: &Rollcall, event: &Value) {
    let before = rollcall.rows().await;
    let reply = feed(rollcall, event).await.expect_status(200);
    assert_eq!(
        reply.body,
        json!({ "recorded": 0, "ignored": 1 }),
        "{event}"
    );
    assert_eq!(rollcall.rows().await, before, "{event}");
}

async fn rejected(rollcall: &Rollcall, event: &Value) {
    let before = rollcall.rows().await;
    feed(rollcall, event)
        .await
        .expect_problem(400, "invalid_request");
    assert_eq!(rollcall.rows().await, before, "{event}");
}

#[tokio::test]
async fn every_kind_of_event_becomes_a_delivery_with_reason_and_advice() {
    for (kind, part, content, status) in [
        ("Send", "send", json!({}), "sent"),
        (
            "DeliveryDelay",
            "deliveryDelay",
            json!({ "delayType": "MailboxFull", "timestamp": NOON }),
            "delayed",
        ),
        (
            "Delivery",
            "delivery",
            json!({ "timestamp": NOON }),
            "delivered",
        ),
        (
            "Bounce",
            "bounce",
            json!({ "bounceType": "Transient", "bounceSubType": "General" }),
            "auto_replied",
        ),
        (
            "Bounce",
            "bounce",
            json!({ "bounceType": "Permanent", "bounceSubType": "NoEmail" }),
            "bounced",
        ),
        (
            "Complaint",
            "complaint",
            json!({ "complaintFeedbackType": "abuse" }),
            "complained",
        ),
        (
            "Reject",
            "reject",
            json!({ "reason": "Bad content" }),
            "rejected",
        ),
        (
            "Rendering Failure",
            "failure",
            json!({ "errorMessage": "x" }),
            "rejected",
        ),
    ] {
        let (rollcall, owner, mail) = start_with_invite().await;
        recorded(&rollcall, &event_with(&mail, kind, part, content)).await;
        let delivery = delivery(&owner).await;
        assert_eq!(delivery["status"], status);
        let speaks = |name: &str| {
            delivery[name]
                .as_str()
                .is_some_and(|text| text.ends_with('.'))
        };
        match status {
            "sent" => assert!(!speaks("reason") && !speaks("advice")),
            "delivered" => assert!(!speaks("reason") && speaks("advice")),
            _ => assert!(speaks("reason") && speaks("advice"), "{delivery}"),
        }
        let filtered = owner.list("acme", &format!("?delivery={status}")).await;
        assert_eq!(filtered.emails(), [KIM]);
        let others = owner.list("acme", "?delivery=failed").await;
        assert_eq!(others.emails(), [""; 0]);
    }
}

#[tokio::test]
async fn a_bounce_for_good_says_what_to_do_and_stops_resends() {
    let (rollcall, owner, mail) = start_with_invite().await;
    recorded(&rollcall, &bounced(&mail)).await;
    assert_eq!(
        delivery(&owner).await,
        json!({
            "status": "bounced",
            "at": "2026-11-24T12:00:02Z",
            "reason": "The recipient's mail server couldn't find this mailbox.",
            "advice": "The mailbox does not exist: check the spelling of the address.",
        })
    );
    rollcall.advance(3_600).await;
    let refused = owner.resend("acme", KIM).await;
    let refused = refused.expect_problem(409, "address_undeliverable");
    assert!(
        refused
            .text("detail")
            .contains("couldn't find this mailbox"),
        "{}",
        refused.raw
    );
    // Access is another matter: the link of a mail that got through all the same works.
    let token = json!({ "inviteToken": rollcall.newest_token() });
    rollcall
        .person(KIM)
        .await
        .login(&token)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn a_complaint_stops_resends_and_an_automatic_reply_does_not() {
    let (rollcall, owner, mail) = start_with_invite().await;
    rollcall.advance(60).await;
    let automatic = json!({ "bounceType": "Transient", "bounceSubType": "General" });
    recorded(&rollcall, &event_with(&mail, "Bounce", "bounce", automatic)).await;
    let told = delivery(&owner).await;
    assert_eq!(told["status"], "auto_replied");
    assert!(
        told["advice"]
            .as_str()
            .unwrap()
            .contains("must not have an auto-responder")
    );
    owner.resend("acme", KIM).await.expect_status(200);

    let mail = rollcall.newest_mail();
    rollcall.advance(60).await;
    recorded(&rollcall, &complained(&mail)).await;
    owner
        .resend("acme", KIM)
        .await
        .expect_problem(409, "address_undeliverable");
}

#[tokio::test]
async fn an_automatic_reply_stays_visible_after_the_invite_is_accepted() {
    let (rollcall, owner, mail) = start_with_invite().await;
    let token = json!({ "inviteToken": rollcall.newest_token() });
    let kim = rollcall.person(KIM).await;
    kim.login(&token).await.expect_status(200);
    recorded(&rollcall, &delivered(&mail)).await;
    assert_eq!(delivery(&owner).await, Value::Null);
    let automatic = json!({ "bounceType": "Transient", "bounceSubType": "General" });
    recorded(&rollcall, &event_with(&mail, "Bounce", "bounce", automatic)).await;
    assert_eq!(delivery(&owner).await["status"], "auto_replied");
    kim.login(&json!({})).await.expect_status(200);
}

#[tokio::test]
async fn order_and_repetition_do_not_matter() {
    let orders: [[usize; 6]; 4] = [
        [0, 1, 2, 0, 1, 2],
        [2, 1, 0, 0, 2, 1],
        [1, 2, 0, 2, 0, 1],
        [2, 0, 1, 1, 1, 0],
    ];
    let mut ends = Vec::new();
    for order in orders {
        let (rollcall, owner, mail) = start_with_invite().await;
        let events = [delivered(&mail), bounced(&mail), event(&mail, "Send")];
        for number in order {
            recorded(&rollcall, &events[number]).await;
        }
        let feedback = rollcall.rows().await;
        let feedback = feedback
            .keys()
            .filter(|key| key.contains(" FEEDBACK#"))
            .count();
        ends.push((delivery(&owner).await, feedback));
    }
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:#?}");
    assert_eq!(ends[0].0["status"], "bounced");
    assert_eq!(ends[0].1, 3);
}

#[tokio::test]
async fn a_late_report_about_an_earlier_send_does_not_touch_the_newest() {
    let (rollcall, owner, first) = start_with_invite().await;
    rollcall.advance(60).await;
    owner.resend("acme", KIM).await.expect_status(200);
    recorded(&rollcall, &bounced(&first)).await;
    assert_eq!(delivery(&owner).await["status"], "sending");
    recorded(&rollcall, &delivered(&rollcall.newest_mail())).await;
    assert_eq!(delivery(&owner).await["status"], "delivered");

    // Nor does it touch a new invite of somebody who was removed.
    let second = rollcall.newest_mail();
    owner.remove("acme", KIM).await.expect_status(200);
    recorded(&rollcall, &bounced(&second)).await;
    owner.invite("acme", KIM).await.expect_status(201);
    let again = complained(&second);
    recorded(&rollcall, &again).await;
    assert_eq!(delivery(&owner).await["status"], "sending");
}

#[tokio::test]
async fn one_read_and_one_transaction_take_a_report() {
    let (rollcall, _, mail) = start_with_invite().await;
    recorded(&rollcall, &bounced(&mail)).await;
    assert_eq!(
        rollcall.wire.calls(),
        ["BatchGetItem", "TransactWriteItems"]
    );
    // SNS repeats itself: nothing is left to write.
    recorded(&rollcall, &bounced(&mail)).await;
    assert_eq!(rollcall.wire.calls(), ["BatchGetItem"]);
    // It says nothing new about the mail, so only the report is kept.
    recorded(&rollcall, &delivered(&mail)).await;
    assert_eq!(rollcall.wire.calls(), ["BatchGetItem", "UpdateItem"]);
}

#[tokio::test]
async fn a_report_meets_another_writer_and_nothing_is_overwritten() {
    let (rollcall, owner, mail) = start_with_invite().await;
    let remover = owner.clone();
    rollcall.wire.before("TransactWriteItems", async move {
        remover.remove("acme", KIM).await.expect_status(200);
    });
    recorded(&rollcall, &bounced(&mail)).await;
    rollcall.wire.expect_all_happened();
    let removed = owner.list("acme", "?status=removed").await;
    assert_eq!(removed.emails(), [KIM]);
}

#[tokio::test]
async fn mail_of_others_is_ignored() {
    let (rollcall, _, mail) = start_with_invite().await;
    let with_tag = |name: &str, value: Value| {
        let mut event = bounced(&mail);
        event["mail"]["tags"][name] = value;
        event
    };
    let somebody = member_id("acme", "somebody@example.com");
    for event in [
        with_tag("stage", json!(["another"])),
        with_tag("account", json!(["another"])),
        with_tag("account", json!(["not an id!"])),
        with_tag("member", json!([somebody])),
        with_tag("member", json!([])),
        with_tag("send", json!(["-1"])),
        with_tag("send", json!(7)),
    ] {
        let mut event = event;
        // A tag that leads nowhere is not replaced by the address.
        event["mail"]["destination"] = json!(["somebody@example.com"]);
        ignored(&rollcall, &event).await;
    }
    let mut without = bounced(&mail);
    without["mail"]["tags"] = json!({ "ses:source-ip": ["127.0.0.1"] });
    ignored(&rollcall, &without).await;
}

/// A report can leave the address out. The tags say whom the mail was sent to; the release before the
/// last did not write that tag, and its mails may still bounce.
#[tokio::test]
async fn one_read_suffices_and_mail_without_the_recipients_tag_is_still_understood() {
    let (rollcall, owner, mail) = start_with_invite().await;
    let mut event = delivered(&mail);
    event["mail"]["destination"] = json!([]);
    recorded(&rollcall, &event).await;
    let one_read = ["BatchGetItem", "TransactWriteItems"];
    assert_eq!(rollcall.wire.calls(), one_read);

    let mut event = bounced(&mail);
    event["mail"]["tags"]["recipient"] = json!([]);
    recorded(&rollcall, &event).await;
    assert_eq!(rollcall.wire.calls(), one_read);
    assert_eq!(delivery(&owner).await["status"], "bounced");
    rollcall.wire.forget();

    let mut event = complained(&mail);
    event["mail"]["tags"]["recipient"] = json!(["no key"]);
    event["mail"]["destination"] = json!([]);
    recorded(&rollcall, &event).await;
    let two_reads = ["BatchGetItem", "BatchGetItem", "TransactWriteItems"];
    assert_eq!(rollcall.wire.calls(), two_reads);
    assert_eq!(delivery(&owner).await["status"], "complained");

    let of_kim = format!("PERSON#{} FEEDBACK#", EmailKey::of(&KIM.parse().unwrap()));
    let rows = rollcall.rows().await;
    let reports = rows.keys().filter(|key| key.starts_with(&of_kim));
    assert_eq!(reports.count(), 3);
}

#[tokio::test]
async fn notices_and_events_of_other_kinds_are_acknowledged() {
    let (rollcall, _, mail) = start_with_invite().await;
    for kind in ["Open", "Click", "Subscription"] {
        ignored(&rollcall, &event(&mail, kind)).await;
    }
    ignored(
        &rollcall,
        &json!({ "notificationType": "AmazonSnsSubscriptionSucceeded", "message": "x" }),
    )
    .await;
    ignored(
        &rollcall,
        &json!({ "notificationType": "Received", "mail": {} }),
    )
    .await;
    let not_spam = json!({ "complaintFeedbackType": "not-spam" });
    ignored(
        &rollcall,
        &event_with(&mail, "Complaint", "complaint", not_spam),
    )
    .await;
    let notice = "Successfully validated SNS topic for Amazon SES event publishing.";
    let taken = rollcall
        .invoke("mail-feedback", envelope(&[notice]))
        .await
        .unwrap();
    assert_eq!(taken, json!({ "recorded": 0, "ignored": 1 }));
}

#[tokio::test]
async fn what_nobody_understands_is_an_error_so_that_the_queue_keeps_it() {
    let (rollcall, _, mail) = start_with_invite().await;
    let mut without_mail = bounced(&mail);
    without_mail.as_object_mut().unwrap().remove("mail");
    let mut without_bounce = bounced(&mail);
    without_bounce.as_object_mut().unwrap().remove("bounce");
    for event in [
        json!({}),
        json!([]),
        json!("Bounce"),
        json!({ "eventType": 1 }),
        json!({ "eventType": "" }),
        event(&mail, "SomethingNew"),
        without_mail,
        without_bounce,
    ] {
        rejected(&rollcall, &event).await;
    }
    for records in [json!({}), json!({ "Records": 1 }), json!([]), json!(null)] {
        rollcall.invoke("mail-feedback", records).await.unwrap_err();
    }
}

/// Records of a topic with these messages.
fn envelope(messages: &[&str]) -> Value {
    let record = |message: &&str| {
        json!({
            "EventSource": "aws:sns",
            "Sns": { "MessageId": "m", "Timestamp": "2026-11-24T12:00:05.000Z", "Message": message },
        })
    };
    json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() })
}

#[tokio::test]
async fn one_bad_record_does_not_cost_its_neighbours() {
    let (rollcall, owner, mail) = start_with_invite().await;
    let good = bounced(&mail).to_string();
    let records = envelope(&["{broken", "{}", &good, "null"]);
    rollcall.invoke("mail-feedback", records).await.unwrap_err();
    assert_eq!(delivery(&owner).await["status"], "bounced");

    let mut without_message = envelope(&[&good]);
    without_message["Records"][0]["Sns"] = json!({});
    rollcall
        .invoke("mail-feedback", without_message)
        .await
        .unwrap_err();
    // Nothing but the message is needed.
    let bare = json!({ "Records": [{ "Sns": { "Message": complained(&mail).to_string() } }] });
    rollcall.invoke("mail-feedback", bare).await.unwrap();
    assert_eq!(delivery(&owner).await["status"], "complained");
}

#[tokio::test]
async fn identity_notifications_find_their_send_by_address_and_time() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.account("other", "pro").await;
    owner.invite("other", KIM).await.expect_status(201);
    rollcall.advance(3_600).await;
    owner.invite("acme", KIM).await.expect_status(201);
    let untagged = |taken_at: &str, to: &str| {
        json!({
            "notificationType": "Bounce",
            "bounce": {
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "bouncedRecipients": [{ "emailAddress": "forwarded@elsewhere.example" }],
                "timestamp": taken_at,
                "feedbackId": format!("{taken_at}"),
            },
            "mail": { "timestamp": taken_at, "messageId": "m", "destination": [to] },
        })
    };
    rollcall.wire.forget();
    recorded(
        &rollcall,
        &untagged("2026-11-24T13:00:02.345Z", "Kim@Example.com"),
    )
    .await;
    assert_eq!(
        rollcall.wire.calls(),
        [
            "Query",
            "BatchGetItem",
            "BatchGetItem",
            "TransactWriteItems"
        ]
    );
    assert_eq!(delivery(&owner).await["status"], "bounced");
    let other = owner.list("other", "?q=kim").await;
    assert_eq!(other.body["members"][0]["delivery"]["status"], "sending");

    for (taken_at, to) in [
        ("2026-11-24T12:30:00Z", KIM),
        ("2026-11-24T13:00:02Z", "somebody@example.com"),
        ("yesterday", KIM),
    ] {
        ignored(&rollcall, &untagged(taken_at, to)).await;
    }
    // A form that SES has been seen to write.
    recorded(&rollcall, &untagged("2026-11-24T12:00:01 +0000", KIM)).await;
    let other = owner.list("other", "?q=kim").await;
    assert_eq!(other.body["members"][0]["delivery"]["status"], "bounced");
}

#[tokio::test]
async fn mail_to_the_simulator_meets_the_fate_that_its_address_asks_for() {
    let options = Options {
        mail_feedback: true,
        ..Options::default()
    };
    let rollcall = Rollcall::start_with(options).await;
    rollcall.account("acme", "pro").await;
    let owner = rollcall.person(OWNER).await;
    for (email, status) in [
        ("success@simulator.amazonses.com", "delivered"),
        ("bounce@simulator.amazonses.com", "bounced"),
        ("bounce+label@simulator.amazonses.com", "bounced"),
        ("ooto@simulator.amazonses.com", "auto_replied"),
        ("complaint+1@simulator.amazonses.com", "complained"),
        ("suppressionlist@simulator.amazonses.com", "bounced"),
        (KIM, "delivered"),
    ] {
        owner.invite("acme", email).await.expect_status(201);
        rollcall.stack.mail_feedback_settled().await;
        let list = owner
            .list("acme", &format!("?q={}", email.replace('+', "%2B")))
            .await;
        assert_eq!(
            list.body["members"][0]["delivery"]["status"], status,
            "{email}"
        );
    }
}

/// Every event kind, whole, as SES documents it.
fn whole_events(mail: &Mail) -> Vec<Value> {
    let recipient = json!({
        "emailAddress": KIM,
        "action": "failed",
        "status": "5.1.1",
        "diagnosticCode": "smtp; 550 5.1.1 user unknown",
    });
    let mut events = vec![
        event_with(mail, "Send", "send", json!({})),
        delivered(mail),
        event_with(
            mail,
            "Bounce",
            "bounce",
            json!({
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "bouncedRecipients": [recipient],
                "timestamp": NOON,
                "feedbackId": "f",
                "reportingMTA": "dns; a.example",
            }),
        ),
        event_with(
            mail,
            "Complaint",
            "complaint",
            json!({
                "complainedRecipients": [{ "emailAddress": KIM }],
                "timestamp": NOON,
                "feedbackId": "f",
                "complaintSubType": null,
                "complaintFeedbackType": "abuse",
                "userAgent": "x",
                "arrivalDate": NOON,
            }),
        ),
        event_with(
            mail,
            "DeliveryDelay",
            "deliveryDelay",
            json!({
                "delayType": "MailboxFull",
                "expirationTime": NOON,
                "delayedRecipients": [recipient],
                "timestamp": NOON,
                "reportingMTA": "x",
            }),
        ),
        event_with(mail, "Reject", "reject", json!({ "reason": "Bad content" })),
        event_with(
            mail,
            "Rendering Failure",
            "failure",
            json!({ "templateName": "t", "errorMessage": "e" }),
        ),
    ];
    // The other feed: the same under another name, and without tags.
    let notifications = events[1..4].to_vec();
    events.extend(notifications.into_iter().map(|mut event| {
        event["notificationType"] = event["eventType"].take();
        event.as_object_mut().unwrap().remove("eventType");
        event["mail"].as_object_mut().unwrap().remove("tags");
        event
    }));
    events
}

/// Every place in a document, as JSON pointers (RFC 6901).
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                places(value, &format!("{here}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (number, value) in items.iter().enumerate() {
                places(value, &format!("{here}/{number}"), found);
            }
        }
        _ => {}
    }
}

/// What a place can hold in place of what belongs there.
fn intruders(original: &Value) -> Vec<Value> {
    let nested = (0..200).fold(original.clone(), |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("\u{0}\u{202E}<script>'\"\r\n"),
        json!("9999-99-99T99:99:99Z"),
        json!("x".repeat(5_000)),
        json!([]),
        json!({}),
        json!([original, original]),
        json!({ "nested": original }),
        json!([[original]]),
        nested,
    ]
}

/// All are read, and one of so many is taken.
async fn take_mutants(one_of: u64) {
    let (rollcall, owner, mail) = start_with_invite().await;
    let (mut recorded, mut ignored, mut rejected, mut sent, mut mutants_read) = (0, 0, 0, 0, 0);
    for whole in whole_events(&mail) {
        let mut found = Vec::new();
        places(&whole, "", &mut found);
        for place in &found {
            let original = whole.pointer(place).unwrap();
            let mut mutants: Vec<Value> = intruders(original)
                .into_iter()
                .map(|intruder| {
                    let mut mutant = whole.clone();
                    *mutant.pointer_mut(place).unwrap() = intruder;
                    mutant
                })
                .collect();
            if let Some((parent, name)) = place.rsplit_once('/') {
                let mut without = whole.clone();
                if let Some(parent) = without.pointer_mut(parent).unwrap().as_object_mut() {
                    let value = parent.remove(name).unwrap();
                    mutants.push({
                        let mut renamed = whole.clone();
                        renamed[format!("{name}_")] = value;
                        renamed
                    });
                    mutants.push(without);
                }
            }
            for mutant in mutants {
                let message = mutant.to_string();
                let _ = mail_feedback::ses_event::read(&message, "sns", NOON.parse().unwrap());
                mutants_read += 1;
                if mutants_read % one_of != 0 {
                    continue;
                }
                sent += 1;
                let records = envelope(&[&message]);
                match rollcall.invoke("mail-feedback", records).await {
                    Ok(taken) => {
                        recorded += taken["recorded"].as_u64().unwrap();
                        ignored += taken["ignored"].as_u64().unwrap();
                    }
                    Err(problem) => {
                        assert_eq!(problem.code().as_str(), "invalid_request", "{mutant}");
                        rejected += 1;
                    }
                }
            }
        }
    }
    assert!(mutants_read >= 5_000 && recorded + ignored + rejected == sent);
    // Whatever came in, the row is one that the list can show, and the link works.
    delivery(&owner).await;
    let token = json!({ "inviteToken": rollcall.newest_token() });
    rollcall
        .person(KIM)
        .await
        .login(&token)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn thousands_of_mutants_are_recorded_ignored_or_rejected_and_nothing_else() {
    take_mutants(5).await;
}

/// The long run.
#[tokio::test]
#[ignore = "takes minutes: cargo test --profile long -p tests -- --ignored --nocapture mail_feedback"]
async fn every_mutant_is_recorded_ignored_or_rejected_and_nothing_else() {
    take_mutants(1).await;
}
