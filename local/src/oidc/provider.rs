//! What the provider knows and hands out: codes, and tokens for those who signed in.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jsonwebtoken::{Algorithm, Header, encode, get_current_timestamp};
use platform::random::{self, NoRandomness};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::signing_key::SigningKey;

/// How long a token is good for, in seconds.
pub(super) const TOKEN_LIFE: u64 = 60 * 60;

/// Nothing that this provider answers to a sign-in may be kept.
pub(super) const NO_STORE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// How long a code is good for. RFC 6749, section 4.1.2 wants it short.
const CODE_LIFE: Duration = Duration::from_secs(60);

/// Whom a token is for: the body of `POST /dev/token`, and what the sign-in form asks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// The claim `email`.
    pub email: String,
    /// The claim `email_verified`; true unless said otherwise.
    pub email_verified: Option<bool>,
    /// The claim `sub`. By default it follows from the address, so that it is stable.
    pub sub: Option<String>,
    /// The claim `groups`, which is left out when there are none.
    pub groups: Option<Vec<String>>,
}

impl TokenRequest {
    /// Somebody with a verified address and nothing unusual.
    #[must_use]
    pub fn of(email: &str) -> Self {
        Self {
            email: email.to_owned(),
            email_verified: None,
            sub: None,
            groups: None,
        }
    }

    fn subject(&self) -> String {
        self.sub.clone().unwrap_or_else(|| {
            let digest = HEXLOWER.encode(&Sha256::digest(self.email.to_lowercase()));
            format!("local-{digest:.32}")
        })
    }
}

/// The claims of an ID token (OpenID Connect Core 1.0, sections 2 and 5.1).
#[derive(Serialize)]
struct IdToken<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: String,
    email: &'a str,
    email_verified: bool,
    iat: u64,
    exp: u64,
    auth_time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    groups: &'a [String],
}

/// The OpenID provider, for one client.
pub(crate) struct Provider {
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) key: SigningKey,
    codes: Mutex<HashMap<String, (Grant, Instant)>>,
}

/// What a code stands for until it is exchanged.
pub(super) struct Grant {
    pub(super) sign_in: TokenRequest,
    pub(super) auth_time: u64,
    pub(super) nonce: Option<String>,
    pub(super) redirect_uri: String,
    pub(super) challenge: Vec<u8>,
}

impl Provider {
    /// A provider at `issuer`, the URL that its router is reached under.
    pub(crate) fn new(issuer: String, client_id: String, key: SigningKey) -> Self {
        Self {
            issuer,
            client_id,
            key,
            codes: Mutex::default(),
        }
    }

    /// An ID token for somebody who signs in now.
    ///
    /// # Errors
    ///
    /// If the key cannot sign.
    pub(crate) fn id_token(
        &self,
        request: &TokenRequest,
        nonce: Option<&str>,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        self.sign(request, nonce, get_current_timestamp())
    }

    pub(super) fn sign(
        &self,
        request: &TokenRequest,
        nonce: Option<&str>,
        auth_time: u64,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.key.0.id.clone());
        let iat = get_current_timestamp();
        let claims = IdToken {
            iss: &self.issuer,
            aud: &self.client_id,
            sub: request.subject(),
            email: &request.email,
            email_verified: request.email_verified.unwrap_or(true),
            iat,
            exp: iat + TOKEN_LIFE,
            auth_time,
            nonce,
            groups: request.groups.as_deref().unwrap_or_default(),
        };
        encode(&header, &claims, &self.key.0.signing)
    }

    /// A code that stands for a grant until it is exchanged.
    ///
    /// # Errors
    ///
    /// If there are no random numbers.
    pub(super) fn issue_code(&self, grant: Grant) -> Result<String, NoRandomness> {
        let code = random_text()?;
        let now = Instant::now();
        let mut codes = self.codes();
        codes.retain(|_, (_, expires)| *expires > now);
        codes.insert(code.clone(), (grant, now + CODE_LIFE));
        Ok(code)
    }

    /// What a code stands for. It is good for one attempt, whatever becomes of that.
    pub(super) fn take_code(&self, code: &str) -> Option<Grant> {
        let (grant, expires) = self.codes().remove(code)?;
        (expires > Instant::now()).then_some(grant)
    }

    fn codes(&self) -> MutexGuard<'_, HashMap<String, (Grant, Instant)>> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 32 random bytes as text that needs no escaping anywhere.
pub(super) fn random_text() -> Result<String, NoRandomness> {
    random::secret().map(|bytes| BASE64URL_NOPAD.encode(&bytes))
}
