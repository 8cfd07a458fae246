//! Reading SES's reports, in either of their forms: event publishing (`eventType`) and identity
//! notifications (`notificationType`).
//!
//! Any part can be missing, unknown or of another type: SES keeps adding fields and values.
//! <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>
//! <https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html>

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::bounce::{BounceCause, BounceReport, Meaning, interpret};
use domain::delivery::{Complaint, DeliveryStatus};
use domain::feedback::{FeedbackKind, Send, Words};
use domain::id::{EmailKey, FeedbackId};
use serde_json::Value;

/// Why a message of the topic is no report about a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReport {
    /// SES sends it, but it is not about the delivery of a mail.
    Ignorable(&'static str),
    /// It is not one of the known messages.
    Unreadable(&'static str),
}

use NoReport::{Ignorable, Unreadable};

/// A report about a mail that may be ours.
#[derive(Debug)]
pub struct Report {
    /// Every repetition of the report has the same id.
    pub id: FeedbackId,
    /// When the reported event happened.
    pub at: Timestamp,
    pub kind: FeedbackKind,
    pub status: DeliveryStatus,
    /// The mail system's own words.
    pub words: Words,
    pub origin: Origin,
    /// The mail's recipient.
    pub destination: Option<EmailAddress>,
    /// When SES accepted the mail.
    pub taken_at: Option<Timestamp>,
}

/// The sender of the mail, by its tags.
#[derive(Debug)]
pub enum Origin {
    /// Our tags: the deployment's stage and the send.
    Tagged {
        stage: String,
        send: Send,
        /// The last release did not tag the recipient.
        recipient: Option<EmailKey>,
    },
    /// Tags of others.
    Foreign,
    /// Identity notifications carry no tags.
    Untagged,
}

/// Reads the message of one SNS record. `sns_message_id` and `published_at` are the record's own, in
/// case the message has none; both stay the same when SNS repeats the record.
///
/// # Errors
///
/// Why the message is no report about a mail.
pub fn read(
    message: &str,
    sns_message_id: &str,
    published_at: Timestamp,
) -> Result<Report, NoReport> {
    if message.starts_with("Successfully validated SNS topic") {
        return Err(Ignorable("notice"));
    }
    let Ok(event @ Value::Object(_)) = serde_json::from_str::<Value>(message) else {
        return Err(Unreadable("not a JSON object"));
    };
    let Some(name) = text(&event, "/eventType").or_else(|| text(&event, "/notificationType"))
    else {
        return Err(Unreadable("no event type"));
    };
    let Reading {
        kind,
        part,
        status,
        words,
    } = reading(name, &event)?;
    if !event.get("mail").is_some_and(Value::is_object) {
        return Err(Unreadable("no mail object"));
    }

    // A report with a time that is far off would be sorted where nobody looks.
    let near = |at: &Timestamp| at.duration_since(published_at).as_hours().abs() < 14 * 24;
    let time = |pointer: &str| text(&event, pointer).and_then(timestamp);
    let taken_at = time("/mail/timestamp");
    let reported_at = time(&format!("/{part}/timestamp"));
    let mail_time = taken_at.filter(|_| kind == FeedbackKind::Send || kind == FeedbackKind::Reject);
    let at = reported_at
        .or(mail_time)
        .filter(near)
        .unwrap_or(published_at);
    let id = FeedbackId::of(&[
        text(&event, "/mail/messageId").unwrap_or(sns_message_id),
        part,
        text(&event, &format!("/{part}/feedbackId")).unwrap_or_default(),
        text(&event, &format!("/{part}/timestamp")).unwrap_or_default(),
    ]);
    Ok(Report {
        id,
        at,
        kind,
        status,
        words,
        origin: origin(&event),
        destination: text(&event, "/mail/destination/0").and_then(|email| email.parse().ok()),
        taken_at,
    })
}

/// The result of reading the part of an event that its kind has.
struct Reading<'a> {
    kind: FeedbackKind,
    part: &'a str,
    status: DeliveryStatus,
    words: Words,
}

/// The kinds of events
/// (<https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html#event-publishing-retrieving-sns-contents-top-level-json-object>).
fn reading<'a>(name: &str, event: &Value) -> Result<Reading<'a>, NoReport> {
    let reading = |kind, part, status, diagnostic: Option<&str>| {
        Ok(Reading {
            kind,
            part,
            status,
            words: Words {
                diagnostic: diagnostic.and_then(|pointer| words(event, pointer)),
                ..Words::default()
            },
        })
    };
    match name {
        "Send" => reading(FeedbackKind::Send, "send", DeliveryStatus::Sent, None),
        "Delivery" => {
            let diagnostic = Some("/delivery/smtpResponse");
            let (kind, status) = (FeedbackKind::Delivery, DeliveryStatus::Delivered);
            reading(kind, "delivery", status, diagnostic)
        }
        "DeliveryDelay" => Ok(delay(event)),
        "Bounce" => bounce(event),
        "Complaint" => complaint(event),
        "Reject" => {
            let (kind, status) = (FeedbackKind::Reject, DeliveryStatus::Rejected);
            reading(kind, "reject", status, Some("/reject/reason"))
        }
        // SES accepted the mail and then could not render it, so it is not sent.
        "Rendering Failure" => {
            let (kind, status) = (FeedbackKind::Reject, DeliveryStatus::Rejected);
            reading(kind, "failure", status, Some("/failure/errorMessage"))
        }
        "Open" | "Click" | "Subscription" => Err(Ignorable("not about delivery")),
        "AmazonSnsSubscriptionSucceeded" => Err(Ignorable("notice")),
        "Received" => Err(Ignorable("incoming mail")),
        _ => Err(Unreadable("unknown event type")),
    }
}

fn delay<'a>(event: &Value) -> Reading<'a> {
    let label = words(event, "/deliveryDelay/delayType");
    let cause = match label.as_deref() {
        Some("MailboxFull") => BounceCause::MailboxFull,
        Some("SpamDetected" | "SendingDeferral" | "IPFailure") => BounceCause::PolicyRejected,
        Some(
            "InternalFailure"
            | "RecipientServerError"
            | "TransientCommunicationFailure"
            | "BYOIPHostNameLookupUnavailable",
        ) => BounceCause::ServerTrouble,
        Some(_) | None => BounceCause::Unknown,
    };
    let recipient = recipient(event, "/deliveryDelay/delayedRecipients");
    Reading {
        kind: FeedbackKind::Delay,
        part: "deliveryDelay",
        status: DeliveryStatus::Delayed { cause },
        words: Words {
            label,
            sublabel: None,
            smtp_status: words(recipient, "/status"),
            diagnostic: words(recipient, "/diagnosticCode"),
        },
    }
}

fn bounce<'a>(event: &Value) -> Result<Reading<'a>, NoReport> {
    if !event.get("bounce").is_some_and(Value::is_object) {
        return Err(Unreadable("no bounce object"));
    }
    let recipient = recipient(event, "/bounce/bouncedRecipients");
    let meaning = interpret(BounceReport {
        label: text(event, "/bounce/bounceType"),
        sublabel: text(event, "/bounce/bounceSubType"),
        status: text(recipient, "/status"),
        diagnostic: text(recipient, "/diagnosticCode"),
        action: text(recipient, "/action"),
    });
    Ok(Reading {
        kind: FeedbackKind::Bounce,
        part: "bounce",
        status: match meaning {
            Meaning::Bounce(bounce) => DeliveryStatus::Bounced(bounce),
            Meaning::Delay(cause) => DeliveryStatus::Delayed { cause },
            Meaning::AutomaticReply => DeliveryStatus::AutoReplied,
        },
        words: Words {
            label: words(event, "/bounce/bounceType"),
            sublabel: words(event, "/bounce/bounceSubType"),
            smtp_status: words(recipient, "/status"),
            diagnostic: words(recipient, "/diagnosticCode"),
        },
    })
}

/// The feedback types of complaints
/// (<https://www.iana.org/assignments/marf-parameters/marf-parameters.xhtml#marf-parameters-2>).
fn complaint<'a>(event: &Value) -> Result<Reading<'a>, NoReport> {
    let label = words(event, "/complaint/complaintFeedbackType");
    let sublabel = words(event, "/complaint/complaintSubType");
    let complaint = match (sublabel.as_deref(), label.as_deref()) {
        (Some("OnAccountSuppressionList"), _) => Complaint::OnSuppressionList,
        (_, Some("abuse")) => Complaint::Abuse,
        (_, Some("auth-failure")) => Complaint::AuthFailure,
        (_, Some("fraud")) => Complaint::Fraud,
        (_, Some("virus")) => Complaint::Virus,
        // The opposite of a complaint.
        (_, Some("not-spam")) => return Err(Ignorable("no complaint")),
        (_, Some(_) | None) => Complaint::Other,
    };
    Ok(Reading {
        kind: FeedbackKind::Complaint,
        part: "complaint",
        status: DeliveryStatus::Complained { complaint },
        words: Words {
            label,
            sublabel,
            ..Words::default()
        },
    })
}

/// The recipient in a report. Every mail has one. After forwarding, its address can differ from ours, so
/// the address is ignored.
fn recipient<'a>(event: &'a Value, list: &str) -> &'a Value {
    let list = event
        .pointer(list)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let says_something = |recipient: &&Value| {
        text(recipient, "/status")
            .or_else(|| text(recipient, "/diagnosticCode"))
            .is_some()
    };
    list.iter()
        .find(says_something)
        .or_else(|| list.first())
        .unwrap_or(&Value::Null)
}

fn origin(event: &Value) -> Origin {
    let Some(Value::Object(tags)) = event.pointer("/mail/tags") else {
        return Origin::Untagged;
    };
    // Each value is a list of texts.
    let tag = |name: &str| match tags.get(name)? {
        Value::Array(values) => values.first()?.as_str(),
        value => value.as_str(),
    };
    let send = || {
        Some(Origin::Tagged {
            stage: tag("stage")?.to_owned(),
            send: Send {
                account: tag("account")?.parse().ok()?,
                member: tag("member")?.parse().ok()?,
                number: tag("send")?.parse().ok()?,
            },
            recipient: tag("recipient").and_then(|key| key.parse().ok()),
        })
    };
    send().unwrap_or(Origin::Foreign)
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value
        .pointer(pointer)?
        .as_str()
        .filter(|text| !text.is_empty())
}

/// A text to keep for support: one line of reasonable length.
fn words(value: &Value, pointer: &str) -> Option<String> {
    const LONGEST: usize = 500;
    let text = text(value, pointer)?;
    Some(
        text.chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(LONGEST)
            .collect(),
    )
}

/// ISO 8601, and the variants of it that SES is known to write.
#[must_use]
pub fn timestamp(text: &str) -> Option<Timestamp> {
    text.parse()
        .or_else(|_| Timestamp::strptime("%Y-%m-%dT%H:%M:%S %z", text))
        .or_else(|_| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text))
        .ok()
}
