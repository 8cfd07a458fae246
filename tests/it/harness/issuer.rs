//! An issuer of ID tokens that signs whatever a test wants, and fails on demand.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use data_encoding::BASE64URL_NOPAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How an issuer answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    Down,
    Silent,
    Garbage,
    /// Serves another issuer's configuration.
    Impostor,
    /// Points to keys elsewhere, without TLS.
    Careless,
}

/// A key pair for ES256.
pub(crate) struct Key {
    id: String,
    pair: EcdsaKeyPair,
}

impl Key {
    pub(crate) fn new(id: &str) -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        Self {
            id: id.to_owned(),
            pair,
        }
    }

    pub(crate) fn point(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub(crate) fn jwk(&self) -> Value {
        let (x, y) = self.point()[1..].split_at(32);
        json!({
            "kty": "EC",
            "crv": "P-256",
            "use": "sig",
            "kid": self.id,
            "x": BASE64URL_NOPAD.encode(x),
            "y": BASE64URL_NOPAD.encode(y),
        })
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "alg": "ES256", "typ": "JWT", "kid": self.id })
    }

    /// A token with this header and these claims.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = BASE64URL_NOPAD.encode(signature.unwrap().as_ref());
        format!("{signed}.{signature}")
    }
}

/// Header and claims, without a signature.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!("{}.{}", part(header), part(claims))
}

/// An `Authorization` header as API Gateway passes it to a function, after checking the signature.
pub(crate) fn verified(claims: &Value) -> String {
    format!(
        "Bearer {}.verified",
        unsigned(&json!({ "alg": "RS256" }), claims)
    )
}

/// A running issuer.
pub(crate) struct TestIssuer {
    pub(crate) url: String,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    url: String,
    mood: Mood,
    keys: Vec<Value>,
    asked: usize,
}

impl TestIssuer {
    pub(crate) async fn start(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Mutex::new(Shared {
            url: url.clone(),
            mood: Mood::Well,
            keys: keys.iter().map(|key| key.jwk()).collect(),
            asked: 0,
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(published_keys))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Publishes these keys from now on.
    pub(crate) fn publish(&self, keys: Vec<Value>) {
        self.shared().keys = keys;
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.shared().mood = mood;
    }

    /// How often its configuration was requested since the last call of this method.
    pub(crate) fn times_asked(&self) -> usize {
        std::mem::take(&mut self.shared().asked)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }
}

async fn configuration(State(shared): State<Arc<Mutex<Shared>>>) -> Response {
    let (mood, url) = {
        let mut shared = shared.lock().unwrap();
        shared.asked += 1;
        (shared.mood, shared.url.clone())
    };
    let of = |issuer: &str, keys: &str| {
        Json(json!({ "issuer": issuer, "jwks_uri": keys })).into_response()
    };
    match mood {
        Mood::Well => of(&url, &format!("{url}/keys")),
        Mood::Down => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Mood::Silent => std::future::pending().await,
        Mood::Garbage => "<html>".into_response(),
        Mood::Impostor => of("https://other.example", &format!("{url}/keys")),
        Mood::Careless => of(&url, "http://keys.example/keys"),
    }
}

async fn published_keys(State(shared): State<Arc<Mutex<Shared>>>) -> Json<Value> {
    Json(json!({ "keys": shared.lock().unwrap().keys }))
}
