//! What proves an address, and which claim is the person: settings for providers whose tokens are not
//! what OpenID Connect has in mind.

use local::Options;
use serde_json::{Value, json};

use crate::authorize_request::{expect_forbidden, product};
use crate::harness::{OWNER, Person, Rollcall};

const KIM: &str = "kim@example.com";

async fn start(parameters: &[(&'static str, &str)], owner: Value) -> Rollcall {
    let parameters = parameters
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    let options = Options {
        parameters: parameters.collect(),
        ..Options::default()
    };
    let rollcall = Rollcall::start_with(options).await;
    let mut payload = json!({
        "accountId": "acme",
        "company": "Acme",
        "plan": "pro",
        "owner": { "firstName": "Olivia", "lastName": "Owner", "email": OWNER },
    });
    payload["owner"]
        .as_object_mut()
        .unwrap()
        .extend(owner.as_object().unwrap().clone());
    rollcall.provision(&payload).await.expect_status(200);
    rollcall
}

/// Somebody whose token has these claims beside the address, and no `email_verified`.
async fn sign_in(rollcall: &Rollcall, email: &str, claims: Value) -> Person {
    let mut claims = claims;
    if claims.get("email_verified").is_none() {
        claims["email_verified"] = Value::Null;
    }
    rollcall
        .signed_in(&json!({ "email": email, "claims": claims }))
        .await
}

/// Microsoft Entra ID: no `email_verified`, `oid` is the person in a tenant, and `xms_edov` says whether
/// the owner of the domain was verified.
const ENTRA: [(&str, &str); 2] = [("EmailProof", "xms_edov"), ("IdentityClaim", "oid")];

#[tokio::test]
async fn people_log_in_and_stay_who_they_are() {
    let rollcall = start(&ENTRA, json!({})).await;
    let olivia = json!({ "oid": "olivia", "xms_edov": true });
    let owner = sign_in(&rollcall, OWNER, olivia).await;
    owner.login(&json!({})).await.expect_status(200);
    owner.invite("acme", KIM).await.expect_status(201);
    let token = json!({ "inviteToken": rollcall.newest_token() });
    let kim = sign_in(&rollcall, KIM, json!({ "oid": "kim", "xms_edov": "1" })).await;
    kim.login(&token).await.expect_status(200);

    // Another client of the tenant sees another `sub`, and not every token has an address.
    for claims in [
        json!({ "oid": "kim", "sub": "pairwise" }),
        json!({ "oid": "kim", "email": null }),
        json!({ "oid": "kim", "xms_edov": false }),
    ] {
        let kim = sign_in(&rollcall, KIM, claims).await;
        kim.login(&json!({})).await.expect_status(200);
        kim.list("acme", "").await.expect_status(200);
        product(&kim, Some("acme")).await.expect_status(200);
    }
    for claims in [
        json!({ "oid": "other", "xms_edov": true }),
        json!({ "oid": "other", "sub": "kim", "xms_edov": true }),
    ] {
        let other = sign_in(&rollcall, KIM, claims).await;
        other
            .login(&json!({}))
            .await
            .expect_problem(403, "identity_mismatch");
    }
}

#[tokio::test]
async fn an_address_that_nobody_vouches_for_leads_nowhere() {
    let rollcall = start(&ENTRA, json!({})).await;
    for claims in [
        json!({ "oid": "olivia" }),
        json!({ "oid": "olivia", "xms_edov": false }),
        json!({ "oid": "olivia", "xms_edov": "0" }),
        json!({ "oid": "olivia", "xms_edov": 2 }),
        json!({ "oid": "olivia", "email_verified": true }),
        json!({ "oid": "olivia", "xms_edov": true, "email_verified": false }),
    ] {
        let owner = sign_in(&rollcall, OWNER, claims.clone()).await;
        let refused = owner.login(&json!({})).await;
        refused.expect_problem(403, "email_unverified");
        expect_forbidden(&product(&owner, None).await);
    }
    let claims = json!({ "oid": "josé", "xms_edov": true });
    let unusable = sign_in(&rollcall, "josé@example.com", claims).await;
    let refused = unusable.login(&json!({})).await;
    let refused = refused.expect_problem(403, "email_unverified");
    assert!(!refused.text("detail").contains("erify"), "{}", refused.raw);
    for claims in [json!({ "oid": null }), json!({ "oid": "" })] {
        let nobody = sign_in(&rollcall, OWNER, claims).await;
        nobody
            .login(&json!({}))
            .await
            .expect_problem(401, "unauthenticated");
        expect_forbidden(&product(&nobody, None).await);
    }
}

#[tokio::test]
async fn support_staff_is_known_by_its_groups() {
    let rollcall = start(&ENTRA, json!({})).await;
    let claims = json!({ "oid": "sue", "groups": ["support"] });
    let support = sign_in(&rollcall, "sue@product.example", claims).await;
    let found = support
        .get(&format!("/support/feedback?email={OWNER}"))
        .await;
    found.expect_status(200);
}

/// Only the link of an invite proves an address.
/// Only the link of an invite proves an address. The owner is who billing says.
async fn start_with_link() -> (Rollcall, Person) {
    let rollcall = start(&[("EmailProof", "link")], json!({ "subject": "olivia" })).await;
    let owner = sign_in(&rollcall, OWNER, json!({ "sub": "olivia" })).await;
    owner.login(&json!({})).await.expect_status(200);
    (rollcall, owner)
}

#[tokio::test]
async fn the_link_proves_the_address_once() {
    let (rollcall, owner) = start_with_link().await;
    owner.invite("acme", KIM).await.expect_status(201);
    let link = json!({ "inviteToken": rollcall.newest_token() });
    let kim = sign_in(&rollcall, KIM, json!({ "sub": "kim" })).await;
    let stranger = sign_in(
        &rollcall,
        "stranger@example.com",
        json!({ "sub": "stranger" }),
    )
    .await;

    // Without the link, the invited person hears what strangers hear.
    for body in [json!({}), json!({ "accountId": "acme" })] {
        let refused = kim.login(&body).await;
        let other = stranger.login(&body).await;
        assert_eq!(refused.without_request_id(), other.without_request_id());
        refused.expect_problem(403, "invite_link_required");
    }
    let refused = stranger.login(&link).await;
    let refused = refused.expect_problem(403, "wrong_account");
    assert!(refused.raw.contains("k***@example.com"));
    let sent = rollcall.newest_token();
    let (to, _) = sent.rsplit_once('.').unwrap();
    let forged = json!({ "inviteToken": format!("{to}.{}", "A".repeat(43)) });
    let refused = kim.login(&forged).await;
    refused.expect_problem(403, "invite_link_required");
    let denied = json!({ "sub": "kim", "email_verified": false });
    let denied = sign_in(&rollcall, KIM, denied).await;
    denied
        .login(&link)
        .await
        .expect_problem(403, "email_unverified");

    let login = kim.login(&link).await.expect_status(200);
    assert_eq!(login.body["member"]["email"], KIM);
    kim.login(&json!({})).await.expect_status(200);
    kim.list("acme", "").await.expect_status(200);
    product(&kim, Some("acme")).await.expect_status(200);

    // Nobody else follows it, whatever address they name, and Kim needs it no more.
    let other = sign_in(&rollcall, KIM, json!({ "sub": "other" })).await;
    let rows = rollcall.rows().await;
    for body in [link.clone(), json!({}), json!({ "accountId": "acme" })] {
        let refused = other.login(&body).await;
        refused.expect_problem(403, "invite_link_required");
    }
    kim.login(&link).await.expect_status(200);
    // An address that a token merely names is not written down.
    let elsewhere = sign_in(&rollcall, "kim@elsewhere.example", json!({ "sub": "kim" })).await;
    for body in [json!({}), link] {
        let login = elsewhere.login(&body).await.expect_status(200);
        assert_eq!(login.body["member"]["email"], KIM);
    }
    assert_eq!(rollcall.rows().await, rows);
    owner.remove("acme", KIM).await.expect_status(200);
    kim.login(&json!({}))
        .await
        .expect_problem(403, "access_revoked");
}

#[tokio::test]
async fn an_older_or_late_link_says_so() {
    let (rollcall, owner) = start_with_link().await;
    owner.invite("acme", KIM).await.expect_status(201);
    let first = json!({ "inviteToken": rollcall.newest_token() });
    rollcall.advance(60).await;
    owner.resend("acme", KIM).await.expect_status(200);
    let second = json!({ "inviteToken": rollcall.newest_token() });
    let kim = sign_in(&rollcall, KIM, json!({ "sub": "kim" })).await;
    kim.login(&first)
        .await
        .expect_problem(410, "invite_superseded");
    rollcall.advance(7 * 24 * 3_600).await;
    kim.login(&second)
        .await
        .expect_problem(410, "invite_expired");
}

#[tokio::test]
async fn who_follows_a_second_link_moves() {
    let (rollcall, owner) = start_with_link().await;
    let new = "kim@new.example";
    for email in [KIM, new] {
        owner.invite("acme", email).await.expect_status(201);
        let link = json!({ "inviteToken": rollcall.newest_token() });
        let kim = sign_in(&rollcall, email, json!({ "sub": "kim" })).await;
        let login = kim.login(&link).await.expect_status(200);
        assert_eq!(login.body["member"]["email"], email);
    }
    assert_eq!(owner.list("acme", "").await.emails(), [OWNER, new]);
}

#[tokio::test]
async fn an_owner_is_who_billing_says() {
    let rollcall = start(&[("EmailProof", "link")], json!({})).await;
    for claims in [
        json!({ "sub": "olivia" }),
        json!({ "sub": "olivia", "email_verified": true }),
    ] {
        let owner = sign_in(&rollcall, OWNER, claims).await;
        let refused = owner.login(&json!({ "accountId": "acme" })).await;
        refused.expect_problem(403, "invite_link_required");
        expect_forbidden(&product(&owner, Some("acme")).await);
    }
}
