//! The minimum cost of a function behind the API: it answers 200 and does nothing else.

use std::convert::Infallible;

use lambda_http::{Body, Error, Request, Response, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_http::run(service_fn(async |_: Request| {
        Ok::<_, Infallible>(Response::new(Body::Empty))
    }))
    .await
}
