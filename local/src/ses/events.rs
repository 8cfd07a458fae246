//! The events that SES publishes about a mail. The recipient's address chooses them, as in the mailbox simulator
//! (<https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-email-simulator>).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::mailbox::Mail;
use super::suppression::{Suppressed, SuppressionReason};
use crate::sns::message_id;

const SIMULATOR: &str = "simulator.amazonses.com";

/// All events about a mail, in the order in which they happen.
pub(crate) fn about(mail: &Mail, suppressed: Option<Suppressed>, now: Timestamp) -> Vec<Value> {
    let event = |name: &str, part: &str, content: Value| {
        let mut event = Map::new();
        event.insert("eventType".to_owned(), json!(name));
        event.insert("mail".to_owned(), mail_object(mail));
        event.insert(part.to_owned(), content);
        Value::Object(event)
    };
    let send = event("Send", "send", json!({}));
    let delivery = || event("Delivery", "delivery", delivery(mail, now));
    let bounce = |label: &str, sublabel: &str, recipient: Value| {
        event("Bounce", "bounce", bounce(label, sublabel, &recipient, now))
    };
    let failed = |diagnostic: &str| {
        json!({
            "emailAddress": mail.to,
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": diagnostic,
        })
    };
    if let Some(suppressed) = suppressed {
        let outcome = match suppressed.reason {
            SuppressionReason::Bounce => bounce(
                "Permanent",
                "OnAccountSuppressionList",
                failed(
                    "Amazon SES did not send the message to this address because it is on the \
                     suppression list for your account.",
                ),
            ),
            SuppressionReason::Complaint => event(
                "Complaint",
                "complaint",
                complaint(mail, Some("OnAccountSuppressionList"), None, now),
            ),
        };
        return vec![send, outcome];
    }
    match simulated(&mail.to) {
        Some("bounce") => vec![
            send,
            bounce(
                "Permanent",
                "General",
                failed("smtp; 550 5.1.1 user unknown"),
            ),
        ],
        Some("suppressionlist") => vec![
            send,
            bounce(
                "Permanent",
                "Suppressed",
                failed(
                    "Amazon SES has suppressed sending to this address because it has a recent \
                     history of bouncing as an invalid address.",
                ),
            ),
        ],
        Some("ooto") => vec![
            send,
            delivery(),
            bounce("Transient", "General", json!({ "emailAddress": mail.to })),
        ],
        Some("complaint") => vec![
            send,
            delivery(),
            event(
                "Complaint",
                "complaint",
                complaint(mail, None, Some("abuse"), now),
            ),
        ],
        _ => vec![send, delivery()],
    }
}

/// The behaviour that an address of the simulator stands for, without its label (`bounce+label@`).
fn simulated(address: &str) -> Option<&str> {
    let (local, domain) = address.split_once('@')?;
    let name = local.split_once('+').map_or(local, |(name, _)| name);
    domain.eq_ignore_ascii_case(SIMULATOR).then_some(name)
}

/// <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html#event-publishing-retrieving-sns-contents-mail-object>
fn mail_object(mail: &Mail) -> Value {
    let mut tags: Map<String, Value> = mail
        .tags
        .iter()
        .map(|(name, value)| (name.clone(), json!([value])))
        .collect();
    tags.insert(
        "ses:configuration-set".to_owned(),
        json!([mail.configuration_set]),
    );
    tags.insert("ses:source-ip".to_owned(), json!(["127.0.0.1"]));
    json!({
        "timestamp": mail.received_at,
        "source": mail.from,
        "sendingAccountId": "000000000000",
        "messageId": mail.id,
        "destination": [mail.to],
        "headersTruncated": false,
        "headers": [
            { "name": "From", "value": mail.from },
            { "name": "To", "value": mail.to },
            { "name": "Subject", "value": mail.subject },
        ],
        "commonHeaders": {
            "from": [mail.from],
            "to": [mail.to],
            "messageId": mail.id,
            "subject": mail.subject,
        },
        "tags": tags,
    })
}

/// Delivery takes time. The pauses also put the events in order.
fn later(now: Timestamp, milliseconds: i64) -> Timestamp {
    let pause = SignedDuration::from_millis(milliseconds);
    now.saturating_add(pause).unwrap_or(now)
}

fn delivery(mail: &Mail, now: Timestamp) -> Value {
    json!({
        "timestamp": later(now, 500),
        "processingTimeMillis": 500,
        "recipients": [mail.to],
        "smtpResponse": "250 2.6.0 Message received",
        "reportingMTA": "a1-1.smtp-out.amazonses.com",
    })
}

fn bounce(label: &str, sublabel: &str, recipient: &Value, now: Timestamp) -> Value {
    json!({
        "bounceType": label,
        "bounceSubType": sublabel,
        "bouncedRecipients": [recipient],
        "timestamp": later(now, 800),
        "feedbackId": message_id(),
        "reportingMTA": "dns; a1-1.smtp-out.amazonses.com",
    })
}

fn complaint(mail: &Mail, sublabel: Option<&str>, label: Option<&str>, now: Timestamp) -> Value {
    json!({
        "complainedRecipients": [{ "emailAddress": mail.to }],
        "timestamp": later(now, 800),
        "feedbackId": message_id(),
        "complaintSubType": sublabel,
        "complaintFeedbackType": label,
        "userAgent": "Amazon SES Mailbox Simulator",
        "arrivalDate": later(now, 800),
    })
}
