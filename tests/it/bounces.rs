//! A labelled set of bounces as mail servers word them, which measures how they are interpreted.

use aws_sdk_dynamodb::types::AttributeValue;
use local::Options;
use serde_json::{Value, json};

use crate::harness::{OWNER, Rollcall};

/// What a person who reads the bounce would call it: its status, whether it is permanent, and why.
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
    // Gmail and Google Workspace
    ("Permanent", "General", "5.1.1", "smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos", "failed", Permanent("noMailbox")),
    ("Permanent", "NoEmail", "5.1.1", "smtp; 550 5.1.1 NoSuchUser", "failed", Permanent("noMailbox")),
    ("Transient", "MailboxFull", "4.2.2", "smtp; 452-4.2.2 The recipient's inbox is out of storage space", "failed", Transient("mailboxFull")),
    ("Permanent", "General", "5.2.1", "smtp; 550-5.2.1 The email account that you tried to reach is inactive", "failed", Permanent("mailboxDisabled")),
    ("Transient", "General", "5.7.26", "smtp; 550-5.7.26 This mail has been blocked because the sender is unauthenticated", "failed", Permanent("policyRejected")),
    ("Transient", "General", "4.7.0", "smtp; 421-4.7.0 Our system has detected an unusual rate of unsolicited mail", "failed", Transient("policyRejected")),
    ("Transient", "General", "4.4.7", "smtp; 421 4.4.7 Message expired", "failed", Transient("timedOut")),
    ("Transient", "MessageTooLarge", "5.3.4", "smtp; 552-5.3.4 Your message exceeded the size limits", "failed", Permanent("messageTooLarge")),
    ("Transient", "ContentRejected", "5.7.0", "smtp; 552-5.7.0 This message was blocked because its content presents a potential security issue", "failed", Permanent("policyRejected")),
    // Exchange Online
    ("Permanent", "General", "5.1.10", "smtp; 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", "failed", Permanent("noMailbox")),
    ("Transient", "General", "5.4.1", "smtp; 550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", "failed", Permanent("noMailbox")),
    ("Permanent", "General", "5.7.1", "smtp; 550 5.7.1 Service unavailable, Client host blocked using Spamhaus", "failed", Permanent("policyRejected")),
    ("Permanent", "General", "5.2.2", "smtp; 554 5.2.2 mailbox full; STOREDRV.Deliver", "failed", Permanent("mailboxFull")),
    ("Transient", "General", "5.7.133", "smtp; 550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", "failed", Permanent("policyRejected")),
    ("Transient", "General", "4.4.316", "smtp; 451 4.4.316 Connection refused", "failed", Transient("serverTrouble")),
    ("Permanent", "General", "5.4.310", "smtp; 550 5.4.310 DNS domain does not exist [Message=InfoDomainNonexistent]", "failed", Permanent("noDomain")),
    ("Transient", "General", "5.2.121", "smtp; 550 5.2.121 RecipientLimitPerHour", "failed", Permanent("unknown")),
    // Outlook.com and Hotmail
    ("Permanent", "General", "5.5.0", "smtp; 550 5.5.0 Requested action not taken: mailbox unavailable", "failed", Permanent("noMailbox")),
    ("Transient", "General", "4.5.3", "smtp; 452 4.5.3 Too many recipients", "failed", Transient("unknown")),
    // Yahoo and AOL
    ("Permanent", "General", "", "smtp; 554 delivery error: dd This user doesn't have a yahoo.com account", "failed", Permanent("noMailbox")),
    ("Transient", "General", "", "smtp; 421 4.7.0 [TSS04] Messages from 203.0.113.9 temporarily deferred due to user complaints", "failed", Transient("policyRejected")),
    ("Permanent", "General", "", "smtp; 552 1 Requested mail action aborted, mailbox not found", "failed", Permanent("noMailbox")),
    // iCloud, GMX, web.de, Proton, Zoho, Yandex
    ("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 <kim@icloud.com>: user does not exist", "failed", Permanent("noMailbox")),
    ("Permanent", "General", "", "smtp; 550 Requested action not taken: mailbox unavailable. For explanation visit the postmaster's page", "failed", Permanent("noMailbox")),
    ("Permanent", "General", "5.2.2", "smtp; 552 5.2.2 Quota exceeded", "failed", Permanent("mailboxFull")),
    ("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 Recipient address rejected: Address does not exist", "failed", Permanent("noMailbox")),
    ("Permanent", "General", "", "smtp; 550 No such user - psmtp", "failed", Permanent("noMailbox")),
    ("Transient", "General", "", "smtp; 450 temporarily rejected, try again later", "failed", Transient("serverTrouble")),
    ("Permanent", "General", "5.7.1", "smtp; 554 5.7.1 Message rejected under suspicion of SPAM", "failed", Permanent("policyRejected")),
    // Postfix, Exim, qmail, Sendmail, corporate gateways
    ("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 <kim@corp.example>: Recipient address rejected: User unknown in virtual mailbox table", "failed", Permanent("noMailbox")),
    ("Transient", "General", "4.2.0", "smtp; 450 4.2.0 <kim@corp.example>: Recipient address rejected: Greylisted, see postgrey", "failed", Transient("serverTrouble")),
    ("Permanent", "General", "", "smtp; 550 unknown user", "failed", Permanent("noMailbox")),
    ("Permanent", "General", "", "smtp; 550 Unrouteable address", "failed", Permanent("unknown")),
    ("Permanent", "General", "", "Sorry, no mailbox here by that name. (#5.1.1)", "failed", Permanent("noMailbox")),
    ("Permanent", "General", "5.1.2", "smtp; 550 5.1.2 Host unknown (Name server: corp.example: host not found)", "failed", Permanent("noDomain")),
    ("Permanent", "General", "5.4.4", "smtp; 550 5.4.4 Invalid domain", "failed", Permanent("noDomain")),
    ("Transient", "General", "4.4.1", "smtp; 421 4.4.1 Unable to connect", "failed", Transient("serverTrouble")),
    ("Transient", "General", "4.4.2", "smtp; 421 4.4.2 Connection timed out", "failed", Transient("timedOut")),
    ("Transient", "General", "4.3.2", "smtp; 421 4.3.2 System not accepting network messages", "failed", Transient("serverTrouble")),
    ("Permanent", "General", "5.6.1", "smtp; 554 5.6.1 Body type not supported", "failed", Permanent("contentRejected")),
    ("Transient", "AttachmentRejected", "", "", "failed", Transient("contentRejected")),
    ("Transient", "ContentRejected", "", "", "", Transient("contentRejected")),
    ("Transient", "MailboxFull", "", "", "", Transient("mailboxFull")),
    ("Transient", "CustomTimeoutExceeded", "", "", "", Transient("timedOut")),
    ("Permanent", "General", "5.1.6", "smtp; 551 5.1.6 The recipient has moved", "failed", Permanent("noMailbox")),
    ("Permanent", "General", "", "smtp; 554 The message was rejected because it contains prohibited virus", "failed", Permanent("contentRejected")),
    ("Permanent", "General", "", "smtp; 550 relaying denied", "failed", Permanent("policyRejected")),
    ("Permanent", "General", "", "smtp; 553 sorry, your mail is blocked by our blocklist", "failed", Permanent("policyRejected")),
    ("Transient", "General", "", "smtp; 452 mailbox is full", "failed", Transient("mailboxFull")),
    ("Permanent", "Undetermined", "", "", "", Permanent("unknown")),
    ("Permanent", "SomethingNew", "", "", "", Permanent("unknown")),
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

    let (mut right, mut wrong) = (0, Vec::new());
    for (number, labelled) in LABELLED.iter().enumerate() {
        let email = format!("kim{number}@example.com");
        owner.invite("acme", &email).await.expect_status(201);
        let event = event(&rollcall, labelled);
        rollcall
            .dev("/dev/feedback", &event)
            .await
            .expect_status(200);
        let found = interpretation(&rollcall, &email).await;
        if found == described(labelled.5) {
            right += 1;
        } else {
            wrong.push((labelled, found));
        }
    }

    println!("{right} of {} bounces interpreted right", LABELLED.len());
    let with_status: Vec<_> = wrong.iter().filter(|(row, _)| !row.2.is_empty()).collect();
    assert!(
        with_status.is_empty(),
        "with an enhanced status code: {with_status:#?}"
    );
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
    // An out-of-office has been seen without recipients, too.
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
