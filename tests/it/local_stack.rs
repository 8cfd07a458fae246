//! The local stack: its controls, its sign-in, its authorizer, its memory.

use std::path::PathBuf;

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use local::{Options, Stack};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{NOON, OWNER, Reply, Rollcall};

const KIM: &str = "kim@example.com";
const CLIENT: &str = "rollcall-local";

/// A folder that is removed after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = format!("rollcall-test-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn mail_can_be_read_newest_first() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let mail = async || rollcall.anonymous(Method::GET, "/dev/mail.json").await;
    assert_eq!(mail().await.expect_status(200).body, json!([]));
    for email in ["max@example.com", KIM] {
        owner.invite("acme", email).await.expect_status(201);
    }
    let mails = mail().await.expect_status(200).body;
    let to: Vec<_> = mails
        .as_array()
        .unwrap()
        .iter()
        .map(|mail| &mail["to"])
        .collect();
    assert_eq!(to, [KIM, "max@example.com"]);
    for field in ["html", "id", "link", "subject", "tags", "text", "to"] {
        assert!(keys(&mails[0]).contains(&field), "{field}");
    }
    assert_eq!(mails[0]["receivedAt"], NOON);
    let link = mails[0]["link"].as_str().unwrap();
    let app = format!("{}/invite#token=acme.", rollcall.stack.url());
    assert!(link.starts_with(&app), "{link}");
    assert_eq!(
        keys(&mails[0]["tags"]),
        ["account", "member", "recipient", "send", "stage"]
    );
}

#[tokio::test]
async fn the_pages_for_people_are_there_and_escape_what_people_typed() {
    let rollcall = Rollcall::start().await;
    rollcall
        .provision(&json!({
            "accountId": "acme",
            "company": "<script>alert(1)</script>",
            "plan": "pro",
            "owner": { "firstName": "Olivia", "lastName": "Owner", "email": OWNER },
        }))
        .await
        .expect_status(200);
    let owner = rollcall.person(OWNER).await;
    owner.invite("acme", KIM).await.expect_status(201);
    for path in ["/dev", "/dev/mail"] {
        let page = rollcall.anonymous(Method::GET, path).await;
        let page = page.expect_status(200);
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(!page.raw.contains("<script>alert"), "{path}");
    }
    let page = rollcall.anonymous(Method::GET, "/dev/mail").await;
    assert!(page.raw.contains(KIM));
}

#[tokio::test]
async fn the_clock_moves_ahead_and_tokens_stay_good() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let now = async || rollcall.anonymous(Method::GET, "/dev/clock").await;
    assert_eq!(now().await.body, json!({ "now": NOON }));
    let advance = json!({ "advanceSeconds": 90 });
    let advanced = rollcall.dev("/dev/clock", &advance).await;
    let expected = json!({ "now": "2026-11-24T12:01:30Z" });
    assert_eq!(advanced.expect_status(200).body, expected);
    assert_eq!(now().await.body, expected);
    rollcall.advance(400 * 86_400).await;
    owner.login(&json!({})).await.expect_status(200);
    for wrong in [
        json!({}),
        json!({ "advanceSeconds": -1 }),
        json!({ "advanceSeconds": "60" }),
        json!({ "advanceSeconds": 1, "x": 1 }),
    ] {
        let refused = rollcall.dev("/dev/clock", &wrong).await;
        refused.expect_problem(400, "invalid_request");
    }
}

/// The claims of a token.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    let payload = BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

#[tokio::test]
async fn a_token_has_the_requested_claims() {
    let rollcall = Rollcall::start().await;
    let token = async |request: Value| {
        let reply = rollcall.dev("/dev/token", &request).await;
        claims(&reply.expect_status(200).text("idToken"))
    };
    let plain = token(json!({ "email": KIM })).await;
    assert_eq!(plain["email"], KIM);
    assert_eq!(plain["email_verified"], true);
    assert_eq!(plain["aud"], CLIENT);
    assert_eq!(plain["iss"], format!("{}/dev/oidc", rollcall.stack.url()));
    assert_eq!(
        plain["sub"],
        token(json!({ "email": "KIM@example.com" })).await["sub"]
    );
    assert!(plain.get("groups").is_none());
    let special = token(json!({
        "email": KIM, "email_verified": false, "sub": "x", "groups": ["support"],
    }));
    let special = special.await;
    assert_eq!(special["email_verified"], false);
    assert_eq!(special["sub"], "x");
    assert_eq!(special["groups"], json!(["support"]));
    for wrong in [
        json!({}),
        json!({ "email": 7 }),
        json!({ "email": KIM, "role": "owner" }),
    ] {
        let refused = rollcall.dev("/dev/token", &wrong).await;
        refused.expect_problem(400, "invalid_request");
    }
}

#[tokio::test]
async fn the_demo_has_accounts_to_look_at() {
    let rollcall = Rollcall::start_with(Options {
        demo: true,
        ..Options::default()
    })
    .await;
    let owner = rollcall.person(OWNER).await;
    let choose = owner.login(&json!({})).await;
    let choose = choose.expect_problem(409, "choose_account");
    let accounts = choose.body["accounts"].as_array().unwrap();
    let accounts: Vec<_> = accounts.iter().map(|account| &account["id"]).collect();
    assert_eq!(accounts, ["demo", "demo-basic"]);
    let list = owner.list("demo", "").await.expect_status(200);
    assert_eq!(
        list.emails(),
        [
            OWNER,
            "maria@example.com",
            "max@example.com",
            "bounce@simulator.amazonses.com",
        ]
    );
    let refused = owner.invite("demo-basic", KIM).await;
    refused.expect_problem(403, "upgrade_required");
    let maria = rollcall.person("maria@example.com").await;
    maria.login(&json!({})).await.expect_status(200);
    let what = rollcall.stack.what_to_open();
    for text in [rollcall.stack.url(), "demo", "demo-basic", OWNER] {
        assert!(what.contains(text), "{text}");
    }
}

#[tokio::test]
async fn a_stack_is_empty_without_the_demo() {
    let rollcall = Rollcall::start().await;
    assert!(rollcall.rows().await.is_empty());
    let refused = rollcall.person(OWNER).await.login(&json!({})).await;
    refused.expect_problem(403, "no_access");
}

#[tokio::test]
async fn a_folder_keeps_data_between_runs() {
    let folder = Folder::new("data");
    let start = async || {
        Rollcall::start_with(Options {
            data: Some(folder.0.clone()),
            demo: true,
            ..Options::default()
        })
        .await
    };
    let first = start().await;
    let owner = first.person(OWNER).await;
    owner.invite("demo", KIM).await.expect_status(201);
    let token = json!({ "inviteToken": first.newest_token() });
    let (rows, mails) = (first.rows().await, first.stack.mailbox().list().len());
    first.stack.stop().await;

    let second = start().await;
    // The demo is not made twice.
    assert_eq!(second.rows().await, rows);
    assert_eq!(second.stack.mailbox().list().len(), mails);
    let kim = second.person(KIM).await;
    kim.login(&token).await.expect_status(200);
    second.stack.stop().await;
}

/// A browser without redirects, and the pieces of a sign-in.
struct SignIn {
    http: reqwest::Client,
    authorize: String,
    token: String,
    verifier: String,
}

const BACK: &str = "http://127.0.0.1:9/callback";

impl SignIn {
    async fn discover(rollcall: &Rollcall) -> Self {
        let path = "/dev/oidc/.well-known/openid-configuration";
        let discovery = rollcall.anonymous(Method::GET, path).await;
        let discovery = discovery.expect_status(200);
        let issuer = format!("{}/dev/oidc", rollcall.stack.url());
        assert_eq!(discovery.text("issuer"), issuer);
        let methods = &discovery.body["code_challenge_methods_supported"];
        assert_eq!(methods, &json!(["S256"]));
        let redirects = reqwest::redirect::Policy::none();
        Self {
            http: reqwest::Client::builder()
                .redirect(redirects)
                .build()
                .unwrap(),
            authorize: discovery.text("authorization_endpoint"),
            token: discovery.text("token_endpoint"),
            verifier: "v".repeat(64),
        }
    }

    fn page(&self) -> String {
        let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(&self.verifier));
        format!(
            "{}?response_type=code&client_id={CLIENT}&redirect_uri={BACK}&scope=openid%20email\
             &state=s%26t&nonce=n&code_challenge={challenge}&code_challenge_method=S256",
            self.authorize
        )
    }

    async fn form(&self, url: &str, form: String) -> Reply {
        let request = self.http.post(url).body(form);
        Reply::of(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded")).await
    }

    /// The code that the browser brings back.
    async fn code(&self, form: &str) -> String {
        let page = Reply::of(self.http.get(self.page())).await;
        assert!(page.expect_status(200).raw.contains("<form"));
        let back = self.form(&self.page(), form.to_owned()).await;
        let location = back.expect_status(303).header("location");
        let query = location.strip_prefix(&format!("{BACK}?code=")).unwrap();
        query.strip_suffix("&state=s%26t").unwrap().to_owned()
    }

    async fn exchange(&self, code: &str, verifier: &str, back: &str, client: &str) -> Reply {
        let form = format!(
            "grant_type=authorization_code&client_id={client}&code={code}&redirect_uri={back}\
             &code_verifier={verifier}"
        );
        self.form(&self.token, form).await
    }
}

const FORM: &str = "email=kim%40example.com&email_verified=true&groups=support%2Cstaff";

#[tokio::test]
async fn a_person_signs_in_with_the_authorization_code_flow() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let sign_in = SignIn::discover(&rollcall).await;
    let code = sign_in.code(FORM).await;
    let tokens = sign_in
        .exchange(&code, &sign_in.verifier, BACK, CLIENT)
        .await;
    let tokens = tokens.expect_status(200);
    assert_eq!(tokens.header("cache-control"), "no-store");
    let id_token = tokens.text("idToken") + &tokens.text("id_token");
    let claims = claims(&id_token);
    assert_eq!(claims["email"], KIM);
    assert_eq!(claims["nonce"], "n");
    assert_eq!(claims["groups"], json!(["support", "staff"]));

    // The token works like a token from any other source.
    owner.invite("acme", KIM).await.expect_status(201);
    let login = json!({ "inviteToken": rollcall.newest_token() });
    let request = sign_in.http.post(format!("{}/login", rollcall.stack.url()));
    let request = request.bearer_auth(&id_token).body(login.to_string());
    Reply::of(request).await.expect_status(200);

    let jwks = rollcall.anonymous(Method::GET, "/dev/oidc/jwks.json").await;
    let key = &jwks.expect_status(200).body["keys"][0];
    assert_eq!((&key["kty"], &key["alg"]), (&json!("RSA"), &json!("RS256")));
    assert!(key.get("d").is_none(), "the private key is published");
}

#[tokio::test]
async fn a_code_works_once_and_only_for_its_client() {
    let rollcall = Rollcall::start().await;
    let sign_in = SignIn::discover(&rollcall).await;
    let right = sign_in.verifier.as_str();
    let wrong = "w".repeat(64);
    for (verifier, back, client, error) in [
        (wrong.as_str(), BACK, CLIENT, "invalid_grant"),
        ("short", BACK, CLIENT, "invalid_grant"),
        ("", BACK, CLIENT, "invalid_request"),
        (right, "http://127.0.0.1:9/other", CLIENT, "invalid_grant"),
        (right, BACK, "another", "invalid_client"),
    ] {
        let code = sign_in.code(FORM).await;
        let refused = sign_in.exchange(&code, verifier, back, client).await;
        assert_eq!(refused.expect_status(400).text("error"), error);
        // A wrong verifier uses up the code.
        if error == "invalid_grant" {
            let again = sign_in.exchange(&code, right, BACK, CLIENT).await;
            assert_eq!(again.expect_status(400).text("error"), "invalid_grant");
        }
    }
    let code = sign_in.code(FORM).await;
    let first = sign_in.exchange(&code, right, BACK, CLIENT).await;
    first.expect_status(200);
    let second = sign_in.exchange(&code, right, BACK, CLIENT).await;
    assert_eq!(second.expect_status(400).text("error"), "invalid_grant");
    let made_up = sign_in.exchange("made-up", right, BACK, CLIENT).await;
    assert_eq!(made_up.expect_status(400).text("error"), "invalid_grant");
}

#[tokio::test]
async fn a_sign_in_without_protection_is_refused() {
    let rollcall = Rollcall::start().await;
    let sign_in = SignIn::discover(&rollcall).await;
    let page = sign_in.page();
    // An unknown client or an untrusted redirect gets no answer.
    for (from, to) in [
        (CLIENT, "another"),
        (BACK, "javascript:alert(1)"),
        (BACK, "/relative"),
    ] {
        let refused = Reply::of(sign_in.http.get(page.replace(from, to))).await;
        assert!(!refused.expect_status(400).headers.contains_key(LOCATION));
    }
    for (from, to, error) in [
        ("S256", "plain", "invalid_request"),
        ("code_challenge=", "x=", "invalid_request"),
        (
            "response_type=code",
            "response_type=token",
            "unsupported_response_type",
        ),
        ("openid", "profile", "invalid_scope"),
    ] {
        let refused = Reply::of(sign_in.http.get(page.replacen(from, to, 1))).await;
        let location = refused.expect_status(303).header("location");
        assert!(location.starts_with(&format!("{BACK}?error={}", error.replace('_', "%5F"))));
        assert!(location.ends_with("&state=s%26t"));
    }
}

/// A stack whose key the test knows, and the claims of a good token.
struct Forge {
    stack: Stack,
    key: EncodingKey,
    header: Header,
    claims: Value,
    jwk: Value,
    _folder: Folder,
}

impl Forge {
    async fn start() -> Self {
        let folder = Folder::new("key");
        let stack = Stack::start(Options {
            data: Some(folder.0.clone()),
            ..Options::default()
        });
        let stack = stack.await.unwrap();
        let pem = std::fs::read(folder.0.join("signing-key.pem")).unwrap();
        let jwks = reqwest::get(format!("{}/dev/oidc/jwks.json", stack.url()));
        let jwks: Value = jwks.await.unwrap().json().await.unwrap();
        let jwk = jwks["keys"][0].clone();
        let mut header = Header::new(Algorithm::RS256);
        header.kid = jwk["kid"].as_str().map(str::to_owned);
        let now = get_current_timestamp();
        let claims = json!({
            "iss": format!("{}/dev/oidc", stack.url()),
            "aud": CLIENT,
            "sub": "kim",
            "email": KIM,
            "email_verified": true,
            "iat": now,
            "exp": now + 600,
        });
        Self {
            stack,
            key: EncodingKey::from_rsa_pem(&pem).unwrap(),
            header,
            claims,
            jwk,
            _folder: folder,
        }
    }

    fn with(&self, claim: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[claim] = value;
        encode(&self.header, &claims, &self.key).unwrap()
    }

    async fn login(&self, authorization: &str) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", authorization.parse().unwrap());
        let request = reqwest::Client::new().post(format!("{}/login", self.stack.url()));
        Reply::of(request.headers(headers).body("{}")).await
    }
}

#[tokio::test]
async fn tokens_are_verified_as_api_gateway_would() {
    let forge = Forge::start().await;
    let now = get_current_timestamp();
    let good = forge.with("sub", json!("kim"));
    // Kim belongs to no account, so a valid token gets as far as that refusal.
    for authorization in [
        format!("Bearer {good}"),
        format!("bearer {good}"),
        good.clone(),
        format!("Bearer {}", forge.with("aud", json!(["x", CLIENT]))),
        format!("Bearer {}", forge.with("email_verified", json!("true"))),
    ] {
        let known = forge.login(&authorization).await;
        known.expect_problem(403, "no_access");
    }

    let parts: Vec<_> = good.split('.').collect();
    let text = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let mut altered = forge.claims.clone();
    altered["email"] = json!(OWNER);
    let altered = format!("{}.{}.{}", parts[0], text(&altered), parts[2]);
    let kid = &forge.jwk["kid"];
    let none = ["none", "None", "NONE"].map(|alg| {
        let header = text(&json!({ "alg": alg, "kid": kid, "typ": "JWT" }));
        [
            format!("{header}.{}.", parts[1]),
            format!("{header}.{}.{}", parts[1], parts[2]),
        ]
    });
    // Everyone knows the public key, so as an HMAC secret it proves nothing.
    let modulus = forge.jwk["n"].as_str().unwrap();
    let secrets = [
        modulus.as_bytes().to_vec(),
        BASE64URL_NOPAD.decode(modulus.as_bytes()).unwrap(),
        forge.jwk.to_string().into_bytes(),
        Vec::new(),
    ];
    let mut header = forge.header.clone();
    header.alg = Algorithm::HS256;
    let hs256 = secrets
        .map(|secret| encode(&header, &forge.claims, &EncodingKey::from_secret(&secret)).unwrap());
    let mut unknown_key = forge.header.clone();
    unknown_key.kid = Some("unknown".to_owned());
    let mut no_key = forge.header.clone();
    no_key.kid = None;

    let mut bad = vec![
        forge.with("exp", json!(now - 1)),
        forge.with("exp", json!(null)),
        forge.with("exp", json!("never")),
        forge.with("nbf", json!(now + 600)),
        forge.with("iat", json!(now + 600)),
        forge.with("iss", json!("https://issuer.example")),
        forge.with(
            "iss",
            json!(format!("{}/", forge.claims["iss"].as_str().unwrap())),
        ),
        forge.with("iss", json!(null)),
        forge.with("aud", json!("another")),
        forge.with("aud", json!([])),
        forge.with("aud", json!(null)),
        encode(&unknown_key, &forge.claims, &forge.key).unwrap(),
        encode(&no_key, &forge.claims, &forge.key).unwrap(),
        altered,
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{good}x"),
        "x".to_owned(),
        "..".to_owned(),
        String::new(),
    ];
    bad.extend(none.into_iter().flatten());
    bad.extend(hs256);
    for token in bad {
        let refused = forge.login(&format!("Bearer {token}")).await;
        let refused = refused.expect_problem(401, "unauthenticated");
        assert_eq!(refused.header("www-authenticate"), "Bearer", "{token}");
    }
    for authorization in ["", "Bearer", "Basic a2ltOmtpbQ=="] {
        let refused = forge.login(authorization).await;
        refused.expect_problem(401, "unauthenticated");
    }
}
