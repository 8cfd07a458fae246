//! Everything that touches the outside: HTTP events, the table, mail, configuration, logs, time.
//!
//! An operation of the API implements [`Operation`]; [`api::run`] is its `main`, and an [`Endpoint`]
//! turns one HTTP event into one answer. An operation that other services invoke implements
//! [`Invocation`], and [`invocation`] does the same for it. An operation that needs no sign-in
//! implements [`PublicOperation`], see [`public`].

pub mod answer;
pub mod api;
pub mod aws;
pub mod bus;
pub mod call;
pub mod clock;
pub mod commit;
pub mod config;
mod dependency;
pub mod fields;
pub mod invocation;
pub mod mail;
pub mod metrics;
pub mod problem;
pub mod public;
pub mod random;
mod response;
pub mod sign_in;
pub mod store;
pub mod support;
pub mod telemetry;
pub mod web;

pub use answer::Answer;
pub use api::{Endpoint, Operation};
pub use call::Call;
pub use clock::Clock;
pub use config::{ConfigError, Environment};
pub use invocation::Invocation;
pub use problem::Problem;
pub use public::PublicOperation;

#[derive(Clone, Debug)]
pub struct Platform {
    pub environment: Environment,
    pub aws: aws::Aws,
    pub clock: Clock,
}

impl Platform {
    /// The platform of a deployed function, with the system's clock.
    ///
    /// # Errors
    ///
    /// Names the variable that is missing or wrong.
    pub fn deployed(environment: Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            aws: aws::Aws::from_environment(&environment)?,
            environment,
            clock: Clock::system(),
        })
    }
}
