//! An OpenID provider where you can sign in as anyone, and API Gateway's check of its tokens.
//!
//! The provider speaks the authorization code flow (OpenID Connect Core 1.0, section 3.1) for one
//! public client, with PKCE (RFC 7636). It uses the machine's clock, and not the stack's adjustable one.

mod authorization;
mod authorizer;
mod exchange;
mod provider;
mod signing_key;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use jsonwebtoken::jwk::JwkSet;
use serde_json::{Value, json};

use authorization::{authorize, logout, sign_in};
pub(crate) use authorizer::Authorizer;
use exchange::token;
pub(crate) use provider::Provider;
pub use provider::TokenRequest;
pub use signing_key::SigningKey;

/// The provider's endpoints, relative to the issuer.
pub(crate) fn router(provider: Arc<Provider>) -> Router {
    // Pages on other ports call these.
    let cross_origin = Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks.json", get(jwks))
        .route("/token", post(token))
        .layer(map_response(allow_any_origin));
    Router::new()
        .route("/authorize", get(authorize).post(sign_in))
        .route("/logout", get(logout))
        .merge(cross_origin)
        .with_state(provider)
}

async fn allow_any_origin(mut response: Response) -> Response {
    let any = HeaderValue::from_static("*");
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
    response
}

/// OpenID Connect Discovery 1.0, section 3; RP-Initiated Logout 1.0, section 2.1.
async fn discovery(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let issuer = &provider.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks.json"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "scopes_supported": ["openid", "email"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": [
            "iss", "aud", "sub", "email", "email_verified", "iat", "exp", "auth_time", "nonce",
            "groups",
        ],
        "request_uri_parameter_supported": false,
    }))
}

/// RFC 7517, section 5.
async fn jwks(State(provider): State<Arc<Provider>>) -> Json<JwkSet> {
    Json(JwkSet {
        keys: vec![provider.key.0.jwk.clone()],
    })
}
