//! What is known about the newest e-mail of an invite.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bounce::{Bounce, BounceCause, Permanence};
use crate::reason::reasons;
use crate::text::Invalid;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    #[serde(flatten)]
    pub status: DeliveryStatus,
    pub at: Timestamp,
    /// When support lifted the block on the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_at: Option<Timestamp>,
}

/// The state that the feedback on a send adds up to.
///
/// A later variant outweighs an earlier one, because reports come in any order and an e-mail that was
/// delivered can still bounce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// The mail service has not reported on it yet.
    Sending,
    /// The mail service did not accept it.
    Failed { failure: SendFailure },
    /// The mail service accepted it and is trying to deliver it.
    Sent,
    /// It is late, and the mail service keeps trying.
    Delayed { cause: BounceCause },
    /// The recipient's mail server accepted it.
    Delivered,
    /// An auto-responder answered it.
    AutoReplied,
    /// The mail service accepted it, checked it and refused to send it.
    Rejected,
    /// It came back.
    Bounced(Bounce),
    /// The recipient, or their mail provider, reported it as spam or worse.
    Complained { complaint: Complaint },
}

reasons! {
    /// What a complaint says about an e-mail.
    pub enum Complaint {
        Other = "The recipient complained about the e-mail.",
        AuthFailure = "The recipient's mail provider couldn't verify the sender of the e-mail.",
        Virus = "The recipient's mail provider reported a virus in the e-mail.",
        Fraud = "The recipient reported the e-mail as fraud.",
        Abuse = "The recipient marked the e-mail as spam.",
        OnSuppressionList = "The recipient complained about an earlier e-mail, so this one wasn't sent.",
    }
}

reasons! {
    /// Why the mail service did not accept an e-mail.
    pub enum SendFailure {
        /// It timed out or failed. The e-mail may have been sent.
        NoAnswer = "The mail service didn't confirm that it accepted the e-mail.",
        MessageRejected = "The mail service rejected the e-mail.",
        SenderNotVerified = "The sender's address isn't verified with the mail service.",
        /// SES's sandbox.
        RecipientNotVerified = "The mail service is still in test mode and only sends to verified addresses.",
        SendingPaused = "The mail service has paused sending.",
        QuotaExceeded = "The mail service's sending quota is used up.",
        /// It refused the request itself: a permission, a credential or a setting is wrong.
        Misconfigured = "The mail service doesn't accept the product's mail settings.",
    }
}

/// The name of each status in the API.
macro_rules! names {
    ($first:ident = $first_name:literal, $($variant:ident = $name:literal,)+) => {
        impl DeliveryStatus {
            pub const NAMES: [&str; [$first_name, $($name),+].len()] = [$first_name, $($name),+];

            /// Why a text is not one of [`Self::NAMES`].
            pub const NOT_A_NAME: Invalid =
                Invalid(concat!("must be one of ", $first_name, $(", ", $name),+));

            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    Self::$first { .. } => $first_name,
                    $(Self::$variant { .. } => $name,)+
                }
            }
        }
    };
}

names! {
    Sending = "sending",
    Sent = "sent",
    Delayed = "delayed",
    Delivered = "delivered",
    AutoReplied = "auto_replied",
    Bounced = "bounced",
    Complained = "complained",
    Rejected = "rejected",
    Failed = "failed",
}

impl Delivery {
    #[must_use]
    pub fn of_new_send(now: Timestamp) -> Self {
        Self::reported(DeliveryStatus::Sending, now)
    }

    #[must_use]
    pub fn reported(status: DeliveryStatus, at: Timestamp) -> Self {
        Self {
            status,
            at,
            lifted_at: None,
        }
    }

    /// What two reports on the same send add up to: the one that outweighs the other.
    ///
    /// It is a maximum, so the order of the reports and repetitions make no difference.
    #[must_use]
    pub fn merged_with(&self, other: &Self) -> Self {
        let weight = |delivery: &Self| (delivery.status.weight(), delivery.at, delivery.status);
        let heavier = if weight(other) > weight(self) {
            other
        } else {
            self
        };
        Self {
            lifted_at: self.lifted_at.max(other.lifted_at),
            ..heavier.clone()
        }
    }

    /// Whether support must look into it before the invite is sent again: no mail reaches the address,
    /// or the recipient complained.
    #[must_use]
    pub fn is_undeliverable(&self) -> bool {
        self.lifted_at.is_none() && self.status.is_undeliverable()
    }

    /// Support has lifted the block on the address.
    pub(crate) fn is_unblocked(&self) -> bool {
        self.lifted_at.is_some() && self.status.is_undeliverable()
    }

    /// The delivery after support lifted the block on the address.
    #[must_use]
    pub fn lifted(&self, now: Timestamp) -> Self {
        Self {
            lifted_at: Some(self.lifted_at.unwrap_or(now)),
            ..self.clone()
        }
    }

    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        if self.is_unblocked() {
            Some("Support has looked into it: resend the invite.")
        } else {
            self.status.advice()
        }
    }
}

impl DeliveryStatus {
    fn weight(&self) -> u8 {
        match self {
            Self::Sending => 0,
            Self::Failed { .. } => 1,
            Self::Sent => 2,
            Self::Delayed { .. } => 3,
            Self::Delivered => 4,
            Self::AutoReplied => 5,
            Self::Rejected => 6,
            Self::Bounced(bounce) => match bounce.cause.permanence() {
                Permanence::Transient => 7,
                Permanence::Permanent => 8,
            },
            Self::Complained { .. } => 9,
        }
    }

    fn is_undeliverable(&self) -> bool {
        match self {
            Self::Bounced(bounce) => bounce.cause.permanence() == Permanence::Permanent,
            Self::Complained { .. } => true,
            Self::Sending
            | Self::Failed { .. }
            | Self::Sent
            | Self::Delayed { .. }
            | Self::Delivered
            | Self::AutoReplied
            | Self::Rejected => false,
        }
    }

    /// What happened, in a sentence, unless the status says it.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Sending | Self::Sent | Self::Delivered => None,
            Self::Failed { failure } => Some(failure.reason()),
            Self::Delayed { cause } => Some(cause.reason()),
            Self::AutoReplied => Some("An automatic reply came back."),
            Self::Rejected => Some("The mail service refused to send the e-mail."),
            Self::Bounced(bounce) => Some(bounce.cause.reason()),
            Self::Complained { complaint } => Some(complaint.reason()),
        }
    }

    /// What to do about it, in a sentence for the owner of an account, if there is something to do.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Sending | Self::Sent => None,
            Self::Delivered => Some("If they can't find it, ask them to check their spam folder."),
            Self::Failed { failure } => Some(failure.advice()),
            Self::Delayed { .. } => Some("Wait: the mail service keeps trying."),
            Self::AutoReplied => Some(
                "Addresses used to sign in must not have an auto-responder: ask the person to \
                 turn it off.",
            ),
            Self::Rejected => Some("Contact support."),
            Self::Bounced(bounce) => Some(bounce.cause.advice()),
            Self::Complained { .. } => {
                Some("Ask the person whether they want the invite, then contact support.")
            }
        }
    }
}

impl BounceCause {
    /// It suggests a resend only where [`Delivery::is_undeliverable`] allows one.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Unknown => {
                "Resend the invite later. If it comes back again, ask the person for another \
                 address."
            }
            Self::ServerTrouble | Self::TimedOut => "Wait a while, then resend the invite.",
            Self::MailboxFull | Self::MessageTooLarge => {
                "Ask the person to free up space in their mailbox, then resend the invite."
            }
            Self::PolicyRejected | Self::ContentRejected => {
                "Ask the person's mail administrator to accept our e-mails, then resend the invite."
            }
            Self::MailboxDisabled => {
                "Ask the person for an address that works, and resend the invite to that one."
            }
            Self::NoMailbox => "The mailbox does not exist: check the spelling of the address.",
            Self::NoDomain => {
                "The domain doesn't exist or doesn't accept mail: check the spelling of the address."
            }
            Self::Unsubscribed | Self::Suppressed => {
                "Ask the person for another address, and resend the invite to that one."
            }
            Self::OnSuppressionList => "Contact support.",
        }
    }
}

impl SendFailure {
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::MessageRejected | Self::SendingPaused => {
                "The invite is saved. Contact support, and resend it once they have fixed the problem."
            }
            Self::SenderNotVerified | Self::RecipientNotVerified | Self::Misconfigured => {
                "The invite is saved. Contact support: resending won't help until the product's \
                 mail settings are corrected."
            }
            Self::QuotaExceeded => "The invite is saved. Wait a few minutes, then resend it.",
            Self::NoAnswer => {
                "The invite is saved. Resend it if the e-mail hasn't arrived in a few minutes."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Complaint, Delivery, DeliveryStatus, SendFailure};
    use crate::bounce::{Bounce, BounceCause, Permanence};
    use jiff::Timestamp;
    use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
    use proptest::sample::select;

    fn causes() -> impl Strategy<Value = BounceCause> {
        select(BounceCause::ALL.to_vec())
    }

    fn statuses() -> impl Strategy<Value = DeliveryStatus> {
        prop_oneof![
            Just(DeliveryStatus::Sending),
            Just(DeliveryStatus::Failed {
                failure: SendFailure::NoAnswer
            }),
            Just(DeliveryStatus::Sent),
            causes().prop_map(|cause| DeliveryStatus::Delayed { cause }),
            Just(DeliveryStatus::Delivered),
            Just(DeliveryStatus::AutoReplied),
            Just(DeliveryStatus::Rejected),
            causes().prop_map(|cause| DeliveryStatus::Bounced(Bounce { cause })),
            select(vec![Complaint::Abuse, Complaint::Other])
                .prop_map(|complaint| DeliveryStatus::Complained { complaint }),
        ]
    }

    fn deliveries() -> impl Strategy<Value = Delivery> {
        (statuses(), 0_i64..4, proptest::option::of(0_i64..4)).prop_map(
            |(status, at, lifted_at)| {
                let time = |second| Timestamp::from_second(second).unwrap();
                Delivery {
                    status,
                    at: time(at),
                    lifted_at: lifted_at.map(time),
                }
            },
        )
    }

    fn sum<'a>(deliveries: impl Iterator<Item = &'a Delivery>) -> Option<Delivery> {
        deliveries
            .cloned()
            .reduce(|sum, next| sum.merged_with(&next))
    }

    proptest! {
        #[test]
        fn any_order_and_any_repetition_add_up_to_the_same(
            told in proptest::collection::vec(deliveries(), 1..12),
            order in proptest::collection::vec(0_usize..12, 0..24),
        ) {
            let repeated = order.iter().filter_map(|index| told.get(*index));
            let shuffled = repeated.chain(told.iter().rev());
            assert_eq!(sum(shuffled), sum(told.iter()));
        }

        #[test]
        fn reports_can_be_merged_in_any_grouping(a in deliveries(), b in deliveries(), c in deliveries()) {
            assert_eq!(a.merged_with(&b).merged_with(&c), a.merged_with(&b.merged_with(&c)));
            assert_eq!(a.merged_with(&b), b.merged_with(&a));
            assert_eq!(a.merged_with(&a), a);
        }

        #[test]
        fn only_what_is_final_stops_resends(delivery in deliveries()) {
            let is_final = match delivery.status {
                DeliveryStatus::Bounced(bounce) => bounce.cause.permanence() == Permanence::Permanent,
                DeliveryStatus::Complained { .. } => true,
                _ => false,
            };
            assert_eq!(delivery.is_undeliverable(), is_final && delivery.lifted_at.is_none());
            assert!(!delivery.lifted(delivery.at).is_undeliverable());
        }

        #[test]
        fn every_status_has_a_name_and_speaks_in_sentences(delivery in deliveries()) {
            assert!(DeliveryStatus::NAMES.contains(&delivery.status.name()));
            let stored = serde_json::to_value(delivery.status).unwrap();
            assert_eq!(stored["status"], delivery.status.name());
            for sentence in [delivery.status.reason(), delivery.advice()].into_iter().flatten() {
                assert!(sentence.ends_with('.') && sentence.starts_with(char::is_uppercase));
            }
        }
    }

    #[test]
    fn what_went_wrong_outweighs_what_went_well() {
        let at = "2026-11-24T12:00:00Z".parse().unwrap();
        let later = "2026-11-24T13:00:00Z".parse().unwrap();
        let bounce = |cause| DeliveryStatus::Bounced(Bounce { cause });
        let in_order = [
            DeliveryStatus::Sending,
            DeliveryStatus::Failed {
                failure: SendFailure::NoAnswer,
            },
            DeliveryStatus::Sent,
            DeliveryStatus::Delayed {
                cause: BounceCause::Unknown,
            },
            DeliveryStatus::Delivered,
            DeliveryStatus::AutoReplied,
            DeliveryStatus::Rejected,
            bounce(BounceCause::PolicyRejected),
            bounce(BounceCause::MailboxDisabled),
            DeliveryStatus::Complained {
                complaint: Complaint::Other,
            },
        ];
        for pair in in_order.windows(2) {
            let (light, heavy) = (pair[0], pair[1]);
            let merged =
                Delivery::reported(heavy, at).merged_with(&Delivery::reported(light, later));
            assert_eq!(merged.status, heavy);
        }
        let again = Delivery::reported(DeliveryStatus::Delivered, later);
        let merged = again.merged_with(&Delivery::reported(DeliveryStatus::Delivered, at));
        assert_eq!(merged.at, later);
    }
}
