//! Signing in and out in the browser (OpenID Connect Core 1.0, section 3.1.2).

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::get_current_timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Map;
use sha2::{Digest, Sha256};

use super::provider::{Grant, NO_STORE, Provider, TokenRequest};

/// The parameters of an authorization request (OpenID Connect Core 1.0, section 3.1.2.1; RFC
/// 7636, section 4.3). All are optional here, so that the error can name a missing one.
#[derive(Deserialize)]
pub(super) struct AuthorizationRequest {
    response_type: Option<String>,
    client_id: Option<String>,
    redirect_uri: Option<String>,
    scope: Option<String>,
    state: Option<String>,
    nonce: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    prompt: Option<String>,
    login_hint: Option<String>,
}

struct Authorization {
    client: ReturnAddress,
    nonce: Option<String>,
    challenge: Vec<u8>,
}

/// The URI that the browser returns to, and the state by which the client recognises its request.
pub(super) struct ReturnAddress {
    redirect_uri: String,
    state: Option<String>,
}

/// An error for the client (RFC 6749, section 4.1.2.1): its code and a sentence.
pub(super) type ClientError = (&'static str, &'static str);

pub(super) enum AuthorizationError {
    /// The redirect URI can't be trusted, so the person sees the error.
    Person(&'static str),
    /// The redirect URI carries the error to the client.
    Client(ReturnAddress, ClientError),
}

impl AuthorizationRequest {
    fn check(self, provider: &Provider) -> Result<Authorization, AuthorizationError> {
        if self.client_id.as_deref() != Some(&provider.client_id) {
            return Err(AuthorizationError::Person(
                "The client_id is missing or not known.",
            ));
        }
        let checked = self.check_parameters();
        let Some(redirect_uri) = self.redirect_uri.filter(|uri| is_redirect_uri(uri)) else {
            let message = "The redirect_uri is missing or is not an absolute http or https URL.";
            return Err(AuthorizationError::Person(message));
        };
        let client = ReturnAddress {
            redirect_uri,
            state: self.state,
        };
        match checked {
            Ok(challenge) => Ok(Authorization {
                client,
                nonce: self.nonce,
                challenge,
            }),
            Err(error) => Err(AuthorizationError::Client(client, error)),
        }
    }

    /// Returns the code challenge.
    fn check_parameters(&self) -> Result<Vec<u8>, ClientError> {
        let invalid_request = |why| Err(("invalid_request", why));
        match self.response_type.as_deref() {
            Some("code") => {}
            None => return invalid_request("response_type is missing."),
            Some(_) => return Err(("unsupported_response_type", "response_type must be code.")),
        }
        if !has_word(self.scope.as_deref(), "openid") {
            return Err(("invalid_scope", "scope must contain openid."));
        }
        // Without a method, RFC 7636 assumes "plain", which protects nothing.
        if self.code_challenge_method.as_deref() != Some("S256") {
            return invalid_request("PKCE is required: code_challenge_method must be S256.");
        }
        let challenge = self.code_challenge.as_deref().unwrap_or_default();
        let challenge = match BASE64URL_NOPAD.decode(challenge.as_bytes()) {
            Ok(digest) if digest.len() == Sha256::output_size() => digest,
            _ => return invalid_request("code_challenge must be a SHA-256 digest in base64url."),
        };
        if has_word(self.prompt.as_deref(), "none") {
            return Err(("login_required", "Nobody stays signed in here."));
        }
        Ok(challenge)
    }
}

fn has_word(words: Option<&str>, word: &str) -> bool {
    words.is_some_and(|words| words.split(' ').any(|other| other == word))
}

/// A redirect URI is absolute, http or https, and has no fragment (RFC 6749, section 3.1.2). On a
/// developer's machine, every host is allowed.
fn is_redirect_uri(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.host().is_some_and(|host| !host.is_empty())
        && text.is_ascii()
        && !text.contains('#')
}

/// Sends the browser on with GET, after any method (RFC 9110, section 15.4.4).
fn redirect(uri: &str, parameters: &[(&str, Option<&str>)]) -> Response {
    let mut location = uri.to_owned();
    for (name, value) in parameters {
        let Some(value) = value else { continue };
        location.push(if location.contains('?') { '&' } else { '?' });
        location.push_str(name);
        location.push('=');
        location.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, location)],
        NO_STORE,
    )
        .into_response()
}

impl IntoResponse for AuthorizationError {
    fn into_response(self) -> Response {
        match self {
            Self::Person(message) => {
                let title = "This sign-in can't continue";
                page(StatusCode::BAD_REQUEST, &MessagePage { title, message })
            }
            Self::Client(client, (code, description)) => redirect(
                &client.redirect_uri,
                &[
                    ("error", Some(code)),
                    ("error_description", Some(description)),
                    ("state", client.state.as_deref()),
                ],
            ),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SignInForm {
    email: String,
    /// A browser omits an unchecked box.
    email_verified: bool,
    sub: String,
    /// Separated by commas.
    groups: String,
    action: String,
}

impl SignInForm {
    fn token_request(&self) -> Result<TokenRequest, &'static str> {
        let email = self.email.trim();
        // This only catches slips: the API decides which addresses are valid.
        if !email.contains('@') {
            return Err("Enter an e-mail address.");
        }
        let groups = self
            .groups
            .split(',')
            .map(str::trim)
            .filter(|group| !group.is_empty());
        let sub = self.sub.trim();
        Ok(TokenRequest {
            email: email.to_owned(),
            email_verified: Some(self.email_verified),
            sub: (!sub.is_empty()).then(|| sub.to_owned()),
            groups: Some(groups.map(str::to_owned).collect()),
            claims: Map::new(),
        })
    }
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    form: &'a SignInForm,
    destination: &'a str,
    problem: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "sign_in_message.html")]
struct MessagePage {
    title: &'static str,
    message: &'static str,
}

fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, NO_STORE, Html(html)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

pub(super) async fn authorize(
    State(provider): State<Arc<Provider>>,
    Query(mut request): Query<AuthorizationRequest>,
) -> Result<Response, AuthorizationError> {
    let email = request.login_hint.take().unwrap_or_default();
    let authorization = request.check(&provider)?;
    let form = SignInForm {
        email,
        email_verified: true,
        ..SignInForm::default()
    };
    let destination = &authorization.client.redirect_uri;
    Ok(page(
        StatusCode::OK,
        &SignInPage {
            form: &form,
            destination,
            problem: None,
        },
    ))
}

/// The form goes to the address of its page, whose query is the authorization request.
pub(super) async fn sign_in(
    State(provider): State<Arc<Provider>>,
    Query(request): Query<AuthorizationRequest>,
    Form(form): Form<SignInForm>,
) -> Result<Response, AuthorizationError> {
    let authorization = request.check(&provider)?;
    if form.action == "cancel" {
        let error = ("access_denied", "The sign-in was cancelled.");
        return Err(AuthorizationError::Client(authorization.client, error));
    }
    let sign_in = match form.token_request() {
        Ok(sign_in) => sign_in,
        Err(problem) => {
            let destination = &authorization.client.redirect_uri;
            let again = SignInPage {
                form: &form,
                destination,
                problem: Some(problem),
            };
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &again));
        }
    };
    let client = authorization.client;
    let code = provider.issue_code(Grant {
        sign_in,
        auth_time: get_current_timestamp(),
        nonce: authorization.nonce,
        redirect_uri: client.redirect_uri.clone(),
        challenge: authorization.challenge,
    });
    match code {
        Ok(code) => {
            let parameters = [
                ("code", Some(code.as_str())),
                ("state", client.state.as_deref()),
            ];
            Ok(redirect(&client.redirect_uri, &parameters))
        }
        Err(_) => {
            let error = ("server_error", "The code could not be created.");
            Err(AuthorizationError::Client(client, error))
        }
    }
}

/// OpenID Connect RP-Initiated Logout 1.0, section 2.
#[derive(Deserialize)]
pub(super) struct LogoutRequest {
    post_logout_redirect_uri: Option<String>,
    state: Option<String>,
}

/// Nobody stays signed in here, so this only sends the browser on.
pub(super) async fn logout(Query(request): Query<LogoutRequest>) -> Response {
    match request.post_logout_redirect_uri {
        Some(uri) if is_redirect_uri(&uri) => {
            redirect(&uri, &[("state", request.state.as_deref())])
        }
        Some(_) => {
            let title = "You are signed out";
            let message = "The post_logout_redirect_uri is not an absolute http or https URL.";
            page(StatusCode::BAD_REQUEST, &MessagePage { title, message })
        }
        None => {
            let (title, message) = ("You are signed out", "You can close this page.");
            page(StatusCode::OK, &MessagePage { title, message })
        }
    }
}
