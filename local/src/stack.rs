//! Starting everything, in the order in which the parts need each other.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use axum::Router;
use jiff::Timestamp;
use platform::aws::Aws;
use platform::{ConfigError, Environment, Platform, Problem};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::arguments::Arguments;
use crate::clock::AdjustableClock;
use crate::dev::{self, Dev};
use crate::error::StackError;
use crate::events::{self, EventLog, Stream};
use crate::functions::Functions;
use crate::gateway::Gateway;
use crate::oidc::{Authorizer, Provider, SigningKey};
use crate::ses::{self, Mailbox, SuppressionList};
use crate::sns::Topic;
use crate::template::{Route, Template};
use crate::{database, demo};

/// Makes the HTTP client through which a function, told by its operation's name, reaches AWS.
pub type HttpClients = Box<dyn Fn(&str) -> SharedHttpClient + Send + Sync>;

/// How to start the stack.
#[derive(Default)]
pub struct Options {
    /// Port of the API and of `/dev`. 0 chooses a free one.
    pub port: u16,
    /// Port of the embedded DynamoDB. 0 chooses a free one.
    pub dynamodb_port: u16,
    /// Where data are kept between runs. Without it, nothing is.
    pub data: Option<PathBuf>,
    /// Whether to begin with the demo accounts.
    pub demo: bool,
    /// Whether SES publishes what becomes of the mail that it takes.
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

/// The running stack. It stops when it is dropped.
pub struct Stack {
    url: String,
    dynamodb_url: String,
    ses_url: String,
    events_url: String,
    own_aws: Aws,
    mailbox: Mailbox,
    dev: Arc<Dev>,
    servers: Servers,
}

/// The audience of the tokens, which is the client id of the product's page.
const CLIENT_ID: &str = "rollcall-local";

impl Stack {
    /// Starts everything and waits until it answers.
    ///
    /// # Errors
    ///
    /// A port that is taken, a folder that cannot be used, a template that does not fit.
    pub async fn start(options: Options) -> Result<Self, StackError> {
        let template = Template::of_this_repository()?;
        let clock = options
            .clock_stands_at
            .map_or_else(AdjustableClock::running, AdjustableClock::standing_at);
        let data = options.data.as_deref();
        if let Some(folder) = data {
            std::fs::create_dir_all(folder)
                .map_err(|error| StackError::new("the data folder cannot be made", error))?;
        }
        let mut servers = Servers::default();
        let (api_listener, url) = listen(options.port, "--port").await?;
        let (ses_listener, ses_url) = listen(0, "SES").await?;
        let (dynamodb_listener, dynamodb_url) =
            listen(options.dynamodb_port, "--dynamodb-port").await?;

        let (events_listener, events_url) = listen(0, "EventBridge").await?;

        let aws = |http_client| {
            let aws = aws(&dynamodb_url, &ses_url, &events_url, http_client)?;
            Ok::<_, StackError>(match &options.sleep {
                Some(sleep) => aws.with_sleep(sleep.clone()),
                None => aws,
            })
        };
        let own_aws = aws(None)?;
        let functions_aws = |operation: &str| match &options.http_clients {
            Some(http_client_of) => aws(Some(http_client_of(operation))),
            None => Ok(own_aws.clone()),
        };
        let database = database::open(data, clock.clone())?;
        let stream = Stream::new(database.clone());
        servers.add(|stopped| database::serve(dynamodb_listener, database, stopped));
        database::create_table(&own_aws.dynamodb(), &template).await?;

        let mailbox = Mailbox::open(options.data.clone())
            .map_err(|error| StackError::new("mail cannot be kept", error))?;
        let sets = template.resources("AWS::SES::ConfigurationSet");
        let sets = sets.map(|(name, _)| name.to_owned()).collect();
        let suppression_list = SuppressionList::open(data)
            .map_err(|error| StackError::new("the suppression list cannot be kept", error))?;
        let (topic, subscription) = Topic::new();
        let now = clock.clone();
        let ses = ses::router(ses::Endpoint {
            mailbox: mailbox.clone(),
            suppression_list: suppression_list.clone(),
            configuration_sets: sets,
            now: Arc::new(move || now.now()),
            topic: options.mail_feedback.then(|| topic.clone()),
        });
        servers.add(|stopped| serve(ses_listener, ses, stopped));
        let event_log = EventLog::default();
        let bus = events::router(event_log.clone());
        servers.add(|stopped| serve(events_listener, bus, stopped));

        let signing_key = match (options.signing_key, data) {
            (Some(key), _) => Ok(key),
            (None, Some(folder)) => SigningKey::load_or_generate(&folder.join("signing-key.pem")),
            (None, None) => SigningKey::generate(),
        }
        .map_err(|error| StackError::new("there is no key to sign tokens with", error))?;
        let issuer = format!("{url}/dev/oidc");
        let parameters = parameters(&url, &issuer, options.parameters);
        let authorizer = Authorizer::new(issuer.clone(), vec![CLIENT_ID.to_owned()], &signing_key);
        let provider = Arc::new(Provider::new(issuer, CLIENT_ID.to_owned(), signing_key));

        let mut functions = Functions::default();
        let mut routes = Vec::new();
        for function in template.functions()? {
            let name = &function.operation;
            let environment = template.environment(&function.logical_id, &parameters)?;
            let platform = Platform {
                environment: Environment::of(environment),
                aws: functions_aws(name)?,
                clock: clock.to_clock(),
            };
            if !functions.add(name, platform)? {
                let what = "template.yaml has an unknown operation";
                return Err(StackError::new(what, name));
            }
            for route in function.routes {
                let handler = functions.api(name).ok_or_else(|| {
                    StackError::new(
                        "template.yaml has a route to an operation without API",
                        name,
                    )
                })?;
                routes.push((route, Arc::clone(handler)));
            }
        }

        let gateway = Gateway::new(routes, authorizer, clock.clone());
        let functions = Arc::new(functions);
        let now = clock.clone();
        servers.add(|stopped| {
            subscription.deliver(Arc::clone(&functions), move || now.now(), stopped)
        });
        let dev = Arc::new(Dev {
            mailbox: mailbox.clone(),
            suppression_list,
            topic,
            clock: clock.clone(),
            provider,
            functions,
            gateway,
            stream,
            event_log,
        });
        let api = dev::router(Arc::clone(&dev));
        servers.add(|stopped| serve(api_listener, api, stopped));
        if options.demo {
            demo::fill(&dev).await?;
            dev.topic.settled().await;
        }
        Ok(Self {
            url,
            dynamodb_url,
            ses_url,
            events_url,
            own_aws,
            mailbox,
            dev,
            servers,
        })
    }

    /// Where the API and `/dev` are.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the embedded DynamoDB is.
    #[must_use]
    pub fn dynamodb_url(&self) -> &str {
        &self.dynamodb_url
    }

    /// Where SES is.
    #[must_use]
    pub fn ses_url(&self) -> &str {
        &self.ses_url
    }

    /// Where EventBridge is.
    #[must_use]
    pub fn events_url(&self) -> &str {
        &self.events_url
    }

    /// What to open, for the person who started the stack.
    #[must_use]
    pub fn what_to_open(&self) -> String {
        format!(
            "\n\
             Open {url}/dev for a tour.\n\
             \n\
             Members    {url}\n\
             API        {url}\n\
             Mail       {url}/dev/mail\n\
             Sign-in    {url}/dev/oidc/.well-known/openid-configuration\n\
             DynamoDB   {dynamodb}\n\
             SES        {ses}\n\
             Events     {events}\n\
             \n\
             Account \"{demo}\" (pro) belongs to {owner}; \"{basic}\" has a basic plan.\n\
             Ctrl-C stops it.",
            url = self.url,
            dynamodb = self.dynamodb_url,
            ses = self.ses_url,
            events = self.events_url,
            demo = demo::ACCOUNT,
            basic = demo::BASIC_ACCOUNT,
            owner = demo::OWNER,
        )
    }

    /// The routes that lead to functions.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.dev.gateway.routes()
    }

    /// The mail that was sent.
    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The addresses that SES does not send to.
    #[must_use]
    pub fn suppression_list(&self) -> &SuppressionList {
        &self.dev.suppression_list
    }

    /// Waits until `mail-feedback` has taken all that SES has published.
    pub async fn mail_feedback_settled(&self) {
        self.dev.topic.settled().await;
    }

    /// A client for the embedded DynamoDB, to look at the table.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.own_aws.dynamodb()
    }

    /// Invokes a function with an event, as `sam local invoke` does: an answer with `statusCode` and
    /// `body` for a function behind the API. None, if there is no such function.
    pub async fn invoke(&self, operation: &str, event: Value) -> Option<Result<Value, Problem>> {
        self.dev.functions.invoke(operation, event).await
    }

    /// Ends everything, letting calls under way finish.
    pub async fn stop(self) {
        self.servers.stop().await;
    }
}

/// The servers' tasks, each with the means to stop it.
#[derive(Default)]
struct Servers(Vec<(oneshot::Sender<()>, JoinHandle<()>)>);

impl Servers {
    fn add(&mut self, serve: impl FnOnce(oneshot::Receiver<()>) -> JoinHandle<()>) {
        let (stop, stopped) = oneshot::channel();
        self.0.push((stop, serve(stopped)));
    }

    /// Stops the servers in the reverse order: what others need goes last.
    async fn stop(self) {
        for (stop, task) in self.0.into_iter().rev() {
            drop(stop);
            let _ = task.await;
        }
    }
}

fn serve(listener: TcpListener, router: Router, stopped: oneshot::Receiver<()>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let stopped = async move {
            let _ = stopped.await;
        };
        let _ = axum::serve(listener, router)
            .with_graceful_shutdown(stopped)
            .await;
    })
}

async fn listen(port: u16, option: &str) -> Result<(TcpListener, String), StackError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| {
            let what = format!("port {port} cannot be used (choose another one with {option})");
            StackError::new(&what, error)
        })?;
    let address = listener
        .local_addr()
        .map_err(|error| StackError::new("a port cannot be used", error))?;
    Ok((listener, format!("http://{address}")))
}

/// What the functions need to know to find this machine's services in place of AWS.
fn aws(
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

/// What a deployment would choose for the template's parameters, with the product's web app at
/// this URL.
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
    parameters.extend(others);
    parameters
}
