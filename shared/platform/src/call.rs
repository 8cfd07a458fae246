//! One call of the API: who calls, when, and with what.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::OnceLock;

use domain::access::Caller;
use domain::id::AccountId;
use domain::request::IdempotencyKey;
use domain::{Invalid, Timestamp};
use http::header::AUTHORIZATION;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};

use crate::fields::Fields;
use crate::problem::{LARGEST_BODY, Problem};
use crate::sign_in::SignIn;

#[derive(Debug)]
pub struct Call {
    pub caller: Caller,
    /// The time of arrival. Everything in the call happens at this time.
    pub now: Timestamp,
    request: Request,
    account: OnceLock<AccountId>,
}

impl Call {
    /// Reads the caller from the claims that API Gateway's JWT authorizer verified, and limits the
    /// body. Claims arrive as strings, even if they were something else in the token ([API
    /// Gateway](https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html)).
    ///
    /// # Errors
    ///
    /// `unauthenticated` if no authorizer vouches for the request, `body_too_large`.
    pub fn new(request: Request, sign_in: &SignIn, now: Timestamp) -> Result<Self, Problem> {
        let claims = claims(&request).ok_or_else(Problem::unauthenticated)?;
        let hint = request.headers().get(MEMBER_ID);
        let hint = hint.and_then(|hint| hint.to_str().ok());
        let caller = sign_in.caller(|name| claims.get(name).map(String::as_str), hint)?;
        if request.body().len() > LARGEST_BODY {
            return Err(Problem::body_too_large());
        }
        Ok(Self {
            caller,
            now,
            request,
            account: OnceLock::new(),
        })
    }

    /// Notes the account that the call concerns, if the path doesn't name it.
    pub fn concerns(&self, account: &AccountId) {
        let _ = self.account.set(account.clone());
    }

    pub(crate) fn account(&self) -> Option<&AccountId> {
        self.account.get()
    }

    /// A claim of the caller's token, as API Gateway passed it on.
    pub(crate) fn claim(&self, name: &str) -> Option<&str> {
        claims(&self.request)?.get(name).map(String::as_str)
    }

    pub(crate) fn authorization(&self) -> Option<&str> {
        self.request.headers().get(AUTHORIZATION)?.to_str().ok()
    }

    /// A parameter of the path.
    ///
    /// # Errors
    ///
    /// `invalid_request` if it is not a `T`.
    pub fn path<T: FromStr<Err = Invalid>>(&self, name: &str) -> Result<T, Problem> {
        let parameters = self.request.path_parameters_ref();
        let text = parameters
            .and_then(|parameters| parameters.first(name))
            .unwrap_or_default();
        text.parse()
            .map_err(|reason| Problem::invalid_field(name, reason))
    }

    /// Whether the route's path has a parameter. An operation with several routes can distinguish
    /// them by it.
    #[must_use]
    pub fn has_path(&self, name: &str) -> bool {
        let parameters = self.request.path_parameters_ref();
        parameters.is_some_and(|parameters| parameters.first(name).is_some())
    }

    #[must_use]
    pub fn query(&self) -> Fields {
        let parameters = self.request.query_string_parameters_ref();
        Fields::of_query(
            parameters
                .into_iter()
                .flat_map(|parameters| parameters.iter()),
        )
    }

    /// The fields of the body.
    ///
    /// # Errors
    ///
    /// `invalid_request` if it is not a JSON object.
    pub fn body(&self) -> Result<Fields, Problem> {
        Fields::of_json(self.request.body())
    }

    /// The key that makes the call repeatable, if the caller sent one.
    ///
    /// # Errors
    ///
    /// `invalid_request` if it is malformed.
    pub fn idempotency_key(&self) -> Result<Option<IdempotencyKey>, Problem> {
        const NAME: &str = "Idempotency-Key";
        let header = self.request.headers().get(NAME);
        header
            .map(|value| value.to_str().unwrap_or_default().parse())
            .transpose()
            .map_err(|reason| Problem::invalid_field(NAME, reason))
    }
}

/// The request's id for API Gateway, the log and the answer.
#[must_use]
pub fn request_id(request: &Request) -> String {
    request_context_id(request)
        .or_else(|| {
            request
                .lambda_context_ref()
                .map(|context| context.request_id.as_str())
        })
        .unwrap_or("unknown")
        .to_owned()
}

fn request_context_id(request: &Request) -> Option<&str> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.as_deref(),
        _ => None,
    }
}

/// The claims that the JWT authorizer verified. None, if the route has no authorizer.
fn claims(request: &Request) -> Option<&HashMap<String, String>> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV2(context) => {
            Some(&context.authorizer.as_ref()?.jwt.as_ref()?.claims)
        }
        _ => None,
    }
}

/// The header by which a client can say which row is the caller's, as the login answered it.
pub const MEMBER_ID: &str = "x-member-id";
