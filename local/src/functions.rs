//! The functions that `template.yaml` deploys, by the names of their operations.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use authorize_login::AuthorizeLogin;
use authorize_request::AuthorizeRequest;
use close_account::CloseAccount;
use invite::Invite;
use lambda_http::{Body, Request, Response};
use lift_suppression::LiftSuppression;
use list::List;
use mail_feedback::MailFeedback;
use members_page::MembersPage;
use platform::{
    ConfigError, Endpoint, Invocation, Operation, Platform, Problem, PublicOperation, invocation,
    public,
};
use provision_account::ProvisionAccount;
use publish_changes::PublishChanges;
use remove::Remove;
use resend::Resend;
use serde_json::Value;
use support_feedback::SupportFeedback;
use update_details::UpdateDetails;

type Answering<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Answers the HTTP events of one function.
pub(crate) type ApiHandler = Arc<dyn Fn(Request) -> Answering<Response<Body>> + Send + Sync>;

/// Takes the events of one function that has no route.
type EventHandler = Arc<dyn Fn(Value) -> Answering<Result<Value, Problem>> + Send + Sync>;

#[derive(Clone)]
enum Handler {
    Api(ApiHandler),
    Event(EventHandler),
}

/// The handlers, by the names of the operations.
#[derive(Default)]
pub(crate) struct Functions(BTreeMap<String, Handler>);

impl Functions {
    /// False, if no operation has this name.
    pub(crate) fn add(&mut self, name: &str, platform: Platform) -> Result<bool, ConfigError> {
        let handler = match name {
            AuthorizeLogin::NAME => api_handler::<AuthorizeLogin>(platform)?,
            AuthorizeRequest::NAME => event_handler::<AuthorizeRequest>(platform)?,
            CloseAccount::NAME => api_handler::<CloseAccount>(platform)?,
            Invite::NAME => api_handler::<Invite>(platform)?,
            LiftSuppression::NAME => api_handler::<LiftSuppression>(platform)?,
            List::NAME => api_handler::<List>(platform)?,
            MailFeedback::NAME => event_handler::<MailFeedback>(platform)?,
            MembersPage::NAME => public_handler::<MembersPage>(&platform)?,
            ProvisionAccount::NAME => event_handler::<ProvisionAccount>(platform)?,
            PublishChanges::NAME => event_handler::<PublishChanges>(platform)?,
            Remove::NAME => api_handler::<Remove>(platform)?,
            Resend::NAME => api_handler::<Resend>(platform)?,
            SupportFeedback::NAME => api_handler::<SupportFeedback>(platform)?,
            UpdateDetails::NAME => api_handler::<UpdateDetails>(platform)?,
            _ => return Ok(false),
        };
        self.0.insert(name.to_owned(), handler);
        Ok(true)
    }

    /// None, if the function is not behind the API.
    pub(crate) fn api(&self, name: &str) -> Option<&ApiHandler> {
        match self.0.get(name)? {
            Handler::Api(handler) => Some(handler),
            Handler::Event(_) => None,
        }
    }

    /// Invokes a function directly with an event. None, if no function has this name, or if the
    /// function is behind the API and the event is not from API Gateway.
    pub(crate) async fn invoke(&self, name: &str, event: Value) -> Option<Result<Value, Problem>> {
        match self.0.get(name)? {
            Handler::Event(handler) => Some(handler(event).await),
            Handler::Api(handler) => {
                let request = lambda_http::request::from_str(&event.to_string()).ok()?;
                let (parts, body) = handler(request).await.into_parts();
                let headers = parts.headers.iter().map(|(name, value)| {
                    (
                        name.to_string(),
                        Value::from(value.to_str().unwrap_or_default()),
                    )
                });
                Some(Ok(serde_json::json!({
                    "statusCode": parts.status.as_u16(),
                    "headers": headers.collect::<serde_json::Map<_, _>>(),
                    "body": String::from_utf8_lossy(&body),
                })))
            }
        }
    }
}

fn api_handler<O: Operation>(platform: Platform) -> Result<Handler, ConfigError> {
    let endpoint: Arc<Endpoint<O>> = Arc::new(Endpoint::new(platform)?);
    Ok(Handler::Api(Arc::new(move |request| {
        let endpoint = Arc::clone(&endpoint);
        Box::pin(async move { endpoint.serve(request).await })
    })))
}

fn public_handler<O: PublicOperation>(platform: &Platform) -> Result<Handler, ConfigError> {
    let operation = Arc::new(O::new(&platform.environment)?);
    Ok(Handler::Api(Arc::new(move |request| {
        let operation = Arc::clone(&operation);
        Box::pin(async move { public::serve(&*operation, &request) })
    })))
}

fn event_handler<O: Invocation>(platform: Platform) -> Result<Handler, ConfigError> {
    let operation = Arc::new(O::new(&platform)?);
    let clock = platform.clock;
    Ok(Handler::Event(Arc::new(move |event| {
        let (operation, now) = (Arc::clone(&operation), clock.now());
        Box::pin(async move {
            let outcome = invocation::serve(&*operation, "local", event, now).await?;
            serde_json::to_value(outcome).map_err(Problem::internal)
        })
    })))
}
