//! What became of the newest mail of an invite.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is known about an invite's newest send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What became of it.
    pub status: DeliveryStatus,
    /// When that became known.
    pub at: Timestamp,
}

/// What became of a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// Handed to the mail service, which has not reported about it yet.
    Sending,
    /// The mail service did not take it.
    Failed(SendFailure),
}

/// Why the mail service did not take a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SendFailure {
    /// It found the message itself unacceptable.
    MessageRejected,
    /// The address that invites come from is not, or no longer, verified.
    SenderNotVerified,
    /// Sending is switched off for the whole product.
    SendingPaused,
    /// More was sent than the product's quota allows.
    QuotaExceeded,
    /// The product's mail settings do not fit what is deployed.
    Misconfigured,
    /// It gave no answer, or an error of its own. The mail may have gone out all the same.
    NoAnswer,
}

impl SendFailure {
    /// What happened, in a sentence for the owner of an account.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::MessageRejected => "The mail service refused the message.",
            Self::SenderNotVerified => {
                "The mail service refused the sender's address because it is not verified."
            }
            Self::SendingPaused => "The mail service has paused sending.",
            Self::QuotaExceeded => "The mail service's sending quota is used up.",
            Self::Misconfigured => "The mail service refused the product's mail settings.",
            Self::NoAnswer => "The mail service did not confirm that it took the message.",
        }
    }

    /// What to do about it, in a sentence for the owner of an account.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::MessageRejected
            | Self::SenderNotVerified
            | Self::SendingPaused
            | Self::Misconfigured => "The invite is kept. Contact support, then resend the invite.",
            Self::QuotaExceeded => "The invite is kept. Wait a few minutes, then resend it.",
            Self::NoAnswer => {
                "The invite is kept. Resend it if the mail has not arrived in a few minutes."
            }
        }
    }
}
