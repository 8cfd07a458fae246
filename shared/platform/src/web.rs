//! Reading public documents from servers that are not AWS's.

use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use http::Uri;

use crate::aws;
use crate::dependency::{Dependency, Try};

/// A client that gets documents. It uses the SDK's HTTP client, so that a binary has only one.
///
/// It has no timeout: the caller sets one.
#[derive(Debug)]
pub struct Web(SharedHttpClient);

impl Web {
    #[must_use]
    pub fn new() -> Self {
        Self(aws::https_client_with_system_roots())
    }

    /// For servers on this machine: it trusts no certificate.
    #[must_use]
    pub fn without_tls() -> Self {
        Self(aws::https_client(Vec::new()))
    }

    /// The body of a document. Redirections are not followed.
    ///
    /// # Errors
    ///
    /// If there is no answer, or one with another status than 200. The error is a sentence for the
    /// log.
    pub async fn get(&self, url: &Uri) -> Result<Vec<u8>, &'static str> {
        let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
            return Err("not an absolute URL");
        };
        let get = Operation::builder()
            .service_name("web")
            .operation_name("get")
            .http_client(self.0.clone())
            .endpoint_url(&format!("{scheme}://{authority}"))
            .no_auth()
            .no_retry()
            .serializer(|path: String| Ok(HttpRequest::get(path)?))
            .deserializer(body)
            .build();
        let path = url.path_and_query().map_or("/", |path| path.as_str());
        // The issuer is the only such server.
        let this_try = Try::begin(Dependency::Issuer);
        let document = get.invoke(path.to_owned()).await;
        drop(this_try);
        document.map_err(|_| "a server did not return its document")
    }
}

impl Default for Web {
    fn default() -> Self {
        Self::new()
    }
}

fn body(response: &HttpResponse) -> Result<Vec<u8>, OrchestratorError<std::fmt::Error>> {
    match (response.status().as_u16(), response.body().bytes()) {
        (200, Some(body)) => Ok(body.to_vec()),
        _ => Err(OrchestratorError::other("no document")),
    }
}
