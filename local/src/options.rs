//! How to start the stack.

use std::path::PathBuf;

use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use jiff::Timestamp;

use crate::arguments::Arguments;
use crate::oidc::SigningKey;

/// Makes the HTTP client with which a function reaches AWS. The argument is the operation's name.
pub type HttpClients = Box<dyn Fn(&str) -> SharedHttpClient + Send + Sync>;

#[derive(Default)]
pub struct Options {
    /// Port of the API and of `/dev`. 0 chooses a free one.
    pub port: u16,
    /// Port of the embedded DynamoDB. 0 chooses a free one.
    pub dynamodb_port: u16,
    /// The folder that keeps data between runs. Without one, nothing is kept.
    pub data: Option<PathBuf>,
    /// Start with the demo accounts.
    pub demo: bool,
    /// Let SES publish feedback about the mail that it accepts.
    pub mail_feedback: bool,
    /// Signs ID tokens. Without one, the stack generates a new key, which takes a moment.
    pub signing_key: Option<SigningKey>,
    /// They see every request from the functions to AWS. For tests.
    pub http_clients: Option<HttpClients>,
    /// How requests to AWS wait for timeouts, and between tries. For tests.
    pub sleep: Option<SharedAsyncSleep>,
    /// The clock stands still at this time until it is moved. Without a time, it runs. For tests.
    pub clock_stands_at: Option<Timestamp>,
    /// Parameters of the template, by name, in place of the stack's own values. For tests.
    pub parameters: Vec<(&'static str, String)>,
}

impl From<Arguments> for Options {
    fn from(arguments: Arguments) -> Self {
        Self {
            port: arguments.port,
            dynamodb_port: arguments.dynamodb_port,
            data: arguments.data,
            demo: true,
            mail_feedback: true,
            ..Self::default()
        }
    }
}
