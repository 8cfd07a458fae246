//! Bounces as SES reports them, and how they are read. `domain::bounce` measures how well the words
//! of mail servers are understood.

use aws_sdk_dynamodb::types::AttributeValue;
use local::Options;
use serde_json::{Value, json};

use crate::harness::{OWNER, Rollcall};

/// How a person would read the bounce: its status, whether it is permanent, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    AutoReplied,
    Delayed,
    Permanent(&'static str),
    Transient(&'static str),
}

use Is::{AutoReplied, Delayed, Permanent, Transient};

/// Type, subtype, enhanced status, diagnostic, action; and what it is. `""` is a missing part.
type Labelled = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Is,
);

#[rustfmt::skip]
const LABELLED: &[Labelled] = &[
    // The answers of mail servers are in tests/corpus/answers.tsv, which tests the rules
    // themselves. This is how SES reports them.
    ("Permanent", "General", "5.1.1", "smtp; 550-5.1.1 The email account that you tried to reach does not exist.", "failed", Permanent("noMailbox")),
    ("Permanent", "General", "5.1.1", "smtp; 552 5.2.2 mailbox over quota", "failed", Transient("mailboxFull")),
    ("Permanent", "General", "5.1.1", "smtp; 550 5.7.1 IP address blacklisted", "failed", Transient("policyRejected")),
    ("Permanent", "General", "5.2.1", "smtp; 550 User unknown", "failed", Permanent("noMailbox")),
    ("Permanent", "General", "5.0.0", "smtp; 550 #5.1.0 Address rejected", "failed", Permanent("noMailbox")),
    ("Transient", "General", "4.4.7", "smtp; 421 4.4.7 Message expired", "failed", Transient("timedOut")),
    ("Transient", "MessageTooLarge", "5.3.4", "smtp; 552-5.3.4 Your message exceeded the size limits", "failed", Transient("messageTooLarge")),
    ("Transient", "AttachmentRejected", "", "", "failed", Transient("contentRejected")),
    ("Transient", "ContentRejected", "", "", "", Transient("contentRejected")),
    ("Transient", "MailboxFull", "", "", "", Transient("mailboxFull")),
    ("Transient", "CustomTimeoutExceeded", "", "", "", Transient("timedOut")),
    ("Permanent", "Undetermined", "", "", "", Transient("unknown")),
    ("Permanent", "SomethingNew", "", "", "", Transient("unknown")),
    ("Transient", "SomethingNew", "", "", "", Transient("unknown")),
    // A permanent failure under a label that says otherwise
    ("Transient", "General", "5.1.1", "smtp; 550 5.1.1 user unknown", "failed", Permanent("noMailbox")),
    ("Undetermined", "Undetermined", "5.1.1", "smtp; 550 5.1.1 user unknown", "failed", Permanent("noMailbox")),
    ("Transient", "General", "", "smtp; 550 5.1.1 user unknown", "failed", Permanent("noMailbox")),
    // Still under way
    ("Permanent", "General", "4.4.7", "smtp; 421 4.4.7 delivery time", "delayed", Delayed),
    ("Transient", "General", "", "", "delayed", Delayed),
    // What SES itself knows
    ("Permanent", "Suppressed", "5.1.1", "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address.", "failed", Permanent("suppressed")),
    ("Permanent", "OnAccountSuppressionList", "5.1.1", "Amazon SES did not send the message to this address because it is on the suppression list for your account.", "failed", Permanent("onSuppressionList")),
    ("Permanent", "OnTenantSuppressionList", "5.1.1", "", "failed", Permanent("onSuppressionList")),
    ("Permanent", "EmailValidationSuppressed", "", "", "failed", Permanent("suppressed")),
    ("Permanent", "UnsubscribedRecipient", "5.1.1", "", "failed", Permanent("unsubscribed")),
    // Auto-responders
    ("Transient", "General", "", "", "", AutoReplied),
    ("Undetermined", "Undetermined", "", "", "", AutoReplied),
    ("Transient", "General", "", "Automatic reply: I am out of the office until Monday", "", AutoReplied),
    ("Transient", "General", "", "Abwesenheitsnotiz: Ich bin bis Montag nicht im Büro", "", AutoReplied),
    ("Transient", "General", "", "Réponse automatique : en congé", "", AutoReplied),
    ("Undetermined", "Undetermined", "", "Auto-Reply from the help desk: we got your ticket", "", AutoReplied),
    ("Transient", "General", "2.0.0", "Out of Office", "", AutoReplied),
    ("Transient", "General", "", "Respuesta automática: estoy fuera de la oficina", "", AutoReplied),
    ("Undetermined", "", "", "", "", AutoReplied),
];

#[tokio::test]
async fn bounces_are_interpreted_as_a_person_would() {
    let many = vec![
        ("SendsPerHour", "1000".to_owned()),
        ("SendsPerRecipientPerDay", "1000".to_owned()),
    ];
    let options = Options {
        parameters: many,
        ..Options::default()
    };
    let rollcall = Rollcall::start_with(options).await;
    rollcall.account("acme", "pro").await;
    let owner = rollcall.person(OWNER).await;

    let mut wrong = Vec::new();
    for (number, labelled) in LABELLED.iter().enumerate() {
        let email = format!("kim{number}@example.com");
        owner.invite("acme", &email).await.expect_status(201);
        let event = event(&rollcall, labelled);
        rollcall
            .dev("/dev/feedback", &event)
            .await
            .expect_status(200);
        let found = interpretation(&rollcall, &email).await;
        if found != described(labelled.5) {
            wrong.push((labelled, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn event(rollcall: &Rollcall, labelled: &Labelled) -> Value {
    let (label, sublabel, status, diagnostic, action, _) = *labelled;
    let mail = rollcall.newest_mail();
    let mut recipient = json!({ "emailAddress": mail.to });
    for (name, value) in [
        ("status", status),
        ("diagnosticCode", diagnostic),
        ("action", action),
    ] {
        if !value.is_empty() {
            recipient[name] = json!(value);
        }
    }
    // Out-of-office replies have been seen without recipients too.
    let recipients = if label == "Undetermined" && sublabel.is_empty() {
        json!([])
    } else {
        json!([recipient])
    };
    let mut event = crate::mail_feedback::event(&mail, "Bounce");
    event["bounce"] = json!({
        "bounceType": label,
        "bounceSubType": sublabel,
        "bouncedRecipients": recipients,
        "timestamp": "2026-11-24T12:00:00.000Z",
        "feedbackId": format!("feedback-{}", mail.id),
    });
    event
}

/// What the row says after the bounce.
async fn interpretation(rollcall: &Rollcall, email: &str) -> String {
    let row = rollcall.row("acme", email).await;
    let delivery = row["invite"].as_m().unwrap()["delivery"].as_m().unwrap();
    let text = |name: &str| {
        delivery
            .get(name)
            .and_then(|value: &AttributeValue| value.as_s().ok())
    };
    let parts = [text("status"), text("permanence")];
    let cause = text("cause").filter(|_| text("status").unwrap() == "bounced");
    let parts: Vec<&str> = parts
        .into_iter()
        .chain([cause])
        .flatten()
        .map(String::as_str)
        .collect();
    parts.join(" ")
}

fn described(is: Is) -> String {
    match is {
        AutoReplied => "auto_replied".to_owned(),
        Delayed => "delayed".to_owned(),
        Permanent(cause) => format!("bounced permanent {cause}"),
        Transient(cause) => format!("bounced transient {cause}"),
    }
}
