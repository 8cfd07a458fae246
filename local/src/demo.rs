//! What the stack begins with, made by the functions themselves.

use axum::body::Bytes;
use lambda_http::Response;
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

/// Fills an empty stack. One that has the accounts already stays as it is.
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
        let path = "/login";
        call(
            dev,
            Method::POST,
            path,
            email,
            &json!({ "inviteToken": token }),
        )
        .await?;
    }
    invite(dev, "Nora", "Nobody", "bounce@simulator.amazonses.com").await
}

async fn provision(dev: &Dev, id: &str, company: &str, plan: &str) -> Result<bool, StackError> {
    let payload = json!({
        "accountId": id,
        "company": company,
        "plan": plan,
        "owner": { "firstName": "Olivia", "lastName": "Owner", "email": OWNER },
        // Long ago, so that whatever is tried next is newer.
        "at": "2026-01-01T00:00:00Z",
    });
    match dev.functions.invoke(ProvisionAccount::NAME, payload).await {
        Some(Ok(provisioned)) => Ok(provisioned.get("outcome") == Some(&json!("created"))),
        Some(Err(problem)) => Err(StackError::new("no demo account", problem.detail())),
        None => Err(StackError::new("no demo account", "nothing provisions it")),
    }
}

async fn invite(dev: &Dev, first: &str, last: &str, email: &str) -> Result<(), StackError> {
    let body = json!({ "firstName": first, "lastName": last, "email": email });
    let path = format!("/accounts/{ACCOUNT}/members");
    call(dev, Method::POST, &path, OWNER, &body).await
}

fn newest_invite_token(dev: &Dev) -> Result<String, StackError> {
    let link = dev
        .mailbox
        .list()
        .into_iter()
        .next()
        .and_then(|mail| mail.link);
    link.and_then(|link| Some(link.split_once("#token=")?.1.to_owned()))
        .ok_or_else(|| StackError::new("no demo member", "an invite has no link"))
}

/// Calls the API as somebody.
async fn call(
    dev: &Dev,
    method: Method,
    path: &str,
    email: &str,
    body: &Value,
) -> Result<(), StackError> {
    let failed = |error: &dyn std::fmt::Display| StackError::new("no demo data", error);
    let token = dev
        .provider
        .id_token(&TokenRequest::of(email), None)
        .map_err(|error| failed(&error))?;
    let bearer =
        HeaderValue::from_str(&format!("Bearer {token}")).map_err(|error| failed(&error))?;
    let request = HttpRequest {
        method,
        uri: path.parse::<Uri>().map_err(|error| failed(&error))?,
        headers: HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]),
        body: Bytes::from(body.to_string()),
    };
    let answer: Response<_> = dev.gateway.answer(request).await;
    match answer.status() {
        StatusCode::OK | StatusCode::CREATED => Ok(()),
        status => Err(failed(&format!("{path} answered {status}"))),
    }
}
