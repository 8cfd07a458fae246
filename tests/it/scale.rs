//! What a call costs as an account grows, as a person joins more accounts, as AWS takes longer, and as
//! more people call at once. What is counted is tested; what takes time is measured on demand, and printed:
//!
//! ```text
//! cargo test --profile long -p tests -- --ignored scale --nocapture --test-threads 1
//! ```

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use local::Options;
use reqwest::Method;
use serde_json::json;

use crate::harness::{Cost, Meter, OWNER, Person, Reply, Rollcall, member_id};

const MAX: &str = "max@example.com";
const ABOUT_MAX: &str = "/support/feedback?email=max@example.com";

/// A stack without effective limits on mail.
async fn start() -> (Rollcall, Person) {
    let many = || "1000000".to_owned();
    let rollcall = Rollcall::start_with(Options {
        parameters: vec![
            ("SendsPerHour", many()),
            ("ResendsPerDay", "30".to_owned()),
            ("SendsPerRecipientPerDay", many()),
        ],
        ..Options::default()
    })
    .await;
    let owner = rollcall.person(OWNER).await;
    (rollcall, owner)
}

/// An account with this many people, including its owner and Max, who are active. Its name always
/// has the same length.
async fn account_of(rollcall: &Rollcall, owner: &Person, people: usize) -> String {
    let account = format!("a{people:05}");
    rollcall.account(&account, "pro").await;
    let login = json!({ "accountId": account });
    owner.login(&login).await.expect_status(200);
    owner.invite(&account, MAX).await.expect_status(201);
    let invite = json!({ "inviteToken": rollcall.newest_token() });
    let max = rollcall.person(MAX).await;
    max.login(&invite).await.expect_status(200);
    rollcall.crowd(&account, MAX, people - 2).await;
    account
}

async fn use_product(caller: &Person, account: Option<&str>) -> Reply {
    let mut request = caller.request(Method::GET, "/dev/product");
    if let Some(account) = account {
        request = request.header("x-account-id", account);
    }
    Reply::of(request).await
}

/// Makes every call whose cost must not depend on the size of the account.
async fn costs(rollcall: &Rollcall, owner: &Person, account: &str) -> Vec<(&'static str, Cost)> {
    let email = format!("kim-{account}@example.com");
    let kim = rollcall.person(&email).await;
    let named = json!({ "accountId": account });
    let meter = rollcall.wire.meter();
    let mut costs = Vec::new();
    let mut note = async |what, reply: Reply| {
        assert!(reply.status < 300, "{what}: {}", reply.raw);
        costs.push((what, meter.take(&rollcall.stack).await));
    };
    note("invite", owner.invite(account, &email).await).await;
    rollcall.advance(60).await;
    note("resend", owner.resend(account, &email).await).await;
    let invite = json!({ "inviteToken": rollcall.newest_token() });
    note("accept", kim.login(&invite).await).await;
    note("login", kim.login(&named).await).await;
    note("login, account not known", kim.login(&json!({})).await).await;
    note("request", use_product(&kim, Some(account)).await).await;
    note("request, account not known", use_product(&kim, None).await).await;
    note("page of the list", owner.list(account, "?limit=5").await).await;
    let path = format!("/accounts/{account}/members/{}", member_id(account, &email));
    let body = json!({ "firstName": "Tim" });
    note("rename", owner.patch(&path, &body).await).await;
    note("remove", owner.remove(account, &email).await).await;
    note("invite again", owner.invite(account, &email).await).await;
    costs
}

/// Reads a whole list of this many people, and checks that its pages cost the same.
async fn pages(rollcall: &Rollcall, owner: &Person, account: &str, people: usize) -> Vec<Cost> {
    let meter = rollcall.wire.meter();
    let mut pages = Vec::new();
    let mut query = "?limit=100".to_owned();
    loop {
        let page = owner.list(account, &query).await.expect_status(200);
        pages.push(meter.take(&rollcall.stack).await);
        match page.text("cursor") {
            none if none.is_empty() => break,
            cursor => query = format!("?limit=100&cursor={cursor}"),
        }
    }
    assert_eq!(pages.len(), people.div_ceil(100));
    let full = &pages[..people / 100];
    for page in full {
        assert_eq!(page.steps, ["BatchGetItem", "Query"]);
        assert!(page.read_units <= 1.1 * full[0].read_units, "{pages:?}");
        assert!(full[0].read_units <= 1.1 * page.read_units, "{pages:?}");
    }
    pages
}

#[tokio::test]
async fn a_call_costs_the_same_in_a_large_account() {
    let (rollcall, owner) = start().await;
    let small = account_of(&rollcall, &owner, 10).await;
    let large = account_of(&rollcall, &owner, 1_000).await;
    pages(&rollcall, &owner, &small, 10).await;
    pages(&rollcall, &owner, &large, 1_000).await;
    let in_small = costs(&rollcall, &owner, &small).await;
    assert_eq!(in_small, costs(&rollcall, &owner, &large).await);
}

/// Adds the owner to accounts until there are this many.
async fn accounts(rollcall: &Rollcall, before: usize, after: usize) {
    for number in before..after {
        rollcall.account(&format!("a{number:03}"), "pro").await;
    }
}

/// The cost of a login that names no account, and of one that does.
async fn logins(rollcall: &Rollcall, owner: &Person) -> [Cost; 2] {
    let meter = rollcall.wire.meter();
    owner.login(&json!({})).await;
    let unknown = meter.take(&rollcall.stack).await;
    let known = json!({ "accountId": "a000" });
    owner.login(&known).await.expect_status(200);
    [unknown, meter.take(&rollcall.stack).await]
}

#[tokio::test]
async fn a_login_takes_as_many_steps_for_a_person_in_many_accounts() {
    let (rollcall, owner) = start().await;
    accounts(&rollcall, 0, 1).await;
    owner.login(&json!({})).await.expect_status(200);
    let [unknown, known] = logins(&rollcall, &owner).await;
    assert_eq!(unknown.steps, ["Query + Query", "BatchGetItem"]);
    assert_eq!(unknown.read_units, 2.0 + 2.0);

    accounts(&rollcall, 1, 60).await;
    let [unknown, known_among_many] = logins(&rollcall, &owner).await;
    assert_eq!(
        unknown.steps,
        ["Query + Query", "BatchGetItem + BatchGetItem"]
    );
    // An account and a row for each, the pointers of the address, which are 100 bytes each, and the one
    // of the identity.
    assert_eq!(unknown.read_units, 2.0 + 1.0 + 2.0 * 60.0);
    assert_eq!(known_among_many, known);
}

/// How long a successful call takes.
async fn time(call: impl Future<Output = Reply>) -> Duration {
    let started = Instant::now();
    let reply = call.await;
    let time = started.elapsed();
    assert!(reply.status < 300, "{}", reply.raw);
    time
}

/// How long a call takes, and how many of its calls to AWS run in sequence.
async fn measured(
    rollcall: &Rollcall,
    meter: &Meter,
    call: impl Future<Output = Reply>,
) -> (Duration, usize) {
    meter.take(&rollcall.stack).await;
    let time = time(call).await;
    (time, meter.take(&rollcall.stack).await.steps.len())
}

fn milliseconds(time: Duration) -> f64 {
    1_000.0 * time.as_secs_f64()
}

/// The median of some durations, in milliseconds.
fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    milliseconds(times[times.len() / 2])
}

/// Prints a row of a table.
#[expect(clippy::print_stdout, reason = "people read the measurements")]
fn print(cells: &[String]) {
    println!("| {} |", cells.join(" | "));
}

#[tokio::test]
#[ignore = "measures: cargo test --profile long -p tests -- --ignored scale --nocapture --test-threads 1"]
async fn large_accounts() {
    let (rollcall, owner) = start().await;
    let mut accounts = Vec::new();
    for people in [10, 1_000, 10_000] {
        let account = account_of(&rollcall, &owner, people).await;
        let pages = pages(&rollcall, &owner, &account, people).await;
        let units: f64 = pages.iter().map(|page| page.read_units).sum();
        let meter = rollcall.wire.meter();
        owner.list(&account, "?q=nobody").await.expect_status(200);
        let search = meter.take(&rollcall.stack).await;
        let (depth, searched) = (search.steps.len(), search.read_units);
        let list = format!("{} pages, {units} read units", pages.len());
        let search = format!("a search {depth} deep, {searched} read units");
        print(&[people.to_string(), list, search]);
        accounts.push(account);
    }
    let expected = costs(&rollcall, &owner, &accounts[0]).await;
    for account in &accounts[1..] {
        assert_eq!(expected, costs(&rollcall, &owner, account).await);
    }

    // Takes turns over the accounts, so other load on the machine affects them all.
    let names = ["invite", "remove", "login", "request", "page of the list"];
    let mut times = names.map(|_| [const { Vec::new() }; 3]);
    for number in 0..101 {
        for (size, account) in accounts.iter().enumerate() {
            let email = format!("q{number}@example.com");
            let named = json!({ "accountId": account });
            let calls = [
                time(owner.invite(account, &email)).await,
                time(owner.remove(account, &email)).await,
                time(owner.login(&named)).await,
                time(use_product(&owner, Some(account))).await,
                time(owner.list(account, "?limit=5")).await,
            ];
            for (times, time) in times.iter_mut().zip(calls) {
                times[size].push(time);
            }
            rollcall.wire.forget();
        }
    }
    for (name, mut times) in names.into_iter().zip(times) {
        let medians = times.each_mut().map(|times| median(times));
        let ratios = medians.map(|time| format!("{time:.2} ms ({:.2})", time / medians[0]));
        print(&[vec![name.to_owned()], ratios.to_vec()].concat());
    }
}

#[tokio::test]
#[ignore = "measures: cargo test --profile long -p tests -- --ignored scale --nocapture --test-threads 1"]
async fn people_in_many_accounts() {
    let (rollcall, owner) = start().await;
    let mut before = 0;
    for after in [1, 10, 100] {
        accounts(&rollcall, before, after).await;
        let named = json!({ "accountId": "a000" });
        owner.login(&named).await.expect_status(200);
        before = after;
        let [unknown, known] = logins(&rollcall, &owner).await;
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..101 {
            let started = Instant::now();
            // With several accounts, one has to be chosen.
            owner.login(&json!({})).await;
            times[0].push(started.elapsed());
            times[1].push(time(owner.login(&named)).await);
        }
        for (cost, times) in [unknown, known].into_iter().zip(&mut times) {
            let (steps, units) = (cost.steps.join(", "), cost.read_units.to_string());
            let time = format!("{:.2} ms", median(times));
            print(&[after.to_string(), steps, units, time]);
        }
    }
}

#[tokio::test]
#[ignore = "measures: cargo test --profile long -p tests -- --ignored scale --nocapture --test-threads 1"]
async fn time_rises_by_depth_times_latency() {
    const LATENCIES: [u64; 3] = [0, 5, 25];
    let (rollcall, owner) = start().await;
    let account = account_of(&rollcall, &owner, 50).await;
    let claims = json!({ "email": "sue@product.example", "groups": ["support"] });
    let support = rollcall.signed_in(&claims).await;
    let meter = rollcall.wire.meter();
    let named = json!({ "accountId": account });
    let names = [
        "invite",
        "resend",
        "remove",
        "list",
        "authorize-login, account known",
        "authorize-login, account not known",
        "authorize-request, account known",
        "update-details",
        "support-feedback, about a person",
    ];
    let mut fastest = names.map(|_| [Duration::MAX; 3]);
    let mut depths = names.map(|_| 0);
    for number in 0..25 {
        for (index, latency) in LATENCIES.into_iter().enumerate() {
            rollcall.wire.delay(Duration::from_millis(latency));
            let email = format!("q{number}-{latency}@example.com");
            let invited = measured(&rollcall, &meter, owner.invite(&account, &email)).await;
            rollcall.advance(60).await;
            let company = json!({ "company": format!("Acme {number} {latency}") });
            let path = format!("/accounts/{account}");
            let calls = [
                invited,
                measured(&rollcall, &meter, owner.resend(&account, &email)).await,
                measured(&rollcall, &meter, owner.remove(&account, &email)).await,
                measured(&rollcall, &meter, owner.list(&account, "")).await,
                measured(&rollcall, &meter, owner.login(&named)).await,
                measured(&rollcall, &meter, owner.login(&json!({}))).await,
                measured(&rollcall, &meter, use_product(&owner, Some(&account))).await,
                measured(&rollcall, &meter, owner.patch(&path, &company)).await,
                measured(&rollcall, &meter, support.get(ABOUT_MAX)).await,
            ];
            for (call, (time, depth)) in calls.into_iter().enumerate() {
                fastest[call][index] = fastest[call][index].min(time);
                depths[call] = depth;
            }
        }
    }
    for ((name, depth), fastest) in names.into_iter().zip(depths).zip(fastest) {
        let [none, five, twenty_five] = fastest.map(milliseconds);
        print(&[
            name.to_owned(),
            depth.to_string(),
            format!("{none:.1}"),
            format!("{five:.1}"),
            format!("{twenty_five:.1}"),
            format!("{:.2}", (five - none) / 5.0),
            format!("{:.2}", (twenty_five - none) / 25.0),
        ]);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures: cargo test --profile long -p tests -- --ignored scale --nocapture --test-threads 1"]
async fn many_people_at_once() {
    const LOGINS: usize = 3_200;
    const INVITES: usize = 320;
    for clients in [1, 2, 4, 8, 16, 32, 64] {
        // Each in an account of its own. The embedded DynamoDB takes longer for a write with every
        // write before it, so each number of clients gets a new stack.
        let (rollcall, owner) = start().await;
        accounts(&rollcall, 0, clients).await;
        let login = async |client: usize| {
            let named = json!({ "accountId": format!("a{client:03}") });
            let mut times = Vec::new();
            for _ in 0..LOGINS / clients {
                times.push(time(owner.login(&named)).await);
            }
            times
        };
        let invite = async |client: usize| {
            let account = format!("a{client:03}");
            let mut times = Vec::new();
            for number in 0..INVITES / clients {
                let email = format!("q{clients}-{number}@example.com");
                times.push(time(owner.invite(&account, &email)).await);
            }
            times
        };
        let started = Instant::now();
        let logins = join_all((0..clients).map(login)).await;
        print_throughput("login", clients, started.elapsed(), logins.concat());
        let started = Instant::now();
        let invites = join_all((0..clients).map(invite)).await;
        print_throughput("invite", clients, started.elapsed(), invites.concat());
    }
}

fn print_throughput(what: &str, clients: usize, took: Duration, mut times: Vec<Duration>) {
    let count = f64::from(u32::try_from(times.len()).unwrap());
    let median = median(&mut times);
    let slow = milliseconds(times[times.len() * 99 / 100]);
    print(&[
        what.to_owned(),
        clients.to_string(),
        format!("{:.0}", count / took.as_secs_f64()),
        format!("{median:.1} ms"),
        format!("{slow:.1} ms"),
    ]);
}
