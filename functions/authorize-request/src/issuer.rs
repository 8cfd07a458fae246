//! The issuer of the tokens, and its public keys.

use std::str::FromStr;
use std::time::Duration;

use domain::{Invalid, Timestamp};
use http::Uri;
use platform::Problem;
use platform::web::Web;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::public_key::{Jwk, PublicKey};
use crate::token::rejected;

/// Older keys are fetched again. In seconds.
const FRESH_FOR: i64 = 60 * 60;

/// If the issuer does not answer, older keys are not trusted. In seconds. API Gateway keeps keys for
/// two hours, too.
const TRUSTED_FOR: i64 = 2 * FRESH_FOR;

/// The pause between two fetches, even if tokens name unknown keys. In seconds.
const ASK_AGAIN_AFTER: i64 = 10;

/// The longest time for both documents of the issuer together.
const LONGEST_FETCH: Duration = Duration::from_secs(3);

/// The address of an issuer, which is also its name.
#[derive(Debug, Clone)]
pub(crate) struct IssuerUrl(String);

impl FromStr for IssuerUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if is_trustworthy(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid("must be an https URL"))
        }
    }
}

/// Keys come over TLS, or from this machine.
fn is_trustworthy(url: &str) -> bool {
    url.parse::<Uri>()
        .is_ok_and(|uri| match (uri.scheme_str(), uri.host()) {
            (Some("https"), Some(_)) => true,
            (Some("http"), Some(host)) => matches!(host, "localhost" | "127.0.0.1" | "[::1]"),
            _ => false,
        })
}

/// The issuer, and its keys at the last fetch.
#[derive(Debug)]
pub(crate) struct Issuer {
    url: IssuerUrl,
    web: Web,
    keys: Mutex<Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    keys: Vec<PublicKey>,
    fetched_at: Option<Timestamp>,
    asked_at: Option<Timestamp>,
}

/// An issuer's configuration (OpenID Connect Discovery 1.0, 3).
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// Keys (RFC 7517, 5). Keys of an unknown kind are skipped.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Jwk>,
}

impl Issuer {
    pub(crate) fn new(url: IssuerUrl) -> Self {
        let web = if url.0.starts_with("https:") {
            Web::new()
        } else {
            Web::without_tls()
        };
        Self {
            url,
            web,
            keys: Mutex::default(),
        }
    }

    /// The issuer's name in the claim `iss`.
    pub(crate) fn url(&self) -> &str {
        &self.url.0
    }

    /// Fetches the keys ahead of the first request. It makes no difference if that fails.
    pub(crate) async fn get_ready(&self, now: Timestamp) {
        let _ = self.keys.lock().await.ask(self, now).await;
    }

    /// The key with an id. Fetches the keys if it is unknown, or if they are old.
    ///
    /// # Errors
    ///
    /// `unauthenticated` if the issuer has no such key, `unavailable` if the issuer doesn't answer.
    pub(crate) async fn key(&self, id: &str, now: Timestamp) -> Result<PublicKey, Problem> {
        // Requests that arrive while the issuer is being asked wait for the same answer.
        let mut keys = self.keys.lock().await;
        let mut asked = Ok(());
        if keys.find(id).is_none() || !keys.are_younger_than(FRESH_FOR, now) {
            asked = keys.ask(self, now).await;
        }
        if !keys.are_younger_than(TRUSTED_FOR, now) {
            let cause = asked.err().unwrap_or("the issuer did not answer just now");
            return Err(Problem::unavailable(cause));
        }
        let key = keys.find(id).cloned();
        key.ok_or_else(|| rejected("the issuer has no such key"))
    }

    async fn fetch(&self) -> Result<Vec<PublicKey>, &'static str> {
        let base = self.url().trim_end_matches('/');
        let discovery: Discovery = self
            .get_json(&format!("{base}/.well-known/openid-configuration"))
            .await?;
        if discovery.issuer != self.url() || !is_trustworthy(&discovery.jwks_uri) {
            return Err("the issuer's configuration names another issuer");
        }
        let set: KeySet = self.get_json(&discovery.jwks_uri).await?;
        Ok(set.keys.into_iter().filter_map(PublicKey::of).collect())
    }

    async fn get_json<T: DeserializeOwned>(&self, url: &str) -> Result<T, &'static str> {
        let url = url.parse().map_err(|_| "the issuer's URL cannot be used")?;
        let body = self.web.get(&url).await?;
        serde_json::from_slice(&body).map_err(|_| "the issuer's answer is not the expected JSON")
    }
}

impl Keys {
    fn find(&self, id: &str) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    fn are_younger_than(&self, seconds: i64, now: Timestamp) -> bool {
        is_within(seconds, self.fetched_at, now)
    }

    /// Fetches the issuer's keys, unless it was asked a moment ago. If it doesn't answer, the known keys
    /// stay.
    async fn ask(&mut self, issuer: &Issuer, now: Timestamp) -> Result<(), &'static str> {
        if is_within(ASK_AGAIN_AFTER, self.asked_at, now) {
            return Ok(());
        }
        self.asked_at = Some(now);
        self.keys = tokio::time::timeout(LONGEST_FETCH, issuer.fetch())
            .await
            .unwrap_or(Err("the issuer did not answer in time"))?;
        self.fetched_at = Some(now);
        Ok(())
    }
}

fn is_within(seconds: i64, since: Option<Timestamp>, now: Timestamp) -> bool {
    since.is_some_and(|since| now.duration_since(since).as_secs() < seconds)
}
