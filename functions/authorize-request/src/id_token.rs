//! ID tokens, checked like the JWT authorizer of an HTTP API does
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>).

use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use domain::{Invalid, Timestamp};
use platform::Problem;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::public_key::{Algorithm, PublicKey};

/// A token that is not verified yet (RFC 7515, 3.1).
pub(crate) struct IdToken<'a> {
    header: Header,
    signed: &'a str,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: Algorithm,
    kid: Option<String>,
    /// Extensions that the reader must understand (RFC 7515, 4.1.11). This one understands none.
    crit: Option<Value>,
}

/// The claims of a token with a valid signature.
pub(crate) struct Claims(Map<String, Value>);

/// The client ids that tokens are for, separated by commas.
#[derive(Debug)]
pub(crate) struct Audience(Vec<String>);

impl FromStr for Audience {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let clients: Vec<String> = text.split(',').map(|id| id.trim().to_owned()).collect();
        if clients.iter().any(String::is_empty) {
            return Err(Invalid("must be client ids, separated by commas"));
        }
        Ok(Self(clients))
    }
}

/// How many seconds the clock of an issuer may be ahead of this one: a token can arrive in the second
/// of its issue. It does not extend a token's life.
const CLOCK_SKEW: f64 = 60.0;

/// Rejects a token. The reason is for the log only.
pub(crate) fn rejected(why: &'static str) -> Problem {
    Problem::unauthenticated().because(why)
}

impl<'a> IdToken<'a> {
    /// Reads the token of an `Authorization` header, which holds it alone or after `Bearer`.
    pub(crate) fn of_header(header: &'a str) -> Result<Self, Problem> {
        let token = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => token.trim(),
            _ => header.trim(),
        };
        Self::parse(token).ok_or_else(|| rejected("the header holds no token that can be parsed"))
    }

    fn parse(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).ok();
        let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
        if header.crit.is_some() {
            return None;
        }
        Some(Self {
            header,
            signed,
            claims: decode(claims)?,
            signature: decode(signature)?,
        })
    }

    /// The id of the key that the token names.
    pub(crate) fn key_id(&self) -> Result<&str, Problem> {
        let id = self.header.kid.as_deref();
        id.ok_or_else(|| rejected("the token names no key"))
    }

    /// Returns the claims, if the key made the signature.
    pub(crate) fn verify(&self, key: &PublicKey) -> Result<Claims, Problem> {
        let signed = self.signed.as_bytes();
        if !key.has_signed(self.header.alg, signed, &self.signature) {
            return Err(rejected("the signature is wrong"));
        }
        serde_json::from_slice(&self.claims)
            .map(Claims)
            .map_err(|_| rejected("the claims are not a JSON object"))
    }
}

impl Claims {
    /// Checks issuer, audience and times. A token may begin up to [`CLOCK_SKEW`] in the future.
    pub(crate) fn check(
        &self,
        issuer: &str,
        audience: &Audience,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if self.text("iss") != Some(issuer) {
            return Err(rejected("another issuer"));
        }
        if !self.is_for(audience) {
            return Err(rejected("another audience"));
        }
        let now = now.as_second() as f64;
        if self.time("exp")?.is_none_or(|end| end <= now) {
            return Err(rejected("expired"));
        }
        for begin in [self.time("nbf")?, self.time("iat")?] {
            if begin.is_some_and(|begin| begin > now + CLOCK_SKEW) {
                return Err(rejected("not valid yet"));
            }
        }
        Ok(())
    }

    /// `client_id` counts only if there is no `aud`.
    fn is_for(&self, audience: &Audience) -> bool {
        let is_ours = |value: &Value| {
            let id = value.as_str();
            id.is_some_and(|id| audience.0.iter().any(|ours| ours == id))
        };
        match self.0.get("aud").or_else(|| self.0.get("client_id")) {
            Some(Value::Array(ids)) => ids.iter().any(is_ours),
            Some(id) => is_ours(id),
            None => false,
        }
    }

    /// In seconds since 1970, perhaps with a fraction (RFC 7519, 2, `NumericDate`).
    fn time(&self, name: &str) -> Result<Option<f64>, Problem> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => match value.as_f64() {
                Some(time) => Ok(Some(time)),
                None => Err(rejected("a time is not a number")),
            },
        }
    }

    /// A claim as a text, also if it is a boolean. API Gateway passes claims on as texts, too.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Value::String(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            _ => None,
        }
    }
}
