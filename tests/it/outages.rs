//! Every request of every operation fails, in every way: no one gets in without proof, the answer is
//! 503 and never 500, nothing happens twice, and a second try does what was asked for.

use futures_util::future::join_all;
use serde_json::json;

use crate::authorize_request::{expect_no_verdict, product};
use crate::harness::{Fault, Rollcall};
use crate::sequences::{Act, Caller, Report, Step, Token, World, summary_of};

/// Transient faults between a function and AWS.
const FAULTS: [Fault; 10] = [
    Fault::NoConnection,
    Fault::LostAnswer,
    Fault::Hang,
    Fault::NoAnswer,
    Fault::Garbage,
    Fault::TransactionConflict,
    Fault::Error(400, "ThrottlingException"),
    Fault::Error(400, "ProvisionedThroughputExceededException"),
    Fault::Error(500, "InternalServerError"),
    Fault::Error(503, "ServiceUnavailable"),
];

/// The SDK tries three times: it recovers from one failure. After three, the operation has to. The
/// last one never ends.
const TIMES: [usize; 3] = [1, 3, ALWAYS];

/// More requests than any call makes.
const ALWAYS: usize = 1_000;

const OWNER: Caller = Caller::first(0);
const KIM: Caller = Caller::first(2);
const STRANGER: Caller = Caller::first(3);

/// Every operation that reads or writes, with the steps before it. Forbidden ones are included: a
/// fault must not open what a refusal keeps shut.
fn operations() -> Vec<(Vec<Step>, Step)> {
    let account = 0;
    let whom = KIM.subject;
    let call = |by, act| Step::Call { account, by, act };
    let invite = || call(OWNER, Act::Invite(whom));
    let remove = || call(OWNER, Act::Remove(whom));
    let close = || call(OWNER, Act::Close);
    let login = |by, account| Step::Login {
        by,
        account,
        token: None,
    };
    let follow = |by| Step::Login {
        by,
        account: None,
        token: Some(Token::Sent(0)),
    };
    let invited = || vec![invite(), Step::Wait(60)];
    let active = || vec![invite(), follow(KIM)];
    let removed = || [active(), vec![remove()]].concat();
    let bounced = Step::Report {
        send: 0,
        report: Report::Bounced,
    };
    let provision = |is_pro, reopen| Step::Provision {
        account,
        is_pro,
        reopen,
    };
    vec![
        (vec![], invite()),
        (invited(), call(OWNER, Act::Resend(whom))),
        (invited(), call(OWNER, Act::Correct(whom, 3))),
        (
            active(),
            login(Caller::with_address(whom, 3), Some(account)),
        ),
        (active(), login(Caller::without_address(whom), None)),
        (invited(), remove()),
        (active(), remove()),
        (invited(), follow(KIM)),
        (active(), login(KIM, Some(account))),
        (active(), login(KIM, None)),
        (vec![], login(OWNER, None)),
        (active(), call(KIM, Act::List)),
        (invited(), call(OWNER, Act::Rename(whom))),
        (vec![], call(OWNER, Act::RenameCompany)),
        (vec![], close()),
        (vec![], provision(false, false)),
        (vec![close()], provision(true, true)),
        (invited(), bounced.clone()),
        ([invited(), vec![bounced]].concat(), Step::Lift { whom }),
        // These are refused.
        (removed(), login(KIM, Some(account))),
        (removed(), login(KIM, None)),
        (invited(), login(KIM, Some(account))),
        (active(), login(STRANGER, Some(account))),
        (active(), follow(STRANGER)),
        (active(), call(STRANGER, Act::List)),
        (active(), call(KIM, Act::Invite(3))),
    ]
}

/// Fails an operation at a request, then recovers and tries again. Returns whether the operation makes
/// that many requests.
async fn fail(
    world: &mut World,
    (before, step): &(Vec<Step>, Step),
    request: usize,
    times: usize,
    fault: Fault,
) -> bool {
    let mut sequence = world.begin().await;
    for step in before {
        sequence.take_unseen(step).await;
    }
    let step = step.resolved(&sequence.model).unwrap();
    let what = format!("{step:?} with {fault:?} {times} times at request {request}");
    let untouched = sequence.model.clone();
    let mut once = untouched.clone();
    let expected = once.take(&step);
    let mut twice = once.clone();
    let again = twice.take(&step);

    let mails = || sequence.world.rollcall.stack.mailbox().count();
    let mails_before = mails();
    let wire = &sequence.world.rollcall.wire;
    wire.forget();
    wire.break_down(request, times, fault);
    let (status, body) = sequence.carry_out(&step).await;
    let reached = wire.calls().len() > request;
    wire.heal();
    let code = body["code"].as_str().unwrap_or_default();
    let answer = (status, code);
    assert!(
        answer == expected || answer == (503, "unavailable"),
        "{what}: {body}"
    );
    let rows = async || summary_of(&sequence.partitions().await[0]);
    let rows_after = rows().await;
    let told = |model| sequence.told(model, 0);
    if status == 503 {
        let possible = [told(&untouched), told(&once)];
        assert!(possible.contains(&rows_after), "{what}: {rows_after:?}");
    } else {
        assert_eq!(
            undelivered(rows_after.clone()),
            undelivered(told(&once)),
            "{what}"
        );
    }

    if status == 503 {
        let (status, body) = sequence.carry_out(&step).await;
        let answer = (status, body["code"].as_str().unwrap_or_default());
        assert!([expected, again].contains(&answer), "{what}, again: {body}");
        assert_eq!(
            undelivered(rows().await),
            undelivered(told(&once)),
            "{what}, again"
        );
    }
    // If the answer to a mail is lost, the SDK sends the mail again: the link is the same.
    let sent = once.sends.len() - untouched.sends.len();
    assert!(mails() - mails_before <= 3 * sent, "{what}");
    reached
}

/// This test doesn't distinguish mails that were sent from mails that weren't.
fn undelivered(
    rows: std::collections::BTreeMap<String, String>,
) -> std::collections::BTreeMap<String, String> {
    rows.into_iter()
        .map(|(key, row)| (key, row.replace("failed", "sending")))
        .collect()
}

async fn fail_everywhere(
    world: &mut World,
    operation: &(Vec<Step>, Step),
    faults: &[Fault],
    times: &[usize],
) -> usize {
    let mut failures = 0;
    for (fault, times) in faults
        .iter()
        .flat_map(|fault| times.iter().map(move |times| (fault, times)))
    {
        let mut request = 0;
        while fail(world, operation, request, *times, *fault).await {
            failures += 1;
            request += 1;
        }
        assert!(request > 0, "{operation:?} makes no request");
    }
    failures
}

/// The faults that matter most.
#[tokio::test]
async fn a_failure_at_any_request_does_no_harm() {
    let operations = operations();
    let fail = async |operation| {
        let mut world = World::start().await;
        let faults = [Fault::NoConnection, Fault::LostAnswer];
        let failed = fail_everywhere(&mut world, operation, &faults, &TIMES).await;
        let faults = [
            Fault::Hang,
            Fault::NoAnswer,
            Fault::Garbage,
            Fault::TransactionConflict,
            Fault::Error(400, "ThrottlingException"),
        ];
        failed + fail_everywhere(&mut world, operation, &faults, &[ALWAYS]).await
    };
    let failures: usize = join_all(operations.iter().map(fail)).await.iter().sum();
    assert!(failures > 100, "{failures}");
}

/// The model doesn't cover these calls, which only read.
#[tokio::test]
async fn the_guard_and_support_reveal_nothing_that_they_cannot_read() {
    join_all(FAULTS.map(async |fault| {
        let (rollcall, owner) = Rollcall::start_with_owner().await;
        let claims = json!({ "email": "sue@product.example", "groups": ["support"] });
        let support = rollcall.signed_in(&claims).await;
        let about = format!("/support/feedback?email={}", crate::harness::OWNER);

        rollcall.wire.break_down(0, ALWAYS, fault);
        let guarded = product(&owner, Some("acme")).await;
        let shown = support.get(&about).await;
        match fault {
            // Reads don't notice this one.
            Fault::TransactionConflict => {
                guarded.expect_status(200);
                shown.expect_status(200);
            }
            _ => {
                expect_no_verdict(&guarded);
                shown.expect_problem(503, "unavailable");
            }
        }

        // What is shown takes two reads.
        rollcall.wire.break_down(1, ALWAYS, Fault::NoConnection);
        let half_shown = support.get(&about).await;
        half_shown.expect_problem(503, "unavailable");
    }))
    .await;
}

/// The long run.
#[tokio::test]
#[ignore = "takes minutes: cargo test --profile long -p tests -- --ignored --nocapture outages"]
async fn a_failure_of_any_kind_at_any_request_does_no_harm() {
    let operations = operations();
    let fail = async |operation| {
        let mut world = World::start().await;
        fail_everywhere(&mut world, operation, &FAULTS, &TIMES).await
    };
    let failures: usize = join_all(operations.iter().map(fail)).await.iter().sum();
    println!("{failures} failures");
}
