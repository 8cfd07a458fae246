//! The examples in `docs/integrating.md` work.

use serde_json::{Value, json};

use crate::harness::{OWNER, Rollcall};

#[tokio::test]
async fn the_payloads_for_billing_are_understood() {
    let guide = include_str!("../../docs/integrating.md");
    let blocks = guide.split("```json").skip(1);
    let payloads = blocks.map(|block| block.split("```").next().unwrap());
    let payloads: Vec<Value> = payloads
        .map(|payload| serde_json::from_str(payload).unwrap())
        .collect();
    let [creating, handing_over, reopening] = payloads.as_slice() else {
        panic!("the guide has {} payloads", payloads.len());
    };
    let rollcall = Rollcall::start().await;
    let created = rollcall.provision(creating).await.expect_status(200);
    let told = json!({ "accountId": "acme", "outcome": "created", "status": "active" });
    assert_eq!(created.body, told);
    assert!(
        guide.contains(&created.raw),
        "the guide shows another outcome"
    );

    let handed_over = rollcall.provision(handing_over).await;
    assert_eq!(handed_over.text("outcome"), "updated");
    let former = rollcall.person(OWNER).await;
    let refused = former.login(&json!({})).await;
    refused.expect_problem(403, "access_revoked");

    let owner = rollcall.person("kim@example.com").await;
    owner.delete("/accounts/acme").await.expect_status(200);
    let closed = rollcall.provision(creating).await.expect_status(200);
    assert_eq!(closed.text("status"), "closed");
    let reopened = rollcall.provision(reopening).await.expect_status(200);
    assert_eq!(reopened.text("status"), "active");
}
