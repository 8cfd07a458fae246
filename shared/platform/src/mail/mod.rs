//! Outgoing mail, and the list of addresses that get none.

mod invite;
mod outbox;
mod suppression;

pub use invite::{InviteMail, Mailer};
pub use outbox::{Order, Outbox};
pub use suppression::SuppressionList;
