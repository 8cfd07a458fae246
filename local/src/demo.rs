//! The demo accounts that the stack starts with. The functions themselves create them.

use std::fmt::Display;

use axum::body::Bytes;
use lambda_http::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use platform::Invocation;
use provision_account::ProvisionAccount;
use serde_json::{Value, json};

use crate::dev::Dev;
use crate::error::StackError;
use crate::gateway::HttpRequest;
use crate::oidc::TokenRequest;

/// A pro account with members and an invite that bounces.
pub(crate) const ACCOUNT: &str = "demo";
/// The owner of both accounts.
pub(crate) const OWNER: &str = "olivia@example.com";
/// An account without multi-user access.
pub(crate) const BASIC_ACCOUNT: &str = "demo-basic";

/// Fills an empty stack. Changes nothing if the accounts exist.
pub(crate) async fn fill(dev: &Dev) -> Result<(), StackError> {
    if !provision(dev, ACCOUNT, "Demo Company", "pro").await? {
        return Ok(());
    }
    provision(dev, BASIC_ACCOUNT, "Demo Basic Company", "basic").await?;
    for (first_name, last_name, email) in [
        ("Maria", "Member", "maria@example.com"),
        ("Max", "Member", "max@example.com"),
    ] {
        invite(dev, first_name, last_name, email).await?;
        let token = newest_invite_token(dev)?;
        call(dev, "/login", email, &json!({ "inviteToken": token })).await?;
    }
    invite(dev, "Nora", "Nobody", "bounce@simulator.amazonses.com").await
}

async fn provision(dev: &Dev, id: &str, company: &str, plan: &str) -> Result<bool, StackError> {
    let payload = json!({
        "accountId": id,
        "company": company,
        "plan": plan,
        "owner": { "firstName": "Olivia", "lastName": "Owner", "email": OWNER },
        // Long ago, so that everything you try next is newer.
        "at": "2026-01-01T00:00:00Z",
    });
    match dev.functions.invoke(ProvisionAccount::NAME, payload).await {
        Some(Ok(provisioned)) => Ok(provisioned.get("outcome") == Some(&json!("created"))),
        Some(Err(problem)) => Err(failed(problem.detail())),
        None => Err(failed("no function provisions accounts")),
    }
}

async fn invite(dev: &Dev, first: &str, last: &str, email: &str) -> Result<(), StackError> {
    let body = json!({ "firstName": first, "lastName": last, "email": email });
    let path = format!("/accounts/{ACCOUNT}/members");
    call(dev, &path, OWNER, &body).await
}

fn newest_invite_token(dev: &Dev) -> Result<String, StackError> {
    let link = dev.mailbox.newest().and_then(|mail| mail.link);
    link.and_then(|link| Some(link.split_once("#token=")?.1.to_owned()))
        .ok_or_else(|| failed("an invite has no link"))
}

fn failed(why: impl Display) -> StackError {
    StackError::new("the demo accounts cannot be created", why)
}

/// Posts to the API as the person with this address.
async fn call(dev: &Dev, path: &str, email: &str, body: &Value) -> Result<(), StackError> {
    let person = TokenRequest::of(email);
    let token = dev.provider.id_token(&person, None).map_err(failed)?;
    let bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(failed)?;
    let request = HttpRequest {
        method: Method::POST,
        uri: path.parse::<Uri>().map_err(failed)?,
        headers: HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]),
        body: Bytes::from(body.to_string()),
    };
    match dev.gateway.answer(request).await.status() {
        StatusCode::OK | StatusCode::CREATED => Ok(()),
        status => Err(failed(format!("{path} answered {status}"))),
    }
}
