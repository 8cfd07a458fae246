//! The functions, by the names that `template.yaml` has for them.

use std::pin::Pin;
use std::sync::Arc;

use authorize_login::AuthorizeLogin;
use invite::Invite;
use lambda_http::{Body, Request, Response};
use list::List;
use platform::{ConfigError, Operation, Platform, api};
use remove::Remove;
use resend::Resend;

/// What answers the HTTP events of one function.
pub(crate) type Handler =
    Arc<dyn Fn(Request) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> + Send + Sync>;

/// The handler of the operation with this name. None, if no operation behind the API has it.
pub(crate) fn handler(name: &str, platform: Platform) -> Result<Option<Handler>, ConfigError> {
    Ok(Some(match name {
        AuthorizeLogin::NAME => handler_of::<AuthorizeLogin>(platform)?,
        Invite::NAME => handler_of::<Invite>(platform)?,
        List::NAME => handler_of::<List>(platform)?,
        Remove::NAME => handler_of::<Remove>(platform)?,
        Resend::NAME => handler_of::<Resend>(platform)?,
        _ => return Ok(None),
    }))
}

fn handler_of<O: Operation>(platform: Platform) -> Result<Handler, ConfigError> {
    let operation = Arc::new(O::new(&platform)?);
    let clock = platform.clock;
    Ok(Arc::new(move |request| {
        let (operation, clock) = (Arc::clone(&operation), clock.clone());
        Box::pin(async move { api::serve(&*operation, &clock, request).await })
    }))
}
