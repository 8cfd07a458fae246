//! Allowing an invite to be resent after its e-mail bounced permanently or led to a complaint.

use jiff::Timestamp;

use crate::member::Member;

/// The row to write so that the owner can resend; nothing, if they already can.
#[must_use]
pub fn decide(member: &Member, now: Timestamp) -> Option<Member> {
    let delivery = &member.invite()?.delivery;
    delivery
        .is_undeliverable()
        .then(|| member.with_delivery(delivery.lifted(now)))
}
