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
                self.pro.insert(account, is_pro);
            }
            Step::Call { account, by, act } => self.note_call(account, by, act, now, sends),
            Step::Login { by, account, token } => self.note_login(by, account, token, now),
            Step::Wait(_) | Step::Report { .. } | Step::Lift { .. } => {}
        }
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
            self.inside.insert((account, account), by.subject);
            return;
        }
        // The owner stays the owner, whatever link is followed.
        if row == Some(account) {
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
                assert_ne!(row, account, "the owner was removed");
                assert!(
                    self.is_owner(account, by),
                    "someone other than the owner removed"
                );
                self.spend(account, row);
                self.inside.remove(&(account, row));
            }
            Act::List => {
                let is_inside = self.row_of(account, by).is_some();
                assert!(
                    is_inside || self.is_owner(account, by),
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
        match self.inside.get(&(account, account)) {
            Some(bound) => *bound == by.subject,
            None => by.address == Some(account),
        }
    }

    fn spend(&mut self, account: usize, row: usize) {
        for sent in &mut self.sends {
            sent.is_spent |= (sent.to.account, sent.to.row) == (account, row);
        }
    }
}
