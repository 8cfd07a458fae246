//! `SendEmail` (<https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>).

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::address::EmailAddress;
use serde::Deserialize;
use serde_json::json;

use super::endpoint::Endpoint;
use super::errors::{Refusal, SesFailure};
use super::events;
use super::mailbox::Mail;
use crate::sns::message_id;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: String,
    #[serde(default)]
    reply_to_addresses: Vec<String>,
    destination: Destination,
    content: Content,
    #[serde(default)]
    email_tags: Vec<Tag>,
    #[serde(default)]
    configuration_set_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    to_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Simple,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Data,
    body: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    text: Data,
    html: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    name: String,
    value: String,
}

pub(super) async fn send_email(
    State(endpoint): State<Arc<Endpoint>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let is_signed = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value.as_bytes().starts_with(b"AWS4-HMAC-SHA256 "));
    if !is_signed {
        let (status, code) = (StatusCode::FORBIDDEN, "MissingAuthenticationTokenException");
        return Err(Refusal::new(status, code, "Missing Authentication Token"));
    }
    let request: SendEmail =
        serde_json::from_slice(&body).map_err(|error| Refusal::bad_request(error.to_string()))?;
    if let Some(failure) = endpoint.mailbox.next_failure() {
        let to = &request.destination.to_addresses;
        return Err(failure.of_mail(&request.from_email_address, to));
    }
    let mail = accept(request, &endpoint)?;
    let id = mail.id.clone();
    let suppressed = endpoint.suppression_list.get(&mail.to);
    let events = events::about(&mail, suppressed, (endpoint.now)());
    if suppressed.is_none() {
        endpoint.mailbox.keep(mail)?;
    }
    // Unlike SES, this puts the simulator's addresses on the list too, so that you can try it.
    for event in &events {
        endpoint.suppression_list.learn(event, (endpoint.now)())?;
    }
    if let Some(topic) = &endpoint.topic {
        events.into_iter().for_each(|event| topic.publish(event));
    }
    Ok(Json(json!({ "MessageId": id })).into_response())
}

/// Makes the checks that SES makes.
fn accept(request: SendEmail, endpoint: &Endpoint) -> Result<Mail, Refusal> {
    let [to] = request.destination.to_addresses.as_slice() else {
        return Err(Refusal::bad_request(
            "This endpoint takes exactly one recipient.",
        ));
    };
    let is_known = endpoint
        .configuration_sets
        .contains(&request.configuration_set_name);
    if !is_known {
        return Err(SesFailure::NotFound.refusal(format!(
            "Configuration set <{}> does not exist.",
            request.configuration_set_name
        )));
    }
    let senders = std::iter::once(&request.from_email_address).chain(&request.reply_to_addresses);
    if !senders.chain([to]).all(|address| is_address(address)) {
        return Err(Refusal::bad_request("An address is not valid."));
    }
    let is_tag = |text: &String| {
        (1..=256).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    if !request
        .email_tags
        .iter()
        .all(|tag| is_tag(&tag.name) && is_tag(&tag.value))
    {
        return Err(Refusal::bad_request("A tag is not valid."));
    }
    let Simple { subject, body } = request.content.simple;
    if subject.data.contains(char::is_control) {
        return Err(Refusal::bad_request("The subject has control characters."));
    }
    Ok(Mail {
        id: message_id(),
        from: request.from_email_address,
        reply_to: request.reply_to_addresses,
        to: to.clone(),
        subject: subject.data,
        link: invite_link(&body.text.data),
        text: body.text.data,
        html: body.html.data,
        tags: request
            .email_tags
            .into_iter()
            .map(|tag| (tag.name, tag.value))
            .collect(),
        configuration_set: request.configuration_set_name,
        received_at: (endpoint.now)(),
    })
}

/// Accepts an address alone, or in angle brackets after a display name.
fn is_address(text: &str) -> bool {
    let address = match text.split_once('<') {
        Some((_, address)) => address.strip_suffix('>').unwrap_or_default(),
        None => text,
    };
    text.is_ascii() && address.parse::<EmailAddress>().is_ok()
}

fn invite_link(text: &str) -> Option<String> {
    text.split_whitespace()
        .find(|word| word.starts_with("http") && word.contains("#token="))
        .map(str::to_owned)
}
