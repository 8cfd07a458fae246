//! An OpenID provider where anybody can sign in as anyone, and the check of its tokens that API
//! Gateway makes.
//!
//! The provider speaks the authorization code flow (OpenID Connect Core 1.0, section 3.1) for one
//! public client, with PKCE (RFC 7636). Times are the machine's own: the stack's adjustable clock
//! does not move sign-in tokens.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
    get_current_timestamp,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use platform::random::{self, NoRandomness};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// How long a token is good for, in seconds.
const TOKEN_LIFE: u64 = 60 * 60;

/// How long a code is good for. RFC 6749, section 4.1.2 wants it short.
const CODE_LIFE: Duration = Duration::from_secs(60);

/// The size of the RSA key: the least that RFC 7518, section 3.3 allows for RS256.
const KEY_BITS: usize = 2048;

/// The RSA key that signs tokens. Clones share it.
#[derive(Clone)]
pub struct SigningKey(Arc<KeyPair>);

struct KeyPair {
    signing: EncodingKey,
    verifying: DecodingKey,
    /// What is published: the public key with its id.
    jwk: Jwk,
    /// The thumbprint of the public key (RFC 7638): the same key always has the same id.
    id: String,
}

impl SigningKey {
    /// A new key. Finding its primes takes a moment.
    ///
    /// # Errors
    ///
    /// If no key can be made, for want of random numbers.
    pub fn generate() -> Result<Self, SigningKeyError> {
        Self::from_pem(generate_pem()?.as_bytes())
    }

    /// The key of a PEM file (PKCS#8, RFC 5958). Without the file, a new key is made and written
    /// there, readable by nobody else, so that tokens outlive a restart.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written, or holds something else.
    pub fn load_or_generate(path: &Path) -> Result<Self, SigningKeyError> {
        match fs::read(path) {
            Ok(pem) => Self::from_pem(&pem),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pem = generate_pem()?;
                write_private(path, pem.as_bytes()).map_err(SigningKeyError::File)?;
                Self::from_pem(pem.as_bytes())
            }
            Err(error) => Err(SigningKeyError::File(error)),
        }
    }

    fn from_pem(pem: &[u8]) -> Result<Self, SigningKeyError> {
        let key_pair = KeyPair::from_pem(pem).map_err(SigningKeyError::Unusable)?;
        Ok(Self(Arc::new(key_pair)))
    }
}

impl KeyPair {
    fn from_pem(pem: &[u8]) -> Result<Self, jsonwebtoken::errors::Error> {
        let signing = EncodingKey::from_rsa_pem(pem)?;
        let mut jwk = Jwk::from_encoding_key(&signing, Algorithm::RS256)?;
        let id = jwk.thumbprint(ThumbprintHash::SHA256)?;
        jwk.common.key_id = Some(id.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            verifying: DecodingKey::from_jwk(&jwk)?,
            signing,
            jwk,
            id,
        })
    }
}

/// Shows the key's id and never the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.0.id)
    }
}

fn generate_pem() -> Result<String, SigningKeyError> {
    let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, KEY_BITS)
        .map_err(SigningKeyError::Generate)?;
    let pem = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(SigningKeyError::Encode)?;
    // The library's own type would wipe the memory, which a key for development does not need.
    Ok(pem.as_str().to_owned())
}

/// Writes a new file that only its owner can read.
fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(content)
}

/// Why there is no key to sign with.
#[derive(Debug)]
pub enum SigningKeyError {
    /// No key could be made.
    Generate(rsa::Error),
    /// A new key could not be written as PEM.
    Encode(rsa::pkcs8::Error),
    /// The file could not be read or written.
    File(io::Error),
    /// The file does not hold an RSA private key in PEM.
    Unusable(jsonwebtoken::errors::Error),
}

impl fmt::Display for SigningKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generate(error) => write!(f, "no RSA key could be made: {error}"),
            Self::Encode(error) => write!(f, "the RSA key could not be encoded: {error}"),
            Self::File(error) => write!(f, "the key's file cannot be used: {error}"),
            Self::Unusable(error) => write!(f, "this is no RSA private key in PEM: {error}"),
        }
    }
}

impl std::error::Error for SigningKeyError {}

/// Whom a token is for: the body of `POST /dev/token`, and what the sign-in form asks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// The claim `email`.
    pub email: String,
    /// The claim `email_verified`; true unless said otherwise.
    pub email_verified: Option<bool>,
    /// The claim `sub`. By default it follows from the address, so that it is stable.
    pub sub: Option<String>,
    /// The claim `groups`, which is left out when there are none.
    pub groups: Option<Vec<String>>,
}

impl TokenRequest {
    /// Somebody with a verified address and nothing unusual.
    #[must_use]
    pub fn of(email: &str) -> Self {
        Self {
            email: email.to_owned(),
            email_verified: None,
            sub: None,
            groups: None,
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

/// The OpenID provider, for one client.
pub(crate) struct Provider {
    issuer: String,
    client_id: String,
    key: SigningKey,
    codes: Mutex<HashMap<String, Grant>>,
}

/// What a code stands for until it is exchanged.
struct Grant {
    sign_in: TokenRequest,
    auth_time: u64,
    nonce: Option<String>,
    redirect_uri: String,
    challenge: Vec<u8>,
    expires: Instant,
}

impl Provider {
    /// A provider at `issuer`, the URL that [`router`] is reached under.
    pub(crate) fn new(issuer: String, client_id: String, key: SigningKey) -> Self {
        Self {
            issuer,
            client_id,
            key,
            codes: Mutex::default(),
        }
    }

    /// An ID token for somebody who signs in now.
    ///
    /// # Errors
    ///
    /// If the key cannot sign.
    pub(crate) fn id_token(
        &self,
        request: &TokenRequest,
        nonce: Option<&str>,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        self.sign(request, nonce, get_current_timestamp())
    }

    fn sign(
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
        encode(&header, &claims, &self.key.0.signing)
    }

    /// A code for somebody who signed in.
    fn issue_code(
        &self,
        sign_in: TokenRequest,
        authorization: &Authorization,
    ) -> Result<String, NoRandomness> {
        let code = random_text()?;
        let now = Instant::now();
        let grant = Grant {
            sign_in,
            auth_time: get_current_timestamp(),
            nonce: authorization.nonce.clone(),
            redirect_uri: authorization.client.redirect_uri.clone(),
            challenge: authorization.challenge.clone(),
            expires: now + CODE_LIFE,
        };
        let mut codes = self.codes();
        codes.retain(|_, grant| grant.expires > now);
        codes.insert(code.clone(), grant);
        Ok(code)
    }

    /// The tokens for a code (RFC 6749, section 4.1.3; RFC 7636, section 4.6).
    fn exchange(&self, request: &TokenExchange) -> Result<Value, TokenError> {
        let invalid_grant = |why| TokenError::new("invalid_grant", why);
        if required(&request.grant_type, "grant_type is missing.")? != "authorization_code" {
            return Err(TokenError::new(
                "unsupported_grant_type",
                "Use authorization_code.",
            ));
        }
        if required(&request.client_id, "client_id is missing.")? != self.client_id {
            return Err(TokenError::new(
                "invalid_client",
                "This client is not known.",
            ));
        }
        let code = required(&request.code, "code is missing.")?;
        let redirect_uri = required(&request.redirect_uri, "redirect_uri is missing.")?;
        let verifier = required(&request.code_verifier, "code_verifier is missing.")?;
        // Whatever comes of this attempt, it is the only one that the code is good for.
        let grant = self
            .codes()
            .remove(code)
            .filter(|grant| grant.expires > Instant::now())
            .ok_or(invalid_grant("The code is unknown, used or too old."))?;
        if redirect_uri != grant.redirect_uri {
            return Err(invalid_grant("The code was sent to another redirect_uri."));
        }
        if !is_code_verifier(verifier) || Sha256::digest(verifier)[..] != grant.challenge {
            return Err(invalid_grant(
                "code_verifier does not fit the code_challenge.",
            ));
        }
        let id_token = self
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

    fn codes(&self) -> MutexGuard<'_, HashMap<String, Grant>> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 32 random bytes as text that needs no escaping anywhere.
fn random_text() -> Result<String, NoRandomness> {
    random::secret().map(|bytes| BASE64URL_NOPAD.encode(&bytes))
}

/// Whether a text has the form that RFC 7636, section 4.1 wants.
fn is_code_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// The provider's endpoints, relative to the issuer.
pub(crate) fn router(provider: Arc<Provider>) -> Router {
    // What a browser page on another port has to reach.
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

/// The parameters of an authorization request (OpenID Connect Core 1.0, section 3.1.2.1; RFC
/// 7636, section 4.3). All are optional here, so that what is missing can be said properly.
#[derive(Deserialize)]
struct AuthorizationRequest {
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

/// An authorization request that can be granted.
struct Authorization {
    client: ReturnAddress,
    nonce: Option<String>,
    challenge: Vec<u8>,
}

/// Where the browser goes back to, and what the client recognises its request by.
struct ReturnAddress {
    redirect_uri: String,
    state: Option<String>,
}

/// An error that the client is told (RFC 6749, section 4.1.2.1): its code and a sentence.
type ClientError = (&'static str, &'static str);

/// Why an authorization request is not granted.
enum AuthorizationError {
    /// It cannot be trusted to say where to go, so that the person is told.
    Person(&'static str),
    /// The client is told, by way of the redirect URI.
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
            let message = "The redirect_uri is missing, or is no absolute http or https URL.";
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

    /// The code challenge, if all is right.
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

/// Whether a list of words, separated by spaces, has a word.
fn has_word(words: Option<&str>, word: &str) -> bool {
    words.is_some_and(|words| words.split(' ').any(|other| other == word))
}

/// Whether a URI can be redirected to: absolute, http or https, no fragment (RFC 6749, section
/// 3.1.2). On a developer's machine any host will do.
fn is_redirect_uri(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.host().is_some_and(|host| !host.is_empty())
        && text.is_ascii()
        && !text.contains('#')
}

/// Sends the browser on, by GET whatever the method was (RFC 9110, section 15.4.4).
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

/// Nothing that this provider answers to a sign-in may be kept.
const NO_STORE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

impl IntoResponse for AuthorizationError {
    fn into_response(self) -> Response {
        match self {
            Self::Person(message) => {
                let title = "This sign-in cannot go on";
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

/// What the sign-in form holds.
#[derive(Default, Deserialize)]
#[serde(default)]
struct SignInForm {
    email: String,
    /// A browser leaves out a box that is not checked.
    email_verified: bool,
    sub: String,
    /// Separated by commas.
    groups: String,
    action: String,
}

impl SignInForm {
    fn token_request(&self) -> Result<TokenRequest, &'static str> {
        let email = self.email.trim();
        // What is a good address is the API's to decide: this only catches slips.
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

async fn authorize(
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

/// The form is sent to the address of its page, whose query is the authorization request.
async fn sign_in(
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
    let code = provider.issue_code(sign_in, &authorization);
    let client = authorization.client;
    match code {
        Ok(code) => {
            let parameters = [
                ("code", Some(code.as_str())),
                ("state", client.state.as_deref()),
            ];
            Ok(redirect(&client.redirect_uri, &parameters))
        }
        Err(_) => {
            let error = ("server_error", "No code could be made.");
            Err(AuthorizationError::Client(client, error))
        }
    }
}

/// The parameters of a token request (RFC 6749, section 4.1.3; RFC 7636, section 4.5).
#[derive(Deserialize)]
struct TokenExchange {
    grant_type: Option<String>,
    client_id: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
}

/// A parameter that must be there. One without a value counts as missing (RFC 6749, section 3.2).
fn required<'a>(value: &'a Option<String>, missing: &'static str) -> Result<&'a str, TokenError> {
    let value = value.as_deref().filter(|value| !value.is_empty());
    value.ok_or(TokenError::new("invalid_request", missing))
}

/// RFC 6749, section 5.2.
struct TokenError {
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
            description: "No token could be made.",
        }
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        (self.status, NO_STORE, Json(body)).into_response()
    }
}

async fn token(
    State(provider): State<Arc<Provider>>,
    request: Result<Form<TokenExchange>, FormRejection>,
) -> Result<Response, TokenError> {
    let Ok(Form(request)) = request else {
        return Err(TokenError::new(
            "invalid_request",
            "The parameters must be a form, each once.",
        ));
    };
    let tokens = provider.exchange(&request)?;
    Ok((NO_STORE, Json(tokens)).into_response())
}

/// OpenID Connect RP-Initiated Logout 1.0, section 2.
#[derive(Deserialize)]
struct LogoutRequest {
    post_logout_redirect_uri: Option<String>,
    state: Option<String>,
}

/// Nobody stays signed in here, so that there is nothing to end: this only sends the browser on.
async fn logout(Query(request): Query<LogoutRequest>) -> Response {
    match request.post_logout_redirect_uri {
        Some(uri) if is_redirect_uri(&uri) => {
            redirect(&uri, &[("state", request.state.as_deref())])
        }
        Some(_) => {
            let title = "You are signed out";
            let message = "The post_logout_redirect_uri is no absolute http or https URL.";
            page(StatusCode::BAD_REQUEST, &MessagePage { title, message })
        }
        None => {
            let (title, message) = ("You are signed out", "You can close this page.");
            page(StatusCode::OK, &MessagePage { title, message })
        }
    }
}

/// Checks tokens as the JWT authorizer of an HTTP API does
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>).
pub(crate) struct Authorizer {
    issuer: String,
    audience: Vec<String>,
    key_id: String,
    key: DecodingKey,
    validation: Validation,
}

/// The token is missing, or not good. API Gateway does not say why either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unauthorized;

impl Authorizer {
    /// An authorizer for tokens of `issuer` that are meant for one of `audience`.
    pub(crate) fn new(issuer: String, audience: Vec<String>, key: &SigningKey) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        // `client_id` can take the place of `aud`, which the library does not know.
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

    /// The claims of the token in an `Authorization` header, as API Gateway hands them to a
    /// function.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`].
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

/// The token itself: a header may hold it alone or after `Bearer`.
fn without_bearer(header: &str) -> &str {
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => token.trim(),
        _ => header.trim(),
    }
}

/// Whether a token says that it was issued before now, if it says when.
fn is_issued(claims: &Map<String, Value>) -> bool {
    claims.get("iat").is_none_or(|iat| {
        iat.as_u64()
            .is_some_and(|iat| iat <= get_current_timestamp())
    })
}

/// A claim in the form in which a function gets it: always a string.
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
