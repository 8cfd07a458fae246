//! What a call costs as an account grows, as a person joins more accounts, as AWS takes longer, and as
//! more people call at once. What is counted is tested; what takes time is measured on demand, and printed:
//!
//! ```text
//! cargo test --release --package tests -- scale:: --ignored --nocapture --test-threads 1
//! ```

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use local::Options;
use reqwest::Method;
use serde_json::json;

use crate::harness::{Cost, Meter, OWNER, Person, Reply, Rollcall, member_id};
use crate::mail_feedback::event;

const KIM: &str = "kim@example.com";
const MAX: &str = "max@example.com";

/// A stack whose limits on mail are out of the way.
async fn start() -> Rollcall {
    let many = || "1000000".to_owned();
    Rollcall::start_with(Options {
        parameters: vec![
            ("SendsPerHour", many()),
            ("ResendsPerDay", "30".to_owned()),
            ("SendsPerRecipientPerDay", many()),
        ],
        ..Options::default()
    })
    .await
}

/// The account `acme` with this many people, among them its owner and Max, who are active.
async fn start_with_people(people: usize) -> (Rollcall, Person) {
    let rollcall = start().await;
    rollcall.account("acme", "pro").await;
    let owner = rollcall.person(OWNER).await;
    owner.login(&json!({})).await.expect_status(200);
    rollcall.member(&owner, MAX).await;
    rollcall.crowd("acme", MAX, people - 2).await;
    (rollcall, owner)
}

async fn use_product(caller: &Person, account: Option<&str>) -> Reply {
    let mut request = caller.request(Method::GET, "/dev/product");
    if let Some(account) = account {
        request = request.header("x-account-id", account);
    }
    Reply::of(request).await
}

/// Makes every call whose cost must not depend on the size of the account.
async fn costs(rollcall: &Rollcall, owner: &Person) -> Vec<(&'static str, Cost)> {
    let kim = rollcall.person(KIM).await;
    let acme = json!({ "accountId": "acme" });
    let meter = rollcall.wire.meter();
    let mut costs = Vec::new();
    let mut note = async |what, reply: Reply| {
        assert!(reply.status < 300, "{what}: {}", reply.raw);
        costs.push((what, meter.take(&rollcall.stack).await));
    };
    note("invite", owner.invite("acme", KIM).await).await;
    rollcall.advance(60).await;
    note("resend", owner.resend("acme", KIM).await).await;
    let invite = json!({ "inviteToken": rollcall.newest_token() });
    note("accept", kim.login(&invite).await).await;
    note("login", kim.login(&acme).await).await;
    note("login, account not known", kim.login(&json!({})).await).await;
    note("request", use_product(&kim, Some("acme")).await).await;
    note("request, account not known", use_product(&kim, None).await).await;
    note("page of the list", owner.list("acme", "?limit=5").await).await;
    let path = format!("/accounts/acme/members/{}", member_id("acme", KIM));
    let body = json!({ "firstName": "Tim" });
    note("rename", owner.patch(&path, &body).await).await;
    note("remove", owner.remove("acme", KIM).await).await;
    note("invite anew", owner.invite("acme", KIM).await).await;
    costs
}

/// Reads the whole list, and returns what its pages cost.
async fn pages(rollcall: &Rollcall, owner: &Person) -> Vec<Cost> {
    let meter = rollcall.wire.meter();
    let mut pages = Vec::new();
    let mut query = "?limit=100".to_owned();
    loop {
        let page = owner.list("acme", &query).await.expect_status(200);
        pages.push(meter.take(&rollcall.stack).await);
        match page.text("cursor") {
            none if none.is_empty() => break pages,
            cursor => query = format!("?limit=100&cursor={cursor}"),
        }
    }
}

/// Demands that a list of so many people costs so many pages, and that they all cost the same.
fn expect_equal_pages(pages: &[Cost], people: usize) {
    assert_eq!(pages.len(), people.div_ceil(100));
    let full = &pages[..people / 100];
    for page in full {
        assert_eq!(page.steps, ["BatchGetItem + Query"]);
        assert!(page.read_units <= 1.1 * full[0].read_units, "{pages:?}");
        assert!(full[0].read_units <= 1.1 * page.read_units, "{pages:?}");
    }
}

#[tokio::test]
async fn a_call_costs_the_same_in_a_large_account() {
    let (small, owner_of_small) = start_with_people(10).await;
    let (large, owner_of_large) = start_with_people(1_000).await;
    expect_equal_pages(&pages(&small, &owner_of_small).await, 10);
    expect_equal_pages(&pages(&large, &owner_of_large).await, 1_000);
    let (in_small, in_large) = (
        costs(&small, &owner_of_small).await,
        costs(&large, &owner_of_large).await,
    );
    assert_eq!(in_small, in_large);
}

/// Puts the owner into so many accounts in all.
async fn accounts(rollcall: &Rollcall, before: usize, after: usize) {
    for number in before..after {
        rollcall.account(&format!("a{number:03}"), "pro").await;
    }
}

/// What a login costs somebody who does not say which account, and somebody who does.
async fn logins(rollcall: &Rollcall, owner: &Person) -> [Cost; 2] {
    let meter = rollcall.wire.meter();
    owner.login(&json!({})).await;
    let unknown = meter.take(&rollcall.stack).await;
    let known = json!({ "accountId": "a000" });
    owner.login(&known).await.expect_status(200);
    [unknown, meter.take(&rollcall.stack).await]
}

#[tokio::test]
async fn a_login_is_as_deep_for_somebody_in_many_accounts() {
    let rollcall = start().await;
    let owner = rollcall.person(OWNER).await;
    accounts(&rollcall, 0, 1).await;
    owner.login(&json!({})).await.expect_status(200);
    let [unknown, known] = logins(&rollcall, &owner).await;
    assert_eq!(unknown.steps, ["Query", "BatchGetItem"]);
    assert_eq!(unknown.read_units, 1.0 + 2.0);

    accounts(&rollcall, 1, 60).await;
    let [unknown, known_among_many] = logins(&rollcall, &owner).await;
    assert_eq!(unknown.steps, ["Query", "BatchGetItem + BatchGetItem"]);
    // An account and a row for each, and the pointers, which are 100 bytes each.
    assert_eq!(unknown.read_units, 2.0 + 2.0 * 60.0);
    assert_eq!(known_among_many, known);
}
