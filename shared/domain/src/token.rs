//! The secret of an invite, and the hash that the table stores.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::id::{AccountId, MemberId};
use crate::text::Invalid;

/// The text behind `#token=` in an invite's link: `<accountId>.<memberId>.<secret>`.
///
/// It names account and member, so that one read finds the row. Only the secret proves anything.
/// Only [`InviteToken::to_link_text`] prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteToken {
    pub account: AccountId,
    pub member: MemberId,
    secret: [u8; 32],
}

impl InviteToken {
    /// A token around 32 fresh random bytes.
    #[must_use]
    pub fn new(account: AccountId, member: MemberId, secret: [u8; 32]) -> Self {
        Self {
            account,
            member,
            secret,
        }
    }

    /// The same token for another person.
    #[must_use]
    pub fn made_out_to(&self, member: &MemberId) -> Self {
        Self {
            member: member.clone(),
            ..self.clone()
        }
    }

    /// What is stored in place of the token.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.secret).into())
    }

    /// For the mail only: this text opens the account.
    #[must_use]
    pub fn to_link_text(&self) -> String {
        format!(
            "{}.{}.{}",
            self.account,
            self.member,
            BASE64URL_NOPAD.encode(&self.secret)
        )
    }
}

impl FromStr for InviteToken {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const NOT_A_TOKEN: Invalid = Invalid("must be the token from the link of an invite");
        let mut parts = text.split('.');
        let (Some(account), Some(member), Some(secret), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NOT_A_TOKEN);
        };
        let secret = BASE64URL_NOPAD
            .decode(secret.as_bytes())
            .map_err(|_| NOT_A_TOKEN)?;
        Ok(Self {
            account: account.parse().map_err(|_| NOT_A_TOKEN)?,
            member: member.parse().map_err(|_| NOT_A_TOKEN)?,
            secret: secret.try_into().map_err(|_| NOT_A_TOKEN)?,
        })
    }
}

impl fmt::Debug for InviteToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteToken(..)")
    }
}

/// SHA-256 of a token's secret.
///
/// The secret has 256 random bits, so a plain digest is as good as a slow one: there is nothing to
/// guess. Compared in constant time all the same.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenHash([u8; 32]);

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

impl From<TokenHash> for String {
    fn from(hash: TokenHash) -> Self {
        BASE64URL_NOPAD.encode(&hash.0)
    }
}

impl TryFrom<String> for TokenHash {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        const NOT_A_HASH: Invalid = Invalid("must be 32 bytes in base64url");
        let bytes = BASE64URL_NOPAD
            .decode(text.as_bytes())
            .map_err(|_| NOT_A_HASH)?;
        bytes.try_into().map(Self).map_err(|_| NOT_A_HASH)
    }
}

#[cfg(test)]
mod tests {
    use super::InviteToken;
    use crate::id::{AccountId, MemberId};

    fn token(secret: u8) -> InviteToken {
        let account: AccountId = "acme".parse().unwrap();
        let member = MemberId::of(&account, &"kim@example.com".parse().unwrap());
        InviteToken::new(account, member, [secret; 32])
    }

    #[test]
    fn a_token_survives_its_link() {
        let text = token(7).to_link_text();
        assert_eq!(text.parse(), Ok(token(7)));
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        );
    }

    #[test]
    fn hashes_tell_secrets_apart() {
        assert_eq!(token(7).hash(), token(7).hash());
        assert_ne!(token(7).hash(), token(8).hash());
        let stored = String::from(token(7).hash());
        assert!(!token(7).to_link_text().contains(&stored));
        assert_eq!(stored.try_into(), Ok(token(7).hash()));
    }

    #[test]
    fn damaged_tokens_are_not_tokens() {
        let text = token(7).to_link_text();
        let mut longer = text.clone();
        longer.push('A');
        for damaged in [
            "",
            "..",
            "a.b.c",
            &longer,
            &text.replacen("acme", "", 1),
            text.strip_suffix(|_| true).unwrap(),
            &format!("{text}."),
            &format!(" {text}"),
            &text.replace('.', ":"),
        ] {
            assert!(damaged.parse::<InviteToken>().is_err(), "{damaged}");
        }
    }

    #[test]
    fn nothing_prints_a_token() {
        assert_eq!(
            format!("{:?} {:?}", token(7), token(7).hash()),
            "InviteToken(..) TokenHash(..)"
        );
    }
}
