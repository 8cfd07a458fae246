//! `GET /`, `/login`, `/invite`, `/support` and `/assets/{version}/{file}`: the web page through
//! which people use the API. `GET /openapi.json`: the same for programs.
//!
//! One document, the shell, serves all addresses; its script decides what to show. Everything is
//! embedded in the binary, and anybody may read it: it holds no secret. The page gets its data from
//! the API, with the ID token of the person who uses it.

use askama::Template;
use data_encoding::HEXLOWER;
use domain::misspelling::PROVIDERS;
use lambda_http::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use lambda_http::http::{StatusCode, Uri};
use lambda_http::{Body, Request, RequestExt, Response};
use platform::problem::Code;
use platform::{ConfigError, Environment, Problem, PublicOperation};
use sha2::{Digest, Sha256};

#[derive(Debug)]
pub struct MembersPage {
    shell: String,
    etag: HeaderValue,
    content_security_policy: HeaderValue,
}

/// The facts about the deployment that the page needs.
struct Settings {
    issuer: String,
    client_id: String,
    scopes: String,
    product_name: String,
    product_url: String,
    support_email: String,
    resend_cooldown_seconds: u32,
    support_group: String,
    support_group_claim: String,
    /// Domains of large mail providers, to spot misspelt addresses.
    mail_providers: String,
}

/// The document at every address of the page.
#[derive(Template)]
#[template(path = "shell.html")]
struct Shell<'a> {
    settings: &'a Settings,
    version: &'static str,
}

struct Asset {
    name: &'static str,
    content_type: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
}

// The version, and the files by name.
include!(concat!(env!("OUT_DIR"), "/assets.rs"));

impl PublicOperation for MembersPage {
    const NAME: &'static str = "members-page";

    fn new(environment: &Environment) -> Result<Self, ConfigError> {
        let app: String = environment.required("APP_URL")?;
        let settings = Settings {
            issuer: environment.required("ISSUER")?,
            client_id: environment.required("CLIENT_ID")?,
            scopes: environment.required("SIGN_IN_SCOPES")?,
            product_name: environment.required("PRODUCT_NAME")?,
            product_url: match environment.optional("PRODUCT_URL")? {
                Some(url) => url,
                None => origin(&app).ok_or_else(|| ConfigError::new("APP_URL", "is not a URL"))?,
            },
            support_email: environment.required("SUPPORT_EMAIL")?,
            resend_cooldown_seconds: environment.required("RESEND_COOLDOWN_SECONDS")?,
            support_group: environment.required("SUPPORT_GROUP")?,
            support_group_claim: environment.required("SUPPORT_GROUP_CLAIM")?,
            mail_providers: PROVIDERS.join(" "),
        };
        let other_origins: Option<String> = environment.optional("SIGN_IN_ORIGINS")?;
        let shell = Shell {
            settings: &settings,
            version: VERSION,
        };
        let shell = shell.render().map_err(|error| {
            ConfigError::new("PRODUCT_NAME", format!("does not fit the page: {error}"))
        })?;
        Ok(Self {
            etag: etag(&shell),
            content_security_policy: content_security_policy(
                &settings.issuer,
                &other_origins.unwrap_or_default(),
            )?,
            shell,
        })
    }

    fn answer(&self, request: &Request) -> Result<Response<Body>, Problem> {
        if request.raw_http_path() == "/openapi.json" {
            return Ok(description());
        }
        let parameters = request.path_parameters_ref();
        let parameter = |name| parameters.and_then(|parameters| parameters.first(name));
        match parameter("file") {
            Some(file) => asset(parameter("version"), file, request.headers()),
            None => Ok(self.document(request.headers())),
        }
    }
}

impl MembersPage {
    /// The shell. A browser asks every time whether its copy is still the newest.
    fn document(&self, asked: &HeaderMap) -> Response<Body> {
        let is_known = asked
            .get(IF_NONE_MATCH)
            .is_some_and(|tags| has_item(tags, &self.etag));
        let mut response = if is_known {
            Response::new(Body::Empty)
        } else {
            Response::new(Body::Text(self.shell.clone()))
        };
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(ETAG, self.etag.clone());
        headers.insert(
            CONTENT_SECURITY_POLICY,
            self.content_security_policy.clone(),
        );
        for (name, value) in DOCUMENT_HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// The headers of the document, besides its Content-Security-Policy.
const DOCUMENT_HEADERS: [(HeaderName, &str); 6] = [
    (CONTENT_TYPE, "text/html; charset=utf-8"),
    (CACHE_CONTROL, "no-cache"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// The description of the API. It changes with a release, so caches keep it only for a short time.
fn description() -> Response<Body> {
    let mut response = Response::new(Body::Text(DESCRIPTION.to_owned()));
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "public, max-age=300"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

const DESCRIPTION: &str = include_str!("../../../openapi.json");

/// One file of the page. Its URL changes with its content, so caches can keep it forever.
fn asset(version: Option<&str>, file: &str, asked: &HeaderMap) -> Result<Response<Body>, Problem> {
    let asset = ASSETS
        .iter()
        .find(|asset| version == Some(VERSION) && asset.name == file)
        .ok_or_else(|| Problem::new(Code::NotFound, "There is no such file."))?;
    let gzip = HeaderValue::from_static("gzip");
    let takes_gzip = asked
        .get(ACCEPT_ENCODING)
        .is_some_and(|encodings| has_item(encodings, &gzip));
    let content = if takes_gzip { asset.gzip } else { asset.plain };
    let mut response = Response::new(Body::Binary(content.to_vec()));
    let headers = response.headers_mut();
    if takes_gzip {
        headers.insert(CONTENT_ENCODING, gzip);
    }
    for (name, value) in [
        (CONTENT_TYPE, asset.content_type),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (VARY, "accept-encoding"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// Whether a comma-separated header has an item. Compression on the way makes tags weak (`W/`),
/// which makes no difference here (RFC 9110, 13.1.2). An item with a weight (`gzip;q=0.5`) is a
/// different item.
fn has_item(list: &HeaderValue, item: &HeaderValue) -> bool {
    let (Ok(list), Ok(item)) = (list.to_str(), item.to_str()) else {
        return false;
    };
    list.split(',')
        .map(|other| other.trim().trim_start_matches("W/"))
        .any(|other| other == item)
}

fn etag(shell: &str) -> HeaderValue {
    let hash = HEXLOWER.encode(&Sha256::digest(shell));
    // Hexadecimal digits in quotes are always a header's value.
    HeaderValue::from_str(&format!("\"{hash:.32}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// The page may only load from itself, and only talk to itself and the issuer
/// (<https://www.w3.org/TR/CSP3/>). It allows no inline code, no frame around it and no form that
/// leaves the page, and text can't become markup.
fn content_security_policy(issuer: &str, other_origins: &str) -> Result<HeaderValue, ConfigError> {
    let issuer = origin(issuer).ok_or_else(|| ConfigError::new("ISSUER", "is not a URL"))?;
    let connect = format!("'self' {issuer} {other_origins}");
    HeaderValue::from_str(&format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        connect.trim_end()
    ))
    .map_err(|_| ConfigError::new("SIGN_IN_ORIGINS", "does not fit into a header"))
}

fn origin(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    Some(format!("{}://{}", url.scheme_str()?, url.authority()?))
}
