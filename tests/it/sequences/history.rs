//! The most important promises, checked against the answers alone: the model plays no part.

use std::collections::BTreeMap;

use super::model::LIFETIME;
use super::step::{Act, Caller, Step, Token};

#[derive(Default)]
pub(super) struct History {
    sends: Vec<Sent>,
    inside: BTreeMap<(usize, usize), Caller>,
    pro: BTreeMap<usize, bool>,
}

struct Sent {
    account: usize,
    whom: usize,
    at: i64,
    /// Used, superseded or withdrawn.
    is_spent: bool,
}

impl History {
    pub(super) fn note(&mut self, step: &Step, status: u16, now: i64) {
        if !matches!(status, 200 | 201) {
            return;
        }
        match *step {
            Step::Provision {
                account, is_pro, ..
            } => {
                self.pro.insert(account, is_pro);
            }
            Step::Call { account, by, act } => self.note_call(account, by, act, now),
            Step::Login { by, account, token } => {
                let used = match token {
                    Some(Token::Sent(send)) => Some(send),
                    Some(Token::MadeUp { account, .. }) => {
                        assert!(self.inside.contains_key(&(account, by.who)) || account == by.who);
                        None
                    }
                    None => None,
                };
                let account = used.map(|send| self.sends[send].account).or(account);
                let Some(account) = account else { return };
                if let Some(bound) = self.inside.get(&(account, by.who)) {
                    assert_eq!(*bound, by, "somebody else got in");
                    return;
                }
                if by.who != account {
                    let Some(used) = used else {
                        panic!("in without an invite");
                    };
                    let sent = &mut self.sends[used];
                    assert_eq!(sent.whom, by.who, "another address got in");
                    assert!(!sent.is_spent, "a token worked twice, or after a newer one");
                    assert!(now < sent.at + LIFETIME, "a token worked after its time");
                    assert!(self.pro[&account], "not pro, and an invite was accepted");
                    sent.is_spent = true;
                }
                self.inside.insert((account, by.who), by);
            }
            Step::Wait(_) | Step::Report { .. } | Step::Lift { .. } => {}
        }
    }

    fn note_call(&mut self, account: usize, by: Caller, act: Act, now: i64) {
        match act {
            Act::Invite(whom) | Act::Resend(whom) => {
                assert!(self.pro[&account], "not pro, and a mail was sent");
                assert_eq!(by.who, account, "someone other than the owner invited");
                self.spend(account, whom);
                self.sends.push(Sent {
                    account,
                    whom,
                    at: now,
                    is_spent: false,
                });
            }
            Act::Remove(whom) => {
                assert_ne!(whom, account, "the owner was removed");
                assert_eq!(by.who, account, "someone other than the owner removed");
                self.spend(account, whom);
                self.inside.remove(&(account, whom));
            }
            Act::List => {
                let known = self.inside.get(&(account, by.who));
                assert!(
                    by.who == account || known == Some(&by),
                    "seen by a stranger"
                );
            }
            Act::Rename(_) | Act::RenameCompany | Act::Close => {}
        }
    }

    fn spend(&mut self, account: usize, whom: usize) {
        for sent in &mut self.sends {
            sent.is_spent |= (sent.account, sent.whom) == (account, whom);
        }
    }
}
