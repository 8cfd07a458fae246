//! Histories of eight clients who call at any time: stateright's tester finds an order of all calls in
//! which the reference model of `sequences` gives the same answers. A call that was answered before
//! another one began comes first in it.
//!
//! `collisions` tries every order of a few calls. A history has dozens of calls, and its clients react
//! to what they learn: they follow the links of mails that arrived in the meantime.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};
use tokio::runtime::Runtime;

use crate::harness::Order;
use crate::sequences::model::Model;
use crate::sequences::{
    Act, Caller, Handover, Report, Sequence, Step, Token, World, summary_of, try_cases,
};

const CLIENTS: usize = 8;
const ACME: usize = 0;
const OWNER: Caller = Caller::first(0);
/// Invited before the history begins.
const KIM: usize = 2;
const MAX: usize = 3;
/// Another address that people move to.
const ELSEWHERE: usize = 1;

const fn by_owner(act: Act) -> Step {
    Step::Call {
        account: ACME,
        by: OWNER,
        act,
    }
}

/// What a client does next.
#[derive(Debug, Clone)]
enum Deed {
    Invite(usize),
    /// Follows the newest link that this person has been mailed, if there is one.
    Follow {
        who: usize,
        is_another: bool,
    },
    Other(Step),
}

/// A link: the name that its mail greets, which is unique to an invite, and how many mails greeted
/// that name before.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Link {
    name: String,
    number: usize,
}

#[derive(Debug, Clone)]
enum Call {
    Invite {
        whom: usize,
        name: String,
    },
    Follow {
        by: Caller,
        link: Link,
    },
    Other(Step),
    /// Reads all rows once all clients are done.
    Look,
}

#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    Answer(u16, String),
    Rows(BTreeMap<String, String>),
}

/// The model, and the links of its sends.
#[derive(Clone)]
struct Reference<'a> {
    sequence: &'a Sequence<'a>,
    model: Model,
    /// By the number of the send.
    links: Vec<Link>,
}

impl Reference<'_> {
    /// The link that follows the newest one of a person.
    fn next_link(&self, whom: usize) -> Option<Link> {
        let mut sends = self.model.sends.iter().zip(&self.links).rev();
        let (_, newest) = sends.find(|(sent, _)| sent.row == whom)?;
        Some(Link {
            name: newest.name.clone(),
            number: newest.number + 1,
        })
    }
}

impl SequentialSpec for Reference<'_> {
    type Op = Call;
    type Ret = Outcome;

    fn invoke(&mut self, call: &Call) -> Outcome {
        let (status, code) = match call {
            Call::Invite { whom, name } => {
                let answer = self.model.take(&by_owner(Act::Invite(*whom)));
                if answer.0 == 201 {
                    self.links.push(Link {
                        name: name.clone(),
                        number: 0,
                    });
                }
                answer
            }
            Call::Follow { by, link } => {
                // No one follows the link of a mail that hasn't been sent.
                let Some(send) = self.links.iter().position(|known| known == link) else {
                    return Outcome::Answer(0, "not sent".to_owned());
                };
                self.model.take(&Step::Login {
                    by: *by,
                    account: None,
                    token: Some(Token::Sent(send)),
                })
            }
            Call::Other(step) => {
                let next = match step {
                    Step::Call {
                        act: Act::Resend(whom),
                        ..
                    } => self.next_link(*whom),
                    _ => None,
                };
                let answer = self.model.take(step);
                self.links.extend(next.filter(|_| answer.0 == 200));
                answer
            }
            Call::Look => return Outcome::Rows(self.sequence.told(&self.model, ACME)),
        };
        Outcome::Answer(status, code.to_owned())
    }

    /// A call that lost too often against others is told to come back, and has changed nothing.
    fn is_valid_step(&mut self, call: &Call, outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Answer(503, code) if code == "unavailable")
            || self.invoke(call) == *outcome
    }
}

/// What clients do, mostly something that changes the account.
fn deed() -> impl Strategy<Value = Deed> {
    let whom = || prop_oneof![3 => Just(KIM), 1 => Just(MAX)];
    let other = |step: fn(usize) -> Step| whom().prop_map(move |whom| Deed::Other(step(whom)));
    prop_oneof![
        4 => whom().prop_map(Deed::Invite),
        5 => (whom(), proptest::bool::weighted(0.1))
            .prop_map(|(who, is_another)| Deed::Follow { who, is_another }),
        2 => other(|whom| by_owner(Act::Resend(whom))),
        4 => other(|whom| by_owner(Act::Remove(whom))),
        2 => other(|who| Step::Login {
            by: Caller::first(who),
            account: Some(ACME),
            token: None,
        }),
        1 => proptest::bool::weighted(0.6).prop_map(|is_pro| Deed::Other(Step::Provision {
            account: ACME,
            is_pro,
            reopen: true,
        })),
        1 => other(|who| Step::Login {
            by: Caller::with_address(who, ELSEWHERE),
            account: Some(ACME),
            token: None,
        }),
        1 => (whom(), proptest::bool::ANY, 0..9_u64).prop_map(|(to, removes, revision)| {
            let handover = Handover { is_pro: true, to, named: None, removes, revision };
            Deed::Other(Step::HandOver { account: ACME, handover })
        }),
        1 => Just(Deed::Other(Step::Report { send: 0, report: Report::Bounced })),
        1 => proptest::bool::weighted(0.2).prop_map(|closes| {
            Deed::Other(by_owner(if closes { Act::Close } else { Act::RenameCompany }))
        }),
    ]
}

/// The token of the newest link that a person was mailed, and which one it is.
fn newest_link(sequence: &Sequence<'_>, who: usize) -> Option<(Link, String)> {
    let to = sequence.email(who);
    let mails = sequence.world.rollcall.stack.mailbox().list();
    let greeting = |text: &str| text.lines().next().unwrap().to_owned();
    let mut mails = mails.iter().filter(|mail| mail.to == to);
    let newest = mails.next()?;
    let name = greeting(&newest.text);
    let number = mails.filter(|mail| greeting(&mail.text) == name).count();
    let link = newest.link.as_deref().unwrap();
    let token = link.split_once("#token=").unwrap().1;
    Some((Link { name, number }, token.to_owned()))
}

/// A name that is used for one invite only.
fn name(client: usize, number: usize) -> String {
    let letter = |number: usize| char::from(b'A' + u8::try_from(number).unwrap());
    format!("Kim {}{}", letter(client), letter(number))
}

fn greeted(name: &str) -> String {
    format!("Hello {name},")
}

type Tester<'a> = RefCell<LinearizabilityTester<usize, Reference<'a>>>;

/// Carries out and records what a client does.
async fn carry_out(
    sequence: &Sequence<'_>,
    tester: &Tester<'_>,
    client: usize,
    deed: &Deed,
    number: usize,
) {
    let invoke = |call: Call| {
        tester.borrow_mut().on_invoke(client, call).unwrap();
    };
    let (status, body): (u16, Value) = match deed {
        Deed::Invite(whom) => {
            let name = name(client, number);
            invoke(Call::Invite {
                whom: *whom,
                name: greeted(&name),
            });
            let body = json!({
                "firstName": name, "lastName": "Lee", "email": sequence.email(*whom),
            });
            let route = "invite POST /accounts/{accountId}/members";
            sequence.call(route, OWNER, Some(ACME), None, &body).await
        }
        Deed::Follow { who, is_another } => {
            let by = if *is_another {
                Caller::another(*who)
            } else {
                Caller::first(*who)
            };
            let Some((link, token)) = newest_link(sequence, *who) else {
                return;
            };
            invoke(Call::Follow { by, link });
            let body = json!({ "inviteToken": token });
            let route = "authorize-login POST /login";
            sequence.call(route, by, None, None, &body).await
        }
        Deed::Other(step) => {
            invoke(Call::Other(step.clone()));
            sequence.carry_out(step).await
        }
    };
    let code = body["code"].as_str().unwrap_or_default().to_owned();
    let outcome = Outcome::Answer(status, code);
    tester.borrow_mut().on_return(client, outcome).unwrap();
}

/// Runs the clients, and checks that there is an order.
async fn follow_history(
    world: &mut World,
    is_accepted: bool,
    clients: &[Vec<Deed>],
    seed: u64,
) -> usize {
    let mut sequence = world.begin().await;
    sequence.take(&by_owner(Act::Invite(KIM))).await;
    sequence.take(&Step::Wait(60)).await;
    if is_accepted {
        let accepted = Step::Login {
            by: Caller::first(KIM),
            account: None,
            token: Some(Token::Sent(0)),
        };
        sequence.take(&accepted).await;
    }
    let sequence = &sequence;
    let reference = Reference {
        sequence,
        model: sequence.model.clone(),
        links: vec![Link {
            name: greeted("Kim"),
            number: 0,
        }],
    };
    let tester = RefCell::new(LinearizabilityTester::new(reference));
    let run = |(client, deeds): (usize, &Vec<Deed>)| {
        let (tester, deeds) = (&tester, deeds.clone());
        async move {
            for (number, deed) in deeds.iter().enumerate() {
                carry_out(sequence, tester, client, deed, number).await;
            }
        }
    };
    let running = clients.iter().enumerate().map(run).collect();
    let wire = &sequence.world.rollcall.wire;
    wire.interleave(Order::Seeded(seed), vec![], running).await;

    let mut tester = tester.into_inner();
    tester.on_invoke(CLIENTS, Call::Look).unwrap();
    let rows = summary_of(&sequence.partitions().await[ACME]);
    tester.on_return(CLIENTS, Outcome::Rows(rows)).unwrap();
    assert!(
        tester.is_consistent(),
        "no order of {clients:#?} with seed {seed} comes to what was answered"
    );
    tester.len()
}

/// Follows this many histories, and returns how many calls they had.
fn follow_histories(cases: u32, rng_seed: RngSeed) -> usize {
    let runtime = Runtime::new().unwrap();
    let world = RefCell::new(runtime.block_on(World::start()));
    let calls = std::cell::Cell::new(0);
    let history = (
        proptest::bool::ANY,
        vec(vec(deed(), 1..=3), CLIENTS),
        proptest::num::u64::ANY,
    );
    try_cases(
        cases,
        300,
        rng_seed,
        &history,
        |(is_accepted, clients, seed)| {
            let mut world = world.borrow_mut();
            let followed = follow_history(&mut world, is_accepted, &clients, seed);
            calls.set(calls.get() + runtime.block_on(followed));
        },
    );
    calls.get()
}

#[test]
fn histories_of_eight_clients_are_linearizable() {
    let calls = follow_histories(25, RngSeed::Fixed(7));
    assert!(calls > 25 * CLIENTS, "{calls}");
}

/// The tester isn't a rubber stamp: if only one of two logins may succeed, it notices when both do.
#[tokio::test]
async fn a_history_that_cannot_be_is_found_out() {
    let mut world = World::start().await;
    let sequence = world.begin().await;
    let model = sequence.model.clone();
    let invite = || Call::Invite {
        whom: KIM,
        name: greeted("Kim"),
    };
    let accept = |by| Call::Follow {
        by,
        link: Link {
            name: greeted("Kim"),
            number: 0,
        },
    };
    for (second, is_possible) in [((403, "identity_mismatch"), true), ((200, ""), false)] {
        let mut tester = LinearizabilityTester::new(Reference {
            sequence: &sequence,
            model: model.clone(),
            links: Vec::new(),
        });
        let calls = [
            (invite(), (201, "")),
            (accept(Caller::first(KIM)), (200, "")),
            (accept(Caller::another(KIM)), second),
        ];
        for (client, (call, _)) in calls.iter().enumerate() {
            tester.on_invoke(client, call.clone()).unwrap();
        }
        for (client, (_, (status, code))) in calls.iter().enumerate() {
            let outcome = Outcome::Answer(*status, (*code).to_owned());
            tester.on_return(client, outcome).unwrap();
        }
        assert_eq!(tester.is_consistent(), is_possible);
    }
}

/// The long run: other histories each time.
#[test]
#[ignore = "takes minutes: cargo test --profile long -p tests -- --ignored --nocapture linearizability"]
fn a_thousand_histories_of_eight_clients_are_linearizable() {
    let calls = follow_histories(1_000, RngSeed::Random);
    println!("1000 histories of {CLIENTS} clients, {calls} calls");
}
