//! Least privilege: the role of each function in `template.yaml` allows exactly the requests that
//! the function makes, on the resources it uses.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use local::{Options, Template};
use platform::aws::Aws;
use platform::store::Store;
use platform::{Clock, Environment, Platform};
use reqwest::Method;
use serde_json::{Value, json};

use crate::events::payload;
use crate::harness::{Fault, OWNER, Reply, Request, Rollcall, Wire, member_id};
use crate::mail_feedback::event;

const KIM: &str = "kim@example.com";

/// An IAM action, and its resource.
type Permission = (String, String);

type Permissions = BTreeMap<String, BTreeSet<Permission>>;

const TABLE: &str = "the table";

/// What a request needs
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>,
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsimpleemailservicev2.html>).
fn needed_for(request: &Request) -> Vec<Permission> {
    let operation = request.operation.as_str();
    let permission = |service: &str, action: &str, resource: &str| {
        (format!("{service}:{action}"), resource.to_owned())
    };
    match operation {
        "GetItem" | "BatchGetItem" | "UpdateItem" | "Query" => {
            let resource = match request.body["IndexName"].as_str() {
                Some(index) => format!("{TABLE}/index/{index}"),
                None => TABLE.to_owned(),
            };
            vec![permission("dynamodb", operation, &resource)]
        }
        // A transaction has no action of its own, only its items have.
        "TransactWriteItems" => request.body["TransactItems"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|item| item.as_object().unwrap().keys())
            .map(|kind| match kind.as_str() {
                "ConditionCheck" => permission("dynamodb", "ConditionCheckItem", TABLE),
                "Update" => permission("dynamodb", "UpdateItem", TABLE),
                other => panic!("a transaction has a {other}"),
            })
            .collect(),
        "SendEmail" => vec![
            permission("ses", "SendEmail", "the identity"),
            permission("ses", "SendEmail", "the configuration set"),
        ],
        "GetSuppressedDestination" | "DeleteSuppressedDestination" => {
            vec![permission("ses", operation, "*")]
        }
        "PutEvents" => vec![permission("events", operation, "the bus")],
        other => panic!("what does {other} need?"),
    }
}

/// What a role must allow for Lambda itself, which uses the role to read the stream and keep lost
/// records (<https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-permissions.html>).
fn needed_by_lambda(template: &Template, logical_id: &str) -> BTreeSet<Permission> {
    let reads_a_stream = template
        .resources("AWS::Lambda::EventSourceMapping")
        .any(|(_, source)| source["Properties"]["FunctionName"] == json!({ "Ref": logical_id }));
    let actions = [
        ("dynamodb:DescribeStream", "the stream"),
        ("dynamodb:GetRecords", "the stream"),
        ("dynamodb:GetShardIterator", "the stream"),
        ("dynamodb:ListStreams", "the stream"),
        ("s3:ListBucket", "the bucket"),
        ("s3:PutObject", "what is in the bucket"),
    ];
    let actions = actions.map(|(action, on)| (action.to_owned(), on.to_owned()));
    actions.into_iter().filter(|_| reads_a_stream).collect()
}

/// The resources that a function may be allowed to use. SES has none for its suppression list.
fn resource(resource: &Value) -> String {
    const SES: &str = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}";
    let known = [
        (json!({ "Fn::GetAtt": "Table.Arn" }), TABLE.to_owned()),
        (
            json!({ "Fn::Sub": "${Table.Arn}/index/rank" }),
            format!("{TABLE}/index/rank"),
        ),
        (
            json!({ "Fn::Sub": "${Table.Arn}/index/gsi1" }),
            format!("{TABLE}/index/gsi1"),
        ),
        (
            json!({ "Fn::Sub": format!("{SES}:identity/${{MailIdentity}}") }),
            "the identity".to_owned(),
        ),
        (
            json!({ "Fn::Sub": format!("{SES}:configuration-set/${{ConfigurationSet}}") }),
            "the configuration set".to_owned(),
        ),
        (json!({ "Fn::GetAtt": "Changes.Arn" }), "the bus".to_owned()),
        (
            json!({ "Fn::Sub": "${Table.Arn}/stream/*" }),
            "the stream".to_owned(),
        ),
        (
            json!({ "Fn::GetAtt": "LostChangeRecords.Arn" }),
            "the bucket".to_owned(),
        ),
        (
            json!({ "Fn::Sub": "${LostChangeRecords.Arn}/*" }),
            "what is in the bucket".to_owned(),
        ),
        (json!("*"), "*".to_owned()),
    ];
    let known = known.into_iter().find(|(written, _)| written == resource);
    known.unwrap_or_else(|| panic!("what is {resource}?")).1
}

/// In its sandbox, SES also checks the recipient's identity. This allows nothing else.
fn recipients_in_the_sandbox() -> Value {
    let identities = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*";
    json!({ "Fn::If": [
        "IsInSandbox",
        { "Fn::Sub": identities },
        { "Ref": "AWS::NoValue" },
    ]})
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    }
}

/// The statements of a function's role.
fn statements(template: &Template, logical_id: &str) -> Vec<Value> {
    let policies = template.part(&format!("/Resources/{logical_id}/Properties/Policies"));
    let policies = policies.and_then(Value::as_array).into_iter().flatten();
    policies
        .flat_map(|policy| policy["Statement"].as_array().unwrap().clone())
        .collect()
}

/// What the roles in `template.yaml` allow.
fn allowed(template: &Template) -> Permissions {
    let mut allowed = Permissions::new();
    for function in template.functions().unwrap() {
        let permissions = allowed.entry(function.operation).or_default();
        for statement in statements(template, &function.logical_id) {
            assert_eq!(statement["Effect"], "Allow");
            for action in list(&statement["Action"]) {
                let action = action.as_str().unwrap();
                let resources = list(&statement["Resource"]).into_iter();
                for on in resources.filter(|on| *on != recipients_in_the_sandbox()) {
                    let permission = (action.to_owned(), resource(&on));
                    assert!(permissions.insert(permission), "{action} is there twice");
                }
            }
        }
    }
    allowed
}

/// What the requests needed. Every function that uses the table opens a connection to it first.
fn needed(requests: &[Request], opening: &BTreeSet<Permission>) -> Permissions {
    let mut needed = Permissions::new();
    for request in requests {
        let permissions = needed.entry(request.function.clone()).or_default();
        permissions.extend(needed_for(request));
        if permissions.iter().any(|(_, on)| on.starts_with(TABLE)) {
            permissions.extend(opening.iter().cloned());
        }
    }
    needed
}

/// What a function needs to open its connection to the table at start: every `get_ready` does the
/// same as this.
async fn needed_for_opening() -> BTreeSet<Permission> {
    let wire = Wire::default();
    wire.record();
    wire.fail("GetItem", Fault::Error(400, "ResourceNotFoundException"), 1);
    let variables = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("TABLE_NAME", "Table"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let environment = Environment::of(variables.into());
    let http_client = wire.to_http_clients()("any");
    let platform = Platform {
        aws: Aws::with_http_client(&environment, http_client).unwrap(),
        environment,
        clock: Clock::new(|| Timestamp::UNIX_EPOCH),
    };
    Store::new(&platform).unwrap().connect().await;
    wire.expect_all_happened();
    wire.recorded().iter().flat_map(needed_for).collect()
}

/// Makes every function do everything it can do.
async fn use_everything(rollcall: &Rollcall) {
    let owner = rollcall.person(OWNER).await;
    let support = json!({ "email": "sue@product.example", "groups": ["support"] });
    let support = rollcall.signed_in(&support).await;

    // Provisioning creates and updates.
    rollcall.account("acme", "basic").await;
    rollcall.account("acme", "pro").await;

    // A mail that SES refuses is stored.
    rollcall
        .wire
        .fail("SendEmail", Fault::Error(400, "MessageRejected"), 1);
    owner
        .invite("acme", "ann@example.com")
        .await
        .expect_status(201);
    rollcall
        .wire
        .fail("SendEmail", Fault::Error(400, "MessageRejected"), 1);
    owner
        .invite_with_key("acme", "bob@example.com", "one")
        .await
        .expect_status(201);
    rollcall.advance(120).await;
    owner
        .resend("acme", "ann@example.com")
        .await
        .expect_status(200);
    rollcall
        .wire
        .fail("SendEmail", Fault::Error(400, "MessageRejected"), 1);
    owner
        .resend_with_key("acme", "bob@example.com", "two")
        .await
        .expect_status(200);

    // Reports with and without tags, about the newest send and about an older one.
    owner.invite("acme", KIM).await.expect_status(201);
    let mail = rollcall.newest_mail();
    let mut bounce = event(&mail, "Bounce");
    bounce["bounce"] = json!({ "bounceType": "Permanent", "bounceSubType": "NoEmail" });
    rollcall
        .dev("/dev/feedback", &bounce)
        .await
        .expect_status(200);
    let mut untagged = event(&mail, "Delivery");
    untagged["mail"].as_object_mut().unwrap().remove("tags");
    rollcall
        .dev("/dev/feedback", &untagged)
        .await
        .expect_status(200);

    for query in ["?email=kim@example.com", "?since=2026-11-24T00:00:00Z"] {
        support
            .get(&format!("/support/feedback{query}"))
            .await
            .expect_status(200);
    }
    let lift = format!("/support/suppressions/{KIM}");
    support.delete(&lift).await.expect_status(200);

    let kim = rollcall.person(KIM).await;
    let token = json!({ "inviteToken": rollcall.newest_token() });
    kim.login(&token).await.expect_status(200);
    kim.login(&json!({})).await.expect_status(200);
    for account in [Some("acme"), None] {
        let mut request = kim.request(Method::GET, "/dev/product");
        if let Some(account) = account {
            request = request.header("x-account-id", account);
        }
        Reply::of(request).await.expect_status(200);
    }
    owner.list("acme", "?q=kim").await.expect_status(200);
    let kims_row = format!("/accounts/acme/members/{}", member_id("acme", KIM));
    owner
        .patch(&kims_row, &json!({ "lastName": "Li" }))
        .await
        .expect_status(200);
    owner
        .patch("/accounts/acme", &json!({ "company": "Acme" }))
        .await
        .expect_status(200);
    for file in ["publish-changes", "publish-changes-expiry"] {
        let published = rollcall.invoke("publish-changes", payload(file)).await;
        published.unwrap_or_else(|problem| panic!("{}", problem.detail()));
    }
    owner.remove("acme", KIM).await.expect_status(200);
    owner.delete("/accounts/acme").await.expect_status(200);

    // The owner did all this before the first login, which binds more than a member's does.
    rollcall.account("other", "pro").await;
    let other = json!({ "accountId": "other" });
    owner.login(&other).await.expect_status(200);
    rollcall.wire.expect_all_happened();
}

#[tokio::test]
async fn each_role_allows_exactly_what_its_function_does() {
    let rollcall = Rollcall::start_with(Options::default()).await;
    rollcall.wire.record();
    use_everything(&rollcall).await;

    let template = Template::of_this_repository().unwrap();
    let needed = needed(&rollcall.wire.recorded(), &needed_for_opening().await);
    let allowed = allowed(&template);
    for function in template.functions().unwrap() {
        let (id, function) = (function.logical_id, function.operation);
        let allowed = &allowed[&function];
        let mut needed = needed.get(&function).cloned().unwrap_or_default();
        needed.extend(needed_by_lambda(&template, &id));
        let missing: Vec<_> = needed.difference(allowed).collect();
        let unused: Vec<_> = allowed.difference(&needed).collect();
        assert!(missing.is_empty(), "{function} may not: {missing:?}");
        assert!(unused.is_empty(), "{function} never does: {unused:?}");
    }
}

#[test]
fn no_role_has_a_wildcard_or_a_scan() {
    let template = Template::of_this_repository().unwrap();
    for (function, permissions) in allowed(&template) {
        for (action, resource) in permissions {
            assert!(!action.contains('*'), "{function}: {action}");
            assert_ne!(action, "dynamodb:Scan", "{function}");
            let knows_no_resource = action.ends_with("SuppressedDestination");
            assert_eq!(resource == "*", knows_no_resource, "{function}: {action}");
        }
    }
}

/// SES sees the address that the policy requires.
#[tokio::test]
async fn mail_can_only_come_from_the_address_of_the_deployment() {
    let template = Template::of_this_repository().unwrap();
    let mut senders = Vec::new();
    for function in template.functions().unwrap() {
        for statement in statements(&template, &function.logical_id) {
            if statement["Action"] == "ses:SendEmail" {
                let demanded =
                    json!({ "StringEquals": { "ses:FromAddress": { "Ref": "MailFrom" } } });
                assert_eq!(statement["Condition"], demanded);
                senders.push(function.operation.clone());
            }
        }
    }
    assert_eq!(senders, ["invite", "resend"]);

    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.wire.record();
    owner.invite("acme", KIM).await.expect_status(201);
    let requests = rollcall.wire.recorded();
    let send = requests
        .iter()
        .find(|request| request.operation == "SendEmail");
    let body = &send.unwrap().body;
    assert_eq!(
        body["FromEmailAddress"],
        "\"Rollcall Demo\" <invites@rollcall.example>"
    );
    assert_eq!(body["ConfigurationSetName"], "ConfigurationSet");
}
