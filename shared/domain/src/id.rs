//! Identifiers. None can contain the separator of the table's keys, and none contains an address.

use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::address::EmailAddress;
use crate::text::{Invalid, text_newtype};

/// The product's own id of a customer account: `[A-Za-z0-9_-]{1,64}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

text_newtype!(AccountId);

impl FromStr for AccountId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_valid = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !is_valid {
            return Err(Invalid(
                "must be 1 to 64 letters, digits, hyphens or underscores",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A person in an account: 26 characters of base32, from account and address.
///
/// The same address always has the same id in an account, and different ids in different accounts. The
/// id does not reveal the address, but the digest is unkeyed: anyone who knows the account's id can
/// confirm a guess.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemberId(String);

text_newtype!(MemberId);

impl MemberId {
    #[must_use]
    pub fn of(account: &AccountId, email: &EmailAddress) -> Self {
        // Neither part can contain a line feed, so different pairs are different texts.
        Self(short(&format!("{account}\n{email}")))
    }
}

impl FromStr for MemberId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if !is_base32(text, SHORT) {
            return Err(Invalid(
                "must be the id of a member, as in answers and in the list",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Replaces an address in the keys of the table: base32 of its SHA-256. It is also unkeyed, so it
/// confirms a guess.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailKey(String);

text_newtype!(EmailKey);

impl EmailKey {
    #[must_use]
    pub fn of(email: &EmailAddress) -> Self {
        Self(base32_digest(email.as_str()))
    }
}

impl FromStr for EmailKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if !is_base32(text, LONG) {
            return Err(Invalid("must be the key of an address"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// One report of the mail system: 26 characters of base32, from the texts that identify it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FeedbackId(String);

text_newtype!(FeedbackId);

impl FeedbackId {
    /// The id of the report that these texts, in this order, identify.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        // The length goes first, so parts cannot run into each other.
        let text: String = parts
            .iter()
            .map(|part| format!("{}:{part}", part.len()))
            .collect();
        Self(short(&text))
    }
}

impl FromStr for FeedbackId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if !is_base32(text, SHORT) {
            return Err(Invalid("must be the id of a report"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The length of ids that are shortened digests: 26 characters of base32 hold 130 bits.
const SHORT: usize = 26;

/// The length of a whole digest in base32.
const LONG: usize = 52;

fn short(text: &str) -> String {
    base32_digest(text).chars().take(SHORT).collect()
}

fn is_base32(text: &str, length: usize) -> bool {
    let is_base32 = |b: u8| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b);
    text.len() == length && text.bytes().all(is_base32)
}

pub(crate) fn base32_digest(text: &str) -> String {
    BASE32_NOPAD
        .encode(&Sha256::digest(text))
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{AccountId, EmailKey, MemberId};

    #[test]
    fn account_ids_are_plain_words() {
        for id in ["a", "Acme_Inc-42", &"x".repeat(64)] {
            assert!(id.parse::<AccountId>().is_ok(), "{id}");
        }
        for id in ["", "a#b", "a b", "a.b", "ä", "a/b", "a\n", &"x".repeat(65)] {
            assert!(id.parse::<AccountId>().is_err(), "{id}");
        }
    }

    #[test]
    fn member_ids_depend_on_account_and_address_alone() {
        let id = |account: &str, email: &str| {
            MemberId::of(&account.parse().unwrap(), &email.parse().unwrap())
        };
        assert_eq!(id("acme", "kim@example.com"), id("acme", "KIM@example.COM"));
        assert_ne!(
            id("acme", "kim@example.com"),
            id("other", "kim@example.com")
        );
        assert_ne!(id("acme", "kim@example.com"), id("acme", "kin@example.com"));
        let kim = id("acme", "kim@example.com");
        assert_eq!(kim.as_str().parse(), Ok(kim.clone()));
        for text in [
            "",
            "short",
            &"A".repeat(26),
            &"1".repeat(26),
            &"a".repeat(27),
        ] {
            assert!(text.parse::<MemberId>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_email_key_is_the_digest_of_the_canonical_address() {
        let key = |email: &str| EmailKey::of(&email.parse().unwrap());
        assert_eq!(key("kim@example.com"), key("Kim@Example.com"));
        let kim = key("kim@example.com");
        assert_eq!(kim.as_str().parse(), Ok(kim.clone()));
        assert!("a".repeat(51).parse::<EmailKey>().is_err());
    }
}
