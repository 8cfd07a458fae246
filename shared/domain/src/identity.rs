//! Who people are, whatever their address.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::base32_digest;
use crate::text::{Invalid, text_newtype};

/// Who a person is: OpenID Connect Core, 2, `iss` and `sub`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The identity provider.
    pub issuer: String,
    /// The person, for that provider.
    pub subject: String,
}

/// A person, as billing names one: `sub`, or what `IdentityClaim` names. 1 to 255 characters
/// (OpenID Connect Core, 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject(String);

text_newtype!(Subject);

impl FromStr for Subject {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_valid =
            (1..=255).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if is_valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid(
                "must be 1 to 255 characters, none of them a control character",
            ))
        }
    }
}

/// The identity that a row belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BindingItem", into = "BindingItem")]
pub struct Binding {
    pub identity: Identity,
    /// Whether the identity leads to the row. Earlier releases bound rows without that: the next login
    /// makes up for it.
    pub has_pointer: bool,
}

/// A binding in the table. It costs a third of what `serde(flatten)` would, at every read.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BindingItem {
    issuer: String,
    subject: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    has_pointer: bool,
}

impl From<BindingItem> for Binding {
    fn from(item: BindingItem) -> Self {
        let BindingItem {
            issuer,
            subject,
            has_pointer,
        } = item;
        Self {
            identity: Identity { issuer, subject },
            has_pointer,
        }
    }
}

impl From<Binding> for BindingItem {
    fn from(binding: Binding) -> Self {
        let Identity { issuer, subject } = binding.identity;
        Self {
            issuer,
            subject,
            has_pointer: binding.has_pointer,
        }
    }
}

impl Binding {
    /// What a row says after a login.
    #[must_use]
    pub fn to(identity: &Identity) -> Self {
        Self {
            identity: identity.clone(),
            has_pointer: true,
        }
    }
}

/// Replaces an identity in the keys of the table: base32 of its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdentityKey(String);

impl IdentityKey {
    /// The key of an identity.
    #[must_use]
    pub fn of(identity: &Identity) -> Self {
        let Identity { issuer, subject } = identity;
        // The length goes first, so one part cannot run into the other.
        Self(base32_digest(&format!(
            "{}:{issuer}{subject}",
            issuer.len()
        )))
    }
}

impl fmt::Display for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
