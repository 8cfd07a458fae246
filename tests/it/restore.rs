//! After a point-in-time restore, the command in `docs/restoring.md` repeats the removals.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Log, OWNER, Rollcall, member_id};

const KIM: &str = "kim@example.com";
const GUIDE: &str = include_str!("../../docs/restoring.md");

/// An option of the guide's `update-item`, filled in with values from the log.
fn option(name: &str, line: &Value) -> String {
    let command = GUIDE.split("aws dynamodb update-item").nth(1).unwrap();
    let value = command.split(&format!("--{name} '")).nth(1).unwrap();
    let mut value = value.split('\'').next().unwrap().to_owned();
    for field in ["account_id", "member_id", "by", "at"] {
        value = value.replace(&format!("<{field}>"), line[field].as_str().unwrap());
    }
    let left = value.split('<').skip(1).find(|rest| !rest.starts_with('>'));
    assert_eq!(left, None, "{value}");
    value
}

/// Attributes in the format of the AWS CLI.
fn attributes(json: &str) -> HashMap<String, AttributeValue> {
    let values: HashMap<String, HashMap<String, String>> = serde_json::from_str(json).unwrap();
    let attribute = |(name, typed): (String, HashMap<String, String>)| {
        let (kind, value) = typed.into_iter().next().unwrap();
        match kind.as_str() {
            "S" => (name, AttributeValue::S(value)),
            "N" => (name, AttributeValue::N(value)),
            other => panic!("what is {other}?"),
        }
    };
    values.into_iter().map(attribute).collect()
}

#[tokio::test]
async fn a_removal_that_a_restore_undid_is_done_again_by_its_line_in_the_log() {
    let log = Log::capture();
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.member(&owner, KIM).await;
    let before = rollcall.row("acme", KIM).await;
    owner.remove("acme", KIM).await.expect_status(200);

    // The restore brings the row back, and Kim with it.
    let dynamodb = rollcall.stack.dynamodb();
    let restored = before.into_iter().collect();
    let put = dynamodb
        .put_item()
        .table_name("Table")
        .set_item(Some(restored));
    put.send().await.unwrap();
    kim.login(&json!({})).await.expect_status(200);

    let events = rollcall.anonymous(Method::GET, "/dev/events.json").await;
    events.expect_status(200);
    let query = "| filter message = \"access was taken away\"";
    assert!(GUIDE.contains(query));
    let lines = log.lines();
    let line = lines
        .iter()
        .find(|line| line["message"] == "access was taken away");
    let line = line.unwrap();
    let names = option("expression-attribute-names", line);
    let values = option("expression-attribute-values", line);
    let replay = || {
        dynamodb
            .update_item()
            .table_name("Table")
            .set_key(Some(attributes(&option("key", line))))
            .update_expression(option("update-expression", line))
            .condition_expression(option("condition-expression", line))
            .set_expression_attribute_names(Some(serde_json::from_str(&names).unwrap()))
            .set_expression_attribute_values(Some(attributes(&values)))
    };
    replay().send().await.unwrap();

    kim.login(&json!({}))
        .await
        .expect_problem(403, "access_revoked");
    assert!(
        !owner
            .list("acme", "")
            .await
            .emails()
            .contains(&KIM.to_owned())
    );
    assert_eq!(owner.list("acme", "?status=removed").await.emails(), [KIM]);
    let row = rollcall.row("acme", KIM).await;
    let id = AttributeValue::S(member_id("acme", OWNER).to_string());
    assert_eq!(row.get("removedBy"), Some(&id));
    for gone in ["invite", "identity", "activeSince"] {
        assert!(!row.contains_key(gone), "{gone}");
    }
    // Running it again changes nothing, and the row is like any other.
    assert!(replay().send().await.is_err());
    owner.remove("acme", KIM).await.expect_status(200);
    owner.invite("acme", KIM).await.expect_status(201);
}
