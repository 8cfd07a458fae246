//! ID tokens and access tokens, checked like the JWT authorizer of an HTTP API does
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>), and
//! never taken for each other (RFC 8725, 3.12).

use std::slice;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use domain::{Invalid, Timestamp};
use platform::{ConfigError, Environment, Problem};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::public_key::{Algorithm, PublicKey};

/// A token that is not verified yet (RFC 7515, 3.1).
pub(crate) struct Token<'a> {
    header: Header,
    signed: &'a str,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: Algorithm,
    kid: Option<String>,
    typ: Option<String>,
    /// Extensions that the reader must understand (RFC 7515, 4.1.11). This one understands none.
    crit: Option<Value>,
}

/// The claims of a token with a valid signature.
pub(crate) struct Claims {
    claims: Map<String, Value>,
    /// The header says that it is an access token (RFC 9068, 2.1).
    is_typed_access: bool,
}

/// The tokens that may pass.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// ID tokens for these clients.
    clients: Audience,
    /// Access tokens for these APIs, or for these clients if a token names no API.
    apis: Option<Audience>,
    /// What an access token must permit.
    scope: Option<String>,
}

impl Accepted {
    /// Reads the settings from the environment.
    ///
    /// # Errors
    ///
    /// Names the variable that is missing or wrong.
    pub(crate) fn new(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            clients: environment.required("AUDIENCE")?,
            apis: environment.optional("API_AUDIENCE")?,
            scope: environment.optional("REQUIRED_SCOPE")?,
        })
    }
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Tells a client who signed in (OpenID Connect Core, 2).
    Id,
    /// Permits calls of an API (RFC 9068).
    Access,
}

/// Whom tokens are for: ids, separated by commas.
#[derive(Debug)]
struct Audience(Vec<String>);

impl FromStr for Audience {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let ids: Vec<String> = text.split(',').map(|id| id.trim().to_owned()).collect();
        if ids.iter().any(String::is_empty) {
            return Err(Invalid("must be ids, separated by commas"));
        }
        Ok(Self(ids))
    }
}

/// How many seconds the clock of an issuer may be ahead of this one: a token can arrive in the second
/// of its issue. It does not extend a token's life.
const CLOCK_SKEW: f64 = 60.0;

/// Rejects a token. The reason is for the log only.
pub(crate) fn rejected(why: &'static str) -> Problem {
    Problem::unauthenticated().because(why)
}

impl<'a> Token<'a> {
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
        // RFC 7515, 4.1.9: the prefix can be left out.
        let typ = self.header.typ.as_deref().unwrap_or("JWT");
        let typ = typ.strip_prefix("application/").unwrap_or(typ);
        let is_typed_access = typ.eq_ignore_ascii_case("at+jwt");
        if !is_typed_access && !typ.eq_ignore_ascii_case("JWT") {
            return Err(rejected("another kind of token"));
        }
        Ok(Claims {
            claims: serde_json::from_slice(&self.claims)
                .map_err(|_| rejected("the claims are not a JSON object"))?,
            is_typed_access,
        })
    }
}

impl Claims {
    /// Checks issuer, audience, scope and times. A token may begin up to [`CLOCK_SKEW`] in the future.
    pub(crate) fn check(
        &self,
        issuer: &str,
        accepted: &Accepted,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if self.text("iss") != Some(issuer) {
            return Err(rejected("another issuer"));
        }
        if self.kind(accepted)? == Kind::Access
            && let Some(scope) = &accepted.scope
            && !self.permits(scope)
        {
            return Err(rejected("the access token does not permit this"));
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

    /// What the token is, if it is for us. Its audience decides, unless the provider marked it.
    fn kind(&self, accepted: &Accepted) -> Result<Kind, Problem> {
        // A logout token has an ID token's audience (OpenID Connect Back-Channel Logout, 2.4).
        if self.claims.contains_key("events") {
            return Err(rejected("another kind of token"));
        }
        let is_for_client = self.is_for(&accepted.clients);
        let is_for_api = accepted.apis.as_ref().is_some_and(|apis| self.is_for(apis));
        match (self.marked_as(), is_for_client, is_for_api) {
            (Some(Kind::Id), true, _) | (None, true, false) => Ok(Kind::Id),
            (Some(Kind::Access), _, true) | (None, false, true) => Ok(Kind::Access),
            (None, true, true) => Err(rejected("an ID token or an access token")),
            (Some(Kind::Access), true, false) => Err(rejected("an access token for the client")),
            _ => Err(rejected("another audience")),
        }
    }

    /// What the provider says that the token is: by its type (RFC 9068), by `token_use` ([Amazon
    /// Cognito](https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html)),
    /// by `scp` ([Microsoft Entra ID](https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference),
    /// Okta), or by an audience, which every ID token has.
    fn marked_as(&self) -> Option<Kind> {
        let has = |claim: &str| self.claims.contains_key(claim);
        match self.text("token_use") {
            Some("id") => Some(Kind::Id),
            Some("access") => Some(Kind::Access),
            _ if self.is_typed_access || has("scp") || !has("aud") => Some(Kind::Access),
            _ => None,
        }
    }

    /// `client_id` counts only if there is no `aud`.
    fn is_for(&self, audience: &Audience) -> bool {
        let claim = if self.claims.contains_key("aud") {
            "aud"
        } else {
            "client_id"
        };
        self.texts(claim)
            .any(|id| audience.0.iter().any(|ours| ours == id))
    }

    /// Scopes are separated by spaces (RFC 9068, 2.2.3), or a list.
    fn permits(&self, wanted: &str) -> bool {
        let mut scopes = self.texts("scope").chain(self.texts("scp"));
        scopes.any(|scopes| scopes.split(' ').any(|scope| scope == wanted))
    }

    /// The texts of a claim that is a text or a list.
    fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = match self.claims.get(name) {
            Some(Value::Array(values)) => values.as_slice(),
            Some(value) => slice::from_ref(value),
            None => &[],
        };
        values.iter().filter_map(Value::as_str)
    }

    /// In seconds since 1970, perhaps with a fraction (RFC 7519, 2, `NumericDate`).
    fn time(&self, name: &str) -> Result<Option<f64>, Problem> {
        match self.claims.get(name) {
            None => Ok(None),
            Some(value) => match value.as_f64() {
                Some(time) => Ok(Some(time)),
                None => Err(rejected("a time is not a number")),
            },
        }
    }

    /// A claim as a text, also if it is a boolean. API Gateway passes claims on as texts, too.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.claims.get(name)? {
            Value::String(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            _ => None,
        }
    }
}
