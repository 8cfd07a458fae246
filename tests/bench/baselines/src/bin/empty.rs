//! The least that a function behind the API costs: it answers 200 and does nothing.

use std::convert::Infallible;

use lambda_http::{Body, Error, Request, Response, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_http::run(service_fn(async |_: Request| {
        Ok::<_, Infallible>(Response::new(Body::Empty))
    }))
    .await
}
