//! Every request of every operation fails, in every way: nobody gets in who cannot be shown to
//! belong there, there is an answer, it is 503 and never 500, nothing happens twice, and
//! whoever asks again gets what was asked for.

use futures_util::future::join_all;
use serde_json::json;

use crate::authorize_request::{expect_no_verdict, product};
use crate::harness::{Fault, Rollcall};
use crate::sequences::model::{Caller, Report, Token};
use crate::sequences::{Step, World, summary_of};

/// What can come between a function and AWS and pass again.
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

/// The SDK tries three times. One failure it makes good; after three the operation has to; and
/// after that nothing works.
const TIMES: [usize; 3] = [1, 3, ALWAYS];

/// More than any call asks.
const ALWAYS: usize = 1_000;

const OWNER: Caller = Caller {
    who: 0,
    is_another: false,
};
const KIM: Caller = Caller {
    who: 2,
    is_another: false,
};
const STRANGER: Caller = Caller {
    who: 3,
    is_another: false,
};

/// Every operation that reads or writes, with what has to have happened before. What nobody may is
/// among them: a fault must not open what a refusal keeps shut.
fn operations() -> Vec<(Vec<Step>, Step)> {
    let account = 0;
    let whom = KIM.who;
    let invite = Step::Invite {
        account,
        by: OWNER,
        whom,
    };
    let accept = Step::Login {
        by: KIM,
        account: None,
        token: Some(Token::Sent(0)),
    };
    let remove = Step::Remove {
        account,
        by: OWNER,
        whom,
    };
    let login = |by, account| Step::Login {
        by,
        account,
        token: None,
    };
    let invited = || vec![invite.clone(), Step::Wait(60)];
    let active = || vec![invite.clone(), accept.clone()];
    let bounced = Step::Report {
        send: 0,
        report: Report::Bounced,
    };
    let provision = |is_pro, reopen| Step::Provision {
        account,
        is_pro,
        reopen,
    };
    let close = Step::Close { account, by: OWNER };
    vec![
        (vec![], invite.clone()),
        (
            invited(),
            Step::Resend {
                account,
                by: OWNER,
                whom,
            },
        ),
        (invited(), remove.clone()),
        (active(), remove.clone()),
        (invited(), accept.clone()),
        (active(), login(KIM, Some(account))),
        (active(), login(KIM, None)),
        (vec![], login(OWNER, None)),
        (active(), Step::List { account, by: KIM }),
        (
            invited(),
            Step::Rename {
                account,
                by: OWNER,
                whom,
            },
        ),
        (vec![], Step::RenameCompany { account, by: OWNER }),
        (vec![], close.clone()),
        (vec![], provision(false, false)),
        (vec![close], provision(true, true)),
        (invited(), bounced.clone()),
        ([invited(), vec![bounced]].concat(), Step::Lift { whom }),
        // And these are refused.
        (
            [active(), vec![remove.clone()]].concat(),
            login(KIM, Some(account)),
        ),
        ([active(), vec![remove]].concat(), login(KIM, None)),
        (invited(), login(KIM, Some(account))),
        (active(), login(STRANGER, Some(account))),
        (
            active(),
            Step::Login {
                by: STRANGER,
                account: None,
                token: Some(Token::Sent(0)),
            },
        ),
        (
            active(),
            Step::List {
                account,
                by: STRANGER,
            },
        ),
        (
            active(),
            Step::Invite {
                account,
                by: KIM,
                whom: 3,
            },
        ),
    ]
}

/// Lets an operation fail at a request, then works again, and asks again. False, if it makes fewer
/// requests than that.
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

    let mails = || sequence.world.rollcall.stack.mailbox().list().len();
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
    // A mail whose answer is lost is sent again by the SDK: the link is the same.
    let sent = once.sends.len() - untouched.sends.len();
    assert!(mails() - mails_before <= 3 * sent, "{what}");
    reached
}

/// A mail that did not go out is told apart from one that did; to this test it is the same.
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

/// A request that fails, one whose answer is lost, and one that nobody answers: what matters most.
#[tokio::test]
async fn a_failure_at_any_request_does_no_harm() {
    let operations = operations();
    let fail = async |operation| {
        let mut world = World::start().await;
        let faults = [Fault::NoConnection, Fault::LostAnswer];
        let failed = fail_everywhere(&mut world, operation, &faults, &TIMES).await;
        let faults = [Fault::Hang, Fault::NoAnswer, Fault::TransactionConflict];
        failed + fail_everywhere(&mut world, operation, &faults, &[ALWAYS]).await
    };
    let failures: usize = join_all(operations.iter().map(fail)).await.iter().sum();
    assert!(failures > 100, "{failures}");
}

/// What only reads has no part in the model: it says nothing that it cannot read.
#[tokio::test]
async fn who_cannot_be_looked_up_is_kept_out_of_the_product_and_not_shown_to_support() {
    join_all(FAULTS.map(async |fault| {
        let (rollcall, owner) = Rollcall::start_with_owner().await;
        let claims = json!({ "email": "sue@product.example", "groups": ["support"] });
        let support = rollcall.signed_in(&claims).await;
        let about = format!("/support/feedback?email={}", crate::harness::OWNER);

        rollcall.wire.break_down(0, ALWAYS, fault);
        let guarded = product(&owner, Some("acme")).await;
        let shown = support.get(&about).await;
        match fault {
            // This one reads all the same.
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
