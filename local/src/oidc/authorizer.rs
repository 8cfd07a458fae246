//! API Gateway's check of tokens.

use std::collections::BTreeMap;

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header, get_current_timestamp,
};
use serde_json::{Map, Value};

use super::signing_key::{KeyPair, SigningKey};

/// Checks tokens as the JWT authorizer of an HTTP API does
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>).
pub(crate) struct Authorizer {
    issuer: String,
    audience: Vec<String>,
    key_id: String,
    key: DecodingKey,
    validation: Validation,
}

/// The token is missing or invalid. API Gateway doesn't say which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unauthorized;

impl Authorizer {
    /// Accepts tokens of `issuer` for one of `audience`.
    pub(crate) fn new(issuer: String, audience: Vec<String>, key: &SigningKey) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        // The library doesn't know that `client_id` can replace `aud`.
        validation.validate_aud = false;
        let KeyPair { verifying, id, .. } = &*key.0;
        Self {
            issuer,
            audience,
            key_id: id.clone(),
            key: verifying.clone(),
            validation,
        }
    }

    /// The claims of the token in an `Authorization` header, as API Gateway passes them to a
    /// function.
    pub(crate) fn claims(
        &self,
        authorization: Option<&str>,
    ) -> Result<BTreeMap<String, String>, Unauthorized> {
        let token = without_bearer(authorization.ok_or(Unauthorized)?);
        let header = decode_header(token).map_err(|_| Unauthorized)?;
        if header.kid.as_deref() != Some(&self.key_id) {
            return Err(Unauthorized);
        }
        let claims: Map<String, Value> = decode(token, &self.key, &self.validation)
            .map_err(|_| Unauthorized)?
            .claims;
        let is_good = self.is_issuer(&claims) && self.is_audience(&claims) && is_issued(&claims);
        if !is_good {
            return Err(Unauthorized);
        }
        Ok(claims
            .iter()
            .map(|(name, value)| (name.clone(), claim_text(value)))
            .collect())
    }

    fn is_issuer(&self, claims: &Map<String, Value>) -> bool {
        claims.get("iss").and_then(Value::as_str) == Some(&self.issuer)
    }

    fn is_audience(&self, claims: &Map<String, Value>) -> bool {
        let is_expected = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| self.audience.iter().any(|a| a == text))
        };
        match claims.get("aud").or_else(|| claims.get("client_id")) {
            Some(Value::Array(values)) => values.iter().any(is_expected),
            Some(value) => is_expected(value),
            None => false,
        }
    }
}

/// A header may hold the token alone or after `Bearer`.
fn without_bearer(header: &str) -> &str {
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => token.trim(),
        _ => header.trim(),
    }
}

/// False, if the token says that it was issued in the future.
fn is_issued(claims: &Map<String, Value>) -> bool {
    claims.get("iat").is_none_or(|iat| {
        iat.as_u64()
            .is_some_and(|iat| iat <= get_current_timestamp())
    })
}

/// A function receives every claim as a string.
fn claim_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            format!(
                "[{}]",
                values.iter().map(claim_text).collect::<Vec<_>>().join(" ")
            )
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}
