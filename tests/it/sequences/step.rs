//! The steps that sequences and races are made of.

use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

use super::model::{ACCOUNTS, DAY, HOUR, LIFETIME, Model, PEOPLE};

/// Who calls: an identity, with the address that its tokens prove, if they prove one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) subject: usize,
    pub(crate) address: Option<usize>,
}

/// Stands for the recipient of the mail whose link is followed.
const RECIPIENT: usize = usize::MAX;

impl Caller {
    /// The person who has an address at first.
    pub(crate) const fn first(who: usize) -> Self {
        Self::with_address(who, who)
    }

    /// Someone else who got the address later.
    pub(crate) const fn another(who: usize) -> Self {
        Self::with_address(PEOPLE + who, who)
    }

    /// An identity that signs in with this address now.
    pub(crate) const fn with_address(subject: usize, address: usize) -> Self {
        let address = Some(address);
        Self { subject, address }
    }

    /// An identity whose tokens prove no address.
    pub(crate) const fn without_address(subject: usize) -> Self {
        let address = None;
        Self { subject, address }
    }
}

/// Mostly the person who has an address at first.
fn caller(who: impl Strategy<Value = usize> + Clone) -> impl Strategy<Value = Caller> {
    let other = (0..2 * PEOPLE, who.clone());
    prop_oneof![
        17 => who.clone().prop_map(Caller::first),
        1 => who.clone().prop_map(Caller::another),
        2 => other.prop_map(|(subject, address)| Caller::with_address(subject, address)),
        1 => who.prop_map(Caller::without_address),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// The token of a send, by its number over all sends of the sequence.
    Sent(usize),
    /// A secret that was never sent, for a person of an account.
    MadeUp { account: usize, whom: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Report {
    Sent,
    Delivered,
    AutoReplied,
    Bounced,
    Complained,
}

/// What people do in an account, and to whom: a row is called by the number of the address that it
/// was made for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// An address.
    Invite(usize),
    Resend(usize),
    /// The invite of a row goes to another address.
    Correct(usize, usize),
    Remove(usize),
    Rename(usize),
    RenameCompany,
    Close,
    List,
}

/// A message from billing that makes somebody else the owner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handover {
    pub(crate) is_pro: bool,
    /// The new owner's address.
    pub(crate) to: usize,
    /// The new owner's identity, if billing knows it.
    pub(crate) named: Option<usize>,
    /// The former owner is removed.
    pub(crate) removes: bool,
    pub(crate) revision: u64,
}

/// One call, or some time that passes.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Seconds pass.
    Wait(i64),
    Provision {
        account: usize,
        is_pro: bool,
        reopen: bool,
    },
    HandOver {
        account: usize,
        handover: Handover,
    },
    Call {
        account: usize,
        by: Caller,
        act: Act,
    },
    Login {
        by: Caller,
        account: Option<usize>,
        token: Option<Token>,
    },
    Report {
        send: usize,
        report: Report,
    },
    Lift {
        whom: usize,
    },
}

/// Sends are chosen by how long ago they were. No sequence has more.
const MOST_SENDS: usize = 1_000;

/// Any step that anyone can take.
pub(crate) fn single_step() -> impl Strategy<Value = Step> {
    let account = || 0..ACCOUNTS;
    let person = || 0..PEOPLE;
    let act = prop_oneof![
        5 => person().prop_map(Act::Invite),
        4 => person().prop_map(Act::Resend),
        2 => (person(), person()).prop_map(|(row, address)| Act::Correct(row, address)),
        3 => person().prop_map(Act::Remove),
        1 => person().prop_map(Act::Rename),
        1 => Just(Act::RenameCompany),
        1 => Just(Act::Close),
        1 => Just(Act::List),
    ];
    // Mostly the owner, or most calls would be refused.
    let by = account().prop_flat_map(|account| {
        let by = prop_oneof![4 => caller(Just(account)), 1 => caller(0..PEOPLE)];
        (Just(account), by)
    });
    let call = (by, act).prop_map(|((account, by), act)| Step::Call { account, by, act });
    // Mostly a recent send.
    let send = || prop_oneof![4 => 0..2_usize, 1 => 0..MOST_SENDS];
    let made_up = (account(), person()).prop_map(|(account, whom)| Token::MadeUp { account, whom });
    let token = prop_oneof![9 => send().prop_map(Token::Sent), 1 => made_up];
    let named = option::weighted(0.2, 0..2 * PEOPLE);
    let handover = (
        proptest::bool::weighted(0.7),
        person(),
        named,
        any::<bool>(),
        0..40_u64,
    );
    let handover = handover.prop_map(|(is_pro, to, named, removes, revision)| Handover {
        is_pro,
        to,
        named,
        removes,
        revision,
    });
    let report = prop_oneof![
        Just(Report::Sent),
        Just(Report::Delivered),
        Just(Report::AutoReplied),
        Just(Report::Bounced),
        Just(Report::Complained),
    ];
    let wait = prop_oneof![
        4 => Just(60),
        1 => Just(1),
        1 => Just(59),
        1 => Just(HOUR),
        1 => Just(DAY),
        1 => Just(LIFETIME - 1),
        1 => Just(LIFETIME),
    ];
    prop_oneof![
        3 => wait.prop_map(Step::Wait),
        2 => (account(), proptest::bool::weighted(0.7), any::<bool>())
            .prop_map(|(account, is_pro, reopen)| Step::Provision { account, is_pro, reopen }),
        2 => (account(), handover).prop_map(|(account, handover)| Step::HandOver { account, handover }),
        16 => call,
        4 => (caller(person()), option::of(account()), option::weighted(0.5, token))
            .prop_map(|(by, account, token)| Step::Login { by, account, token }),
        // The recipient of a mail mostly follows its link.
        6 => (send(), option::weighted(0.2, 0..2 * PEOPLE)).prop_map(|(send, other)| Step::Login {
            by: Caller::with_address(other.unwrap_or(RECIPIENT), RECIPIENT),
            account: None,
            token: Some(Token::Sent(send)),
        }),
        4 => (send(), report).prop_map(|(send, report)| Step::Report { send, report }),
        1 => person().prop_map(|whom| Step::Lift { whom }),
    ]
}

/// The steps before every sequence: its pro accounts.
pub(super) fn opening() -> impl Iterator<Item = Step> {
    (0..ACCOUNTS).map(|account| Step::Provision {
        account,
        is_pro: true,
        reopen: false,
    })
}

impl Step {
    /// The step with its sends by number. `None` if there was no send yet.
    pub(crate) fn resolved(&self, model: &Model) -> Option<Self> {
        let number = |age: usize| {
            (age < MOST_SENDS).then(|| {
                let sends = model.sends.len();
                sends.checked_sub(1 + age % sends.max(1))
            })?
        };
        let mut step = self.clone();
        match &mut step {
            Self::Report { send, .. } => *send = number(*send)?,
            Self::Login {
                token: Some(Token::Sent(send)),
                by,
                ..
            } => {
                *send = number(*send)?;
                let recipient = model.sends[*send].address;
                if by.subject == RECIPIENT {
                    by.subject = recipient;
                }
                if by.address == Some(RECIPIENT) {
                    by.address = Some(recipient);
                }
            }
            _ => {}
        }
        Some(step)
    }
}
