//! Calls at the same moment, in many orders of their requests to the table: answers and rows are
//! those of some order in which the calls could have come one after another.
//!
//! The reference model of `sequences` says what each of those orders comes to. So of two calls of
//! which one can win, exactly one does, and no write is lost.

use std::pin::Pin;

use futures_util::future::join_all;
use proptest::collection::vec;
use proptest::prelude::Strategy;
use proptest::test_runner::RngSeed;
use tokio::runtime::Runtime;

use crate::harness::{Mutant, Order, Reply, Rollcall, invitation};
use crate::sequences::model::{Caller, Model, Report, Token};
use crate::sequences::{Sequence, Step, World, single_step, summary_of, try_cases};

const ACME: usize = 0;
const OWNER: Caller = Caller {
    who: 0,
    is_another: false,
};
const KIM: usize = 2;

fn invite(whom: usize) -> Step {
    Step::Invite {
        account: ACME,
        by: OWNER,
        whom,
    }
}

fn resend() -> Step {
    Step::Resend {
        account: ACME,
        by: OWNER,
        whom: KIM,
    }
}

fn remove() -> Step {
    Step::Remove {
        account: ACME,
        by: OWNER,
        whom: KIM,
    }
}

/// A login of Kim's.
fn login(token: Option<Token>, is_another: bool) -> Step {
    Step::Login {
        by: Caller {
            who: KIM,
            is_another,
        },
        account: Some(ACME),
        token,
    }
}

/// A login with the owner's address, by somebody else than [`OWNER`].
fn first_login() -> Step {
    Step::Login {
        by: Caller {
            is_another: true,
            ..OWNER
        },
        account: Some(ACME),
        token: None,
    }
}

/// Follows the newest link.
fn accept() -> Step {
    login(Some(Token::Sent(0)), false)
}

fn close() -> Step {
    Step::Close {
        account: ACME,
        by: OWNER,
    }
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

/// The races that have names: what happened before, and the calls at the same moment.
fn named_races() -> Vec<(&'static str, Vec<Step>, Vec<Step>)> {
    let invited = || vec![invite(KIM), Step::Wait(60)];
    let active = || vec![invite(KIM), accept()];
    vec![
        ("remove/accept", invited(), vec![remove(), accept()]),
        ("accept/accept", invited(), vec![accept(), accept()]),
        (
            "accept/accept by two people with one address",
            invited(),
            vec![accept(), login(Some(Token::Sent(0)), true)],
        ),
        ("resend/accept-old", invited(), vec![resend(), accept()]),
        ("resend/resend", invited(), vec![resend(), resend()]),
        ("invite/invite", vec![], vec![invite(KIM), invite(KIM)]),
        ("invite/invite others", vec![], vec![invite(KIM), invite(3)]),
        ("remove/login", active(), vec![remove(), login(None, false)]),
        ("remove/resend", invited(), vec![remove(), resend()]),
        ("remove/remove", invited(), vec![remove(), remove()]),
        ("remove/invite anew", active(), vec![remove(), invite(KIM)]),
        ("downgrade/invite", vec![], vec![plan(false), invite(KIM)]),
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
        (
            "feedback/feedback",
            invited(),
            vec![report(Report::Delivered), report(Report::Complained)],
        ),
        (
            "feedback/remove",
            invited(),
            vec![report(Report::Bounced), remove()],
        ),
        ("close/accept", invited(), vec![close(), accept()]),
        ("close/invite", vec![], vec![close(), invite(KIM)]),
        ("close/downgrade", vec![], vec![close(), plan(false)]),
        (
            "close/first login of who has the owner's address, too",
            vec![],
            vec![close(), first_login()],
        ),
        (
            "invite/first login of who has the owner's address, too",
            vec![],
            vec![invite(KIM), first_login(), login(None, false)],
        ),
        (
            "remove/first login of who has the owner's address, too",
            active(),
            vec![remove(), first_login(), login(None, false)],
        ),
        (
            "remove/resend/accept",
            invited(),
            vec![remove(), resend(), accept()],
        ),
    ]
}

/// Takes steps one after the other, then others all at once, in an order of their requests. What came of
/// it must be what some order of the steps would come to; otherwise, says what it is. Returns the order of
/// the requests, too.
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
    let mails = sequence.world.rollcall.stack.mailbox().list().len();
    let wire = &sequence.world.rollcall.wire;
    let calls = steps.iter().map(|step| sequence.carry_out(step)).collect();
    let (answers, order) = wire.interleave(order, sequence.people(), calls).await;
    let answers: Vec<_> = answers
        .iter()
        .map(|(status, body)| (*status, body["code"].as_str().unwrap_or_default()))
        .collect();
    let rows: Vec<_> = sequence.partitions().await;
    let rows: Vec<_> = rows.iter().map(summary_of).collect();
    let mails = sequence.world.rollcall.stack.mailbox().list().len() - mails;

    let mut orders = orders(steps.len());
    if order.loses_answers() {
        // A call that did not hear of its commit may find that the world has moved on since, as if it had
        // been made again.
        for again in 0..steps.len() {
            let longer = self::orders(steps.len() + 1).into_iter();
            let repeat = |step| if step == steps.len() { again } else { step };
            orders.extend(longer.map(|order| order.into_iter().map(repeat).collect()));
        }
    }
    let outcomes = orders
        .iter()
        .map(|order| one_after_another(&sequence, &steps, order));
    let mut possible = Vec::new();
    for (told, model) in outcomes {
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

/// What steps come to in an order: their answers, in the order in which they are given, and the
/// model after them.
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

/// All orders of so many things.
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

/// Runs a race in every order that its requests can come in, and with every way to lose so many answers.
/// Returns how many that are, or what is not possible.
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

/// The long run: of three calls, too, and with an answer that gets lost.
#[tokio::test]
#[ignore = "takes minutes: cargo test --profile long -p tests -- --ignored --nocapture collisions"]
async fn every_race_has_a_winner_and_loses_no_write_in_any_order() {
    races(0, 3..=3).await;
    races(1, 2..=3).await;
}

/// What the races are held against would notice.
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

/// Any calls that anybody can make, at the same moment.
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
fn whatever_is_called_at_once_has_an_order() {
    collide_at_random(60, 3, RngSeed::Fixed(7));
}

/// The long run: other calls each time, by up to five clients.
#[test]
#[ignore = "takes minutes: cargo test --profile long -p tests -- --ignored --nocapture collisions"]
fn whatever_is_called_at_once_by_many_has_an_order() {
    collide_at_random(5_000, 5, RngSeed::Random);
    println!("5000 collisions of up to five calls");
}

/// Fifty invites at the same moment, when the account may send twenty mails: as many go out.
async fn fifty_invites(
    rollcall: &Rollcall,
    account: &str,
    at_once: impl AsyncFnOnce(Vec<Pin<Box<dyn Future<Output = Reply> + Send>>>) -> Vec<Reply>,
) {
    rollcall.account(account, "pro").await;
    let owner = rollcall.person(crate::harness::OWNER).await;
    let mails_before = rollcall.stack.mailbox().list().len();
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
            // Whoever waited too long is told to come back, and may have invited.
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
    let mails = rollcall.stack.mailbox().list().len() - mails_before;
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
