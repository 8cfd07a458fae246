//! Starting everything, in the order in which the parts need each other.

use std::sync::Arc;

use platform::Problem;
use platform::aws::Aws;
use serde_json::Value;

use crate::clock::AdjustableClock;
use crate::deploy::deploy;
use crate::dev::{self, Dev};
use crate::error::StackError;
use crate::events::{self, EventLog, Stream};
use crate::gateway::Gateway;
use crate::oidc::{Authorizer, Provider, SigningKey};
use crate::options::Options;
use crate::parameters::{CLIENT_ID, aws, parameters};
use crate::servers::{Servers, listen, serve};
use crate::ses::{self, Mailbox, SuppressionList};
use crate::sns::Topic;
use crate::template::{Route, Template};
use crate::{database, demo};

/// The running stack. It stops when it is dropped.
pub struct Stack {
    url: String,
    dynamodb_url: String,
    ses_url: String,
    events_url: String,
    own_aws: Aws,
    dev: Arc<Dev>,
    servers: Servers,
}

impl Stack {
    /// Starts everything and waits until it answers.
    ///
    /// # Errors
    ///
    /// If a port is taken, the data folder can't be used, or `template.yaml` is wrong.
    pub async fn start(options: Options) -> Result<Self, StackError> {
        let template = Template::of_this_repository()?;
        let clock = options
            .clock_stands_at
            .map_or_else(AdjustableClock::running, AdjustableClock::standing_at);
        let data = options.data.as_deref();
        if let Some(folder) = data {
            std::fs::create_dir_all(folder)
                .map_err(|error| StackError::new("the data folder cannot be created", error))?;
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

        let mailbox = Mailbox::open(data)
            .map_err(|error| StackError::new("the mail file cannot be used", error))?;
        let sets = template.resources("AWS::SES::ConfigurationSet");
        let sets = sets.map(|(name, _)| name.to_owned()).collect();
        let suppression_list = SuppressionList::open(data).map_err(|error| {
            StackError::new("the suppression list's file cannot be used", error)
        })?;
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
        .map_err(|error| StackError::new("the key that signs tokens cannot be used", error))?;
        let issuer = format!("{url}/dev/oidc");
        let parameters = parameters(&url, &issuer, options.parameters);
        let authorizer = Authorizer::new(issuer.clone(), vec![CLIENT_ID.to_owned()], &signing_key);
        let provider = Arc::new(Provider::new(issuer, CLIENT_ID.to_owned(), signing_key));

        let (functions, routes) = deploy(&template, &parameters, functions_aws, &clock)?;
        let gateway = Gateway::new(routes, authorizer, clock.clone());
        let functions = Arc::new(functions);
        let now = clock.clone();
        servers.add(|stopped| {
            subscription.deliver(Arc::clone(&functions), move || now.now(), stopped)
        });
        let dev = Arc::new(Dev {
            mailbox,
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
            dev,
            servers,
        })
    }

    /// The URL of the API and of `/dev`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    #[must_use]
    pub fn dynamodb_url(&self) -> &str {
        &self.dynamodb_url
    }

    #[must_use]
    pub fn ses_url(&self) -> &str {
        &self.ses_url
    }

    #[must_use]
    pub fn events_url(&self) -> &str {
        &self.events_url
    }

    /// The banner for the person who started the stack.
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

    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.dev.mailbox
    }

    #[must_use]
    pub fn suppression_list(&self) -> &SuppressionList {
        &self.dev.suppression_list
    }

    /// Waits until `mail-feedback` has handled everything that SES published.
    pub async fn mail_feedback_settled(&self) {
        self.dev.topic.settled().await;
    }

    /// A client for the embedded DynamoDB.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.own_aws.dynamodb()
    }

    /// Invokes a function with an event, as `sam local invoke` does. A function behind the API answers
    /// with `statusCode` and `body`. None, if no function has this name.
    pub async fn invoke(&self, operation: &str, event: Value) -> Option<Result<Value, Problem>> {
        self.dev.functions.invoke(operation, event).await
    }

    /// Lets calls in progress finish, then stops everything.
    pub async fn stop(self) {
        self.servers.stop().await;
    }
}
