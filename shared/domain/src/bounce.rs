//! What a bounce means: the one place where the mail system's words are interpreted.
//!
//! SES's own label (type and subtype) is the last thing to go by. It calls some permanent failures
//! transient, and automatic replies arrive as bounces, too. What the other mail server said comes
//! first: its enhanced status code (RFC 3463), then its words.
//! <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html#event-publishing-retrieving-sns-contents-bounce-object>

use serde::{Deserialize, Serialize};

/// What a bounce says about itself. Any part can be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BounceReport<'a> {
    /// SES's `bounceType`.
    pub label: Option<&'a str>,
    /// SES's `bounceSubType`.
    pub sublabel: Option<&'a str>,
    /// The enhanced status code that the other mail server gave, such as `5.1.1`.
    pub status: Option<&'a str>,
    /// What the other mail server said.
    pub diagnostic: Option<&'a str>,
    /// What the other mail server did (RFC 3464, 2.3.3): `failed`, `delayed`, ...
    pub action: Option<&'a str>,
}

/// What a bounce is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The mail did not arrive, and will not.
    Bounce(Bounce),
    /// The mail is still under way.
    Delay(BounceCause),
    /// The mail arrived, and an auto-responder answered it.
    AutomaticReply,
}

/// A mail that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bounce {
    /// Whether trying again can help.
    pub permanence: Permanence,
    /// Why it came back.
    pub cause: BounceCause,
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Permanence {
    /// Later, perhaps.
    Transient,
    /// Not as things are.
    Permanent,
}

/// Why a mail came back, or is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BounceCause {
    /// Nobody said.
    Unknown,
    /// The other mail server could not be reached, or had trouble of its own.
    ServerTrouble,
    /// It was tried for as long as it may be.
    TimedOut,
    /// The mailbox is full.
    MailboxFull,
    /// The message is larger than the mailbox takes.
    MessageTooLarge,
    /// The other mail server did not like what the message says or holds.
    ContentRejected,
    /// The other mail server does not take mail from us, or from anybody like us.
    PolicyRejected,
    /// The mailbox exists and is switched off.
    MailboxDisabled,
    /// There is no such mailbox.
    NoMailbox,
    /// The domain does not exist, or takes no mail.
    NoDomain,
    /// The recipient unsubscribed from mail by this sender.
    Unsubscribed,
    /// The mail service itself holds the address for undeliverable, for all its customers.
    Suppressed,
    /// The address is on this product's own suppression list, which support can change.
    OnSuppressionList,
}

use BounceCause::{
    ContentRejected, MailboxDisabled, MailboxFull, MessageTooLarge, NoDomain, NoMailbox,
    OnSuppressionList, PolicyRejected, ServerTrouble, Suppressed, TimedOut, Unknown, Unsubscribed,
};
use Permanence::{Permanent, Transient};

const fn bounce(permanence: Permanence, cause: BounceCause) -> Meaning {
    Meaning::Bounce(Bounce { permanence, cause })
}

/// Subtypes that say that SES did not even try. They are SES's own knowledge: nothing that a mail
/// server says can be truer.
const NOT_SENT: &[(&str, Meaning)] = &[
    ("Suppressed", bounce(Permanent, Suppressed)),
    (
        "OnAccountSuppressionList",
        bounce(Permanent, OnSuppressionList),
    ),
    (
        "OnTenantSuppressionList",
        bounce(Permanent, OnSuppressionList),
    ),
    // SES looked the address up before sending and found it bad.
    ("EmailValidationSuppressed", bounce(Permanent, Suppressed)),
    ("UnsubscribedRecipient", bounce(Permanent, Unsubscribed)),
];

/// Subject and detail of an enhanced status code, and what they stand for (RFC 3463, 3; the IANA
/// registry of enhanced status codes). `None` as a detail is any other one of that subject.
const STATUS_CODES: &[(u16, Option<u16>, BounceCause)] = &[
    (1, Some(1), NoMailbox),       // bad destination mailbox address
    (1, Some(2), NoDomain),        // bad destination system address
    (1, Some(7), PolicyRejected),  // bad sender's mailbox address: that is us
    (1, Some(8), PolicyRejected),  // bad sender's system address: that is us
    (1, None, NoMailbox),          // something else about the address: 1.6, moved; Exchange's 1.10
    (2, Some(1), MailboxDisabled), // mailbox disabled
    (2, Some(2), MailboxFull),     // mailbox full
    (2, Some(3), MessageTooLarge), // larger than the mailbox's administrative limit
    (2, None, Unknown),            // some other state of the mailbox, such as busy
    (3, Some(1), MailboxFull),     // mail system full
    (3, Some(4), MessageTooLarge), // too big for the system
    (3, None, ServerTrouble),      // something else about the mail system
    (4, Some(3), NoDomain),        // directory server failure: the domain cannot be looked up
    (4, Some(4), NoDomain),        // unable to route: no mail server for the domain
    (4, Some(7), TimedOut),        // delivery time expired
    (4, None, ServerTrouble),      // something else about the network
    (5, None, Unknown),            // about the protocol: says nothing that helps anybody
    (6, None, ContentRejected),    // about the content
    (7, None, PolicyRejected),     // about security or policy
];

/// Words of mail servers that give no enhanced status code, in lower case. The first that occurs
/// counts, so what is said more exactly stands above.
const WORDS: &[(&str, Meaning)] = &[
    // An auto-responder's own words, in the languages of the customers so far.
    ("out of office", Meaning::AutomaticReply),
    ("out of the office", Meaning::AutomaticReply),
    ("out-of-office", Meaning::AutomaticReply),
    ("auto-reply", Meaning::AutomaticReply),
    ("autoreply", Meaning::AutomaticReply),
    ("auto reply", Meaning::AutomaticReply),
    ("auto-replied", Meaning::AutomaticReply),
    ("auto-response", Meaning::AutomaticReply),
    ("automatic reply", Meaning::AutomaticReply),
    ("automatic response", Meaning::AutomaticReply),
    ("on vacation", Meaning::AutomaticReply),
    ("vacation message", Meaning::AutomaticReply),
    ("abwesenheit", Meaning::AutomaticReply),
    ("nicht im büro", Meaning::AutomaticReply),
    ("absence du bureau", Meaning::AutomaticReply),
    ("réponse automatique", Meaning::AutomaticReply),
    ("respuesta automática", Meaning::AutomaticReply),
    ("fuera de la oficina", Meaning::AutomaticReply),
    ("risposta automatica", Meaning::AutomaticReply),
    ("automatisch antwoord", Meaning::AutomaticReply),
    // Slowed down because of what others said about us: Yahoo words it so.
    ("user complaints", bounce(Transient, PolicyRejected)),
    // Asked to come back later: such answers often have the words of a refusal, too.
    ("greylist", bounce(Transient, ServerTrouble)),
    ("graylist", bounce(Transient, ServerTrouble)),
    ("try again later", bounce(Transient, ServerTrouble)),
    ("temporarily", bounce(Transient, ServerTrouble)),
    // The mailbox is full: providers word it in terms of quota or space.
    ("mailbox full", bounce(Transient, MailboxFull)),
    ("mailbox is full", bounce(Transient, MailboxFull)),
    ("inbox is full", bounce(Transient, MailboxFull)),
    ("quota", bounce(Transient, MailboxFull)),
    ("out of storage", bounce(Transient, MailboxFull)),
    ("insufficient storage", bounce(Transient, MailboxFull)),
    // The mailbox is switched off.
    ("account is disabled", bounce(Permanent, MailboxDisabled)),
    (
        "account has been disabled",
        bounce(Permanent, MailboxDisabled),
    ),
    ("mailbox disabled", bounce(Permanent, MailboxDisabled)),
    ("account is inactive", bounce(Permanent, MailboxDisabled)),
    ("account inactive", bounce(Permanent, MailboxDisabled)),
    ("account suspended", bounce(Permanent, MailboxDisabled)),
    // The domain is wrong: nobody could be asked about the mailbox.
    ("host not found", bounce(Permanent, NoDomain)),
    ("host unknown", bounce(Permanent, NoDomain)),
    ("domain not found", bounce(Permanent, NoDomain)),
    ("domain does not exist", bounce(Permanent, NoDomain)),
    ("no such domain", bounce(Permanent, NoDomain)),
    ("nxdomain", bounce(Permanent, NoDomain)),
    ("does not accept mail", bounce(Permanent, NoDomain)),
    // The mailbox does not exist.
    ("user unknown", bounce(Permanent, NoMailbox)),
    ("unknown user", bounce(Permanent, NoMailbox)),
    ("unknown recipient", bounce(Permanent, NoMailbox)),
    ("unknown address", bounce(Permanent, NoMailbox)),
    ("no such user", bounce(Permanent, NoMailbox)),
    ("no such mailbox", bounce(Permanent, NoMailbox)),
    ("no such recipient", bounce(Permanent, NoMailbox)),
    ("no mailbox", bounce(Permanent, NoMailbox)),
    ("mailbox not found", bounce(Permanent, NoMailbox)),
    ("user not found", bounce(Permanent, NoMailbox)),
    ("recipient not found", bounce(Permanent, NoMailbox)),
    ("does not exist", bounce(Permanent, NoMailbox)),
    ("doesn't exist", bounce(Permanent, NoMailbox)),
    ("doesn't have a", bounce(Permanent, NoMailbox)),
    ("invalid recipient", bounce(Permanent, NoMailbox)),
    ("invalid mailbox", bounce(Permanent, NoMailbox)),
    ("not a valid recipient", bounce(Permanent, NoMailbox)),
    ("recipient address rejected", bounce(Permanent, NoMailbox)),
    ("mailbox unavailable", bounce(Permanent, NoMailbox)),
    // The message is too large, or its content is not wanted.
    ("too large", bounce(Permanent, MessageTooLarge)),
    ("too big", bounce(Permanent, MessageTooLarge)),
    ("size limit", bounce(Permanent, MessageTooLarge)),
    ("attachment", bounce(Permanent, ContentRejected)),
    ("virus", bounce(Permanent, ContentRejected)),
    ("content rejected", bounce(Permanent, ContentRejected)),
    // Mail from us is not wanted.
    ("spam", bounce(Permanent, PolicyRejected)),
    ("blacklist", bounce(Permanent, PolicyRejected)),
    ("blocklist", bounce(Permanent, PolicyRejected)),
    ("block list", bounce(Permanent, PolicyRejected)),
    ("blocked", bounce(Permanent, PolicyRejected)),
    ("policy", bounce(Permanent, PolicyRejected)),
    ("access denied", bounce(Permanent, PolicyRejected)),
    ("relay", bounce(Permanent, PolicyRejected)),
    ("not authorized", bounce(Permanent, PolicyRejected)),
    ("dmarc", bounce(Permanent, PolicyRejected)),
    // Nobody answered.
    ("expired", bounce(Transient, TimedOut)),
    ("timed out", bounce(Transient, TimedOut)),
    ("timeout", bounce(Transient, TimedOut)),
    ("connection refused", bounce(Transient, ServerTrouble)),
    ("unable to connect", bounce(Transient, ServerTrouble)),
    ("could not connect", bounce(Transient, ServerTrouble)),
];

/// SES's label, for what says nothing else. `None` as a subtype is any other one of that type,
/// those among them that are not known here.
const LABELS: &[(&str, Option<&str>, Meaning)] = &[
    ("Permanent", Some("NoEmail"), bounce(Permanent, NoMailbox)),
    ("Permanent", None, bounce(Permanent, Unknown)),
    (
        "Transient",
        Some("MailboxFull"),
        bounce(Transient, MailboxFull),
    ),
    (
        "Transient",
        Some("MessageTooLarge"),
        bounce(Transient, MessageTooLarge),
    ),
    (
        "Transient",
        Some("ContentRejected"),
        bounce(Transient, ContentRejected),
    ),
    (
        "Transient",
        Some("AttachmentRejected"),
        bounce(Transient, ContentRejected),
    ),
    (
        "Transient",
        Some("CustomTimeoutExceeded"),
        bounce(Transient, TimedOut),
    ),
    // What SES files automatic replies under.
    ("Transient", Some("General"), Meaning::AutomaticReply),
    ("Transient", None, bounce(Transient, Unknown)),
    // SES could not read the answer: a bounce has a form that it can read, a person's words do not.
    ("Undetermined", None, Meaning::AutomaticReply),
];

/// What a bounce means.
#[must_use]
pub fn interpret(report: BounceReport<'_>) -> Meaning {
    let sublabel = report.sublabel.unwrap_or_default();
    if let Some((_, meaning)) = NOT_SENT
        .iter()
        .find(|(name, _)| sublabel.eq_ignore_ascii_case(name))
    {
        return *meaning;
    }
    let status = report.status.and_then(StatusCode::parse);
    let diagnostic = report.diagnostic.unwrap_or_default().to_lowercase();
    let status = status.or_else(|| StatusCode::find(&diagnostic));
    let is_delayed = report
        .action
        .is_some_and(|action| action.eq_ignore_ascii_case("delayed"));
    match status {
        Some(code) if code.class == 5 => return bounce(Permanent, code.cause(&diagnostic)),
        Some(code) if code.class == 4 && is_delayed => {
            return Meaning::Delay(code.cause(&diagnostic));
        }
        Some(code) if code.class == 4 => return bounce(Transient, code.cause(&diagnostic)),
        // 2.x.x: the mail was taken, whatever came back. The label decides what that is.
        Some(_) | None => {}
    }
    if is_delayed {
        return Meaning::Delay(Unknown);
    }
    if let Some(meaning) = words(&diagnostic) {
        return meaning;
    }
    match reply_code(&diagnostic) {
        Some(b'5') => return bounce(Permanent, Unknown),
        Some(b'4') => return bounce(Transient, Unknown),
        _ => {}
    }
    label(report.label.unwrap_or_default(), sublabel)
}

fn words(diagnostic: &str) -> Option<Meaning> {
    let (_, meaning) = WORDS.iter().find(|(words, _)| diagnostic.contains(words))?;
    Some(match (meaning, reply_code(diagnostic)) {
        // The reply code outweighs what these words mean most of the time.
        (Meaning::Bounce(found), Some(b'5')) => bounce(Permanent, found.cause),
        (Meaning::Bounce(found), Some(b'4')) => bounce(Transient, found.cause),
        (meaning, _) => *meaning,
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
        // A type that nobody knows yet: it came back, and nothing says that it always will.
        .map_or(bounce(Transient, Unknown), |(.., meaning)| *meaning)
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

    /// The first one in what a mail server said. A version or an address of the network is none:
    /// its parts do not fit.
    fn find(diagnostic: &str) -> Option<Self> {
        diagnostic
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .map(|word| word.trim_end_matches('.'))
            .find_map(Self::parse)
    }

    /// What the code stands for. Where it is not known exactly, the server's words say it better
    /// than the code's subject does.
    fn cause(self, diagnostic: &str) -> BounceCause {
        let row = |detail: Option<u16>| {
            let is_row = |row: &&(u16, Option<u16>, _)| row.0 == self.subject && row.1 == detail;
            STATUS_CODES.iter().find(is_row).map(|row| row.2)
        };
        let said = || match words(diagnostic)? {
            Meaning::Bounce(bounce) => Some(bounce.cause),
            Meaning::Delay(_) | Meaning::AutomaticReply => None,
        };
        row(Some(self.detail))
            .or_else(said)
            .or_else(|| row(None))
            .unwrap_or(Unknown)
    }
}

/// The first digit of the SMTP reply code (RFC 5321, 4.2) that an answer begins with, if it does:
/// `smtp; 550 no`.
fn reply_code(diagnostic: &str) -> Option<u8> {
    let answer = diagnostic
        .split_once(';')
        .map_or(diagnostic, |(_, answer)| answer);
    let code = answer.trim_start().as_bytes().get(..3)?;
    let is_code = code.iter().all(u8::is_ascii_digit) && matches!(code.first(), Some(b'4' | b'5'));
    is_code.then(|| code.first().copied()).flatten()
}
