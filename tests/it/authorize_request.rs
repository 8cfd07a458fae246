//! The guard of the product's own API: `/dev/product`, and the function with tokens that no issuer
//! of the local stack would sign.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use data_encoding::BASE64URL_NOPAD;
use local::{Options, Template};
use platform::problem::Code;
use platform::{Clock, Problem};
use reqwest::Method;
use ring::hmac;
use serde_json::{Value, json};

use crate::harness::issuer::{Key, Mood, TestIssuer, unsigned};
use crate::harness::{Fault, Log, OWNER, Person, Reply, Rollcall, member_id};
use crate::metrics::counts;

const KIM: &str = "kim@example.com";

/// Somebody uses the product, for an account or for the only one there is.
pub(crate) async fn product(caller: &Person, account: Option<&str>) -> Reply {
    let mut request = caller.request(Method::GET, "/dev/product");
    if let Some(account) = account {
        request = request.header("x-account-id", account);
    }
    Reply::of(request).await
}

#[track_caller]
pub(crate) fn expect_forbidden(reply: &Reply) {
    let forbidden = (403, json!({ "message": "Forbidden" }));
    assert_eq!((reply.status, reply.body.clone()), forbidden);
}

/// What API Gateway answers when its authorizer failed.
#[track_caller]
pub(crate) fn expect_no_verdict(reply: &Reply) {
    let failed = (500, json!({ "message": "Internal Server Error" }));
    assert_eq!((reply.status, reply.body.clone()), failed);
}

#[tokio::test]
async fn the_product_learns_who_sent_a_request() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let member = rollcall.member(&owner, KIM).await;

    let by_owner = product(&owner, Some("acme")).await.expect_status(200);
    assert_eq!(rollcall.wire.calls(), ["BatchGetItem"]);
    assert_eq!(
        by_owner.body,
        json!({
            "accountId": "acme",
            "memberId": member_id("acme", OWNER).as_str(),
            "role": "owner",
            "abilities": "account:use members:list members:invite members:resend \
                members:remove account:update account:close",
            "email": OWNER,
        })
    );
    let by_member = product(&member, None).await.expect_status(200);
    assert_eq!(rollcall.wire.calls(), ["Query", "Query", "BatchGetItem"]);
    assert_eq!(
        by_member.body,
        json!({
            "accountId": "acme",
            "memberId": member_id("acme", KIM).as_str(),
            "role": "member",
            "abilities": "account:use members:list",
            "email": KIM,
        })
    );
}

#[tokio::test]
async fn nobody_else_passes() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.member(&owner, KIM).await;
    let removed = rollcall.member(&owner, "gone@example.com").await;
    owner.remove("acme", "gone@example.com").await;
    owner.invite("acme", "new@example.com").await;
    let invited = rollcall.person("new@example.com").await;
    let stranger = rollcall.person("stranger@example.com").await;
    let sign_in = async |claims: Value| rollcall.signed_in(&claims).await;
    let impostor = sign_in(json!({ "email": KIM, "sub": "somebody else" })).await;
    let unverified =
        sign_in(json!({ "email": KIM, "sub": "unknown", "email_verified": false })).await;
    let no_address = sign_in(json!({ "email": "not an address" })).await;
    let everybody = [removed, invited, stranger, impostor, unverified, no_address];
    for caller in &everybody {
        for account in [Some("acme"), None, Some("nowhere")] {
            expect_forbidden(&product(caller, account).await);
        }
    }
    for account in ["nowhere", "", "acme,acme", "Acme"] {
        expect_forbidden(&product(&owner, Some(account)).await);
    }
    let anonymous = rollcall.anonymous(Method::GET, "/dev/product").await;
    assert_eq!(anonymous.expect_status(401).text("message"), "Unauthorized");
}

#[tokio::test]
async fn what_changes_counts_from_the_next_request_on() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let member = rollcall.member(&owner, KIM).await;
    product(&member, None).await.expect_status(200);

    rollcall.account("acme", "basic").await;
    expect_forbidden(&product(&member, None).await);
    product(&owner, None).await.expect_status(200);
    rollcall.account("acme", "pro").await;
    product(&member, None).await.expect_status(200);

    owner.remove("acme", KIM).await.expect_status(200);
    expect_forbidden(&product(&member, None).await);
    expect_forbidden(&product(&member, Some("acme")).await);

    owner.delete("/accounts/acme").await.expect_status(200);
    expect_forbidden(&product(&owner, None).await);
    expect_forbidden(&product(&owner, Some("acme")).await);
}

#[tokio::test]
async fn whoever_is_in_several_accounts_says_which_one() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.account("other", "pro").await;
    expect_forbidden(&product(&owner, None).await);
    for account in ["acme", "other"] {
        let reply = product(&owner, Some(account)).await.expect_status(200);
        assert_eq!(reply.text("accountId"), account);
    }
    owner.delete("/accounts/other").await.expect_status(200);
    let only = product(&owner, None).await.expect_status(200);
    assert_eq!(only.text("accountId"), "acme");
}

#[tokio::test]
async fn a_table_that_does_not_answer_lets_nobody_pass() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    product(&owner, Some("acme")).await.expect_status(200);
    for fault in [
        Fault::NoConnection,
        Fault::Garbage,
        Fault::Error(500, "InternalServerError"),
        Fault::Error(400, "AccessDeniedException"),
    ] {
        let times = match fault {
            Fault::Garbage | Fault::Error(400, _) => 1,
            _ => 3,
        };
        rollcall.wire.fail("BatchGetItem", fault, times);
        expect_no_verdict(&product(&owner, Some("acme")).await);
        rollcall.wire.expect_all_happened();
    }
    product(&owner, Some("acme")).await.expect_status(200);
}

/// A stack whose guard trusts an issuer of the test.
struct Guarded {
    rollcall: Rollcall,
    issuer: TestIssuer,
    key: Key,
}

impl Guarded {
    async fn start() -> Self {
        let guarded = Self::start_with(&[("Audience", "product, product-mobile")]).await;
        guarded.rollcall.account("acme", "pro").await;
        guarded.rollcall.wire.forget();
        guarded
    }

    /// Without an account.
    async fn start_with(parameters: &[(&'static str, &str)]) -> Self {
        let key = Key::new("first");
        let issuer = TestIssuer::start(&[&key]).await;
        let parameters = parameters.iter();
        let parameters = parameters.map(|(name, value)| (*name, (*value).to_owned()));
        let options = Options {
            parameters: parameters.chain([("Issuer", issuer.url.clone())]).collect(),
            ..Options::default()
        };
        let rollcall = Rollcall::start_with(options).await;
        Self {
            rollcall,
            issuer,
            key,
        }
    }

    /// Claims that are good.
    fn claims(&self) -> Value {
        let now = now();
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

    fn token(&self) -> String {
        self.key.sign(&self.key.header(), &self.claims())
    }

    /// What the guard says about a request with this `Authorization` header.
    async fn verdict(&self, authorization: &str) -> Result<Value, Problem> {
        let event = include_str!("../../events/authorize-request.json");
        let mut event: Value = serde_json::from_str(event).unwrap();
        event["headers"]["authorization"] = json!(authorization);
        self.rollcall.invoke("authorize-request", event).await
    }

    /// Whether the guard lets a request with this `Authorization` header pass.
    async fn lets_pass(&self, authorization: &str) -> bool {
        let verdict = self.verdict(authorization).await.unwrap();
        let is_authorized = verdict["isAuthorized"].as_bool().unwrap();
        assert_eq!(is_authorized, verdict.get("context").is_some());
        is_authorized
    }
}

fn now() -> i64 {
    Clock::system().now().as_second()
}

/// An object with some fields changed; null takes a field away.
fn with(mut object: Value, changes: &Value) -> Value {
    let fields = object.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        fields.remove(name);
        if !value.is_null() {
            fields.insert(name.clone(), value.clone());
        }
    }
    object
}

#[tokio::test]
async fn good_tokens_pass() {
    let guarded = Guarded::start().await;
    let token = guarded.token();
    for authorization in [format!("Bearer {token}"), format!("bearer {token}"), token] {
        assert!(guarded.lets_pass(&authorization).await);
    }
    for changes in [
        json!({ "aud": ["another", "product-mobile"] }),
        json!({ "email_verified": "true" }),
        json!({ "iat": null }),
        json!({ "nbf": now() - 1, "exp": (now() + 300) as f64 + 0.5 }),
        json!({ "email": "Olivia@Example.com" }),
    ] {
        let claims = with(guarded.claims(), &changes);
        let token = guarded.key.sign(&guarded.key.header(), &claims);
        assert!(guarded.lets_pass(&token).await, "{changes}");
    }
    assert_eq!(guarded.issuer.times_asked(), 1);
}

#[tokio::test]
async fn bad_tokens_do_not_pass_and_touch_nothing() {
    let guarded = Guarded::start().await;
    let (key, claims) = (&guarded.key, guarded.claims());
    assert!(guarded.lets_pass(&guarded.token()).await);
    guarded.rollcall.wire.forget();

    let mut bad = vec![String::new(), "Bearer".to_owned(), "Bearer x".to_owned()];
    for changes in [
        json!({ "iss": "https://other.example" }),
        json!({ "iss": format!("{}/", guarded.issuer.url) }),
        json!({ "iss": null }),
        json!({ "aud": "another" }),
        json!({ "aud": [] }),
        json!({ "aud": null }),
        json!({ "aud": "another", "client_id": "product" }),
        json!({ "aud": "product, product-mobile" }),
        json!({ "exp": now() - 1 }),
        json!({ "exp": null }),
        json!({ "exp": "9999999999" }),
        json!({ "nbf": now() + 300 }),
        json!({ "iat": now() + 300 }),
        json!({ "nbf": true }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
    ] {
        bad.push(key.sign(&key.header(), &with(claims.clone(), &changes)));
    }
    for changes in [
        json!({ "alg": "RS256" }),
        json!({ "alg": "ES384" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "none" }),
        json!({ "alg": null }),
        json!({ "kid": null }),
        json!({ "kid": "unknown" }),
        json!({ "crit": ["exp"] }),
        json!({ "typ": "logout+jwt" }),
        json!({ "typ": "secevent+jwt" }),
        json!({ "typ": "" }),
    ] {
        bad.push(key.sign(&with(key.header(), &changes), &claims));
    }
    // Signed by another key, by nobody, and with the public key as a secret (RFC 8725, 2.1).
    bad.push(Key::new("first").sign(&key.header(), &claims));
    bad.push(format!("{}.", unsigned(&key.header(), &claims)));
    let none = json!({ "alg": "none", "kid": "first" });
    bad.push(format!("{}.", unsigned(&none, &claims)));
    let hs256 = unsigned(&json!({ "alg": "HS256", "kid": "first" }), &claims);
    let secret = hmac::Key::new(hmac::HMAC_SHA256, key.point());
    let tag = hmac::sign(&secret, hs256.as_bytes());
    bad.push(format!("{hs256}.{}", BASE64URL_NOPAD.encode(tag.as_ref())));
    // Claims that were exchanged after signing, and parts that are too few or too many.
    let token = guarded.token();
    let parts: Vec<&str> = token.split('.').collect();
    let richer = with(claims.clone(), &json!({ "email": "boss@example.com" }));
    let richer = BASE64URL_NOPAD.encode(richer.to_string().as_bytes());
    bad.push(format!("{}.{richer}.{}", parts[0], parts[2]));
    bad.push(format!("{}.{}", parts[0], parts[1]));
    bad.push(format!("{token}.x"));
    bad.push(format!("{token}="));
    bad.push(format!("Basic {token}"));

    for token in bad {
        assert!(!guarded.lets_pass(&token).await, "{token}");
    }
    assert_eq!(guarded.rollcall.wire.calls(), Vec::<String>::new());
    assert!(guarded.lets_pass(&token).await);

    // These are genuine, but prove no address, and no row belongs to the identity.
    for changes in [
        json!({ "email": null }),
        json!({ "email": "not an address" }),
        json!({ "email_verified": false }),
        json!({ "email_verified": "yes" }),
        json!({ "email_verified": 1 }),
        json!({ "email_verified": null }),
    ] {
        let token = key.sign(&key.header(), &with(claims.clone(), &changes));
        assert!(!guarded.lets_pass(&token).await, "{changes}");
    }
}

const API: &str = "https://api.example.com";

/// What providers put into ID tokens and access tokens: changes to header and claims, and whether the
/// token passes if the deployment takes ID tokens for `product`; access tokens for the API and the
/// client `cognito`, too; only with the scope `app/use`; and both kinds for `product`.
fn shapes() -> Vec<(Value, Value, [bool; 4])> {
    let (id, none) = ([true, true, true, false], [false; 4]);
    let marked_id = [true; 4];
    let (api, without_scope) = ([false, true, true, false], [false, true, false, false]);
    let client_access = [false, false, false, true];
    let at = || json!({ "typ": "at+jwt" });
    let plain = || json!({});
    let scope = "openid app/use";
    vec![
        // OpenID Connect Core, Auth0, Google
        (
            plain(),
            json!({ "aud": "product", "nonce": "n", "at_hash": "h" }),
            id,
        ),
        (json!({ "typ": null }), json!({ "aud": "product" }), id),
        (
            json!({ "typ": "application/jwt" }),
            json!({ "aud": "product" }),
            id,
        ),
        (
            plain(),
            json!({ "aud": ["product", "another"], "azp": "product" }),
            id,
        ),
        (plain(), json!({ "aud": "another", "azp": "product" }), none),
        // Amazon Cognito
        (
            plain(),
            json!({ "aud": "product", "token_use": "id" }),
            marked_id,
        ),
        (plain(), json!({ "aud": API, "token_use": "id" }), none),
        (
            plain(),
            json!({ "client_id": "cognito", "token_use": "access", "scope": "openid" }),
            without_scope,
        ),
        (
            plain(),
            json!({ "client_id": "cognito", "token_use": "access", "scope": scope }),
            api,
        ),
        (
            plain(),
            json!({ "client_id": "product", "token_use": "access", "scope": scope }),
            client_access,
        ),
        (
            plain(),
            json!({ "client_id": "another", "token_use": "access", "scope": scope }),
            none,
        ),
        (
            plain(),
            json!({ "aud": API, "client_id": "cognito", "token_use": "access", "scope": scope }),
            api,
        ),
        (
            plain(),
            json!({ "aud": "another", "client_id": "cognito", "token_use": "access" }),
            none,
        ),
        // RFC 9068
        (
            at(),
            json!({ "aud": API, "client_id": "product", "jti": "1", "scope": scope }),
            api,
        ),
        (
            at(),
            json!({ "aud": API, "client_id": "product", "jti": "1" }),
            without_scope,
        ),
        (
            json!({ "typ": "application/at+jwt" }),
            json!({ "aud": API, "scope": scope }),
            api,
        ),
        (
            json!({ "typ": "AT+JWT" }),
            json!({ "aud": [API], "scope": scope }),
            api,
        ),
        (
            at(),
            json!({ "aud": "product", "scope": scope }),
            client_access,
        ),
        (at(), json!({ "aud": "another", "scope": scope }), none),
        (at(), json!({ "scope": scope }), none),
        // Auth0
        (
            plain(),
            json!({ "aud": [API, "https://tenant.example/userinfo"], "azp": "product", "scope": scope }),
            api,
        ),
        (
            plain(),
            json!({ "aud": "https://tenant.example/userinfo", "azp": "product", "scope": scope }),
            none,
        ),
        // Okta
        (
            plain(),
            json!({ "aud": API, "cid": "product", "scp": ["openid", "app/use"] }),
            api,
        ),
        (
            plain(),
            json!({ "aud": API, "cid": "product", "scp": ["openid"] }),
            without_scope,
        ),
        // Microsoft Entra ID, with an application of its own for the API, and with one for both
        (
            plain(),
            json!({ "aud": API, "azp": "product", "scp": "profile app/use", "ver": "2.0" }),
            api,
        ),
        (
            plain(),
            json!({ "aud": "product", "scp": "app/use", "ver": "2.0" }),
            client_access,
        ),
        (
            plain(),
            json!({ "aud": API, "roles": ["all"], "idtyp": "app", "sub": "a service" }),
            none,
        ),
        // Keycloak
        (
            plain(),
            json!({ "aud": "product", "azp": "product", "typ": "ID" }),
            id,
        ),
        (
            plain(),
            json!({ "aud": "account", "azp": "product", "typ": "Bearer", "scope": scope }),
            none,
        ),
        (
            plain(),
            json!({ "aud": ["account", API], "azp": "product", "typ": "Bearer", "scope": scope }),
            api,
        ),
        // FusionAuth puts the scopes of the access token into ID tokens.
        (
            plain(),
            json!({ "aud": "product", "scope": "openid", "tty": "id_token" }),
            id,
        ),
        // Scopes are whole words.
        (
            plain(),
            json!({ "aud": API, "scope": "app/user myapp/use" }),
            without_scope,
        ),
        (
            plain(),
            json!({ "aud": API, "scope": "APP/USE" }),
            without_scope,
        ),
        (plain(), json!({ "aud": API, "scope": ["app/use"] }), api),
        (
            plain(),
            json!({ "aud": API, "scope": { "app/use": true } }),
            without_scope,
        ),
        (
            plain(),
            json!({ "aud": API, "permissions": ["app/use"] }),
            without_scope,
        ),
        // One token for both.
        (
            plain(),
            json!({ "aud": ["product", API], "scope": scope }),
            [true, false, false, false],
        ),
        // Audiences that are none, and tokens that are something else.
        (plain(), json!({ "aud": [], "client_id": "cognito" }), none),
        (plain(), json!({ "aud": "", "client_id": "cognito" }), none),
        (plain(), json!({ "aud": 7 }), none),
        (plain(), json!({ "aud": [["product"]] }), none),
        (
            plain(),
            json!({ "client_id": ["cognito"], "scope": scope }),
            api,
        ),
        (plain(), json!({ "scope": scope }), none),
        (
            json!({ "typ": "logout+jwt" }),
            json!({ "aud": "product" }),
            none,
        ),
        (plain(), json!({ "aud": "product", "events": {} }), none),
    ]
}

#[tokio::test]
async fn id_tokens_and_access_tokens_are_not_taken_for_each_other() {
    let both = "https://api.example.com, cognito";
    for (column, parameters) in [
        vec![("Audience", "product")],
        vec![("Audience", "product"), ("ApiAudience", both)],
        vec![
            ("Audience", "product"),
            ("ApiAudience", both),
            ("RequiredScope", "app/use"),
        ],
        vec![("Audience", "product"), ("ApiAudience", "product")],
    ]
    .into_iter()
    .enumerate()
    {
        let guarded = Guarded::start_with(&parameters).await;
        // No access token has an address: the owner is known by the identity alone.
        let owner = json!({ "firstName": "Olivia", "lastName": "Owner", "email": OWNER, "subject": "olivia" });
        let account =
            json!({ "accountId": "acme", "company": "Acme", "plan": "pro", "owner": owner });
        guarded
            .rollcall
            .provision(&account)
            .await
            .expect_status(200);
        let person = json!({ "aud": null, "email": null, "email_verified": null });
        let person = with(guarded.claims(), &person);
        for (header, claims, passes) in shapes() {
            let header = with(guarded.key.header(), &header);
            let token = guarded.key.sign(&header, &with(person.clone(), &claims));
            let passed = guarded.lets_pass(&token).await;
            assert_eq!(passed, passes[column], "{parameters:?} {header} {claims}");
        }
    }
    assert!(shapes().len() >= 30);
}

/// The clocks of issuers are not this one: a token may begin in a minute, but not end a second ago.
#[tokio::test]
async fn a_token_may_come_from_a_clock_that_is_a_minute_ahead() {
    let guarded = Guarded::start().await;
    for (claim, seconds, passes) in [
        ("iat", -3_600, true),
        ("iat", 0, true),
        ("iat", 1, true),
        ("iat", 60, true),
        ("iat", 61, false),
        ("nbf", -3_600, true),
        ("nbf", 1, true),
        ("nbf", 60, true),
        ("nbf", 61, false),
        ("exp", 1, true),
        ("exp", 0, false),
        ("exp", -1, false),
        ("exp", -60, false),
    ] {
        // Again, if the second ended before the guard looked at its clock.
        let passed = loop {
            let started = now();
            let claims = with(guarded.claims(), &json!({ claim: started + seconds }));
            let token = guarded.key.sign(&guarded.key.header(), &claims);
            let passed = guarded.lets_pass(&token).await;
            if now() == started {
                break passed;
            }
        };
        assert_eq!(passed, passes, "{claim} {seconds}");
    }
}

#[tokio::test]
async fn a_new_key_is_found_and_the_issuer_is_not_pestered() {
    let guarded = Guarded::start().await;
    let token = guarded.token();
    assert!(guarded.lets_pass(&token).await);
    assert_eq!(guarded.issuer.times_asked(), 1);

    let second = Key::new("second");
    let by_second = second.sign(&second.header(), &guarded.claims());
    let unusable = [
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "other", "x": "AAAA" }),
        json!({ "kty": "EC", "kid": "broken" }),
        with(guarded.key.jwk(), &json!({ "use": "enc", "kid": "second" })),
    ];
    let published = [unusable.to_vec(), vec![second.jwk()]].concat();
    guarded.issuer.publish(published);
    // The issuer has just been asked.
    for _ in 0..3 {
        assert!(!guarded.lets_pass(&by_second).await);
    }
    assert_eq!(guarded.issuer.times_asked(), 0);
    guarded.rollcall.advance(10).await;
    assert!(guarded.lets_pass(&by_second).await);
    assert!(!guarded.lets_pass(&token).await, "that key is gone");
    assert_eq!(guarded.issuer.times_asked(), 1);
}

#[tokio::test]
async fn keys_outlive_a_short_silence_of_the_issuer_and_no_longer_one() {
    let guarded = Guarded::start().await;
    let token = guarded.token();
    assert!(guarded.lets_pass(&token).await);

    for mood in [Mood::Down, Mood::Garbage, Mood::Impostor, Mood::Careless] {
        guarded.issuer.is(mood);
        guarded.rollcall.advance(3_600).await;
        assert!(guarded.lets_pass(&token).await, "{mood:?}: after an hour");
        guarded.rollcall.advance(3_600).await;
        let verdict = guarded.verdict(&token).await;
        assert_eq!(verdict.unwrap_err().code(), Code::Unavailable, "{mood:?}");
        guarded.issuer.is(Mood::Well);
        guarded.rollcall.advance(10).await;
        assert!(guarded.lets_pass(&token).await, "{mood:?}: afterwards");
    }
}

#[tokio::test]
async fn an_issuer_that_says_nothing_lets_nobody_pass() {
    let guarded = Guarded::start().await;
    guarded.issuer.is(Mood::Silent);
    // The second one does not wait: the issuer has just been asked.
    for _ in 0..2 {
        let verdict = guarded.verdict(&guarded.token()).await;
        assert_eq!(verdict.unwrap_err().code(), Code::Unavailable);
    }
    assert_eq!(guarded.issuer.times_asked(), 1);
    assert_eq!(guarded.rollcall.wire.calls(), Vec::<String>::new());
}

/// The invocation's error is what Lambda counts, and the verdict's code what we count: a guard that
/// refuses everybody for want of an answer must not look like one that refuses strangers.
#[tokio::test]
async fn a_guard_that_cannot_tell_fails_and_one_that_refuses_does_not() {
    let log = Log::capture();
    let guarded = Guarded::start().await;
    let token = guarded.token();
    let wire = &guarded.rollcall.wire;

    guarded.verdict(&token).await.unwrap();
    guarded.verdict("Bearer x").await.unwrap();
    let removed = json!({ "email": "stranger@example.com", "sub": "stranger" });
    let stranger = with(guarded.claims(), &removed);
    let stranger = guarded.key.sign(&guarded.key.header(), &stranger);
    guarded.verdict(&stranger).await.unwrap();
    wire.fail(
        "BatchGetItem",
        Fault::Error(400, "AccessDeniedException"),
        1,
    );
    let denied = guarded.verdict(&token).await.unwrap_err();
    assert_eq!(denied.code(), Code::Internal);
    guarded.issuer.is(Mood::Impostor);
    guarded.rollcall.advance(3 * 3_600).await;
    let unknown = guarded.verdict(&token).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unavailable);

    let counts = counts(&log);
    let of_guard: Vec<_> = counts
        .iter()
        .filter(|(name, _)| name == "Verdicts" || name == "Failures")
        .map(|(name, part)| (name.as_str(), part.as_str()))
        .collect();
    assert_eq!(
        of_guard,
        [
            ("Verdicts", "ok"),
            ("Verdicts", "unauthenticated"),
            ("Verdicts", "no_access"),
            ("Failures", "authorize-request"),
            ("Verdicts", "internal"),
            ("Failures", "authorize-request"),
            ("Verdicts", "unavailable"),
        ]
    );
}

/// Clients use the product without a pause while members are removed. Whoever sends a request after
/// the removal was answered must not get through.
async fn no_request_passes_after_a_removal(requests: usize) {
    const CLIENTS: usize = 8;
    const REMOVALS: usize = 20;
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let after = requests / REMOVALS / CLIENTS / 2;
    for round in 0..REMOVALS {
        let email = format!("kim{round}@example.com");
        let member = rollcall.member(&owner, &email).await;
        let is_removed = Arc::new(AtomicBool::new(false));
        let allowed = Arc::new(AtomicUsize::new(0));
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..CLIENTS {
            let (member, is_removed, allowed) = (
                member.clone(),
                Arc::clone(&is_removed),
                Arc::clone(&allowed),
            );
            clients.spawn(async move {
                let mut started_after = 0;
                while started_after < after {
                    let is_late = is_removed.load(Ordering::SeqCst);
                    let reply = product(&member, Some("acme")).await;
                    assert!(matches!(reply.status, 200 | 403), "{}", reply.raw);
                    let is_allowed = reply.status == 200;
                    assert!(!(is_late && is_allowed), "allowed after the removal");
                    allowed.fetch_add(usize::from(is_allowed), Ordering::SeqCst);
                    started_after += usize::from(is_late);
                }
            });
        }
        // The removal comes in the middle of all the requests.
        while allowed.load(Ordering::SeqCst) < CLIENTS * after {
            tokio::task::yield_now().await;
        }
        owner.remove("acme", &email).await.expect_status(200);
        is_removed.store(true, Ordering::SeqCst);
        while let Some(ended) = clients.join_next().await {
            ended.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_of_a_thousand_passes_after_a_removal() {
    no_request_passes_after_a_removal(1_000).await;
}

/// The long run.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo test --profile long -p tests -- --ignored --nocapture authorize_request"]
async fn no_request_of_ten_thousand_passes_after_a_removal() {
    no_request_passes_after_a_removal(10_000).await;
}

#[test]
fn the_example_product_asks_the_guard_at_every_request() {
    let template = include_str!("../../docs/example-product.yaml");
    let template = Template::parse(template).unwrap();
    let (_, api) = template
        .resources("AWS::Serverless::HttpApi")
        .next()
        .unwrap();
    let auth = &api["Properties"]["Auth"];
    let name = auth["DefaultAuthorizer"].as_str().unwrap();
    let authorizer = &auth["Authorizers"][name];
    assert_eq!(authorizer["AuthorizerPayloadFormatVersion"], "2.0");
    assert_eq!(authorizer["EnableSimpleResponses"], true);
    // Without this, API Gateway would keep a yes for five minutes.
    assert_eq!(authorizer["Identity"]["ReauthorizeEvery"], 0);
    assert_eq!(authorizer["Identity"]["Headers"], json!(["Authorization"]));
    for (_, function) in template.resources("AWS::Serverless::Function") {
        let event = &function["Properties"]["Events"]["Api"]["Properties"];
        assert!(
            event.get("Auth").is_none(),
            "a route with another authorizer"
        );
    }
}
