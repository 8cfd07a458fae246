//! The most important promises, checked against the answers alone: the model plays no part.

use std::collections::BTreeMap;

use super::model::{LIFETIME, SentTo};
use super::step::{Act, Caller, Step, Token};

#[derive(Default)]
pub(super) struct History {
    sends: Vec<Sent>,
    /// The identity that each row of an account was bound to.
    inside: BTreeMap<(usize, usize), usize>,
    pro: BTreeMap<usize, bool>,
    /// The owner of each account that was handed over. Person 0 owns account 0 before, and so on.
    owners: BTreeMap<usize, Owner>,
    /// Former owners who never logged in: their address still leads to them.
    unbound: Vec<(usize, Owner)>,
}

/// An owner's row, and the address that leads there before the first login.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) row: usize,
    pub(super) address: usize,
}

struct Sent {
    to: SentTo,
    at: i64,
    /// Used, superseded or withdrawn.
    is_spent: bool,
}

impl History {
    /// Takes down a step. `sends` are all mails so far.
    pub(super) fn note(&mut self, step: &Step, status: u16, now: i64, sends: &[SentTo]) {
        if !matches!(status, 200 | 201) {
            return;
        }
        match *step {
            Step::Provision {
                account, is_pro, ..
            } => {
                self.note_plan(account, is_pro);
            }
            Step::Call { account, by, act } => self.note_call(account, by, act, now, sends),
            Step::Login { by, account, token } => self.note_login(by, account, token, now),
            Step::HandOver { .. } | Step::Wait(_) | Step::Report { .. } | Step::Lift { .. } => {}
        }
    }

    pub(super) fn note_plan(&mut self, account: usize, is_pro: bool) {
        self.pro.insert(account, is_pro);
    }

    /// Takes down what the table says after a handover: who is the owner, by which identity, and whether
    /// the former one is still in.
    pub(super) fn note_handover(
        &mut self,
        account: usize,
        owner: Owner,
        bound: Option<usize>,
        is_removed: impl Fn(usize) -> bool,
    ) {
        let former = self.owner(account);
        if former.row != owner.row {
            if is_removed(former.row) {
                self.inside.remove(&(account, former.row));
            } else if !self.inside.contains_key(&(account, former.row)) {
                self.unbound.push((account, former));
            }
        }
        match bound {
            Some(bound) => drop(self.inside.insert((account, owner.row), bound)),
            None => drop(self.inside.remove(&(account, owner.row))),
        }
        self.spend(account, owner.row);
        self.unbound.retain(|unbound| *unbound != (account, owner));
        self.owners.insert(account, owner);
    }

    pub(super) fn owner(&self, account: usize) -> Owner {
        let first = Owner {
            row: account,
            address: account,
        };
        self.owners.get(&account).copied().unwrap_or(first)
    }

    fn note_login(&mut self, by: Caller, account: Option<usize>, token: Option<Token>, now: i64) {
        let used = match token {
            Some(Token::Sent(send)) => Some(send),
            Some(Token::MadeUp { .. }) | None => None,
        };
        let named = match token {
            Some(Token::MadeUp { account, .. }) => Some(account),
            Some(Token::Sent(send)) => Some(self.sends[send].to.account),
            None => account,
        };
        let Some(account) = named else { return };
        let row = self.row_of(account, by);
        if row.is_none() && self.is_owner(account, by) {
            let owner = self.owner(account).row;
            self.inside.insert((account, owner), by.subject);
            return;
        }
        let is_callers = |(within, former): &(usize, Owner)| {
            *within == account && by.address == Some(former.address)
        };
        if row.is_none()
            && let Some(former) = self.unbound.iter().position(is_callers)
        {
            let (_, former) = self.unbound.remove(former);
            self.inside.insert((account, former.row), by.subject);
            return;
        }
        // The owner stays the owner, whatever link is followed.
        if row == Some(self.owner(account).row) {
            return;
        }
        let works = used.map_or(Err("in without an invite"), |used| {
            let Sent { to, at, is_spent } = &self.sends[used];
            match () {
                () if by.address != Some(to.address) => Err("another address got in"),
                () if *is_spent => Err("a token worked twice, or after a newer one"),
                () if now >= at + LIFETIME => Err("a token worked after its time"),
                () if !self.pro[&account] => Err("not pro, and an invite was accepted"),
                () => Ok(used),
            }
        });
        match (works, row) {
            (Ok(used), _) => {
                let to = self.sends[used].to;
                self.sends[used].is_spent = true;
                if let Some(left) = row {
                    self.inside.remove(&(account, left));
                }
                self.inside.insert((account, to.row), by.subject);
            }
            (Err(_), Some(_)) => {}
            (Err(why), None) => panic!("{why}"),
        }
    }

    fn note_call(&mut self, account: usize, by: Caller, act: Act, now: i64, sends: &[SentTo]) {
        match act {
            Act::Invite(_) | Act::Resend(_) | Act::Correct(..) => {
                assert!(self.pro[&account], "not pro, and a mail was sent");
                assert!(
                    self.is_owner(account, by),
                    "someone other than the owner invited"
                );
                let to = sends[self.sends.len()];
                self.spend(account, to.row);
                if let Act::Correct(mistaken, _) = act {
                    self.spend(account, mistaken);
                }
                self.sends.push(Sent {
                    to,
                    at: now,
                    is_spent: false,
                });
            }
            Act::Remove(row) => {
                assert_ne!(row, self.owner(account).row, "the owner was removed");
                assert!(
                    self.is_owner(account, by),
                    "someone other than the owner removed"
                );
                self.spend(account, row);
                self.inside.remove(&(account, row));
                self.unbound
                    .retain(|(within, former)| (*within, former.row) != (account, row));
            }
            Act::List => {
                let is_inside = self.row_of(account, by).is_some();
                let mut unbound = self.unbound.iter();
                let is_former = unbound.any(|(within, former)| {
                    *within == account && by.address == Some(former.address)
                });
                assert!(
                    is_inside || is_former || self.is_owner(account, by),
                    "seen by a stranger"
                );
            }
            Act::Rename(_) | Act::RenameCompany | Act::Close => {}
        }
    }

    /// The row that an identity is in an account.
    fn row_of(&self, account: usize, by: Caller) -> Option<usize> {
        let rows = self.inside.iter();
        let mut own =
            rows.filter(|((within, _), bound)| *within == account && **bound == by.subject);
        own.next().map(|((_, row), _)| *row)
    }

    /// Before the owner's first login, whoever has the owner's address is the owner.
    fn is_owner(&self, account: usize, by: Caller) -> bool {
        let owner = self.owner(account);
        match self.inside.get(&(account, owner.row)) {
            Some(bound) => *bound == by.subject,
            None => by.address == Some(owner.address),
        }
    }

    fn spend(&mut self, account: usize, row: usize) {
        for sent in &mut self.sends {
            sent.is_spent |= (sent.to.account, sent.to.row) == (account, row);
        }
    }
}
