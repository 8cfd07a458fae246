//! What Rollcall does, on one page and in memory: the reference for the real handlers. It follows the
//! rules and shares no code with the handlers.

use std::collections::{BTreeMap, BTreeSet};

use super::step::{Act, Caller, Handover, Report, Step, Token};

pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 24 * HOUR;
/// When every sequence begins.
pub(super) const NOON: i64 = 12 * HOUR;
pub(super) const LIFETIME: i64 = 7 * DAY;
pub(super) const SENDS_PER_HOUR: u32 = 4;
pub(super) const RESENDS_PER_DAY: u32 = 2;
pub(super) const SENDS_PER_RECIPIENT: u32 = 5;
pub(super) const ACCOUNTS: usize = 2;
/// At first, person 0 owns account 0, person 1 owns account 1, and the others nothing.
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

impl Invite {
    fn resends_on_day_of(&self, now: i64) -> u32 {
        if self.sent_at / DAY == now / DAY {
            self.resends
        } else {
            0
        }
    }

    fn resent(&self, token: usize, resends: u32, now: i64) -> Self {
        Self {
            tokens: self.tokens.iter().copied().chain([token]).collect(),
            sent_at: now,
            resends: resends + 1,
            delivery: None,
            is_lifted: false,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Standing {
    Invited(Invite),
    Active {
        bound: Option<usize>,
        accepted: Option<Invite>,
    },
    Removed {
        is_replaced: bool,
    },
}

/// Someone's row. It is called by the number of the address that it was made for.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// The address that the person has now.
    pub(super) address: usize,
    pub(super) standing: Standing,
}

impl Person {
    fn invite(&mut self) -> Option<&mut Invite> {
        match &mut self.standing {
            Standing::Invited(invite) => Some(invite),
            Standing::Active { accepted, .. } => accepted.as_mut(),
            Standing::Removed { .. } => None,
        }
    }

    /// The identity that the row belongs to.
    fn bound(&self) -> Option<usize> {
        match self.standing {
            Standing::Active { bound, .. } => bound,
            Standing::Invited(_) | Standing::Removed { .. } => None,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(super) is_pro: bool,
    pub(super) is_closed: bool,
    /// The owner's row.
    pub(crate) owner: usize,
    /// The revision of the newest message from billing, if it had one.
    revision: Option<u64>,
    /// The time and revision of the last handover.
    handed_over: Option<(i64, u64)>,
    pub(super) people: BTreeMap<usize, Person>,
    /// Later addresses of people, and the row that each was written for.
    pub(super) aliases: BTreeMap<usize, usize>,
    /// The row that an identity was bound to last.
    pointers: BTreeMap<usize, usize>,
    /// Every address that ever led here.
    pub(super) known: BTreeSet<usize>,
    /// By the hour.
    pub(super) sends: BTreeMap<i64, u32>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct SentTo {
    pub(crate) account: usize,
    pub(crate) row: usize,
    pub(crate) address: usize,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(super) now: i64,
    pub(super) accounts: [Option<Account>; ACCOUNTS],
    pub(crate) sends: Vec<SentTo>,
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
            Step::HandOver { account, handover } => self.hand_over(account, handover)?,
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
            Act::Correct(row, address) => self.correct(account, by, row, address)?,
            Act::Remove(whom) => {
                self.owner_only(account, by)?;
                let owner = self.owner(account);
                let person = self
                    .person(account, whom)
                    .ok_or((404, "member_not_found"))?;
                if owner == Some(whom) {
                    return Err((409, "owner_cannot_be_removed"));
                }
                person.standing = Standing::Removed { is_replaced: false };
            }
            Act::Rename(whom) => {
                self.owner_only(account, by)?;
                self.person(account, whom)
                    .ok_or((404, "member_not_found"))?;
            }
            Act::RenameCompany => self.owner_only(account, by)?,
            Act::Close => self.close(account, by)?,
            Act::List => drop(self.allow(account, by)?),
        }
        Ok(OK)
    }

    /// The row of whoever has an address now.
    fn at_address(&self, account: usize, address: usize) -> Option<usize> {
        let known = self.accounts[account].as_ref()?;
        known
            .occupant(address)
            .filter(|row| known.people[row].address == address)
    }

    /// The caller's row.
    fn own(&self, account: usize, by: Caller) -> Option<usize> {
        let known = self.accounts[account].as_ref()?;
        let person = |row: &usize| &known.people[row];
        let at_address = by
            .address
            .and_then(|address| self.at_address(account, address));
        let pointed = known.pointers.get(&by.subject).copied();
        let bound = at_address.and_then(|row| person(&row).bound());
        if bound == Some(by.subject) {
            return at_address;
        }
        if let Some(pointed) = pointed.filter(|row| person(row).bound() == Some(by.subject)) {
            // Nobody takes over an address that belongs to another identity.
            return bound.and(at_address).or(Some(pointed));
        }
        if at_address.is_some() && bound.is_none() {
            return at_address;
        }
        let is_removed = |row: &usize| matches!(person(row).standing, Standing::Removed { .. });
        pointed.filter(is_removed).or(at_address)
    }

    /// Who gets in, and as whom.
    fn allow(&self, account: usize, by: Caller) -> Result<usize, Answer> {
        let unknown = match by.address {
            Some(_) => NO_ACCESS,
            None => (403, "email_unverified"),
        };
        let row = self.own(account, by).ok_or(unknown)?;
        self.allow_as(account, by, row)
    }

    fn allow_as(&self, account: usize, by: Caller, row: usize) -> Result<usize, Answer> {
        let account = self.accounts[account].as_ref().ok_or(NO_ACCESS)?;
        let person = &account.people[&row];
        let is_owner = account.owner == row;
        match person.standing {
            _ if account.is_closed => Err((403, "account_closed")),
            Standing::Removed { .. } => Err((403, "access_revoked")),
            _ if !is_owner && !account.is_pro => Err((403, "upgrade_required")),
            Standing::Invited(_) => Err((403, "invite_link_required")),
            Standing::Active { .. } => match person.bound() {
                Some(bound) if bound != by.subject => Err((403, "identity_mismatch")),
                _ => Ok(row),
            },
        }
    }

    fn owner_only(&self, account: usize, by: Caller) -> Result<(), Answer> {
        if self.owner(account) == Some(self.allow(account, by)?) {
            Ok(())
        } else {
            Err((403, "owner_only"))
        }
    }

    fn owner(&self, account: usize) -> Option<usize> {
        Some(self.accounts[account].as_ref()?.owner)
    }

    fn person(&mut self, account: usize, row: usize) -> Option<&mut Person> {
        self.accounts[account].as_mut()?.people.get_mut(&row)
    }

    fn provision(&mut self, account: usize, is_pro: bool, reopen: bool) {
        let owner = Person {
            address: account,
            standing: Standing::Active {
                bound: None,
                accepted: None,
            },
        };
        let known = self.accounts[account].get_or_insert_with(|| Account {
            is_pro,
            is_closed: false,
            owner: account,
            revision: None,
            handed_over: None,
            people: [(account, owner)].into(),
            aliases: BTreeMap::new(),
            pointers: BTreeMap::new(),
            known: [account].into(),
            sends: BTreeMap::new(),
        });
        known.is_pro = is_pro;
        known.is_closed &= !reopen;
        known.revision = None;
    }

    /// An older message and a repetition change nothing.
    fn hand_over(&mut self, account: usize, handover: Handover) -> Result<(), Answer> {
        let Handover {
            is_pro,
            to,
            named,
            removes,
            revision,
        } = handover;
        let mark = (self.now, revision);
        let at_address = self.at_address(account, to);
        let known = self.accounts[account].as_mut().ok_or(NO_ACCESS)?;
        let is_newer = known.revision.is_none_or(|newest| revision > newest);
        if !is_newer {
            return Ok(());
        }
        let is_active = |row: &usize| matches!(known.people[row].standing, Standing::Active { .. });
        let pointed = named.and_then(|named| known.pointers.get(&named));
        let bound = pointed.filter(|row| known.people[row].bound() == named);
        let row = match (bound, at_address) {
            (Some(bound), Some(other)) if other != *bound && is_active(&other) => {
                return Err((409, "address_in_use"));
            }
            (Some(bound), _) => *bound,
            (None, Some(row)) => row,
            (None, None) if known.occupant(to).is_some() => return Err((409, "address_in_use")),
            (None, None) => to,
        };
        let is_bound = named.is_none() || known.people.get(&row).and_then(Person::bound) == named;
        if known.handed_over == Some(mark) && known.owner == row && is_bound {
            (known.is_pro, known.revision) = (is_pro, Some(revision));
            return Ok(());
        }
        let former = std::mem::replace(&mut known.owner, row);
        let (address, kept) = match known.people.get(&row) {
            Some(Person {
                address,
                standing: Standing::Active { bound, accepted },
            }) => (*address, Some((*bound, accepted.clone()))),
            Some(person) => (person.address, None),
            None => (to, None),
        };
        let (bound, accepted) = kept.unwrap_or_default();
        let standing = Standing::Active {
            bound: named.or(bound.filter(|_| former != row)),
            accepted,
        };
        if let Some(named) = named {
            known.pointers.insert(named, row);
        }
        if former != row && removes {
            let left = Standing::Removed { is_replaced: false };
            let left = |person: &mut Person| person.standing = left;
            known.people.entry(former).and_modify(left);
        }
        (known.revision, known.handed_over) = (Some(revision), Some(mark));
        known.is_pro = is_pro;
        self.put(account, row, Person { address, standing });
        Ok(())
    }

    fn invite(&mut self, account: usize, by: Caller, address: usize) -> Result<Answer, Answer> {
        self.pro_owner_only(account, by)?;
        let row = self.vacant(account, address)?;
        let token = self.count_send(account, row, address)?;
        let standing = Standing::Invited(Invite {
            tokens: vec![token],
            sent_at: self.now,
            resends: 0,
            delivery: None,
            is_lifted: false,
        });
        self.put(account, row, Person { address, standing });
        Ok((201, ""))
    }

    fn put(&mut self, account: usize, row: usize, person: Person) {
        if let Some(known) = &mut self.accounts[account] {
            known.known.insert(person.address);
            known.aliases.remove(&row);
            known.people.insert(row, person);
        }
    }

    /// The row for somebody with an address, if nobody who is in the account or invited has it.
    fn vacant(&self, account: usize, address: usize) -> Result<usize, Answer> {
        let known = self.accounts[account].as_ref().ok_or(NO_ACCESS)?;
        let occupant = known.occupant(address);
        match occupant.map(|row| &known.people[&row]) {
            Some(Person {
                standing: Standing::Removed { .. },
                ..
            })
            | None => {}
            Some(person) if person.address != address => return Err((409, "address_in_use")),
            Some(Person {
                standing: Standing::Invited(_),
                ..
            }) => return Err((409, "already_invited")),
            Some(_) => return Err((409, "already_member")),
        }
        Ok(occupant.unwrap_or(address))
    }

    /// The mistaken invite ends, and goes on at the other address. Its links are older ones of that.
    fn correct(
        &mut self,
        account: usize,
        by: Caller,
        mistaken: usize,
        address: usize,
    ) -> Result<(), Answer> {
        self.pro_owner_only(account, by)?;
        let now = self.now;
        let person = self
            .person(account, mistaken)
            .ok_or((404, "member_not_found"))?;
        let Standing::Invited(invite) = person.standing.clone() else {
            return Err((409, "not_invited"));
        };
        let row = self.vacant(account, address)?;
        let resends = invite.resends_on_day_of(now);
        if resends >= RESENDS_PER_DAY {
            return Err(LIMIT);
        }
        let token = self.count_send(account, row, address)?;
        if let Some(person) = self.person(account, mistaken) {
            person.standing = Standing::Removed { is_replaced: true };
        }
        let standing = Standing::Invited(invite.resent(token, resends, now));
        self.put(account, row, Person { address, standing });
        Ok(())
    }

    fn resend(&mut self, account: usize, by: Caller, whom: usize) -> Result<(), Answer> {
        self.pro_owner_only(account, by)?;
        let now = self.now;
        let person = self
            .person(account, whom)
            .ok_or((404, "member_not_found"))?;
        let address = person.address;
        let Standing::Invited(invite) = person.standing.clone() else {
            return Err((409, "not_invited"));
        };
        let resends = invite.resends_on_day_of(now);
        if invite.delivery >= Some(Report::Bounced) && !invite.is_lifted {
            return Err((409, "address_undeliverable"));
        }
        if now < invite.sent_at + 60 {
            return Err((429, "resend_too_soon"));
        }
        if resends >= RESENDS_PER_DAY {
            return Err(LIMIT);
        }
        let token = self.count_send(account, whom, address)?;
        if let Some(person) = self.person(account, whom) {
            person.standing = Standing::Invited(invite.resent(token, resends, now));
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
    fn count_send(&mut self, account: usize, row: usize, address: usize) -> Result<usize, Answer> {
        let received = self.received.entry((address, self.now / DAY)).or_default();
        let sends = &mut self.accounts[account].as_mut().ok_or(NO_ACCESS)?.sends;
        let sent = sends.entry(self.now / HOUR).or_default();
        if *sent >= SENDS_PER_HOUR || *received >= SENDS_PER_RECIPIENT {
            return Err(LIMIT);
        }
        *sent += 1;
        *received += 1;
        self.sends.push(SentTo {
            account,
            row,
            address,
        });
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
            Err((_, code)) if was_closed && !["no_access", "email_unverified"].contains(&code) => {
                Err((403, "account_closed"))
            }
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
            Token::Sent(send) => (self.sends[send].account, self.sends[send].row),
            Token::MadeUp { account, whom } => (account, whom),
        });
        let account = match (account, meant) {
            (Some(named), Some((meant, _))) if named != meant => {
                return Err((400, "invalid_request"));
            }
            (_, Some((account, _))) | (Some(account), None) => account,
            (None, None) => self.only_account(by)?,
        };
        if let (Some(Token::Sent(send)), Some((_, row))) = (token, meant)
            && let Some(person) = self.person(account, row)
            && by.address != Some(person.address)
            && person.bound() != Some(by.subject)
            && person
                .invite()
                .is_some_and(|invite| invite.tokens.contains(&send))
        {
            return Err(match by.address {
                Some(_) => (403, "wrong_account"),
                None => (403, "email_unverified"),
            });
        }
        // A link that works moves a member there.
        let own = self.own(account, by);
        if let (Some(own), Some(address)) = (own, by.address)
            && let Some(invited) = self.at_address(account, address)
            && self.owner(account) != Some(own)
            && own != invited
            && self.allow_as(account, by, invited) == Err((403, "invite_link_required"))
            && let Ok(()) = self.accept(account, by, invited, token)
        {
            if let Some(left) = self.person(account, own) {
                left.standing = Standing::Removed { is_replaced: false };
            }
            return Ok(());
        }
        match (self.allow(account, by), own) {
            (Err((_, "invite_link_required")), Some(row)) => self.accept(account, by, row, token),
            (Err((_, "access_revoked")), Some(row))
                if meant == Some((account, row)) && self.is_replaced(account, row) =>
            {
                Err((410, "invite_superseded"))
            }
            (allowed, _) => {
                self.enter(account, by, allowed?);
                Ok(())
            }
        }
    }

    fn is_replaced(&self, account: usize, row: usize) -> bool {
        let known = self.accounts[account].as_ref();
        known.is_some_and(|known| {
            let standing = &known.people[&row].standing;
            matches!(standing, Standing::Removed { is_replaced: true })
        })
    }

    /// The row is bound to the identity, and follows its address unless that is somebody else's.
    fn enter(&mut self, account: usize, by: Caller, row: usize) {
        let at_address = by
            .address
            .and_then(|address| self.at_address(account, address));
        let Some(known) = &mut self.accounts[account] else {
            return;
        };
        let is_active = |row: &usize| {
            let standing = &known.people[row].standing;
            matches!(standing, Standing::Active { .. })
        };
        let is_taken = at_address.is_some_and(|other| other != row && is_active(&other));
        if let Some(address) = by.address.filter(|_| !is_taken)
            && known.people[&row].address != address
        {
            known.known.insert(address);
            if known.occupant(address).is_none() {
                known.aliases.insert(address, row);
            }
            known
                .people
                .entry(row)
                .and_modify(|person| person.address = address);
        }
        known.pointers.insert(by.subject, row);
        if let Some(Person {
            standing: Standing::Active { bound, .. },
            ..
        }) = known.people.get_mut(&row)
        {
            bound.get_or_insert(by.subject);
        }
    }

    fn accept(
        &mut self,
        account: usize,
        by: Caller,
        row: usize,
        token: Option<Token>,
    ) -> Result<(), Answer> {
        let now = self.now;
        let person = self.person(account, row).ok_or(NO_ACCESS)?;
        let Standing::Invited(invite) = &person.standing else {
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
        person.standing = Standing::Active {
            bound: Some(by.subject),
            accepted: Some(invite.clone()),
        };
        if let Some(known) = &mut self.accounts[account] {
            known.pointers.insert(by.subject, row);
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
                let unknown = match by.address {
                    Some(_) => NO_ACCESS,
                    None => (403, "email_unverified"),
                };
                Err(helpful.min_by_key(rank).unwrap_or(unknown))
            }
            _ => Err((409, "choose_account")),
        }
    }

    /// A report changes only the delivery, and only if it concerns the newest send.
    fn report(&mut self, send: usize, report: Report) {
        let SentTo { account, row, .. } = self.sends[send];
        let person = self.person(account, row);
        if let Some(invite) = person.and_then(Person::invite)
            && invite.tokens.last() == Some(&send)
        {
            invite.delivery = invite.delivery.max(Some(report));
        }
    }

    fn lift(&mut self, address: usize) {
        for account in 0..ACCOUNTS {
            let row = self.at_address(account, address);
            let person = row.and_then(|row| self.person(account, row));
            if let Some(invite) = person.and_then(Person::invite)
                && invite.delivery >= Some(Report::Bounced)
            {
                invite.is_lifted = true;
            }
        }
    }
}

impl Account {
    /// The row that stands where an address leads, whoever has the address now.
    fn occupant(&self, address: usize) -> Option<usize> {
        if self.people.contains_key(&address) {
            return Some(address);
        }
        let row = *self.aliases.get(&address)?;
        (self.people[&row].address == address).then_some(row)
    }
}
