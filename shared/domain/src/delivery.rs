//! What became of the newest mail of an invite, as far as anybody has told.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bounce::{Bounce, BounceCause, Permanence};

/// What is known about an invite's newest send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// What became of it.
    #[serde(flatten)]
    pub status: DeliveryStatus,
    /// When that happened.
    pub at: Timestamp,
    /// When support lifted what keeps the invite from being sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_at: Option<Timestamp>,
}

/// What became of a send.
///
/// What is told later in the list outweighs what stands before it, whatever came first: a mail can
/// be delivered and bounce later, and reports come in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Handed to the mail service, which has not reported about it yet.
    Sending,
    /// The mail service did not take it.
    Failed {
        /// Why.
        failure: SendFailure,
    },
    /// The mail service took it and is trying to deliver it.
    Sent,
    /// It is late, and still tried.
    Delayed {
        /// Why.
        cause: BounceCause,
    },
    /// The recipient's mail server took it.
    Delivered,
    /// An auto-responder answered it.
    AutoReplied,
    /// The mail service took it and then found that it must not be sent.
    Rejected,
    /// It came back.
    Bounced(Bounce),
    /// The recipient, or the recipient's mail provider, called it spam or worse.
    Complained {
        /// What it was called.
        complaint: Complaint,
    },
}

/// What a mail was called by those who complained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Complaint {
    /// Nothing that is known.
    Other,
    /// Not from whom it says.
    AuthFailure,
    /// Holding something harmful.
    Virus,
    /// Fraud or phishing.
    Fraud,
    /// Unwanted.
    Abuse,
    /// Nothing now: an earlier complaint put the address on the suppression list.
    OnSuppressionList,
}

/// Why the mail service did not take a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SendFailure {
    /// It gave no answer, or reported an error of its own. The mail may have gone out all the same.
    NoAnswer,
    /// It found the message itself unacceptable.
    MessageRejected,
    /// The address that invites come from is not, or no longer, verified.
    SenderNotVerified,
    /// It sends to verified addresses only, as it does until it is told that it may send to all.
    RecipientNotVerified,
    /// Sending is switched off for the whole product.
    SendingPaused,
    /// More was sent than the product's quota allows.
    QuotaExceeded,
    /// It refused the request itself: a permission, a credential or a setting does not fit what is
    /// deployed.
    Misconfigured,
}

impl Delivery {
    /// What is known about a mail that is about to be sent.
    #[must_use]
    pub fn of_new_send(now: Timestamp) -> Self {
        Self::reported(DeliveryStatus::Sending, now)
    }

    /// What one report alone says.
    #[must_use]
    pub fn reported(status: DeliveryStatus, at: Timestamp) -> Self {
        Self {
            status,
            at,
            lifted_at: None,
        }
    }

    /// What two reports about the same send add up to: the one that outweighs the other.
    ///
    /// It is a maximum, so that neither the order of reports nor repeating them changes anything.
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

    /// Whether sending the invite again makes no sense until support has looked into it: nothing
    /// arrives at the address, or somebody complained.
    #[must_use]
    pub fn is_undeliverable(&self) -> bool {
        self.lifted_at.is_none() && self.status.is_undeliverable()
    }

    /// The same, once support has lifted what keeps the invite from being sent again.
    #[must_use]
    pub fn lifted(&self, now: Timestamp) -> Self {
        Self {
            lifted_at: Some(self.lifted_at.unwrap_or(now)),
            ..self.clone()
        }
    }

    /// What to do about it, in a sentence for the owner of an account.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        match self.lifted_at {
            Some(_) if self.status.is_undeliverable() => {
                Some("Support has looked into it: resend the invite.")
            }
            _ => self.status.advice(),
        }
    }
}

impl DeliveryStatus {
    /// The names of all statuses in the API.
    pub const NAMES: [&str; 9] = [
        "sending",
        "sent",
        "delayed",
        "delivered",
        "auto_replied",
        "bounced",
        "complained",
        "rejected",
        "failed",
    ];

    /// The name of the status in the API, one of [`Self::NAMES`].
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Failed { .. } => "failed",
            Self::Sent => "sent",
            Self::Delayed { .. } => "delayed",
            Self::Delivered => "delivered",
            Self::AutoReplied => "auto_replied",
            Self::Rejected => "rejected",
            Self::Bounced(_) => "bounced",
            Self::Complained { .. } => "complained",
        }
    }

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

    /// What happened, in a sentence, if the status alone does not say it.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Sending | Self::Sent | Self::Delivered => None,
            Self::Failed { failure } => Some(failure.reason()),
            Self::Delayed { cause } => Some(cause.reason()),
            Self::AutoReplied => Some("An automatic reply came back."),
            Self::Rejected => Some("The mail service found the mail unfit to send."),
            Self::Bounced(bounce) => Some(bounce.cause.reason()),
            Self::Complained { complaint } => Some(complaint.reason()),
        }
    }

    /// What to do about it, in a sentence for the owner of an account, if there is something to do.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Sending | Self::Sent => None,
            Self::Delivered => {
                Some("If the person does not find it, have them look among the spam.")
            }
            Self::Failed { failure } => Some(failure.advice()),
            Self::Delayed { .. } => Some("Wait: the mail service goes on trying."),
            Self::AutoReplied => Some(
                "Addresses used to sign in must not have an auto-responder: ask the person to \
                 switch it off.",
            ),
            Self::Rejected => Some("Contact support."),
            Self::Bounced(bounce) => Some(bounce.cause.advice()),
            Self::Complained { .. } => {
                Some("Ask the person whether they want the invite, then contact support.")
            }
        }
    }
}

impl Complaint {
    /// Every kind of complaint.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 6] = [
        Self::Other,
        Self::AuthFailure,
        Self::Virus,
        Self::Fraud,
        Self::Abuse,
        Self::OnSuppressionList,
    ];

    /// What happened, in a sentence.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Other => "The recipient complained about the mail.",
            Self::AuthFailure => "The recipient's mail provider doubts where the mail is from.",
            Self::Virus => "The recipient's mail provider reported a virus.",
            Self::Fraud => "The recipient reported the mail as fraud.",
            Self::Abuse => "The recipient marked the mail as spam.",
            Self::OnSuppressionList => {
                "The recipient complained about an earlier mail, so that this one was not sent."
            }
        }
    }
}

impl BounceCause {
    /// What happened, in a sentence.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unknown => "The recipient's mail server gave no reason that is understood.",
            Self::ServerTrouble => "The recipient's mail server cannot be reached, or has trouble.",
            Self::TimedOut => "The recipient's mail server did not take the mail in time.",
            Self::MailboxFull => "The mailbox is full.",
            Self::MessageTooLarge => "The mailbox does not take a mail of this size.",
            Self::ContentRejected => "The recipient's mail server refused the mail's content.",
            Self::PolicyRejected => "The recipient's mail server does not accept our mail.",
            Self::MailboxDisabled => "The mailbox is switched off.",
            Self::NoMailbox => "The recipient's mail server knows no such mailbox.",
            Self::NoDomain => "The domain of the address takes no mail.",
            Self::Unsubscribed => "The recipient unsubscribed from our mail.",
            Self::Suppressed => "The mail service holds the address for undeliverable.",
            Self::OnSuppressionList => {
                "An earlier mail to this address came back, so that this one was not sent."
            }
        }
    }

    /// What to do about it, in a sentence for the owner of an account. It asks for a resend only
    /// where [`Delivery::is_undeliverable`] allows one.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Unknown => {
                "Resend the invite later. If it comes back again, ask the person for another \
                 address."
            }
            Self::ServerTrouble | Self::TimedOut => "Wait a while, then resend the invite.",
            Self::MailboxFull | Self::MessageTooLarge => {
                "Ask the person to make room in the mailbox, then resend the invite."
            }
            Self::PolicyRejected | Self::ContentRejected => {
                "Ask the person's mail administrator to accept our mail, then resend the invite."
            }
            Self::MailboxDisabled => {
                "Ask the person for an address that is in use, and invite that one."
            }
            Self::NoMailbox => "The mailbox does not exist: check the spelling of the address.",
            Self::NoDomain => {
                "The domain does not exist or takes no mail: check the spelling of the address."
            }
            Self::Unsubscribed | Self::Suppressed => {
                "Ask the person for another address, and invite that one."
            }
            Self::OnSuppressionList => "Contact support.",
        }
    }
}

impl SendFailure {
    /// Every reason.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 7] = [
        Self::NoAnswer,
        Self::MessageRejected,
        Self::SenderNotVerified,
        Self::RecipientNotVerified,
        Self::SendingPaused,
        Self::QuotaExceeded,
        Self::Misconfigured,
    ];

    /// What happened, in a sentence for the owner of an account.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::MessageRejected => "The mail service refused the message.",
            Self::SenderNotVerified => {
                "The mail service refused the sender's address because it is not verified."
            }
            Self::RecipientNotVerified => {
                "The mail service is still in its sandbox, where it sends to verified addresses only."
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
            Self::MessageRejected | Self::SendingPaused => {
                "The invite is kept. Contact support, then resend the invite."
            }
            Self::SenderNotVerified | Self::RecipientNotVerified | Self::Misconfigured => {
                "The invite is kept. Contact support: resending does not help until the product's \
                 mail settings are corrected."
            }
            Self::QuotaExceeded => "The invite is kept. Wait a few minutes, then resend it.",
            Self::NoAnswer => {
                "The invite is kept. Resend it if the mail has not arrived in a few minutes."
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
        fn what_is_told_first_can_wait(a in deliveries(), b in deliveries(), c in deliveries()) {
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
