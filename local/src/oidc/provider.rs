//! The provider's codes, and tokens for people who signed in.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jsonwebtoken::{Algorithm, Header, encode, get_current_timestamp};
use platform::random::{self, NoRandomness};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::signing_key::SigningKey;

/// In seconds.
pub(super) const TOKEN_LIFE: u64 = 60 * 60;

/// Answers to a sign-in must not be cached.
pub(super) const NO_STORE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// RFC 6749, section 4.1.2 wants codes to expire quickly.
const CODE_LIFE: Duration = Duration::from_secs(60);

/// The person that a token is for: the body of `POST /dev/token`, or the sign-in form's input.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    pub email: String,
    /// True by default.
    pub email_verified: Option<bool>,
    /// By default, it follows from the address, so that it is stable.
    pub sub: Option<String>,
    /// The token has no such claim if the list is empty.
    pub groups: Option<Vec<String>>,
    /// Claims of other providers, which replace those above. Null leaves a claim out.
    #[serde(default)]
    pub claims: Map<String, Value>,
}

impl TokenRequest {
    /// A person with a verified address and default claims.
    #[must_use]
    pub fn of(email: &str) -> Self {
        Self {
            email: email.to_owned(),
            email_verified: None,
            sub: None,
            groups: None,
            claims: Map::new(),
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

impl IdToken<'_> {
    fn with(&self, others: &Map<String, Value>) -> serde_json::Result<Value> {
        let mut claims = serde_json::to_value(self)?;
        if let Value::Object(claims) = &mut claims {
            claims.extend(others.clone());
            claims.retain(|_, value| !value.is_null());
        }
        Ok(claims)
    }
}

pub(crate) struct Provider {
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) key: SigningKey,
    codes: Mutex<HashMap<String, (Grant, Instant)>>,
}

pub(super) struct Grant {
    pub(super) sign_in: TokenRequest,
    pub(super) auth_time: u64,
    pub(super) nonce: Option<String>,
    pub(super) redirect_uri: String,
    pub(super) challenge: Vec<u8>,
}

impl Provider {
    /// `issuer` is the URL of the provider's router.
    pub(crate) fn new(issuer: String, client_id: String, key: SigningKey) -> Self {
        Self {
            issuer,
            client_id,
            key,
            codes: Mutex::default(),
        }
    }

    /// An ID token for a person who signs in now.
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
        encode(&header, &claims.with(&request.claims)?, &self.key.0.signing)
    }

    pub(super) fn issue_code(&self, grant: Grant) -> Result<String, NoRandomness> {
        let code = random_text()?;
        let now = Instant::now();
        let mut codes = self.codes();
        codes.retain(|_, (_, expires)| *expires > now);
        codes.insert(code.clone(), (grant, now + CODE_LIFE));
        Ok(code)
    }

    /// Takes the grant of a code. Every code works once, even if the exchange fails.
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
