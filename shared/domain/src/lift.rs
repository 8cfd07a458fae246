//! Letting an invite be sent again after its mail bounced for good, or met a complaint.

use jiff::Timestamp;

use crate::member::Member;

/// The row to write so that the owner can resend; nothing, if nothing keeps the owner from it.
#[must_use]
pub fn decide(member: &Member, now: Timestamp) -> Option<Member> {
    let delivery = &member.invite()?.delivery;
    delivery
        .is_undeliverable()
        .then(|| member.with_delivery(delivery.lifted(now)))
}
