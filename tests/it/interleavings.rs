//! Every order in which the reads and commits of several calls can come, explored by a model
//! checker: the decisions are the domain's own, the table is a row with a version, and commits have
//! the semantics of the store, answers that get lost among them. A rule that is broken on purpose
//! is caught each time.

use std::hash::{Hash, Hasher};

use domain::access::Caller;
use domain::account::{Account, AccountStatus, ProPlans, Provisioned};
use domain::id::{AccountId, MemberId};
use domain::invite::{Decision, Invitee, Rules};
use domain::limits::Limits;
use domain::login::Presented;
use domain::member::{Active, Identity, Invite, Member, Role, State};
use domain::request::Fingerprint;
use domain::token::{InviteToken, TokenHash};
use domain::{Refusal, Timestamp, invite, login, remove, resend};
use stateright::{Checker, HasDiscoveries, Model, Property};

/// How many tokens there are: the one that Kim was invited with, and one for each call that mails.
const TOKENS: u8 = 3;
const KIM: &str = "kim@example.com";
const LIFETIME: i64 = 7 * 86_400;
/// The one property that is no promise: the exploration gets somewhere.
const REACHED: &str = "four of the calls have an effect";

/// A call that is made once, at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Call {
    Invite(u8),
    Resend(u8),
    /// A login of Kim's with a token.
    Accept(u8),
    /// One without.
    Login,
    Remove,
}

/// A rule that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mutant {
    /// A commit does not ask whether what was seen still holds.
    BlindCommit,
    /// A commit that is lost to another writer counts as done.
    LostIsDone,
    /// After a lost answer, the call does not look for its own write.
    ForgetsItsWrite,
    /// Any token of the invite works, not the newest alone.
    AnyToken,
    /// The token of a removed person still works.
    RemovedComesBack,
    /// An accepted invite is sent again.
    ResendToMember,
    /// A token works however old it is.
    NeverExpires,
    /// A removal finds nothing to do if the invite was accepted.
    RemovesInvitesOnly,
    /// A link is not needed.
    NoLinkNeeded,
    /// A removal that looks again removes whomever it finds.
    RemovesWhoeverIsThere,
    /// An invite that looks again invites whom somebody has removed since.
    InvitesWhomeverWasRemoved,
}

/// Kim's row, or none; with what tells one from another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row(Option<Member>);

impl Hash for Row {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Some(member) = &self.0 else {
            return;
        };
        member.last_send.hash(state);
        std::mem::discriminant(&member.state).hash(state);
        if let Some(invite) = member.invite() {
            invite.expires_at.as_second().hash(state);
            invite.sends.hash(state);
            Vec::from(invite.tokens.clone())
                .into_iter()
                .map(String::from)
                .for_each(|token| token.hash(state));
        }
    }
}

/// How far a call is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Progress {
    Waiting,
    /// It has read the row, and decided to write another one.
    Decided {
        version: u8,
        write: Row,
        accepts: Option<u8>,
    },
    Refused,
    Done,
}

/// What it was like when a call began, as far as the call goes by it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Beginning {
    /// The time of a call is read once.
    is_late: bool,
    /// What a removal's first look at the row found.
    row: Row,
    /// What an invite's first look found: the number of the newest send.
    last_send: u32,
    /// How many removals there had been.
    removals: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    row: Row,
    version: u8,
    is_late: bool,
    calls: Vec<Progress>,
    began: Vec<Option<Beginning>>,
    /// How many answers of commits can still get lost.
    losses: u8,
    /// What happened, for the properties.
    commits: Vec<u8>,
    uses: Vec<u8>,
    removals: u8,
    broken: Option<&'static str>,
    is_removed: bool,
    is_accepted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Read(usize),
    Commit(usize),
    /// The commit is done, and the call does not hear of it: it reads and decides again.
    CommitUnheard(usize),
    /// The invite's time runs out.
    Expire,
}

struct Calls {
    calls: Vec<Call>,
    mutant: Option<Mutant>,
    account: Account,
    owner: Member,
    kim: Member,
    rules: Rules,
    tokens: Vec<InviteToken>,
}

impl Calls {
    fn new(calls: &[Call], mutant: Option<Mutant>) -> Self {
        let id: AccountId = "acme".parse().unwrap();
        let member = |email: &str, role, state| Member {
            id: MemberId::of(&id, &email.parse().unwrap()),
            first_name: "Kim".parse().unwrap(),
            last_name: "Lee".parse().unwrap(),
            email: email.parse().unwrap(),
            role,
            state,
            last_send: 1,
        };
        let active = State::Active(Active {
            since: Timestamp::UNIX_EPOCH,
            identity: None,
            accepted: None,
        });
        let owner = member(crate::harness::OWNER, Role::Owner, active);
        let kim_id = MemberId::of(&id, &KIM.parse().unwrap());
        let tokens: Vec<_> = (0..TOKENS)
            .map(|secret| InviteToken::new(id.clone(), kim_id.clone(), [secret; 32]))
            .collect();
        let rules = Rules {
            pro_plans: "pro".parse().unwrap(),
            limits: Limits {
                invite_lifetime: std::time::Duration::from_secs(LIFETIME.unsigned_abs())
                    .try_into()
                    .unwrap(),
                resend_cooldown: std::time::Duration::from_secs(60).try_into().unwrap(),
                resends_per_day: 100,
                sends_per_hour: 100,
                sends_per_recipient_per_day: 100,
            },
        };
        let first = Invite::new(
            owner.id.clone(),
            tokens[0].hash(),
            &rules.limits,
            Timestamp::UNIX_EPOCH,
        );
        Self {
            calls: calls.to_vec(),
            mutant,
            account: Account {
                id: id.clone(),
                company: "Acme".parse().unwrap(),
                provisioned_company: "Acme".parse().unwrap(),
                plan: "pro".parse().unwrap(),
                status: AccountStatus::Active,
                owner: owner.id.clone(),
                provisioned: Provisioned {
                    at: Timestamp::UNIX_EPOCH,
                    revision: None,
                },
            },
            kim: member(KIM, Role::Member, State::Invited(first)),
            owner,
            rules,
            tokens,
        }
    }

    fn breaks(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    fn pro_plans(&self) -> &ProPlans {
        &self.rules.pro_plans
    }

    /// What the domain decides on the row as it is: a row to write, with the token that is used up;
    /// or nothing to write.
    fn decide(
        &self,
        call: Call,
        row: &Row,
        began: &Beginning,
    ) -> Result<Option<(Member, Option<u8>)>, Refusal> {
        let now = time(began.is_late);
        let owner = caller(crate::harness::OWNER);
        let kim = caller(KIM);
        let row = row.0.as_ref();
        let account = Some(&self.account);
        match call {
            Call::Invite(token) => {
                let invitee = Invitee {
                    id: self.kim.id.clone(),
                    first_name: self.kim.first_name.clone(),
                    last_name: self.kim.last_name.clone(),
                    email: self.kim.email.clone(),
                };
                let seen = invite::Seen {
                    account,
                    caller: Some(&self.owner),
                    invitee: row,
                    tried_send: (!self.breaks(Mutant::InvitesWhomeverWasRemoved))
                        .then_some(began.last_send + 1),
                    request: None,
                    account_sends: 0,
                    recipient_sends: 0,
                };
                let token = self.tokens[usize::from(token)].hash();
                let fingerprint = Fingerprint::of(&["invite"]);
                let decided = invite::decide(
                    &owner,
                    &invitee,
                    token,
                    &fingerprint,
                    seen,
                    &self.rules,
                    now,
                )?;
                Ok(written(decided))
            }
            Call::Resend(token) => {
                let accepted = row.filter(|_| self.breaks(Mutant::ResendToMember));
                let invited = accepted.and_then(|member| Some((member, member.invite()?)));
                let reopened = invited
                    .map(|(member, invite)| member.with_state(State::Invited(invite.clone())));
                let seen = resend::Seen {
                    account,
                    caller: Some(&self.owner),
                    member: reopened.as_ref().or(row),
                    request: None,
                    account_sends: 0,
                };
                let hash = self.tokens[usize::from(token)].hash();
                let fingerprint = Fingerprint::of(&["resend"]);
                let decided = resend::decide(&owner, hash, &fingerprint, seen, &self.rules, now);
                match (decided?, row) {
                    (Decision::Committed(_), Some(row)) if self.breaks(Mutant::ForgetsItsWrite) => {
                        Ok(Some((
                            Member {
                                last_send: row.last_send + 1,
                                ..row.clone()
                            },
                            None,
                        )))
                    }
                    (decided, _) => Ok(written(decided)),
                }
            }
            Call::Remove => {
                if self.breaks(Mutant::RemovesInvitesOnly)
                    && row.is_some_and(|row| matches!(row.state, State::Active(_)))
                {
                    return Ok(None);
                }
                let seen = remove::Seen {
                    account,
                    caller: Some(&self.owner),
                    member: row,
                    at_first: began
                        .row
                        .0
                        .as_ref()
                        .filter(|_| !self.breaks(Mutant::RemovesWhoeverIsThere)),
                };
                Ok(match remove::decide(&owner, seen, self.pro_plans(), now)? {
                    remove::Decision::Commit(member, _) => Some((member, None)),
                    remove::Decision::Removed(_) => None,
                })
            }
            Call::Login | Call::Accept(_) => self.log_in(call, &kim, row, now),
        }
    }

    fn log_in(
        &self,
        call: Call,
        kim: &Caller,
        row: Option<&Member>,
        now: Timestamp,
    ) -> Result<Option<(Member, Option<u8>)>, Refusal> {
        let number = match call {
            Call::Accept(number) => Some(number),
            _ => None,
        };
        let token = number.map(|number| &self.tokens[usize::from(number)]);
        let now = if self.breaks(Mutant::NeverExpires) {
            Timestamp::UNIX_EPOCH
        } else {
            now
        };
        // The mutants let the row look as if the decision had reason to accept.
        let newest = |hash: TokenHash| {
            let invite = Invite::new(self.owner.id.clone(), hash, &self.rules.limits, now);
            row.map(|row| row.with_state(State::Invited(invite)))
        };
        let is_removed = row.is_some_and(|row| matches!(row.state, State::Removed(_)));
        let open = row.and_then(|row| match &row.state {
            State::Invited(invite) => Some(invite),
            _ => None,
        });
        let pretended = match (token, open) {
            (Some(token), _) if is_removed && self.breaks(Mutant::RemovedComesBack) => {
                newest(token.hash())
            }
            (Some(token), Some(invite))
                if self.breaks(Mutant::AnyToken) && invite.tokens.contain(token.hash()) =>
            {
                newest(token.hash())
            }
            _ => None,
        };
        let presented = match (token, open) {
            (None, Some(invite)) if self.breaks(Mutant::NoLinkNeeded) => self
                .tokens
                .iter()
                .find(|token| token.hash() == invite.tokens.newest()),
            _ => token,
        };
        let row = pretended.as_ref().or(row);
        let seen = login::Seen {
            account: Some(&self.account),
            member: row,
        };
        let presented = presented.map(|token| Presented {
            token,
            invited: row,
        });
        let login = login::decide(kim, seen, presented, self.pro_plans(), now)?;
        Ok(login.is_first.then_some((login.member, number)))
    }

    /// What must never happen, told at the moment when it does.
    fn note_commit(&self, world: &mut World, call: usize, before: &Row, accepts: Option<u8>) {
        let began = world.began[call].as_ref();
        let was_late = began.is_some_and(|began| began.is_late);
        world.commits[call] += 1;
        match self.calls[call] {
            Call::Invite(_) => (world.is_removed, world.is_accepted) = (false, false),
            Call::Remove => {
                world.removals += 1;
                (world.is_removed, world.is_accepted) = (true, false);
            }
            Call::Resend(_) => {}
            Call::Login | Call::Accept(_) => {
                let open = before.0.as_ref().and_then(|member| match &member.state {
                    State::Invited(invite) => Some(invite),
                    _ => None,
                });
                let Some(token) = accepts else {
                    world.broken = Some("somebody got in without a link");
                    return;
                };
                world.uses[usize::from(token)] += 1;
                let hash = self.tokens[usize::from(token)].hash();
                match open {
                    None => world.broken = Some("an accept without an open invite"),
                    Some(invite) if invite.tokens.newest() != hash => {
                        world.broken = Some("an older link worked");
                    }
                    Some(invite) if invite.is_expired(time(was_late)) => {
                        world.broken = Some("a link worked after its time");
                    }
                    Some(_) => world.is_accepted = true,
                }
            }
        }
    }
}

/// A minute after Kim was invited, or when the link of that mail stops working.
fn time(is_late: bool) -> Timestamp {
    let seconds = if is_late { LIFETIME } else { 60 };
    Timestamp::from_second(seconds).unwrap()
}

fn caller(email: &str) -> Caller {
    Caller {
        email: email.parse().unwrap(),
        identity: Identity {
            issuer: "https://id.example".to_owned(),
            subject: email.to_owned(),
        },
    }
}

fn written(decision: Decision) -> Option<(Member, Option<u8>)> {
    match decision {
        Decision::Commit(member, _) => Some((member, None)),
        Decision::Committed(_) | Decision::Replay(_) => None,
    }
}

impl Model for Calls {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            row: Row(Some(self.kim.clone())),
            version: 1,
            is_late: false,
            calls: vec![Progress::Waiting; self.calls.len()],
            began: vec![None; self.calls.len()],
            losses: 1,
            commits: vec![0; self.calls.len()],
            uses: vec![0; usize::from(TOKENS)],
            removals: 0,
            broken: None,
            is_removed: false,
            is_accepted: false,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if !world.is_late {
            actions.push(Action::Expire);
        }
        for (call, progress) in world.calls.iter().enumerate() {
            match progress {
                Progress::Waiting => actions.push(Action::Read(call)),
                Progress::Decided { .. } => {
                    actions.push(Action::Commit(call));
                    if world.losses > 0 {
                        actions.push(Action::CommitUnheard(call));
                    }
                }
                Progress::Refused | Progress::Done => {}
            }
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        match action {
            Action::Expire => next.is_late = true,
            Action::Read(call) => {
                let kind = self.calls[call];
                let began = next.began[call].get_or_insert_with(|| {
                    let row = world.row.0.as_ref();
                    let removes = kind == Call::Remove;
                    let invited = row.filter(|_| matches!(kind, Call::Invite(_)));
                    Beginning {
                        is_late: world.is_late,
                        row: Row(row.filter(|_| removes).cloned()),
                        last_send: invited.map_or(0, |member| member.last_send),
                        removals: if removes { world.removals } else { 0 },
                    }
                });
                let decided = self.decide(kind, &world.row, began);
                let is_undone = !world.is_removed && world.removals == began.removals;
                let is_active = |row: &Member| matches!(row.state, State::Active(_));
                next.calls[call] = match decided {
                    Err(_) => Progress::Refused,
                    Ok(None) => {
                        let is_login = matches!(kind, Call::Login | Call::Accept(_));
                        if is_login && !world.row.0.as_ref().is_some_and(is_active) {
                            next.broken = Some("a login of somebody who is no member");
                        }
                        if kind == Call::Remove && is_undone {
                            next.broken = Some("a removal that removed nobody");
                        }
                        Progress::Done
                    }
                    Ok(Some((write, accepts))) => Progress::Decided {
                        version: world.version,
                        write: Row(Some(write)),
                        accepts,
                    },
                };
            }
            Action::Commit(call) | Action::CommitUnheard(call) => {
                let Progress::Decided {
                    version,
                    write,
                    accepts,
                } = &world.calls[call]
                else {
                    return None;
                };
                let is_unheard = matches!(action, Action::CommitUnheard(_));
                next.losses -= u8::from(is_unheard);
                next.calls[call] = if is_unheard {
                    Progress::Waiting
                } else {
                    Progress::Done
                };
                if *version == world.version || self.breaks(Mutant::BlindCommit) {
                    next.row = write.clone();
                    next.version += 1;
                    self.note_commit(&mut next, call, &world.row, *accepts);
                } else if self.breaks(Mutant::LostIsDone) {
                    next.calls[call] = Progress::Done;
                } else {
                    next.calls[call] = Progress::Waiting;
                }
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("what happens is allowed", |_, world: &World| {
                world.broken.is_none()
            }),
            Property::always("a link works once", |_, world: &World| {
                world.uses.iter().all(|uses| *uses <= 1)
            }),
            Property::always("a call has one effect", |_, world: &World| {
                world.commits.iter().all(|commits| *commits <= 1)
            }),
            Property::always(
                "what was answered was done",
                |calls: &Self, world: &World| {
                    let done = world.calls.iter().zip(&world.commits).zip(&calls.calls);
                    done.clone().all(|((progress, commits), call)| match call {
                        Call::Invite(_) | Call::Resend(_) => {
                            *progress != Progress::Done || *commits > 0
                        }
                        _ => true,
                    })
                },
            ),
            Property::always("a removal is for good", |_, world: &World| {
                let row = world.row.0.as_ref();
                let is_out = row.is_some_and(|row| matches!(row.state, State::Removed(_)));
                world.is_removed == is_out
            }),
            Property::always(
                "nobody is a member without an accept",
                |_, world: &World| {
                    let row = world.row.0.as_ref();
                    let is_in = row.is_some_and(|row| matches!(row.state, State::Active(_)));
                    world.is_accepted == is_in
                },
            ),
            Property::sometimes(REACHED, |_, world: &World| {
                world.commits.iter().filter(|commits| **commits > 0).count() >= 4
            }),
        ]
    }
}

/// Kim was invited, and all of this happens at the same moment.
const AT_ONCE: [&[Call]; 2] = [
    &[
        Call::Resend(1),
        Call::Accept(0),
        Call::Accept(1),
        Call::Remove,
        Call::Invite(2),
        Call::Accept(2),
    ],
    &[
        Call::Accept(0),
        Call::Remove,
        Call::Invite(2),
        Call::Remove,
        Call::Login,
        Call::Accept(2),
    ],
];

#[test]
fn every_interleaving_keeps_the_rules() {
    for calls in AT_ONCE {
        let checker = Calls::new(calls, None).checker().spawn_bfs().join();
        println!("{} states of {calls:?}", checker.unique_state_count());
        checker.assert_properties();
        assert!(checker.unique_state_count() > 10_000);
    }
}

#[test]
fn a_broken_rule_is_caught() {
    for mutant in [
        Mutant::BlindCommit,
        Mutant::LostIsDone,
        Mutant::ForgetsItsWrite,
        Mutant::AnyToken,
        Mutant::RemovedComesBack,
        Mutant::ResendToMember,
        Mutant::NeverExpires,
        Mutant::RemovesInvitesOnly,
        Mutant::NoLinkNeeded,
        Mutant::RemovesWhoeverIsThere,
        Mutant::InvitesWhomeverWasRemoved,
    ] {
        let is_caught = AT_ONCE.iter().any(|calls| {
            let checker = Calls::new(calls, Some(mutant)).checker();
            let checker = checker.finish_when(HasDiscoveries::AnyFailures);
            let discoveries = checker.spawn_dfs().join().discoveries();
            discoveries.into_keys().any(|name| name != REACHED)
        });
        assert!(is_caught, "{mutant:?} lives");
    }
}
