//! The guard against tokens and keys that others published: `tests/corpus/tokens`.

use data_encoding::BASE64URL_NOPAD;
use local::Options;
use platform::Clock;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};

use crate::harness::issuer::{TestIssuer, unsigned};
use crate::harness::{Log, OWNER, Rollcall};

const RFCS: &str = include_str!("../corpus/tokens/rfcs.json");
const WYCHEPROOF: &str = include_str!("../corpus/tokens/wycheproof.json");
const OWN: &str = include_str!("../corpus/tokens/own.json");
const KEYS: &str = include_str!("../corpus/tokens/keys.json");

/// The payloads of the vectors are no claims, so this is how far a good signature gets.
const ACCEPTED: &str = "the claims are not a JSON object";

/// A stack whose guard trusts an issuer that publishes other people's keys.
struct Guarded {
    rollcall: Rollcall,
    issuer: TestIssuer,
    log: Log,
}

impl Guarded {
    async fn start() -> Self {
        let log = Log::capture();
        let issuer = TestIssuer::start(&[]).await;
        let options = Options {
            parameters: vec![
                ("Issuer", issuer.url.clone()),
                ("Audience", "product".to_owned()),
            ],
            ..Options::default()
        };
        let rollcall = Rollcall::start_with(options).await;
        rollcall.account("acme", "pro").await;
        Self {
            rollcall,
            issuer,
            log,
        }
    }

    /// Publishes these keys, and lets the guard's older ones go out of date.
    async fn publish(&self, keys: Vec<Value>) {
        self.issuer.publish(keys);
        self.rollcall.advance(3_600).await;
    }

    /// Why the guard refuses a token, or nothing.
    async fn refusal(&self, token: &str) -> Option<String> {
        let event = include_str!("../../events/authorize-request.json");
        let mut event: Value = serde_json::from_str(event).unwrap();
        event["headers"]["authorization"] = json!(format!("Bearer {token}"));
        let verdict = self.rollcall.invoke("authorize-request", event).await;
        if verdict.unwrap()["isAuthorized"].as_bool().unwrap() {
            return None;
        }
        let lines = self.log.lines();
        let line = lines.iter().rfind(|line| !line["cause"].is_null());
        Some(line.unwrap()["cause"].as_str().unwrap().to_owned())
    }

    fn claims(&self) -> Value {
        let now = Clock::system().now().as_second();
        json!({
            "iss": self.issuer.url,
            "aud": "product",
            "sub": "olivia",
            "email": OWNER,
            "email_verified": true,
            "iat": now,
            "exp": now + 300,
        })
    }
}

/// The header of a vector, if it has three parts and the first is JSON.
fn header(jws: &str) -> Option<Value> {
    let parts: Vec<&str> = jws.split('.').collect();
    let [header, _, _] = parts.as_slice() else {
        return None;
    };
    let header = BASE64URL_NOPAD.decode(header.as_bytes()).ok()?;
    serde_json::from_slice(&header).ok()
}

/// Checks every vector of a file. Returns how many there are, and how many signatures are accepted.
async fn check(vectors: &str) -> (usize, usize) {
    let guarded = Guarded::start().await;
    let groups: Vec<Value> = serde_json::from_str(vectors).unwrap();
    let (mut count, mut accepted) = (0, 0);
    for group in &groups {
        let key = &group["key"];
        let keys = if key.is_null() {
            Vec::new()
        } else {
            vec![key.clone()]
        };
        guarded.publish(keys).await;
        for vector in group["tests"].as_array().unwrap() {
            let field = |name: &str| vector[name].as_str().unwrap();
            let (id, jws, reason) = (field("id"), field("jws"), field("reason"));
            let refusal = guarded.refusal(jws).await;
            assert_eq!(refusal.as_deref(), Some(reason), "{id}");

            // What the file expects of the guard fits what the publisher says of the vector.
            let is_usable = header(jws).is_some_and(|header| {
                let algorithm = header["alg"].as_str().unwrap();
                ["RS256", "ES256"].contains(&algorithm) && header["kid"] == key["kid"]
            });
            let is_good = field("result") == "valid" && is_usable && key["kid"].is_string();
            let is_accepted = reason == ACCEPTED;
            assert_eq!(is_accepted, is_good, "{id}");
            count += 1;
            accepted += usize::from(is_accepted);
        }
    }
    (count, accepted)
}

#[tokio::test]
async fn published_signatures_are_what_their_publishers_say() {
    assert_eq!(check(WYCHEPROOF).await, (88, 3));
    assert_eq!(check(RFCS).await, (10, 1));
    assert_eq!(check(OWN).await, (1, 0));
}

/// The examples of RFC 7515 name no key, so the guard refuses them. Tokens that name their keys pass.
#[tokio::test]
async fn published_keys_verify_what_they_sign() {
    let guarded = Guarded::start().await;
    let keys: Vec<Value> = serde_json::from_str(KEYS).unwrap();
    let mut passed = Vec::new();
    for mut key in keys {
        if key["kid"].is_null() {
            key["kid"] = key["source"].clone();
        }
        let kid = key["kid"].as_str().unwrap();
        let public = ["kty", "kid", "use", "alg", "crv", "n", "e", "x", "y"];
        let fields = key.as_object().unwrap().iter();
        let fields = fields.filter(|(name, _)| public.contains(&name.as_str()));
        let public = fields.map(|(name, value)| (name.clone(), value.clone()));
        guarded.publish(vec![Value::Object(public.collect())]).await;

        let algorithm = if key["kty"] == "RSA" {
            "RS256"
        } else {
            "ES256"
        };
        let header = json!({ "alg": algorithm, "kid": kid });
        let signed = unsigned(&header, &guarded.claims());
        let token = format!("{signed}.{}", sign(&key, &signed));
        let refusal = guarded.refusal(&token).await;
        // A key for encryption signs nothing.
        let expected = (key["use"] == "enc").then_some("the issuer has no such key");
        assert_eq!(refusal.as_deref(), expected, "{kid}");
        passed.extend(refusal.is_none().then(|| kid.to_owned()));
    }
    assert_eq!(passed, ["RFC 7515 A.2", "RFC 7515 A.3", "2011-04-29"]);
}

#[tokio::test]
async fn signed_claims_must_be_a_json_object_in_utf8() {
    let guarded = Guarded::start().await;
    let keys: Vec<Value> = serde_json::from_str(KEYS).unwrap();
    let mut key = keys[1].clone();
    key["kid"] = json!("key");
    guarded.publish(vec![key.clone()]).await;
    let header = br#"{"alg":"ES256","kid":"key"}"#.to_vec();
    let claims = guarded.claims().to_string();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin1 = claims.replace("olivia", "ol\u{0}via").into_bytes();
    let latin1: Vec<u8> = latin1
        .iter()
        .map(|byte| if *byte == 0 { 0xed } else { *byte })
        .collect();
    let unreadable = Some("the header holds no token that can be parsed");
    for (header, claims, expected) in [
        (header.clone(), claims.clone().into_bytes(), None),
        (header.clone(), latin1, Some(ACCEPTED)),
        (header.clone(), utf16(&claims), Some(ACCEPTED)),
        (
            header.clone(),
            format!("[{claims}]").into_bytes(),
            Some(ACCEPTED),
        ),
        (
            header.clone(),
            format!("{claims}{claims}").into_bytes(),
            Some(ACCEPTED),
        ),
        (header.clone(), Vec::new(), Some(ACCEPTED)),
        (
            utf16(r#"{"alg":"ES256","kid":"key"}"#),
            claims.into_bytes(),
            unreadable,
        ),
    ] {
        let [header, claims] = [header, claims].map(|part| BASE64URL_NOPAD.encode(&part));
        let signed = format!("{header}.{claims}");
        let token = format!("{signed}.{}", sign(&key, &signed));
        assert_eq!(
            guarded.refusal(&token).await.as_deref(),
            expected,
            "{token}"
        );
    }
}

/// The signer of these tests is right: it signs RFC 7515's example as the RFC does.
#[test]
fn the_signature_of_rfc_7515_is_reproduced() {
    let keys: Vec<Value> = serde_json::from_str(KEYS).unwrap();
    let groups: Vec<Value> = serde_json::from_str(RFCS).unwrap();
    let vector = &groups[1]["tests"][0];
    assert_eq!(
        (&vector["id"], &keys[0]["source"]),
        (&json!("RFC 7515 A.2"), &json!("RFC 7515 A.2"))
    );
    let jws = vector["jws"].as_str().unwrap();
    let (signed, signature) = jws.rsplit_once('.').unwrap();
    assert_eq!(sign(&keys[0], signed), signature);
}

/// The signature of a text by a private key (RFC 7518, 6).
fn sign(key: &Value, text: &str) -> String {
    let part = |name: &str| {
        let text = key[name].as_str().unwrap();
        BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
    };
    let random = SystemRandom::new();
    if key["kty"] == "RSA" {
        let components = KeyPairComponents {
            public_key: PublicKeyComponents {
                n: part("n"),
                e: part("e"),
            },
            d: part("d"),
            p: part("p"),
            q: part("q"),
            dP: part("dp"),
            dQ: part("dq"),
            qInv: part("qi"),
        };
        let pair = RsaKeyPair::from_components(&components).unwrap();
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature)
            .unwrap();
        return BASE64URL_NOPAD.encode(&signature);
    }
    let point = [vec![4], part("x"), part("y")].concat();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pair =
        EcdsaKeyPair::from_private_key_and_public_key(algorithm, &part("d"), &point, &random);
    let signature = pair.unwrap().sign(&random, text.as_bytes()).unwrap();
    BASE64URL_NOPAD.encode(signature.as_ref())
}
