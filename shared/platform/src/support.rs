//! The product's support staff, according to the ID token.

use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use domain::Invalid;
use domain::Timestamp;
use jiff::SignedDuration;
use serde_json::{Map, Value};

use crate::call::Call;
use crate::clock::Clock;
use crate::config::{ConfigError, Environment};
use crate::problem::Problem;

/// Who counts as support staff. It is the one right that comes from a token and not from the table,
/// so the token must be young: people who leave the group at the issuer lose access when their
/// token gets too old.
#[derive(Debug)]
pub struct SupportStaff {
    /// The claim that lists the caller's groups.
    claim: String,
    group: String,
    session: SessionLength,
    /// The machine's own clock judges tokens: an issuer knows no other.
    token_clock: Clock,
}

impl SupportStaff {
    /// Reads the group from the environment.
    ///
    /// # Errors
    ///
    /// Names the variable that is missing or wrong.
    pub fn new(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            claim: environment.required("SUPPORT_GROUP_CLAIM")?,
            group: environment.required("SUPPORT_GROUP")?,
            session: environment.required("SUPPORT_SESSION_MINUTES")?,
            token_clock: Clock::system(),
        })
    }

    /// Lets a caller in who is in the group, with an ID token that is young enough.
    ///
    /// The groups come from the token itself, which API Gateway has verified. In the claims that
    /// API Gateway passes on, a list is `[a b]`, so a group with a space in its name looks like
    /// two.
    ///
    /// # Errors
    ///
    /// `support_only`, or `unauthenticated` if the token is too old.
    pub fn admit(&self, call: &Call) -> Result<(), Problem> {
        let token = call.authorization().and_then(payload);
        let token = token.filter(|token| is_of(token, call));
        let token = token.ok_or_else(Problem::support_only)?;
        if !token
            .get(&self.claim)
            .is_some_and(|groups| self.is_in(groups))
        {
            return Err(Problem::support_only());
        }
        let issued_at = token.get("iat").and_then(Value::as_f64);
        let is_young = issued_at.is_some_and(|at| self.session.lasts(at, self.token_clock.now()));
        if is_young {
            Ok(())
        } else {
            Err(Problem::sign_in_again())
        }
    }

    /// A list of texts, or one text: some providers write a list with one item like that.
    fn is_in(&self, groups: &Value) -> bool {
        match groups {
            Value::Array(groups) => groups.iter().any(|group| *group == *self.group),
            Value::String(group) => *group == self.group,
            _ => false,
        }
    }
}

/// How long support staff can work with one ID token.
#[derive(Debug)]
struct SessionLength(SignedDuration);

impl SessionLength {
    /// Whether a token that was issued then, in seconds since 1970, is young enough now.
    fn lasts(&self, issued_at: f64, now: Timestamp) -> bool {
        now.as_second() as f64 - issued_at <= self.0.as_secs_f64()
    }
}

impl FromStr for SessionLength {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let minutes: Result<u16, _> = text.parse();
        match minutes {
            Ok(minutes @ 1..) => Ok(Self(SignedDuration::from_mins(minutes.into()))),
            _ => Err(Invalid("must be a number of minutes, at least 1")),
        }
    }
}

/// The claims of a token (RFC 7519, 7.2). The caller must check the signature. The header holds the
/// token alone or after `Bearer`, as API Gateway accepts both.
fn payload(authorization: &str) -> Option<Map<String, Value>> {
    let token = match authorization.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => token.trim(),
        Some(_) => return None,
        None => authorization,
    };
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let claims = BASE64URL_NOPAD.decode(claims.as_bytes()).ok()?;
    serde_json::from_slice(&claims).ok()
}

/// Whether a token is the one that API Gateway verified.
fn is_of(token: &Map<String, Value>, call: &Call) -> bool {
    ["iss", "sub"].into_iter().all(|claim| {
        let text = token.get(claim).and_then(Value::as_str);
        text.is_some() && text == call.claim(claim)
    })
}
