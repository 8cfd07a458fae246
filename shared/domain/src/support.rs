//! Support's view of a person: why they can't get in, and what to do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::account::{Account, AccountStatus, ProPlans};
use crate::bounce::{Bounce, BounceCause};
use crate::delivery::{DeliveryStatus, SendFailure};
use crate::member::{Invite, Member, Role, State};
use crate::name::CompanyName;

/// What the mail service's suppression list says about an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suppression {
    /// The mail service could not be asked.
    Unknown,
    NotListed,
    /// The address is on it, so the mail service sends nothing to it.
    Listed {
        reason: SuppressionReason,
        since: Option<Timestamp>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    /// An e-mail bounced permanently.
    Bounce,
    /// The recipient complained about an e-mail.
    Complaint,
}

#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub account: &'a Account,
    pub member: &'a Member,
    /// What the recipient's mail server said about the newest e-mail, verbatim.
    pub said: Option<&'a str>,
}

/// Why a person can't get in and what to do, in one sentence. If they belong to several accounts, it is
/// about the one with the latest event.
#[must_use]
pub fn verdict(
    cases: &[Case<'_>],
    suppression: &Suppression,
    pro_plans: &ProPlans,
    now: Timestamp,
) -> String {
    let newest = cases.iter().max_by_key(|case| case.last_event_at());
    match newest {
        Some(case) => case.verdict(suppression, pro_plans, now),
        None if matches!(suppression, Suppression::Listed { .. }) => {
            "Nobody has invited this address, and the mail service's suppression list blocks it: \
             check the spelling, lift the block, then ask the account owner to send an invite."
                .to_owned()
        }
        None => {
            "Nobody has invited this address: check the spelling, then ask the account owner to \
             send an invite."
                .to_owned()
        }
    }
}

impl Case<'_> {
    /// When something last happened between the person and the account.
    fn last_event_at(&self) -> Timestamp {
        match &self.member.state {
            State::Invited(invite) => invite.last_sent_at,
            State::Active(active) => active.since,
            State::Removed(removal) => removal.at,
        }
    }

    /// Why the person can't get in to this account and what to do, in one sentence.
    #[must_use]
    pub fn verdict(
        &self,
        suppression: &Suppression,
        pro_plans: &ProPlans,
        now: Timestamp,
    ) -> String {
        let company = &self.account.company;
        match self.account.status {
            AccountStatus::Closed { .. } => {
                return format!(
                    "The account of {company} is closed: nobody can log in to it until it is \
                     reopened."
                );
            }
            AccountStatus::Active => {}
        }
        if let State::Removed(removal) = &self.member.state {
            let at = day(removal.at);
            return format!(
                "The owner of {company} removed this person on {at}: to get back in, they need a \
                 new invite from the owner."
            );
        }
        if self.member.role == Role::Member && !pro_plans.include(&self.account.plan) {
            return format!(
                "The plan of {company} doesn't include multi-user access: ask the owner to upgrade \
                 the account."
            );
        }
        match &self.member.state {
            State::Invited(invite) => self.unaccepted(invite, suppression, now),
            State::Active(active) => match (&active.binding, self.member.role) {
                (None, Role::Owner) => format!(
                    "This person owns the account of {company} and has never logged in: they don't \
                     need an invite, but must sign in with exactly this address."
                ),
                _ => format!(
                    "This person has been in {company} since {since}: if they are refused, they are \
                     signing in with a different address or as a different user of the identity \
                     provider, so ask them to sign in as they did the first time.",
                    since = day(active.since),
                ),
            },
            State::Removed(_) => format!("This person was removed from {company}."),
        }
    }

    /// Why the person has not accepted an invite. The newest e-mail comes first: an entry on the
    /// suppression list is a consequence, and lifting it is advised only if the next e-mail can arrive.
    fn unaccepted(&self, invite: &Invite, suppression: &Suppression, now: Timestamp) -> String {
        let company = &self.account.company;
        let sent = day(invite.last_sent_at);
        let delivery = &invite.delivery;
        let is_under_way = matches!(
            delivery.status,
            DeliveryStatus::Sending | DeliveryStatus::Sent
        );
        if is_under_way && let Suppression::Listed { reason, since } = suppression {
            return listed(company, *reason, *since);
        }
        let (what, to_do) = match delivery.status {
            DeliveryStatus::Sending | DeliveryStatus::Sent | DeliveryStatus::Delivered
                if invite.is_expired(now) =>
            {
                return format!(
                    "The invite to {company} expired on {} before it was used: {}.",
                    day(invite.expires_at),
                    resend("", suppression)
                );
            }
            DeliveryStatus::Sending | DeliveryStatus::Sent => {
                return format!(
                    "The invite to {company} was sent on {sent}, but the recipient's mail server \
                     hasn't confirmed it yet: wait a few minutes, then ask the owner to resend it."
                );
            }
            DeliveryStatus::Delivered => {
                let at = day(delivery.at);
                return format!(
                    "The invite to {company} was delivered on {at}, but its link hasn't been used: \
                     ask the person to check their spam folder, open the link in the latest \
                     e-mail and sign in with exactly this address."
                );
            }
            DeliveryStatus::AutoReplied => {
                return format!(
                    "An auto-responder answered the invite to {company} of {sent}: ask the person \
                     to turn it off, find the e-mail and open its link."
                );
            }
            DeliveryStatus::Failed {
                failure: SendFailure::NoAnswer,
            } => ("may not have been sent", resend(CHECK_MAIL, suppression)),
            DeliveryStatus::Failed { .. } | DeliveryStatus::Rejected => {
                ("wasn't sent", resend(CHECK_MAIL, suppression))
            }
            DeliveryStatus::Delayed { .. } => (
                "is late",
                "the mail service keeps trying, so wait, or ask the owner to invite another \
                 address"
                    .to_owned(),
            ),
            DeliveryStatus::Bounced(Bounce { cause }) => {
                let what = match cause {
                    BounceCause::OnSuppressionList => "wasn't sent",
                    _ => "came back",
                };
                (what, to_do(cause, suppression))
            }
            DeliveryStatus::Complained { .. } => ("is blocked", ASK_FIRST.to_owned()),
        };
        let to_do = if delivery.is_unblocked() {
            format!("support has looked into it, so {}", resend("", suppression))
        } else {
            to_do
        };
        let why = self.why(delivery.status);
        format!("The invite to {company} of {sent} {what}{why}: {to_do}.")
    }

    /// Why an e-mail did not arrive, as the end of a sentence.
    fn why(&self, status: DeliveryStatus) -> String {
        let reason = status.reason().map(clause).unwrap_or_default();
        match status {
            DeliveryStatus::Bounced(Bounce {
                cause: BounceCause::OnSuppressionList,
            }) => " because an earlier e-mail to this address came back".to_owned(),
            DeliveryStatus::Bounced(Bounce {
                cause: BounceCause::Unknown,
            })
            | DeliveryStatus::Delayed {
                cause: BounceCause::Unknown,
            } => {
                let said = self.said.map(|said| format!(" (“{}”)", quoted(said)));
                format!(", and {reason}{}", said.unwrap_or_default())
            }
            _ => format!(" because {reason}"),
        }
    }
}

const CHECK_MAIL: &str = "check with the team that runs the product's mail, ";

const ASK_FIRST: &str = "ask the person whether they want the invite, and if so, lift the block and \
                         ask the owner to resend it";

/// What support does about an e-mail that came back, as a part of a sentence.
#[must_use]
pub fn to_do(cause: BounceCause, suppression: &Suppression) -> String {
    match cause {
        BounceCause::Unknown => format!(
            "{}, and if it comes back again, ask the person for another address",
            resend("", suppression)
        ),
        BounceCause::ServerTrouble | BounceCause::TimedOut => resend("wait a while, ", suppression),
        BounceCause::MailboxFull | BounceCause::MessageTooLarge => resend(
            "ask the person to free up space in their mailbox, ",
            suppression,
        ),
        BounceCause::PolicyRejected | BounceCause::ContentRejected => resend(
            "ask the person's mail administrator to accept our e-mails, ",
            suppression,
        ),
        BounceCause::MailboxDisabled => {
            "ask the person for an address that works, and have the owner resend the invite to \
             that one; if this mailbox works again, lift the block and ask the owner to resend it"
                .to_owned()
        }
        BounceCause::NoMailbox | BounceCause::NoDomain => {
            let list = match suppression {
                Suppression::Listed { .. } => {
                    "; this address is on the suppression list as a consequence, and lifting the \
                     block would only make the next e-mail come back"
                }
                Suppression::NotListed | Suppression::Unknown => "",
            };
            format!(
                "check the spelling with the person, and have the owner resend the invite to the right \
                 address{list}"
            )
        }
        BounceCause::Unsubscribed | BounceCause::Suppressed => {
            "ask the person for another address, and have the owner resend the invite to that one"
                .to_owned()
        }
        BounceCause::OnSuppressionList => {
            "find out why it came back, and once that is fixed, lift the block and ask the owner \
             to resend the invite"
                .to_owned()
        }
    }
}

/// The verdict on an invite to an address on the suppression list, before any report on the invite.
fn listed(company: &CompanyName, reason: SuppressionReason, since: Option<Timestamp>) -> String {
    let (why, to_do) = match reason {
        SuppressionReason::Bounce => (
            "an earlier e-mail came back",
            "find out why, and once that is fixed, lift the block and ask the owner to resend the \
             invite",
        ),
        SuppressionReason::Complaint => {
            ("the person complained about an earlier e-mail", ASK_FIRST)
        }
    };
    let since = since
        .map(|since| format!(" since {}", day(since)))
        .unwrap_or_default();
    format!(
        "The mail service's suppression list has blocked this address{since} because {why}, so \
         invites to {company} don't arrive: {to_do}."
    )
}

/// The last steps before an e-mail can arrive: first fix the cause, then lift the block if there is one.
fn resend(first: &str, suppression: &Suppression) -> String {
    let lift = match suppression {
        Suppression::Listed { .. } => "lift the block, then ",
        Suppression::NotListed | Suppression::Unknown if first.is_empty() => "",
        Suppression::NotListed | Suppression::Unknown => "then ",
    };
    format!("{first}{lift}ask the owner to resend it")
}

/// What a server said, short enough for a sentence.
fn quoted(said: &str) -> String {
    const LONGEST: usize = 200;
    let said = said
        .split_once("; ")
        .map_or(said, |(_, answer)| answer)
        .trim();
    match said.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", said.get(..end).unwrap_or_default()),
        None => said.to_owned(),
    }
}

/// A sentence as part of another one.
fn clause(sentence: &str) -> String {
    let mut characters = sentence.trim_end_matches('.').chars();
    let first = characters.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

fn day(at: Timestamp) -> String {
    at.strftime("%-d %B %Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::{Case, Suppression, SuppressionReason, verdict};
    use crate::account::{Account, AccountStatus, ProPlans, Provisioned};
    use crate::bounce::{Bounce, BounceCause};
    use crate::delivery::{Complaint, Delivery, DeliveryStatus, SendFailure};
    use crate::id::{AccountId, MemberId};
    use crate::identity::{Binding, Identity};
    use crate::limits::Limits;
    use crate::member::{Active, Invite, Member, Removal, Role, State};
    use crate::token::InviteToken;
    use jiff::{SignedDuration, Timestamp};

    fn now() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    fn account() -> Account {
        Account {
            id: "acme".parse().unwrap(),
            company: "Acme".parse().unwrap(),
            provisioned_company: "Acme".parse().unwrap(),
            plan: "pro".parse().unwrap(),
            status: AccountStatus::Active,
            owner: person(State::Removed(removal())).id,
            provisioned: Provisioned {
                at: now(),
                revision: None,
            },
            handed_over: None,
        }
    }

    fn removal() -> Removal {
        let account: AccountId = "acme".parse().unwrap();
        let owner = MemberId::of(&account, &"olivia@example.com".parse().unwrap());
        Removal::new(now(), owner)
    }

    fn person(state: State) -> Member {
        let account: AccountId = "acme".parse().unwrap();
        let email = "kim@example.com".parse().unwrap();
        Member {
            id: MemberId::of(&account, &email),
            first_name: "Kim".parse().unwrap(),
            last_name: "Lee".parse().unwrap(),
            email,
            role: Role::Member,
            state,
            last_send: 1,
        }
    }

    fn invited(status: DeliveryStatus) -> Member {
        let id = person(State::Removed(removal())).id;
        let token = InviteToken::new("acme".parse().unwrap(), id.clone(), [7; 32]).hash();
        let limits = Limits {
            invite_lifetime: SignedDuration::from_hours(24),
            resend_cooldown: SignedDuration::from_secs(60),
            resends_per_day: 5,
            sends_per_hour: 50,
            sends_per_recipient_per_day: 10,
        };
        let invite = Invite::new(id, token, &limits, now());
        let invite = Invite {
            delivery: Delivery::reported(status, now()),
            ..invite
        };
        person(State::Invited(invite))
    }

    fn active(role: Role, identity: Option<&Identity>) -> Member {
        let active = Active {
            since: now(),
            binding: identity.map(Binding::to),
            accepted: None,
        };
        Member {
            role,
            ..person(State::Active(active))
        }
    }

    fn said(account: &Account, member: &Member, suppression: &Suppression) -> String {
        let hours = SignedDuration::from_hours(1);
        said_at(
            account,
            member,
            suppression,
            now().saturating_add(hours).unwrap(),
        )
    }

    fn said_at(
        account: &Account,
        member: &Member,
        suppression: &Suppression,
        at: Timestamp,
    ) -> String {
        let plans: ProPlans = "pro".parse().unwrap();
        let case = Case {
            account,
            member,
            said: Some("smtp; 550 Nope"),
        };
        verdict(&[case], suppression, &plans, at)
    }

    #[test]
    fn every_state_that_a_person_can_be_in_has_its_verdict() {
        let free = Suppression::NotListed;
        let bounced = |cause| invited(DeliveryStatus::Bounced(Bounce { cause }));
        let somebody = Identity {
            issuer: "i".to_owned(),
            subject: "s".to_owned(),
        };
        let closed = Account {
            status: AccountStatus::Closed { at: now() },
            ..account()
        };
        let basic = Account {
            plan: "basic".parse().unwrap(),
            ..account()
        };
        for (account, member, sentence) in [
            (
                account(),
                invited(DeliveryStatus::Sending),
                "The invite to Acme was sent on 24 November 2026, but the recipient's mail server \
                 hasn't confirmed it yet: wait a few minutes, then ask the owner to resend it.",
            ),
            (
                account(),
                invited(DeliveryStatus::Delivered),
                "The invite to Acme was delivered on 24 November 2026, but its link hasn't been used: \
                 ask the person to check their spam folder, open the link in the latest \
                 e-mail and sign in with exactly this address.",
            ),
            (
                account(),
                invited(DeliveryStatus::Failed {
                    failure: SendFailure::SendingPaused,
                }),
                "The invite to Acme of 24 November 2026 wasn't sent because the mail service has \
                 paused sending: check with the team that runs the product's mail, then ask the \
                 owner to resend it.",
            ),
            (
                account(),
                invited(DeliveryStatus::Failed {
                    failure: SendFailure::NoAnswer,
                }),
                "The invite to Acme of 24 November 2026 may not have been sent because the mail \
                 service didn't confirm that it accepted the e-mail: check with the team that \
                 runs the product's mail, then ask the owner to resend it.",
            ),
            (
                account(),
                invited(DeliveryStatus::Delayed {
                    cause: BounceCause::MailboxFull,
                }),
                "The invite to Acme of 24 November 2026 is late because the mailbox is full: the \
                 mail service keeps trying, so wait, or ask the owner to invite another address.",
            ),
            (
                account(),
                invited(DeliveryStatus::AutoReplied),
                "An auto-responder answered the invite to Acme of 24 November 2026: ask the person \
                 to turn it off, find the e-mail and open its link.",
            ),
            (
                account(),
                bounced(BounceCause::NoMailbox),
                "The invite to Acme of 24 November 2026 came back because the recipient's mail \
                 server couldn't find this mailbox: check the spelling with the person, and have \
                 the owner resend the invite to the right address.",
            ),
            (
                account(),
                bounced(BounceCause::MailboxFull),
                "The invite to Acme of 24 November 2026 came back because the mailbox is full: \
                 ask the person to free up space in their mailbox, then ask the owner to resend it.",
            ),
            (
                account(),
                bounced(BounceCause::Unknown),
                "The invite to Acme of 24 November 2026 came back, and the recipient's mail server \
                 gave no clear reason (“550 Nope”): ask the owner to resend it, and if it comes \
                 back again, ask the person for another address.",
            ),
            (
                account(),
                bounced(BounceCause::OnSuppressionList),
                "The invite to Acme of 24 November 2026 wasn't sent because an earlier e-mail to \
                 this address came back: find out why it came back, and once that is fixed, lift \
                 the block and ask the owner to resend the invite.",
            ),
            (
                account(),
                invited(DeliveryStatus::Complained {
                    complaint: Complaint::Abuse,
                }),
                "The invite to Acme of 24 November 2026 is blocked because the recipient marked \
                 the e-mail as spam: ask the person whether they want the invite, and if so, lift \
                 the block and ask the owner to resend it.",
            ),
            (
                account(),
                person(State::Removed(removal())),
                "The owner of Acme removed this person on 24 November 2026: to get back in, they \
                 need a new invite from the owner.",
            ),
            (
                account(),
                active(Role::Member, Some(&somebody)),
                "This person has been in Acme since 24 November 2026: if they are refused, they are \
                 signing in with a different address or as a different user of the identity \
                 provider, so ask them to sign in as they did the first time.",
            ),
            (
                account(),
                active(Role::Owner, None),
                "This person owns the account of Acme and has never logged in: they don't need an \
                 invite, but must sign in with exactly this address.",
            ),
            (
                closed,
                active(Role::Member, Some(&somebody)),
                "The account of Acme is closed: nobody can log in to it until it is reopened.",
            ),
            (
                basic,
                active(Role::Member, Some(&somebody)),
                "The plan of Acme doesn't include multi-user access: ask the owner to upgrade the \
                 account.",
            ),
        ] {
            assert_eq!(said(&account, &member, &free), sentence);
        }
    }

    #[test]
    fn an_expired_invite_and_a_listed_address_have_theirs() {
        let delivered = invited(DeliveryStatus::Delivered);
        let later = "2026-11-25T12:00:00Z".parse().unwrap();
        assert_eq!(
            said_at(&account(), &delivered, &Suppression::Unknown, later),
            "The invite to Acme expired on 25 November 2026 before it was used: ask the owner to \
             resend it."
        );
        let listed = |reason| Suppression::Listed {
            reason,
            since: None,
        };
        assert_eq!(
            said(
                &account(),
                &invited(DeliveryStatus::Sent),
                &listed(SuppressionReason::Complaint)
            ),
            "The mail service's suppression list has blocked this address because the person \
             complained about an earlier e-mail, so invites to Acme don't arrive: ask the person \
             whether they want the invite, and if so, lift the block and ask the owner to resend \
             it."
        );
        let plans: ProPlans = "pro".parse().unwrap();
        for suppression in [Suppression::NotListed, listed(SuppressionReason::Bounce)] {
            let sentence = verdict(&[], &suppression, &plans, now());
            assert!(
                sentence.starts_with("Nobody has invited this address"),
                "{sentence}"
            );
            assert!(sentence.ends_with('.'));
        }
    }

    /// A real hard bounce always puts the address on the list, too.
    #[test]
    fn the_list_is_a_consequence_and_never_the_reason() {
        let listed = Suppression::Listed {
            reason: SuppressionReason::Bounce,
            since: Some(now()),
        };
        for cause in BounceCause::ALL {
            let bounced = invited(DeliveryStatus::Bounced(Bounce { cause }));
            let sentence = said(&account(), &bounced, &listed);
            let reason = super::clause(cause.reason());
            let (reason, _) = reason.split_once(',').unwrap_or((&reason, ""));
            assert!(sentence.contains(reason), "{cause:?}: {sentence}");
            let lifting_helps = match cause {
                BounceCause::NoMailbox | BounceCause::NoDomain => {
                    assert!(sentence.contains("check the spelling"), "{sentence}");
                    assert!(sentence.contains("as a consequence"), "{sentence}");
                    false
                }
                BounceCause::Unsubscribed | BounceCause::Suppressed => false,
                _ => true,
            };
            let advises = sentence.contains("lift the");
            assert_eq!(advises, lifting_helps, "{cause:?}: {sentence}");
        }
        for failure in SendFailure::ALL {
            let failed = invited(DeliveryStatus::Failed { failure });
            let sentence = said(&account(), &failed, &listed);
            let to_do = "product's mail, lift the block, then ask the owner";
            assert!(sentence.contains(to_do), "{sentence}");
        }
    }

    /// The advice only asks the owner for what is allowed, and the verdict never asks support for what
    /// the advice warns of.
    #[test]
    fn what_is_advised_is_allowed() {
        let others = [
            DeliveryStatus::Sending,
            DeliveryStatus::Sent,
            DeliveryStatus::Delivered,
            DeliveryStatus::AutoReplied,
            DeliveryStatus::Rejected,
        ];
        let failures = SendFailure::ALL.map(|failure| DeliveryStatus::Failed { failure });
        let late = BounceCause::ALL.map(|cause| DeliveryStatus::Delayed { cause });
        let bounced = BounceCause::ALL.map(|cause| DeliveryStatus::Bounced(Bounce { cause }));
        let complaints = Complaint::ALL.map(|complaint| DeliveryStatus::Complained { complaint });
        // To another address, an invite can always be resent.
        let to_same_address = |text: &str| {
            let to_another = ["the invite to that one", "the invite to the right address"];
            let corrections = to_another.map(|other| format!("resend {other}"));
            corrections
                .iter()
                .fold(text.to_lowercase(), |text, correction| {
                    text.replace(correction, "")
                })
        };
        let all = others.iter().chain(&failures).chain(&late);
        for status in all.chain(&bounced).chain(&complaints) {
            for suppression in [Suppression::NotListed, Suppression::Unknown] {
                let member = invited(*status);
                let delivery = &member.invite().unwrap().delivery;
                let may_resend = !delivery.is_undeliverable();
                let advice = to_same_address(delivery.advice().unwrap_or_default());
                let verdict = to_same_address(&said(&account(), &member, &suppression));
                if advice.contains("resend") {
                    assert!(may_resend, "{status:?}: {advice}");
                }
                if !may_resend {
                    let is_unblocked_first = verdict.contains("lift the block and ask the owner");
                    let resends = verdict.contains("resend");
                    assert!(!resends || is_unblocked_first, "{status:?}: {verdict}");
                }
                if may_resend && matches!(status, DeliveryStatus::Bounced(_)) {
                    assert!(advice.contains("resend"), "{status:?}: {advice}");
                    assert!(
                        verdict.contains("ask the owner to resend"),
                        "{status:?}: {verdict}"
                    );
                    assert!(!verdict.contains("lift"), "{status:?}: {verdict}");
                }
            }
        }
    }

    #[test]
    fn of_several_accounts_the_one_where_something_happened_last_counts() {
        let plans: ProPlans = "pro".parse().unwrap();
        let (acme, mut other) = (account(), account());
        other.company = "Other".parse().unwrap();
        let earlier: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let removed = person(State::Removed(Removal {
            at: earlier,
            ..removal()
        }));
        let invited = invited(DeliveryStatus::Delivered);
        let seen = [
            Case {
                account: &acme,
                member: &removed,
                said: None,
            },
            Case {
                account: &other,
                member: &invited,
                said: None,
            },
        ];
        let sentence = verdict(&seen, &Suppression::NotListed, &plans, now());
        assert!(
            sentence.starts_with("The invite to Other was delivered"),
            "{sentence}"
        );
    }
}
