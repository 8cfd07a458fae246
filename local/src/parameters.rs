//! A deployment's settings on this machine: the endpoints of AWS, and the template's parameters.

use std::collections::HashMap;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use platform::aws::Aws;
use platform::{ConfigError, Environment};

/// The audience of the tokens: the client id of the product's page.
pub(crate) const CLIENT_ID: &str = "rollcall-local";

/// Clients of AWS that reach this machine's services instead.
pub(crate) fn aws(
    dynamodb_url: &str,
    ses_url: &str,
    events_url: &str,
    http_client: Option<SharedHttpClient>,
) -> Result<Aws, ConfigError> {
    let variables = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_url),
        ("AWS_ENDPOINT_URL_SESV2", ses_url),
        ("AWS_ENDPOINT_URL_EVENTBRIDGE", events_url),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let environment = Environment::of(variables.into());
    match http_client {
        Some(http_client) => Aws::with_http_client(&environment, http_client),
        None => Aws::from_environment(&environment),
    }
}

/// The values of the template's parameters. `url` is the product's web app, and `others` replace values.
#[must_use]
pub fn parameters(
    url: &str,
    issuer: &str,
    others: Vec<(&'static str, String)>,
) -> HashMap<&'static str, String> {
    let mut parameters: HashMap<&'static str, String> = [
        ("Stage", "local"),
        ("Issuer", issuer),
        ("Audience", CLIENT_ID),
        ("ClientId", CLIENT_ID),
        ("AppUrl", url),
        ("ProductName", "Rollcall Demo"),
        ("MailFrom", "invites@rollcall.example"),
        ("MailIdentity", "rollcall.example"),
        ("SupportEmail", "support@rollcall.example"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into();
    // The page about this stack stands in for the product.
    parameters.insert("ProductUrl", format!("{url}/dev"));
    parameters.extend(others);
    parameters
}
