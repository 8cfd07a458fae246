//! The whole stack on this machine: DynamoDB, SES, an identity provider, and every function behind
//! the routes and authorizers of `template.yaml`. For development and tests, never deployed.

mod arguments;
mod clock;
mod database;
mod demo;
mod deploy;
mod dev;
mod error;
mod events;
mod functions;
mod gateway;
mod mail_page;
mod oidc;
mod options;
mod parameters;
mod product;
mod servers;
mod ses;
mod sns;
mod stack;
mod template;

pub use arguments::Arguments;
pub use clock::AdjustableClock;
pub use error::StackError;
pub use gateway::Gateway;
pub use oidc::{SigningKey, TokenRequest};
pub use options::{HttpClients, Options};
pub use parameters::parameters;
pub use ses::{Mail, Mailbox, SesFailure, SuppressionList, SuppressionReason};
pub use stack::Stack;
pub use template::{Function, Route, Template, TemplateError};
