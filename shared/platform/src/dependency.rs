//! How long a call waits for the services that it depends on, and in how many tries.
//!
//! Every request is measured where it leaves for the network. The sums per call go to the log's
//! line about the call and to the metrics, so that you can see why a call was slow.

use std::cell::RefCell;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dependency {
    DynamoDb,
    Ses,
    EventBridge,
    /// The issuer of the ID tokens.
    Issuer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Wait {
    tries: u32,
    time: Duration,
}

impl Wait {
    /// The number of requests, including repeated ones.
    pub(crate) fn tries(self) -> u32 {
        self.tries
    }

    /// Milliseconds to a tenth. Requests made side by side are added up.
    pub(crate) fn milliseconds(self) -> f64 {
        (self.time.as_secs_f64() * 10_000.0).round() / 10.0
    }
}

/// A call's waits, by service. Zero, if it made no request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Waits {
    pub(crate) dynamodb: Option<Wait>,
    pub(crate) ses: Option<Wait>,
    pub(crate) eventbridge: Option<Wait>,
    pub(crate) issuer: Option<Wait>,
}

impl Waits {
    fn of(&mut self, dependency: Dependency) -> &mut Option<Wait> {
        match dependency {
            Dependency::DynamoDb => &mut self.dynamodb,
            Dependency::Ses => &mut self.ses,
            Dependency::EventBridge => &mut self.eventbridge,
            Dependency::Issuer => &mut self.issuer,
        }
    }
}

tokio::task_local! {
    /// The waits of the current call. Calls that run side by side in one process, as in the local
    /// stack, have one each.
    static WAITS: RefCell<Waits>;
}

/// Carries out a call and measures its waits.
pub(crate) async fn measured<T>(call: impl Future<Output = T>) -> (T, Waits) {
    let waits = RefCell::new(Waits::default());
    let measured = async {
        let outcome = call.await;
        (outcome, WAITS.with(|waits| *waits.borrow()))
    };
    WAITS.scope(waits, measured).await
}

/// One try of a request, from now until this is dropped. Abandoned tries count, too.
pub(crate) struct Try {
    dependency: Dependency,
    begun: Instant,
}

impl Try {
    pub(crate) fn begin(dependency: Dependency) -> Self {
        Self {
            dependency,
            begun: Instant::now(),
        }
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        // Without a call, nothing is counted: a function is getting ready.
        let _ = WAITS.try_with(|waits| {
            let mut waits = waits.borrow_mut();
            let wait = waits.of(self.dependency).get_or_insert_default();
            wait.tries += 1;
            wait.time += self.begun.elapsed();
        });
    }
}

/// An HTTP client that measures each request to one service.
pub(crate) fn measured_client(
    client: SharedHttpClient,
    dependency: Dependency,
) -> SharedHttpClient {
    SharedHttpClient::new(Measured { client, dependency })
}

#[derive(Debug)]
struct Measured<T> {
    client: T,
    dependency: Dependency,
}

impl HttpClient for Measured<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Measured {
            client: self.client.http_connector(settings, components),
            dependency: self.dependency,
        })
    }
}

impl HttpConnector for Measured<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this_try = Try::begin(self.dependency);
        let answer = self.client.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            drop(this_try);
            answer
        })
    }
}
