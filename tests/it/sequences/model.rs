//! What Rollcall does, on one page and in memory: the reference for the real handlers. It follows the
//! rules and shares no code with the handlers.

use std::collections::BTreeMap;

use super::step::{Act, Caller, Report, Step, Token};

pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 24 * HOUR;
/// When every sequence begins.
pub(super) const NOON: i64 = 12 * HOUR;
pub(super) const LIFETIME: i64 = 7 * DAY;
pub(super) const SENDS_PER_HOUR: u32 = 4;
pub(super) const RESENDS_PER_DAY: u32 = 2;
pub(super) const SENDS_PER_RECIPIENT: u32 = 5;
pub(super) const ACCOUNTS: usize = 2;
/// Person 0 owns account 0, person 1 owns account 1, and the others nothing.
pub(super) const PEOPLE: usize = 4;

#[derive(Debug, Clone)]
pub(crate) struct Invite {
    /// By their numbers, newest last.
    pub(super) tokens: Vec<usize>,
    pub(super) sent_at: i64,
    pub(super) resends: u32,
    pub(super) delivery: Option<Report>,
    pub(super) is_lifted: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Standing {
    Owner { bound: Option<Caller> },
    Invited(Invite),
    Active { bound: Caller, accepted: Invite },
    Removed,
}

impl Standing {
    fn invite(&mut self) -> Option<&mut Invite> {
        match self {
            Self::Invited(invite)
            | Self::Active {
                accepted: invite, ..
            } => Some(invite),
            Self::Owner { .. } | Self::Removed => None,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(super) is_pro: bool,
    pub(super) is_closed: bool,
    pub(super) people: BTreeMap<usize, Standing>,
    /// By the hour.
    pub(super) sends: BTreeMap<i64, u32>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(super) now: i64,
    pub(super) accounts: [Option<Account>; ACCOUNTS],
    /// Account and recipient of every send.
    pub(crate) sends: Vec<(usize, usize)>,
    received: BTreeMap<(usize, i64), u32>,
}

/// The status of an answer, and the code of a problem.
pub(crate) type Answer = (u16, &'static str);

const OK: Answer = (200, "");
const NO_ACCESS: Answer = (403, "no_access");
const LIMIT: Answer = (429, "send_limit_reached");

impl Model {
    pub(super) fn at_noon() -> Self {
        Self {
            now: NOON,
            ..Self::default()
        }
    }

    /// Takes a step, and says what has to be answered.
    pub(crate) fn take(&mut self, step: &Step) -> Answer {
        self.try_to(step).unwrap_or_else(|refusal| refusal)
    }

    fn try_to(&mut self, step: &Step) -> Result<Answer, Answer> {
        match *step {
            Step::Wait(seconds) => self.now += seconds,
            Step::Provision {
                account,
                is_pro,
                reopen,
            } => self.provision(account, is_pro, reopen),
            Step::Call { account, by, act } => return self.call(account, by, act),
            Step::Login { by, account, token } => self.login(by, account, token)?,
            Step::Report { send, report } => self.report(send, report),
            Step::Lift { whom } => self.lift(whom),
        }
        Ok(OK)
    }

    fn call(&mut self, account: usize, by: Caller, act: Act) -> Result<Answer, Answer> {
        match act {
            Act::Invite(whom) => return self.invite(account, by, whom),
            Act::Resend(whom) => self.resend(account, by, whom)?,
            Act::Remove(whom) => {
                self.owner_only(account, by)?;
                match self.standing(account, whom) {
                    None => return Err((404, "member_not_found")),
                    Some(Standing::Owner { .. }) => return Err((409, "owner_cannot_be_removed")),
                    Some(standing) => *standing = Standing::Removed,
                }
            }
            Act::Rename(whom) => {
                self.owner_only(account, by)?;
                self.standing(account, whom)
                    .ok_or((404, "member_not_found"))?;
            }
            Act::RenameCompany => self.owner_only(account, by)?,
            Act::Close => self.close(account, by)?,
            Act::List => self.allow(account, by)?,
        }
        Ok(OK)
    }

    /// Who gets in.
    fn allow(&self, account: usize, by: Caller) -> Result<(), Answer> {
        let account = self.accounts[account].as_ref().ok_or(NO_ACCESS)?;
        let standing = account.people.get(&by.who).ok_or(NO_ACCESS)?;
        let is_owner = matches!(standing, Standing::Owner { .. });
        match standing {
            _ if account.is_closed => Err((403, "account_closed")),
            Standing::Removed => Err((403, "access_revoked")),
            _ if !is_owner && !account.is_pro => Err((403, "upgrade_required")),
            Standing::Invited(_) => Err((403, "invite_link_required")),
            Standing::Owner { bound: Some(bound) } | Standing::Active { bound, .. }
                if *bound != by =>
            {
                Err((403, "identity_mismatch"))
            }
            Standing::Owner { .. } | Standing::Active { .. } => Ok(()),
        }
    }

    fn owner_only(&self, account: usize, by: Caller) -> Result<(), Answer> {
        self.allow(account, by)?;
        if by.who == account {
            Ok(())
        } else {
            Err((403, "owner_only"))
        }
    }

    fn standing(&mut self, account: usize, whom: usize) -> Option<&mut Standing> {
        self.accounts[account].as_mut()?.people.get_mut(&whom)
    }

    fn provision(&mut self, account: usize, is_pro: bool, reopen: bool) {
        let known = self.accounts[account].get_or_insert_with(|| Account {
            is_pro,
            is_closed: false,
            people: [(account, Standing::Owner { bound: None })].into(),
            sends: BTreeMap::new(),
        });
        known.is_pro = is_pro;
        known.is_closed &= !reopen;
    }

    fn invite(&mut self, account: usize, by: Caller, whom: usize) -> Result<Answer, Answer> {
        self.pro_owner_only(account, by)?;
        match self.standing(account, whom) {
            Some(Standing::Owner { .. } | Standing::Active { .. }) => {
                return Err((409, "already_member"));
            }
            Some(Standing::Invited(_)) => return Err((409, "already_invited")),
            Some(Standing::Removed) | None => {}
        }
        let token = self.count_send(account, whom)?;
        let invite = Standing::Invited(Invite {
            tokens: vec![token],
            sent_at: self.now,
            resends: 0,
            delivery: None,
            is_lifted: false,
        });
        let people = self.accounts[account]
            .as_mut()
            .map(|account| &mut account.people);
        people.ok_or(NO_ACCESS)?.insert(whom, invite);
        Ok((201, ""))
    }

    fn resend(&mut self, account: usize, by: Caller, whom: usize) -> Result<(), Answer> {
        self.pro_owner_only(account, by)?;
        let now = self.now;
        let invite = match self.standing(account, whom) {
            None => return Err((404, "member_not_found")),
            Some(Standing::Invited(invite)) => invite.clone(),
            Some(_) => return Err((409, "not_invited")),
        };
        let resends = if invite.sent_at / DAY == now / DAY {
            invite.resends
        } else {
            0
        };
        if invite.delivery >= Some(Report::Bounced) && !invite.is_lifted {
            return Err((409, "address_undeliverable"));
        }
        if now < invite.sent_at + 60 {
            return Err((429, "resend_too_soon"));
        }
        if resends >= RESENDS_PER_DAY {
            return Err(LIMIT);
        }
        let token = self.count_send(account, whom)?;
        let tokens = invite.tokens.into_iter().chain([token]).collect();
        if let Some(standing) = self.standing(account, whom) {
            *standing = Standing::Invited(Invite {
                tokens,
                sent_at: now,
                resends: resends + 1,
                delivery: None,
                is_lifted: false,
            });
        }
        Ok(())
    }

    fn pro_owner_only(&self, account: usize, by: Caller) -> Result<(), Answer> {
        self.owner_only(account, by)?;
        match &self.accounts[account] {
            Some(account) if account.is_pro => Ok(()),
            _ => Err((403, "upgrade_required")),
        }
    }

    /// Counts a send, and returns its number, if the limits allow it.
    fn count_send(&mut self, account: usize, whom: usize) -> Result<usize, Answer> {
        let received = self.received.entry((whom, self.now / DAY)).or_default();
        let sends = &mut self.accounts[account].as_mut().ok_or(NO_ACCESS)?.sends;
        let sent = sends.entry(self.now / HOUR).or_default();
        if *sent >= SENDS_PER_HOUR || *received >= SENDS_PER_RECIPIENT {
            return Err(LIMIT);
        }
        *sent += 1;
        *received += 1;
        self.sends.push((account, whom));
        Ok(self.sends.len() - 1)
    }

    /// Closing again is fine: the answer to the first call may have been lost.
    fn close(&mut self, account: usize, by: Caller) -> Result<(), Answer> {
        let known = self.accounts[account].as_mut().ok_or(NO_ACCESS)?;
        let was_closed = std::mem::replace(&mut known.is_closed, false);
        let may_close = self.owner_only(account, by);
        if let Some(known) = &mut self.accounts[account] {
            known.is_closed = was_closed || may_close.is_ok();
        }
        match may_close {
            Err(refusal) if was_closed && refusal != NO_ACCESS => Err((403, "account_closed")),
            other => other,
        }
    }

    fn login(
        &mut self,
        by: Caller,
        account: Option<usize>,
        token: Option<Token>,
    ) -> Result<(), Answer> {
        let meant = token.map(|token| match token {
            Token::Sent(send) => self.sends[send],
            Token::MadeUp { account, whom } => (account, whom),
        });
        let account = match (account, meant) {
            (Some(named), Some((meant, _))) if named != meant => {
                return Err((400, "invalid_request"));
            }
            (_, Some((account, _))) | (Some(account), None) => account,
            (None, None) => self.only_account(by)?,
        };
        if let (Some(Token::Sent(send)), Some((_, whom))) = (token, meant)
            && whom != by.who
            && let Some(invite) = self.standing(account, whom).and_then(Standing::invite)
            && invite.tokens.contains(&send)
        {
            return Err((403, "wrong_account"));
        }
        let now = self.now;
        match self.allow(account, by) {
            Err((_, "invite_link_required")) => {}
            Err(refusal) => return Err(refusal),
            Ok(()) => {
                if let Some(Standing::Owner { bound }) = self.standing(account, by.who) {
                    bound.get_or_insert(by);
                }
                return Ok(());
            }
        }
        let Some(Standing::Invited(invite)) = self.standing(account, by.who) else {
            return Err(NO_ACCESS);
        };
        match token {
            None => return Err((403, "invite_link_required")),
            Some(Token::Sent(send)) if invite.tokens.last() == Some(&send) => {}
            Some(Token::Sent(send)) if invite.tokens.contains(&send) => {
                return Err((410, "invite_superseded"));
            }
            Some(_) => return Err((410, "invite_invalid")),
        }
        if now >= invite.sent_at + LIFETIME {
            return Err((410, "invite_expired"));
        }
        let accepted = invite.clone();
        if let Some(standing) = self.standing(account, by.who) {
            *standing = Standing::Active {
                bound: by,
                accepted,
            };
        }
        Ok(())
    }

    /// The only account that is open to a caller, or why there is none.
    fn only_account(&self, by: Caller) -> Result<usize, Answer> {
        let tried = (0..ACCOUNTS).map(|account| (account, self.allow(account, by)));
        let (open, refused): (Vec<_>, Vec<_>) = tried.partition(|(_, allowed)| allowed.is_ok());
        match open.as_slice() {
            [(account, _)] => Ok(*account),
            [] => {
                // The most helpful refusal comes first.
                let order = [
                    "invite_link_required",
                    "upgrade_required",
                    "identity_mismatch",
                    "access_revoked",
                    "account_closed",
                ];
                let refusals = refused.iter().filter_map(|(_, refused)| refused.err());
                let rank = |refusal: &Answer| order.iter().position(|code| *code == refusal.1);
                let helpful = refusals.filter(|refusal| rank(refusal).is_some());
                Err(helpful.min_by_key(rank).unwrap_or(NO_ACCESS))
            }
            _ => Err((409, "choose_account")),
        }
    }

    /// A report changes only the delivery, and only if it concerns the newest send.
    fn report(&mut self, send: usize, report: Report) {
        let (account, whom) = self.sends[send];
        let standing = self.standing(account, whom);
        if let Some(invite) = standing.and_then(Standing::invite)
            && invite.tokens.last() == Some(&send)
        {
            invite.delivery = invite.delivery.max(Some(report));
        }
    }

    fn lift(&mut self, whom: usize) {
        for account in self.accounts.iter_mut().flatten() {
            let standing = account.people.get_mut(&whom);
            if let Some(invite) = standing.and_then(Standing::invite)
                && invite.delivery >= Some(Report::Bounced)
            {
                invite.is_lifted = true;
            }
        }
    }
}
