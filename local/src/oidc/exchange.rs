//! Tokens for a code (OpenID Connect Core 1.0, section 3.1.3).

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::provider::{NO_STORE, Provider, TOKEN_LIFE, random_text};

/// The parameters of a token request (RFC 6749, section 4.1.3; RFC 7636, section 4.5).
#[derive(Deserialize)]
pub(super) struct TokenExchange {
    grant_type: Option<String>,
    client_id: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
}

/// A parameter without a value counts as missing (RFC 6749, section 3.2).
fn required<'a>(value: &'a Option<String>, missing: &'static str) -> Result<&'a str, TokenError> {
    let value = value.as_deref().filter(|value| !value.is_empty());
    value.ok_or(TokenError::new("invalid_request", missing))
}

/// RFC 6749, section 5.2.
pub(super) struct TokenError {
    status: StatusCode,
    error: &'static str,
    description: &'static str,
}

impl TokenError {
    const fn new(error: &'static str, description: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            description,
        }
    }

    const fn server() -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self {
            status,
            error: "server_error",
            description: "The token could not be created.",
        }
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        (self.status, NO_STORE, Json(body)).into_response()
    }
}

pub(super) async fn token(
    State(provider): State<Arc<Provider>>,
    request: Result<Form<TokenExchange>, FormRejection>,
) -> Result<Response, TokenError> {
    let Ok(Form(request)) = request else {
        return Err(TokenError::new(
            "invalid_request",
            "Send the parameters as a form, each one once.",
        ));
    };
    let tokens = exchange(&provider, &request)?;
    Ok((NO_STORE, Json(tokens)).into_response())
}

/// The tokens for a code (RFC 6749, section 4.1.3; RFC 7636, section 4.6).
fn exchange(provider: &Provider, request: &TokenExchange) -> Result<Value, TokenError> {
    let invalid_grant = |why| TokenError::new("invalid_grant", why);
    if required(&request.grant_type, "grant_type is missing.")? != "authorization_code" {
        return Err(TokenError::new(
            "unsupported_grant_type",
            "Use authorization_code.",
        ));
    }
    if required(&request.client_id, "client_id is missing.")? != provider.client_id {
        return Err(TokenError::new("invalid_client", "The client is unknown."));
    }
    let code = required(&request.code, "code is missing.")?;
    let redirect_uri = required(&request.redirect_uri, "redirect_uri is missing.")?;
    let verifier = required(&request.code_verifier, "code_verifier is missing.")?;
    let grant = provider
        .take_code(code)
        .ok_or(invalid_grant("The code is unknown, used or too old."))?;
    if redirect_uri != grant.redirect_uri {
        return Err(invalid_grant("The code was sent to another redirect_uri."));
    }
    if !is_code_verifier(verifier) || Sha256::digest(verifier)[..] != grant.challenge {
        return Err(invalid_grant(
            "code_verifier does not match the code_challenge.",
        ));
    }
    let id_token = provider
        .sign(&grant.sign_in, grant.nonce.as_deref(), grant.auth_time)
        .map_err(|_| TokenError::server())?;
    let access_token = random_text().map_err(|_| TokenError::server())?;
    Ok(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFE,
        "id_token": id_token,
    }))
}

/// RFC 7636, section 4.1.
fn is_code_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}
