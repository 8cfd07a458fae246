//! How to start the stack.

use std::path::PathBuf;

use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use jiff::Timestamp;

use crate::arguments::Arguments;
use crate::oidc::SigningKey;

/// Makes the HTTP client through which a function, told by its operation's name, reaches AWS.
pub type HttpClients = Box<dyn Fn(&str) -> SharedHttpClient + Send + Sync>;

/// How to start the stack.
#[derive(Default)]
pub struct Options {
    /// Port of the API and of `/dev`. 0 chooses a free one.
    pub port: u16,
    /// Port of the embedded DynamoDB. 0 chooses a free one.
    pub dynamodb_port: u16,
    /// The folder that keeps data between runs. Without one, nothing is kept.
    pub data: Option<PathBuf>,
    /// Whether to begin with the demo accounts.
    pub demo: bool,
    /// Whether SES publishes feedback about the mail that it accepts.
    pub mail_feedback: bool,
    /// Signs ID tokens. Without one, a new one is made, which takes a moment.
    pub signing_key: Option<SigningKey>,
    /// See every request that the functions make to AWS. For tests.
    pub http_clients: Option<HttpClients>,
    /// How requests to AWS wait for time-outs, and between tries. For tests.
    pub sleep: Option<SharedAsyncSleep>,
    /// Where the clock stands until it is moved. Without it, it runs. For tests.
    pub clock_stands_at: Option<Timestamp>,
    /// Parameters of the template that differ from what the stack chooses, by name. For tests.
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
