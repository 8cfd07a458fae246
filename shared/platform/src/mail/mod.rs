//! Mail out.

mod invite;
mod outbox;

pub use invite::{InviteMail, Mailer};
pub use outbox::CommittedInvite;
