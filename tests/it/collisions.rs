//! Calls at the same moment, in many orders of their requests to the table: answers and rows are as
//! if the calls had come one after another, in some order.
//!
//! The reference model of `sequences` gives the outcome of each of those orders. So if only one of two
//! calls can win, exactly one does, and no write is lost.

use std::pin::Pin;

use futures_util::future::join_all;
use proptest::collection::vec;
use proptest::prelude::Strategy;
use proptest::test_runner::RngSeed;
use tokio::runtime::Runtime;

use crate::harness::{Mutant, Order, Reply, Rollcall, invitation};
use crate::sequences::model::Model;
use crate::sequences::{
    Act, Caller, Handover, Report, Sequence, Step, Token, World, single_step, summary_of, try_cases,
};

const ACME: usize = 0;
const OWNER: Caller = Caller::first(0);
const KIM: usize = 2;
const OTHER: usize = 3;

fn by_owner(act: Act) -> Step {
    let (account, by) = (ACME, OWNER);
    Step::Call { account, by, act }
}

fn login(by: Caller, token: Option<Token>) -> Step {
    let account = Some(ACME);
    Step::Login { by, account, token }
}

/// Someone follows the newest link.
fn follow(by: Caller) -> Step {
    login(by, Some(Token::Sent(0)))
}

fn plan(is_pro: bool) -> Step {
    Step::Provision {
        account: ACME,
        is_pro,
        reopen: false,
    }
}

fn report(report: Report) -> Step {
    Step::Report { send: 0, report }
}

/// The races with names: what happened before, and the calls at the same moment.
fn named_races() -> Vec<(&'static str, Vec<Step>, Vec<Step>)> {
    let invite = || by_owner(Act::Invite(KIM));
    let resend = || by_owner(Act::Resend(KIM));
    let remove = || by_owner(Act::Remove(KIM));
    let close = || by_owner(Act::Close);
    let accept = || follow(Caller::first(KIM));
    let return_ = || login(Caller::first(KIM), None);
    // The first login with the owner's address isn't the owner's.
    let first_login = || login(Caller::another(OWNER.subject), None);
    let invited = || vec![invite(), Step::Wait(60)];
    let active = || vec![invite(), accept()];
    let accepts = || vec![accept(), follow(Caller::another(KIM))];
    // Kim's identity provider calls Kim by another address.
    let moved = || Caller::with_address(KIM, OTHER);
    let moves = || login(moved(), None);
    let both = || vec![invite(), by_owner(Act::Invite(OTHER)), Step::Wait(60)];
    let accepts_at = |address, age| {
        let by = Caller::with_address(KIM, address);
        login(by, Some(Token::Sent(age)))
    };
    let correct = || by_owner(Act::Correct(KIM, OTHER));
    let hand_over = |to, removes| Step::HandOver {
        account: ACME,
        handover: Handover {
            is_pro: true,
            to,
            named: None,
            removes,
            revision: 7,
        },
    };
    let to_kim = || hand_over(KIM, true);
    let handed_over = |is_pro, named, revision| Step::HandOver {
        account: ACME,
        handover: Handover {
            is_pro,
            to: OTHER,
            named,
            removes: true,
            revision,
        },
    };
    let opened = || vec![report(Report::Delivered), report(Report::Complained)];
    vec![
        ("remove/accept", invited(), vec![remove(), accept()]),
        ("accept/accept", invited(), vec![accept(), accept()]),
        ("accept/accept by another person", invited(), accepts()),
        ("resend/accept-old", invited(), vec![resend(), accept()]),
        ("resend/resend", invited(), vec![resend(), resend()]),
        ("invite/invite", vec![], vec![invite(), invite()]),
        (
            "invite/invite others",
            vec![],
            vec![invite(), by_owner(Act::Invite(OTHER))],
        ),
        ("remove/login", active(), vec![remove(), return_()]),
        ("remove/resend", invited(), vec![remove(), resend()]),
        ("remove/remove", invited(), vec![remove(), remove()]),
        ("remove/invite again", active(), vec![remove(), invite()]),
        ("downgrade/invite", vec![], vec![plan(false), invite()]),
        ("downgrade/resend", invited(), vec![plan(false), resend()]),
        ("downgrade/accept", invited(), vec![plan(false), accept()]),
        (
            "feedback/resend",
            invited(),
            vec![report(Report::Bounced), resend()],
        ),
        (
            "feedback/accept",
            invited(),
            vec![report(Report::AutoReplied), accept()],
        ),
        ("feedback/feedback", invited(), opened()),
        (
            "feedback/remove",
            invited(),
            vec![report(Report::Bounced), remove()],
        ),
        ("close/accept", invited(), vec![close(), accept()]),
        ("close/invite", vec![], vec![close(), invite()]),
        ("close/resend", invited(), vec![close(), resend()]),
        ("close/downgrade", vec![], vec![close(), plan(false)]),
        ("close/first login", vec![], vec![close(), first_login()]),
        (
            "resend/first login",
            invited(),
            vec![resend(), first_login()],
        ),
        ("new address/remove", active(), vec![moves(), remove()]),
        (
            "new address/invite",
            active(),
            vec![moves(), by_owner(Act::Invite(OTHER))],
        ),
        (
            "new address/second device",
            active(),
            vec![moves(), moves()],
        ),
        (
            "new address/old address",
            active(),
            vec![moves(), return_()],
        ),
        (
            "accept at two addresses",
            both(),
            vec![accepts_at(KIM, 1), accepts_at(OTHER, 0)],
        ),
        ("correct/accept", invited(), vec![correct(), accept()]),
        ("correct/remove", invited(), vec![correct(), remove()]),
        ("correct/correct", invited(), vec![correct(), correct()]),
        (
            "correct/invite",
            invited(),
            vec![correct(), by_owner(Act::Invite(OTHER))],
        ),
        (
            // The owner has not logged in yet, and the invited person has the owner's address, too.
            "accept/close by the owner's address",
            invited(),
            vec![
                accept(),
                Step::Call {
                    account: ACME,
                    by: Caller::with_address(KIM, OWNER.subject),
                    act: Act::Close,
                },
            ],
        ),
        ("handover/accept", invited(), vec![to_kim(), accept()]),
        ("handover/remove", active(), vec![to_kim(), remove()]),
        ("handover/new address", active(), vec![to_kim(), moves()]),
        ("handover/invite", vec![], vec![to_kim(), invite()]),
        ("handover/close", active(), vec![to_kim(), close()]),
        (
            "handover/first login",
            vec![],
            vec![to_kim(), first_login()],
        ),
        ("handover/downgrade", active(), vec![to_kim(), plan(false)]),
        (
            // The account must not be older than the row to which the identity leads.
            "handover by name/resend",
            vec![handed_over(false, None, 6)],
            vec![
                handed_over(true, Some(OWNER.subject), 7),
                by_owner(Act::Resend(OWNER.subject)),
            ],
        ),
        ("handover/handover", active(), vec![to_kim(), to_kim()]),
        (
            "unbinding/login",
            vec![first_login()],
            vec![hand_over(OWNER.subject, false), first_login()],
        ),
        (
            "invite/first login/login",
            vec![],
            vec![invite(), first_login(), return_()],
        ),
        (
            "remove/first login/login",
            active(),
            vec![remove(), first_login(), return_()],
        ),
        (
            "remove/resend/accept",
            invited(),
            vec![remove(), resend(), accept()],
        ),
    ]
}

/// Takes steps one after the other, then others all at once, with their requests in an order. The
/// outcome must be that of some order of the steps; an error says what it is instead. Also returns the
/// order of the requests.
async fn collide(
    world: &mut World,
    before: &[Step],
    at_once: &[Step],
    order: Order,
) -> (Order, Result<(), String>) {
    let mut sequence = world.begin().await;
    for step in before {
        sequence.take_unseen(step).await;
    }
    let steps: Vec<_> = at_once
        .iter()
        .filter_map(|step| step.resolved(&sequence.model))
        .collect();
    let mails = sequence.world.rollcall.stack.mailbox().count();
    let wire = &sequence.world.rollcall.wire;
    let calls = steps.iter().map(|step| sequence.carry_out(step)).collect();
    let (answers, order) = wire.interleave(order, sequence.people(), calls).await;
    let answers: Vec<_> = answers
        .iter()
        .map(|(status, body)| (*status, body["code"].as_str().unwrap_or_default()))
        .collect();
    let rows: Vec<_> = sequence.partitions().await;
    let rows: Vec<_> = rows.iter().map(summary_of).collect();
    let mails = sequence.world.rollcall.stack.mailbox().count() - mails;

    let mut orders = orders(steps.len());
    if order.loses_answers() {
        // If the answer to a call's commit is lost, the call may find that the world has moved on since,
        // as if it had been made again.
        for again in 0..steps.len() {
            let longer = self::orders(steps.len() + 1).into_iter();
            let repeat = |step| if step == steps.len() { again } else { step };
            orders.extend(longer.map(|order| order.into_iter().map(repeat).collect()));
        }
    }
    let mut possible = Vec::new();
    for order in &orders {
        let (told, model) = one_after_another(&sequence, &steps, order);
        let told_rows: Vec<_> = (0..rows.len())
            .map(|account| sequence.told(&model, account))
            .collect();
        let told_mails = model.sends.len() - sequence.model.sends.len();
        possible.push((told, told_rows, told_mails));
    }
    let seen = (answers, rows, mails);
    let is_possible = possible.iter().any(|(answers, rows, mails)| {
        (answers.as_slice(), rows, mails) == (seen.0.as_slice(), &seen.1, &seen.2)
    });
    let outcome = if is_possible {
        Ok(())
    } else {
        Err(format!(
            "after {before:?}\nat once {steps:?}\nin {order:?}: {seen:#?}\nis none of {possible:#?}"
        ))
    };
    (order, outcome)
}

/// The answers to steps that are taken in an order, and the model after them.
fn one_after_another(
    sequence: &Sequence<'_>,
    steps: &[Step],
    order: &[usize],
) -> (Vec<(u16, &'static str)>, Model) {
    let mut model = sequence.model.clone();
    let mut answers = vec![(0, ""); steps.len()];
    for step in order {
        answers[*step] = model.take(&steps[*step]);
    }
    (answers, model)
}

/// All orders of this many things.
fn orders(number: usize) -> Vec<Vec<usize>> {
    let Some(last) = number.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let shorter = orders(last).into_iter();
    let longer = shorter.flat_map(|order| {
        (0..=last).map(move |place| {
            let mut order = order.clone();
            order.insert(place, last);
            order
        })
    });
    longer.collect()
}

/// Runs a race in every order of its requests, and with every way to lose this many answers. Returns
/// how many those are, or the outcome that is not possible.
async fn race(
    world: &mut World,
    before: &[Step],
    at_once: &[Step],
    losses: u8,
) -> Result<usize, String> {
    let mut orders = 0;
    let mut next = Some(Order::first(losses));
    while let Some(order) = next {
        let (order, outcome) = collide(world, before, at_once, order).await;
        outcome?;
        next = order.next();
        orders += 1;
    }
    Ok(orders)
}

async fn races(losses: u8, calls: std::ops::RangeInclusive<usize>) {
    let mut world = World::start().await;
    for (name, before, at_once) in named_races() {
        if calls.contains(&at_once.len()) {
            let orders = race(&mut world, &before, &at_once, losses).await.unwrap();
            #[expect(clippy::print_stdout, reason = "says how far the long run is")]
            {
                println!("{name}: {orders} orders");
            }
            assert!(orders > 2, "{name}: {orders}");
        }
    }
}

#[tokio::test]
async fn every_race_of_two_has_a_winner_and_loses_no_write_in_any_order() {
    races(0, 2..=2).await;
}

/// The long run: also of three calls, and with a lost answer.
#[tokio::test]
#[ignore = "takes minutes: cargo test --profile long -p tests -- --ignored --nocapture collisions"]
async fn every_race_has_a_winner_and_loses_no_write_in_any_order() {
    races(0, 3..=3).await;
    races(1, 2..=3).await;
}

/// The reference isn't a rubber stamp.
#[tokio::test]
async fn a_broken_rule_is_caught() {
    for mutant in [Mutant::BlindCommit, Mutant::LostIsDone] {
        let mut world = World::start().await;
        world.rollcall.wire.mutate(Some(mutant));
        let mut is_caught = false;
        for (_, before, at_once) in named_races().into_iter().take(3) {
            is_caught |= race(&mut world, &before, &at_once, 0).await.is_err();
        }
        assert!(is_caught, "{mutant:?} lives");
    }
}

/// Any calls by anyone, at the same moment.
fn collide_at_random(cases: u32, at_once: usize, rng_seed: RngSeed) {
    let runtime = Runtime::new().unwrap();
    let world = std::cell::RefCell::new(runtime.block_on(World::start()));
    let before = vec(single_step(), 0..8);
    let changes = single_step().prop_filter("one call", |step| {
        !matches!(step, Step::Wait(_) | Step::Lift { .. })
    });
    let case = (before, vec(changes, 2..=at_once), proptest::num::u64::ANY);
    try_cases(cases, 500, rng_seed, &case, |(before, at_once, seed)| {
        let mut world = world.borrow_mut();
        let order = Order::Seeded(seed);
        let (_, outcome) = runtime.block_on(collide(&mut world, &before, &at_once, order));
        outcome.unwrap();
    });
}

#[test]
fn calls_at_once_have_an_order() {
    collide_at_random(60, 3, RngSeed::Fixed(7));
}

/// The long run: other calls each time, by up to five clients.
#[test]
#[ignore = "takes minutes: cargo test --profile long -p tests -- --ignored --nocapture collisions"]
fn calls_of_many_at_once_have_an_order() {
    collide_at_random(5_000, 5, RngSeed::Random);
    println!("5000 collisions of up to five calls");
}

/// Fifty invites at the same moment in an account that may send twenty mails: twenty go out.
async fn fifty_invites(
    rollcall: &Rollcall,
    account: &str,
    at_once: impl AsyncFnOnce(Vec<Pin<Box<dyn Future<Output = Reply> + Send>>>) -> Vec<Reply>,
) {
    rollcall.account(account, "pro").await;
    let owner = rollcall.person(crate::harness::OWNER).await;
    let mails_before = rollcall.stack.mailbox().count();
    let calls = (0..50).map(|number| {
        let (owner, path) = (owner.clone(), format!("/accounts/{account}/members"));
        let body = invitation(&format!("p{number}@{account}.example"));
        let call: Pin<Box<dyn Future<Output = Reply> + Send>> =
            Box::pin(async move { owner.post(&path, &body).await });
        call
    });
    let (mut answered, mut unsure, mut limited) = (0, 0, 0);
    for reply in at_once(calls.collect()).await {
        match reply.status {
            201 => answered += 1,
            // A call that waited too long says so, and may have invited.
            503 => {
                reply.expect_problem(503, "unavailable");
                unsure += 1;
            }
            _ => {
                reply.expect_problem(429, "send_limit_reached");
                limited += 1;
            }
        }
    }
    let rows = rollcall.rows().await;
    let of_account = |kind: &str| format!("ACCOUNT#{account} {kind}#");
    let members = rows
        .keys()
        .filter(|key| key.starts_with(&of_account("MEMBER")));
    let invited = members.count() - 1;
    assert!(
        (answered..=answered + unsure).contains(&invited),
        "{invited}"
    );
    assert!(
        invited <= 20 && (limited == 0 || invited == 20),
        "{invited}"
    );
    let mails = rollcall.stack.mailbox().count() - mails_before;
    assert!((answered..=invited).contains(&mails), "{mails}");
    let mut counters = rows
        .iter()
        .filter(|(key, _)| key.starts_with(&of_account("SENDS")));
    let count = counters.next().unwrap().1["count"].as_n().unwrap();
    assert_eq!(*count, invited.to_string());
}

async fn twenty_an_hour() -> Rollcall {
    Rollcall::start_with(local::Options {
        parameters: vec![("SendsPerHour", "20".to_owned())],
        ..local::Options::default()
    })
    .await
}

/// In parallel, for real.
#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_invites_at_once_the_limit_lets_its_number_through() {
    let rollcall = twenty_an_hour().await;
    let in_parallel = async |calls: Vec<_>| {
        let calls: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
        let replies = join_all(calls).await.into_iter();
        replies.map(Result::unwrap).collect()
    };
    fifty_invites(&rollcall, "acme", in_parallel).await;
}

/// The long run.
#[tokio::test]
#[ignore = "takes minutes: cargo test --profile long -p tests -- --ignored --nocapture collisions"]
async fn of_fifty_invites_in_five_hundred_orders_the_limit_lets_its_number_through() {
    let mut rollcall = twenty_an_hour().await;
    for seed in 0..500 {
        if seed % 50 == 49 {
            rollcall = twenty_an_hour().await;
        }
        let order = Order::Seeded(seed);
        let in_turns = async |calls| rollcall.wire.interleave(order, vec![], calls).await.0;
        fifty_invites(&rollcall, &format!("acme{seed}"), in_turns).await;
    }
    println!("fifty invites at the limit, in 500 orders");
}
