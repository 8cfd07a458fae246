//! Requests that can be repeated without happening twice.

use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Refusal;
use crate::text::{Invalid, text_newtype};

/// The client's `Idempotency-Key`: 1 to 255 visible ASCII characters.
///
/// Commas are refused: API Gateway joins a repeated header with commas, and of two keys it would be
/// unclear which one counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

text_newtype!(IdempotencyKey);

impl FromStr for IdempotencyKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_valid = (1..=255).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_graphic() && b != b',');
        if !is_valid {
            return Err(Invalid(
                "must be sent once, and be 1 to 255 visible ASCII characters without a comma",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl IdempotencyKey {
    /// The table holds this instead of the key.
    #[must_use]
    pub fn hash(&self) -> String {
        digest(&[&self.0])
    }
}

/// A digest of what a request asks for. Requests that ask for the same have the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(String);

impl Fingerprint {
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        Self(digest(parts))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn digest(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    BASE64URL_NOPAD.encode(&digest.finalize())
}

/// A request that was carried out, and its answer. Its serialised form is the item in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedRequest {
    pub fingerprint: Fingerprint,
    pub answer: String,
    /// A repetition gets this answer until then. Afterwards, DynamoDB's TTL may delete the item.
    #[serde(
        rename = "expires",
        with = "jiff::fmt::serde::timestamp::second::required"
    )]
    pub expires_at: Timestamp,
}

impl RecordedRequest {
    const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

    #[must_use]
    pub fn new(fingerprint: Fingerprint, answer: String, now: Timestamp) -> Self {
        let expires_at = now.saturating_add(Self::LIFETIME).unwrap_or(Timestamp::MAX);
        Self {
            fingerprint,
            answer,
            expires_at,
        }
    }
}

/// The answer to an earlier request with the same key. None, if the request is new.
///
/// # Errors
///
/// [`Refusal::IdempotencyKeyReused`] if the earlier request was a different one.
pub fn first_answer(
    recorded: Option<&RecordedRequest>,
    fingerprint: &Fingerprint,
    now: Timestamp,
) -> Result<Option<String>, Refusal> {
    match recorded {
        Some(recorded) if now >= recorded.expires_at => Ok(None),
        Some(recorded) if recorded.fingerprint == *fingerprint => Ok(Some(recorded.answer.clone())),
        Some(_) => Err(Refusal::IdempotencyKeyReused),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, IdempotencyKey, RecordedRequest, first_answer};
    use crate::Refusal;

    #[test]
    fn keys_are_visible_ascii() {
        assert!("a-b_c:1".parse::<IdempotencyKey>().is_ok());
        for key in ["", "a b", "a,b", "ä", "a\n", &"x".repeat(256)] {
            assert!(key.parse::<IdempotencyKey>().is_err(), "{key}");
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_eq!(Fingerprint::of(&["a", "bc"]), Fingerprint::of(&["a", "bc"]));
        assert_ne!(Fingerprint::of(&["a", "bc"]), Fingerprint::of(&["ab", "c"]));
    }

    #[test]
    fn a_record_counts_for_a_day() {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let last = "2026-11-25T11:59:59Z".parse().unwrap();
        let over = "2026-11-25T12:00:00Z".parse().unwrap();
        let (this, that) = (Fingerprint::of(&["this"]), Fingerprint::of(&["that"]));
        let recorded = RecordedRequest::new(this.clone(), "answer".into(), now);
        assert_eq!(first_answer(None, &this, now), Ok(None));
        assert_eq!(
            first_answer(Some(&recorded), &this, last),
            Ok(Some("answer".into()))
        );
        assert_eq!(first_answer(Some(&recorded), &this, over), Ok(None));
        assert_eq!(
            first_answer(Some(&recorded), &that, last),
            Err(Refusal::IdempotencyKeyReused)
        );
        assert_eq!(first_answer(Some(&recorded), &that, over), Ok(None));
    }
}
