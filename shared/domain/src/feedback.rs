//! What the mail system reports about sends, and what a report changes.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::address::EmailAddress;
use crate::delivery::{Delivery, DeliveryStatus};
use crate::id::{AccountId, FeedbackId, MemberId};
use crate::member::Member;

/// One report of the mail system about one send. Its serialised form is the item in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// Every repetition of the report has the same id.
    #[serde(rename = "feedbackId")]
    pub id: FeedbackId,
    /// When the reported event happened.
    pub at: Timestamp,
    pub email: EmailAddress,
    #[serde(flatten)]
    pub send: Send,
    pub kind: FeedbackKind,
    #[serde(rename = "delivery")]
    pub status: DeliveryStatus,
    /// The mail system's own words.
    #[serde(flatten)]
    pub words: Words,
}

/// One mail of an invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    #[serde(rename = "accountId")]
    pub account: AccountId,
    #[serde(rename = "memberId")]
    pub member: MemberId,
    /// Its number among the sends to that person in that account, from 1.
    #[serde(rename = "send")]
    pub number: u32,
}

/// The kinds of reports, as SES names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedbackKind {
    /// SES accepted the mail.
    Send,
    Delay,
    /// The recipient's mail server accepted the mail.
    Delivery,
    /// The mail bounced, or an auto-responder answered it.
    Bounce,
    Complaint,
    /// SES refused to send a mail that it had accepted.
    Reject,
}

/// The mail system's own words, for support to read. They can hold the address.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Words {
    /// SES's type of a bounce, complaint or delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// SES's subtype of a bounce or complaint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sublabel: Option<String>,
    /// The enhanced status code of the recipient's mail server (RFC 3463).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_status: Option<String>,
    /// The answer of the recipient's mail server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnostic: Option<String>,
}

impl Feedback {
    pub const LIFETIME: SignedDuration = SignedDuration::from_hours(90 * 24);
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Record the report, if it is not recorded yet, and write this row, if there is one.
    Commit(Option<Member>),
    /// Nothing is left to do.
    Done,
}

/// Decides what a report changes: the delivery of its send, if that is the newest one of the
/// invite, and nothing else. Mail decides nothing about access.
#[must_use]
pub fn decide(feedback: &Feedback, member: &Member, is_recorded: bool) -> Decision {
    let changed = newest_delivery(member, feedback.send.number).and_then(|delivery| {
        let told = Delivery::reported(feedback.status, feedback.at);
        let merged = delivery.merged_with(&told);
        (merged != *delivery).then(|| member.with_delivery(merged))
    });
    match (changed, is_recorded) {
        (None, true) => Decision::Done,
        (changed, _) => Decision::Commit(changed),
    }
}

/// The delivery of the newest send to a person, if that send has the given number.
fn newest_delivery(member: &Member, number: u32) -> Option<&Delivery> {
    let invite = member.invite().filter(|_| member.last_send == number)?;
    Some(&invite.delivery)
}

/// The earliest and the latest time of a send, relative to its commit, by the clocks of two machines.
const EARLIEST_SEND: SignedDuration = SignedDuration::from_secs(-5);
const LATEST_SEND: SignedDuration = SignedDuration::from_secs(30);

/// How far apart the newest send to a person and a mail that SES accepted at `taken_at` are. None,
/// if they can't be the same mail. For reports that give only a time and an address.
#[must_use]
pub fn time_from_newest_send(member: &Member, taken_at: Timestamp) -> Option<SignedDuration> {
    let apart = taken_at.duration_since(member.invite()?.last_sent_at);
    (EARLIEST_SEND..=LATEST_SEND)
        .contains(&apart)
        .then(|| apart.abs())
}

#[cfg(test)]
mod tests {
    use super::{Decision, Feedback, FeedbackKind, Send, Words, decide};
    use crate::delivery::DeliveryStatus;
    use crate::id::{AccountId, FeedbackId, MemberId};
    use crate::limits::Limits;
    use crate::member::{Active, Invite, Member, Removal, Role, State};
    use crate::token::InviteToken;
    use jiff::{SignedDuration, Timestamp};

    fn now() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    fn member(state: impl Fn(Invite) -> State) -> Member {
        let account: AccountId = "acme".parse().unwrap();
        let email = "kim@example.com".parse().unwrap();
        let id = MemberId::of(&account, &email);
        let token = InviteToken::new(account, id.clone(), [7; 32]).hash();
        let limits = Limits {
            invite_lifetime: SignedDuration::from_hours(1),
            resend_cooldown: SignedDuration::from_secs(60),
            resends_per_day: 5,
            sends_per_hour: 50,
            sends_per_recipient_per_day: 10,
        };
        Member {
            state: state(Invite::new(id.clone(), token, &limits, now())),
            id,
            first_name: "Kim".parse().unwrap(),
            last_name: "Lee".parse().unwrap(),
            email,
            role: Role::Member,
            last_send: 3,
        }
    }

    fn report(number: u32, status: DeliveryStatus) -> Feedback {
        let member = member(State::Invited);
        Feedback {
            id: FeedbackId::of(&["x"]),
            at: now(),
            email: member.email,
            send: Send {
                account: "acme".parse().unwrap(),
                member: member.id,
                number,
            },
            kind: FeedbackKind::Delivery,
            status,
            words: Words::default(),
        }
    }

    fn decided(member: &Member, number: u32) -> Decision {
        decide(&report(number, DeliveryStatus::Delivered), member, false)
    }

    #[test]
    fn a_report_changes_the_delivery_of_its_send_and_nothing_else() {
        let active = |invite| {
            State::Active(Active {
                since: now(),
                binding: None,
                accepted: Some(invite),
            })
        };
        for member in [member(State::Invited), member(active)] {
            let Decision::Commit(Some(changed)) = decided(&member, 3) else {
                panic!()
            };
            let before = member.invite().unwrap().delivery.clone();
            assert_eq!(
                changed.invite().unwrap().delivery.status,
                DeliveryStatus::Delivered
            );
            assert_eq!(changed.with_delivery(before), member);
            for other in [2, 4, 0] {
                assert_eq!(decided(&member, other), Decision::Commit(None));
            }
        }
        let removed = |_| State::Removed(Removal::new(now(), member(State::Invited).id));
        assert_eq!(decided(&member(removed), 3), Decision::Commit(None));
    }

    #[test]
    fn what_is_recorded_and_says_nothing_new_is_done() {
        let member = member(State::Invited);
        let delivered = report(3, DeliveryStatus::Delivered);
        let Decision::Commit(Some(changed)) = decide(&delivered, &member, false) else {
            panic!()
        };
        assert_eq!(decide(&delivered, &changed, true), Decision::Done);
        assert_eq!(decide(&delivered, &changed, false), Decision::Commit(None));
    }
}
