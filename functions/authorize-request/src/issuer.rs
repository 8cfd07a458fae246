//! The issuer of the ID tokens, and its public keys.

use std::str::FromStr;
use std::time::Duration;

use domain::{Invalid, Timestamp};
use http::Uri;
use platform::Problem;
use platform::web::Web;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::id_token::rejected;
use crate::public_key::{Jwk, PublicKey};

/// The keys are asked for again when they are older than this, in seconds.
const FRESH_FOR: i64 = 60 * 60;

/// The keys are trusted no longer than this, in seconds, when the issuer does not answer. API Gateway
/// keeps them for two hours, too.
const TRUSTED_FOR: i64 = 2 * FRESH_FOR;

/// The issuer is asked no more often than this, in seconds, whatever keys tokens name.
const ASK_AGAIN_AFTER: i64 = 10;

/// Longest time that the issuer's two documents take together.
const LONGEST_FETCH: Duration = Duration::from_secs(3);

/// The address of an issuer, which is its name, too.
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

/// Keys come over TLS, or from this very machine.
fn is_trustworthy(url: &str) -> bool {
    url.parse::<Uri>()
        .is_ok_and(|uri| match (uri.scheme_str(), uri.host()) {
            (Some("https"), Some(_)) => true,
            (Some("http"), Some(host)) => matches!(host, "localhost" | "127.0.0.1" | "[::1]"),
            _ => false,
        })
}

/// The issuer and the keys that it published when it was last asked.
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

/// What an issuer says about itself (OpenID Connect Discovery 1.0, 3).
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// Keys (RFC 7517, 5). Each is read by itself: those of an unknown kind are left out.
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

    /// The name, as the claim `iss` has it.
    pub(crate) fn url(&self) -> &str {
        &self.url.0
    }

    /// Asks for the keys, so that the first request does not have to. Whether it succeeds does not
    /// matter.
    pub(crate) async fn get_ready(&self, now: Timestamp) {
        let _ = self.keys.lock().await.ask(self, now).await;
    }

    /// The key with an id. The issuer is asked when it is not known, or known for long.
    ///
    /// # Errors
    ///
    /// `unauthenticated` if the issuer has no such key, `unavailable` if it does not say.
    pub(crate) async fn key(&self, id: &str, now: Timestamp) -> Result<PublicKey, Problem> {
        // Whoever comes while the issuer is being asked waits for its answer.
        let mut keys = self.keys.lock().await;
        let mut asked = Ok(());
        if keys.find(id).is_none() || !keys.are_younger_than(FRESH_FOR, now) {
            asked = keys.ask(self, now).await;
        }
        if !keys.are_younger_than(TRUSTED_FOR, now) {
            let cause = asked
                .err()
                .unwrap_or("the issuer did not answer a moment ago");
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
            return Err("the issuer's configuration names a different issuer");
        }
        let set: KeySet = self.get_json(&discovery.jwks_uri).await?;
        Ok(set.keys.into_iter().filter_map(PublicKey::of).collect())
    }

    async fn get_json<T: DeserializeOwned>(&self, url: &str) -> Result<T, &'static str> {
        let url = url.parse().map_err(|_| "the issuer has no usable URL")?;
        let body = self.web.get(&url).await?;
        serde_json::from_slice(&body).map_err(|_| "the issuer's answer could not be read")
    }
}

impl Keys {
    fn find(&self, id: &str) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    fn are_younger_than(&self, seconds: i64, now: Timestamp) -> bool {
        is_within(seconds, self.fetched_at, now)
    }

    /// Gets the issuer's keys, unless it was asked a moment ago. Those that are known stay if it
    /// does not answer.
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
