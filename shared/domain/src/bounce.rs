//! What a bounce means: the only place that interprets the words of the mail system.
//!
//! The parts of a report contradict each other, so the most specific evidence wins, in this order:
//! words with only one meaning; an exact enhanced status code (RFC 3463), first from the recipient's
//! mail server's answer, then from the report's own field; the server's other words; the codes that
//! servers use for everything; SES's label (type and subtype). SES calls some permanent failures
//! transient, and automatic replies also arrive as bounces.
//! <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html#event-publishing-retrieving-sns-contents-bounce-object>

mod words;

use serde::{Deserialize, Serialize};

use crate::reason::reasons;
use words::{AUTOMATIC_REPLIES, SURE_WORDS, WEAK_WORDS, WORDS, find};

/// What a bounce says. Any part can be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BounceReport<'a> {
    /// SES's `bounceType`.
    pub label: Option<&'a str>,
    /// SES's `bounceSubType`.
    pub sublabel: Option<&'a str>,
    /// The enhanced status code of the recipient's mail server, such as `5.1.1`.
    pub status: Option<&'a str>,
    /// What the recipient's mail server said.
    pub diagnostic: Option<&'a str>,
    /// What the recipient's mail server did (RFC 3464, 2.3.3): `failed`, `delayed`, ...
    pub action: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The e-mail did not arrive and will not.
    Bounce(Bounce),
    /// The e-mail may still arrive.
    Delay(BounceCause),
    /// The e-mail arrived, and an auto-responder answered it.
    AutomaticReply,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "StoredBounce", into = "StoredBounce")]
pub struct Bounce {
    pub cause: BounceCause,
}

/// A bounce as stored in a row. Earlier releases, which don't derive the permanence, read it.
#[derive(Serialize, Deserialize)]
struct StoredBounce {
    #[serde(default, skip_deserializing)]
    permanence: Permanence,
    cause: BounceCause,
}

impl From<StoredBounce> for Bounce {
    fn from(stored: StoredBounce) -> Self {
        Self {
            cause: stored.cause,
        }
    }
}

impl From<Bounce> for StoredBounce {
    fn from(bounce: Bounce) -> Self {
        Self {
            permanence: bounce.cause.permanence(),
            cause: bounce.cause,
        }
    }
}

/// Whether sending the same e-mail to the same address again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Permanence {
    /// It can, after a while or once the cause is fixed.
    #[default]
    Transient,
    /// It cannot, until support has looked into it.
    Permanent,
}

reasons! {
    /// Why an e-mail came back, or is late: from the least specific cause to the most.
    pub enum BounceCause {
        Unknown = "The recipient's mail server gave no clear reason.",
        ServerTrouble = "The recipient's mail server was unreachable or reported a problem.",
        TimedOut = "The recipient's mail server didn't accept the e-mail in time.",
        MailboxFull = "The mailbox is full.",
        MessageTooLarge = "The e-mail is too large for the mailbox.",
        ContentRejected = "The recipient's mail server rejected the content of the e-mail.",
        PolicyRejected = "The recipient's mail server doesn't accept our e-mails.",
        MailboxDisabled = "The mailbox is disabled.",
        NoMailbox = "The recipient's mail server couldn't find this mailbox.",
        NoDomain = "The domain of the address doesn't accept mail.",
        Unsubscribed = "The recipient unsubscribed from our e-mails.",
        /// It has bounced for other customers of the mail service.
        Suppressed = "The mail service considers this address undeliverable.",
        /// The list is the product's own, so support can take the address off it.
        OnSuppressionList = "An earlier e-mail to this address came back, so this one wasn't sent.",
    }
}

use BounceCause::{
    ContentRejected, MailboxDisabled, MailboxFull, MessageTooLarge, NoDomain, NoMailbox,
    OnSuppressionList, PolicyRejected, ServerTrouble, Suppressed, TimedOut, Unknown, Unsubscribed,
};

impl BounceCause {
    /// Whether another try can help. Only the cause decides: a full mailbox can be emptied, whether
    /// its server said 452 or 552.
    #[must_use]
    pub fn permanence(self) -> Permanence {
        match self {
            Unknown | ServerTrouble | TimedOut | MailboxFull | MessageTooLarge
            | ContentRejected | PolicyRejected => Permanence::Transient,
            MailboxDisabled | NoMailbox | NoDomain | Unsubscribed | Suppressed
            | OnSuppressionList => Permanence::Permanent,
        }
    }
}

/// Subtypes that mean SES did not even try. SES knows this first-hand, so they outweigh anything that a
/// mail server says.
const NOT_SENT: &[(&str, BounceCause)] = &[
    ("Suppressed", Suppressed),
    ("OnAccountSuppressionList", OnSuppressionList),
    ("OnTenantSuppressionList", OnSuppressionList),
    // SES checked the address before sending and found it invalid.
    ("EmailValidationSuppressed", Suppressed),
    ("UnsubscribedRecipient", Unsubscribed),
];

/// Subject and detail of the enhanced status codes that always mean the same (RFC 3463, 3; RFC 7505; the
/// IANA registry of enhanced status codes; Exchange's own).
const EXACT_CODES: &[(u16, u16, BounceCause)] = &[
    (1, 2, NoDomain),       // bad destination system address
    (1, 6, NoMailbox),      // mailbox has moved
    (1, 7, PolicyRejected), // bad sender's mailbox address: ours
    (1, 8, PolicyRejected), // bad sender's system address: ours
    (2, 2, MailboxFull),
    (2, 3, MessageTooLarge), // larger than the mailbox's administrative limit
    (3, 4, MessageTooLarge), // too big for the system
    (4, 3, NoDomain),        // directory server failure: the domain cannot be looked up
    (4, 4, NoDomain),        // unable to route: no mail server for the domain
    (4, 6, ServerTrouble),   // a loop
    (4, 14, ServerTrouble),  // a loop, as Exchange counts it
    (4, 310, NoDomain),      // Exchange Online: the domain does not exist
    (4, 312, NoDomain),      // Exchange Online: its name servers do not answer
    (7, 13, MailboxDisabled),
    (7, 17, NoMailbox), // the mailbox has another owner now
    (7, 18, NoDomain),  // the domain has another owner now
];

/// What the subjects of the other codes mean, in the absence of better evidence: `None` is any other
/// detail. Servers use many of them for everything.
const VAGUE_CODES: &[(u16, Option<u16>, BounceCause)] = &[
    (1, None, NoMailbox),
    (2, Some(1), MailboxDisabled),
    (2, None, Unknown), // some other state of the mailbox, such as busy
    (3, Some(0), Unknown),
    (3, None, ServerTrouble),
    (4, Some(7), TimedOut),
    (4, None, ServerTrouble),
    (5, None, Unknown), // about the protocol: no help to anyone
    (6, None, ContentRejected),
    (7, None, PolicyRejected),
];

/// SES's labels, the last resort. `None` is any other subtype of the type, even an unknown one.
const LABELS: &[(&str, Option<&str>, Meaning)] = &[
    ("Permanent", Some("NoEmail"), bounce(NoMailbox)),
    ("Permanent", None, bounce(Unknown)),
    ("Transient", Some("MailboxFull"), bounce(MailboxFull)),
    (
        "Transient",
        Some("MessageTooLarge"),
        bounce(MessageTooLarge),
    ),
    (
        "Transient",
        Some("ContentRejected"),
        bounce(ContentRejected),
    ),
    (
        "Transient",
        Some("AttachmentRejected"),
        bounce(ContentRejected),
    ),
    ("Transient", Some("CustomTimeoutExceeded"), bounce(TimedOut)),
    // SES also files automatic replies under this.
    ("Transient", Some("General"), Meaning::AutomaticReply),
    ("Transient", None, bounce(Unknown)),
    // SES could not read the answer. It can read a bounce, but not what a person wrote.
    ("Undetermined", None, Meaning::AutomaticReply),
];

const fn bounce(cause: BounceCause) -> Meaning {
    Meaning::Bounce(Bounce { cause })
}

#[must_use]
pub fn interpret(report: BounceReport<'_>) -> Meaning {
    let sublabel = report.sublabel.unwrap_or_default();
    if let Some((_, cause)) = NOT_SENT
        .iter()
        .find(|(name, _)| sublabel.eq_ignore_ascii_case(name))
    {
        return bounce(*cause);
    }
    let diagnostic = report.diagnostic.unwrap_or_default().to_lowercase();
    // 2.x.x: the server accepted the e-mail. Words and label decide what came back.
    let is_refused = |code: &StatusCode| code.class != 2;
    let answered: Vec<_> = StatusCode::all(&diagnostic).filter(is_refused).collect();
    let reported = report.status.and_then(StatusCode::parse).filter(is_refused);
    let cause = cause(&answered, reported, &diagnostic);
    if report
        .action
        .is_some_and(|action| action.eq_ignore_ascii_case("delayed"))
    {
        return Meaning::Delay(cause.unwrap_or(Unknown));
    }
    let is_refusal =
        !answered.is_empty() || reported.is_some() || reply_class(&diagnostic).is_some();
    if !is_refusal
        && AUTOMATIC_REPLIES
            .iter()
            .any(|words| diagnostic.contains(words))
    {
        return Meaning::AutomaticReply;
    }
    match (cause, label(report.label.unwrap_or_default(), sublabel)) {
        (Some(cause), _) => bounce(cause),
        // A server refused it, so it cannot be an automatic reply.
        (None, Meaning::AutomaticReply) if is_refusal => bounce(Unknown),
        (None, label) => label,
    }
}

/// The cause, by the best evidence.
fn cause(
    answered: &[StatusCode],
    reported: Option<StatusCode>,
    diagnostic: &str,
) -> Option<BounceCause> {
    // If the server gave a code, the report's own field is only SES's reading of it.
    let codes = || {
        answered
            .iter()
            .chain(reported.iter().filter(|_| answered.is_empty()))
    };
    let is_policy = codes().next().is_some_and(|code| code.subject == 7);
    let is_temporary = match codes().next() {
        Some(code) => code.class == 4,
        None => reply_class(diagnostic) == Some(b'4'),
    };
    // A server that asks for another try has not said that the mailbox does not exist.
    let unless_temporary = |cause: BounceCause| match cause.permanence() {
        Permanence::Permanent if is_temporary => ServerTrouble,
        Permanence::Permanent | Permanence::Transient => cause,
    };
    find(SURE_WORDS, diagnostic)
        .or_else(|| answered.iter().find_map(|code| code.exact()))
        .or_else(|| reported.and_then(StatusCode::exact))
        .or_else(|| find(WORDS, diagnostic))
        .or_else(|| is_policy.then_some(PolicyRejected))
        .or_else(|| find(WEAK_WORDS, diagnostic).map(unless_temporary))
        // The first vague code that says anything.
        .or_else(|| {
            let mut causes = codes().filter_map(|code| code.vague());
            causes.find(|cause| *cause != Unknown).map(unless_temporary)
        })
}

fn label(label: &str, sublabel: &str) -> Meaning {
    let of_label = || {
        LABELS
            .iter()
            .filter(|(name, ..)| label.eq_ignore_ascii_case(name))
    };
    of_label()
        .find(|(_, sub, _)| sub.is_some_and(|sub| sublabel.eq_ignore_ascii_case(sub)))
        .or_else(|| of_label().find(|(_, sub, _)| sub.is_none()))
        // A new type: all that is known is that the e-mail came back.
        .map_or(bounce(Unknown), |(.., meaning)| *meaning)
}

/// An enhanced status code (RFC 3463, 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StatusCode {
    class: u16,
    subject: u16,
    detail: u16,
}

impl StatusCode {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.').map(|part| {
            let is_number =
                (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            is_number.then(|| part.parse().ok()).flatten()
        });
        let (class, subject, detail) = (parts.next()??, parts.next()??, parts.next()??);
        (matches!(class, 2 | 4 | 5) && subject <= 7 && parts.next().is_none()).then_some(Self {
            class,
            subject,
            detail,
        })
    }

    /// All codes in what a mail server said. Versions and IP addresses do not parse.
    fn all(diagnostic: &str) -> impl Iterator<Item = Self> {
        diagnostic
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .map(|word| word.trim_matches('.'))
            .filter_map(Self::parse)
    }

    fn exact(self) -> Option<BounceCause> {
        let is_row = |row: &&(u16, u16, _)| row.0 == self.subject && row.1 == self.detail;
        EXACT_CODES.iter().find(is_row).map(|row| row.2)
    }

    fn vague(self) -> Option<BounceCause> {
        let row = |detail: Option<u16>| {
            let is_row = |row: &&(u16, Option<u16>, _)| row.0 == self.subject && row.1 == detail;
            VAGUE_CODES.iter().find(is_row).map(|row| row.2)
        };
        row(Some(self.detail)).or_else(|| row(None))
    }
}

/// The first digit of the SMTP reply code (RFC 5321, 4.2), if an answer begins with one that refuses:
/// `smtp; 550 no`.
fn reply_class(diagnostic: &str) -> Option<u8> {
    let answer = diagnostic
        .split_once(';')
        .map_or(diagnostic, |(_, answer)| answer);
    let code = answer.trim_start().as_bytes().get(..3)?;
    let is_code = code.iter().all(u8::is_ascii_digit) && matches!(code.first(), Some(b'4' | b'5'));
    is_code.then(|| code.first().copied()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{BounceCause, BounceReport, Meaning, Permanence, interpret};

    /// Answers of mail servers, with what a person who reads them would say: cause, status, action,
    /// label, sublabel, provider, language, diagnostic.
    const ANSWERS: &str = include_str!("../../../tests/corpus/answers.tsv");

    fn cause_of(label: &str) -> BounceCause {
        match label {
            "no_mailbox" => BounceCause::NoMailbox,
            "no_domain" => BounceCause::NoDomain,
            "disabled" => BounceCause::MailboxDisabled,
            "full" => BounceCause::MailboxFull,
            "too_large" => BounceCause::MessageTooLarge,
            "content" => BounceCause::ContentRejected,
            "policy" => BounceCause::PolicyRejected,
            "server_trouble" => BounceCause::ServerTrouble,
            "timed_out" => BounceCause::TimedOut,
            "unknown" => BounceCause::Unknown,
            other => panic!("what is {other}?"),
        }
    }

    fn some(text: &str) -> Option<&str> {
        (!text.is_empty()).then_some(text)
    }

    /// Whether the advice for `found` is wrong for `truth`: the owner would blame a correct address, or
    /// resend to one that takes no mail.
    fn misleads(truth: BounceCause, found: BounceCause) -> bool {
        let blames = |cause| matches!(cause, BounceCause::NoMailbox | BounceCause::NoDomain);
        (blames(found) && !blames(truth)) || found.permanence() < truth.permanence()
    }

    #[test]
    fn answers_are_understood_as_a_person_would() {
        let (mut right, mut wrong, mut misled) = (0, Vec::new(), Vec::new());
        for row in ANSWERS.lines().skip(1) {
            let columns: Vec<_> = row.split('\t').collect();
            let [truth, status, action, label, sublabel, _, _, diagnostic] = columns[..] else {
                panic!("{row}");
            };
            let truth = cause_of(truth);
            let meaning = interpret(BounceReport {
                label: some(label),
                sublabel: some(sublabel),
                status: some(status),
                diagnostic: some(diagnostic),
                action: some(action),
            });
            let found = match meaning {
                Meaning::Bounce(bounce) => Some(bounce.cause),
                Meaning::Delay(cause) if action == "delayed" => Some(cause),
                Meaning::Delay(_) | Meaning::AutomaticReply => None,
            };
            if found == Some(truth) {
                right += 1;
                continue;
            }
            wrong.push(format!(
                "{found:?} in place of {truth:?}: {status} {diagnostic}"
            ));
            if action == "failed" && found.is_none_or(|found| misleads(truth, found)) {
                misled.push(format!(
                    "{found:?} in place of {truth:?}: {status} {diagnostic}"
                ));
            }
        }
        let all = right + wrong.len();
        println!(
            "{right} of {all} answers understood, {} mislead",
            misled.len()
        );
        println!("{}", wrong.join("\n"));
        assert!(all >= 400, "{all}");
        assert!(right * 100 >= all * 97, "{}", wrong.join("\n"));
        assert!(misled.is_empty(), "{}", misled.join("\n"));
    }

    #[test]
    fn permanence_is_the_causes_and_yesterdays_rows_are_read_by_todays_rules() {
        let stored = r#"{"permanence":"permanent","cause":"mailboxFull"}"#;
        let bounce: super::Bounce = serde_json::from_str(stored).unwrap();
        assert_eq!(bounce.cause.permanence(), Permanence::Transient);
        let written = serde_json::to_string(&bounce).unwrap();
        assert_eq!(
            written,
            r#"{"permanence":"transient","cause":"mailboxFull"}"#
        );
    }
}
