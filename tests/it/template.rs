//! `template.yaml`, and what must agree with it: an operation has the same name everywhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use local::{Function, Route, Template};
use serde_json::{Value, json};

use crate::harness::Rollcall;

/// Whether anyone may call a route, signed in or not: what a browser needs before the sign-in.
fn is_public(route: &Route) -> bool {
    const PUBLIC: [&str; 6] = [
        "GET /",
        "GET /invite",
        "GET /login",
        "GET /openapi.json",
        "GET /support",
        "GET /problems/{code}",
    ];
    let key = key(route);
    PUBLIC.contains(&key.as_str()) || key.starts_with("GET /assets/")
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn template() -> Template {
    Template::of_this_repository().unwrap()
}

fn functions() -> Vec<Function> {
    let functions = template().functions().unwrap();
    assert!(functions.len() >= 6);
    functions
}

/// `authorize-login` as SAM has it: `AuthorizeLogin`.
fn pascal_case(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect()
}

fn read(path: impl AsRef<Path>) -> String {
    let path: PathBuf = repository().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn an_operation_has_one_name_everywhere() {
    let tests = read("tests/it/main.rs");
    for function in functions() {
        let name = &function.operation;
        assert_eq!(function.logical_id, pascal_case(name));
        assert_eq!(function.code_uri, format!("functions/{name}"));
        let package = read(format!("functions/{name}/Cargo.toml"));
        assert!(package.contains(&format!("[package]\nname = \"{name}\"\n")));
        assert!(package.contains(&format!("[[bin]]\nname = \"{name}\"\n")));
        let module = name.replace('-', "_");
        read(format!("tests/it/{module}.rs"));
        assert!(tests.contains(&format!("\nmod {module};\n")), "{module}");
    }
}

#[test]
fn every_function_is_deployed() {
    let deployed = functions().into_iter().map(|function| function.operation);
    let folders = fs::read_dir(repository().join("functions")).unwrap();
    let folders = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap());
    assert_eq!(
        deployed.collect::<BTreeSet<_>>(),
        folders.collect::<BTreeSet<_>>()
    );
}

#[test]
fn every_operation_has_an_event_of_its_own() {
    let names: BTreeSet<_> = functions().into_iter().map(|f| f.operation).collect();
    for function in functions() {
        let name = &function.operation;
        let event: Value = serde_json::from_str(&read(format!("events/{name}.json"))).unwrap();
        if function.routes.is_empty() {
            continue;
        }
        let route = event["routeKey"].as_str().unwrap();
        let routes: Vec<_> = function.routes.iter().map(key).collect();
        assert!(routes.contains(&route.to_owned()), "{name}: {route}");
        lambda_http::request::from_str(&event.to_string()).unwrap();
    }
    for file in fs::read_dir(repository().join("events")).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        let is_known = names.iter().any(|name| file.starts_with(name.as_str()));
        assert!(is_known, "events/{file} is an event of no operation");
    }
}

fn key(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

#[tokio::test]
async fn the_local_stack_has_the_routes_of_the_template() {
    let rollcall = Rollcall::start().await;
    let local: BTreeSet<_> = rollcall.stack.routes().cloned().collect();
    let deployed = functions().into_iter().flat_map(|function| function.routes);
    assert_eq!(local, deployed.collect::<BTreeSet<_>>());
}

#[test]
fn every_route_but_the_public_ones_has_the_authorizer() {
    for route in functions().iter().flat_map(|function| &function.routes) {
        assert_eq!(route.has_authorizer, !is_public(route), "{}", key(route));
    }
    let template = template();
    let auth = template.part("/Resources/Api/Properties/Auth").unwrap();
    assert_eq!(auth["DefaultAuthorizer"], "IdToken");
    let token = &auth["Authorizers"]["IdToken"];
    assert_eq!(token["IdentitySource"], "$request.header.Authorization");
    assert_eq!(token["JwtConfiguration"]["issuer"]["Ref"], "Issuer");
    assert_eq!(token["JwtConfiguration"]["audience"]["Ref"], "Audience");
    // Another API, or a function URL, would be a way around the authorizer.
    for (name, function) in template.resources("AWS::Serverless::Function") {
        assert!(function.pointer("/Properties/FunctionUrlConfig").is_none());
        let events = function.pointer("/Properties/Events");
        for event in events.and_then(Value::as_object).into_iter().flatten() {
            if event.1["Type"] == "HttpApi" {
                assert_eq!(event.1["Properties"]["ApiId"]["Ref"], "Api", "{name}");
            }
        }
    }
}

#[test]
fn sam_builds_the_current_source_and_not_a_cached_one() {
    let config = read("samconfig.toml");
    let build = config
        .split("\n[")
        .find(|part| part.starts_with("default.build."));
    assert!(build.unwrap().contains("\ncached = false\n"));
    assert!(!config.contains("cached = true"));
}

#[test]
fn time_outs_are_nested() {
    let template = template();
    let seconds = |part: Option<&Value>| part.and_then(Value::as_u64).map(Duration::from_secs);
    let global = seconds(template.part("/Globals/Function/Timeout")).unwrap();
    for (name, function) in template.resources("AWS::Serverless::Function") {
        let timeout = seconds(function.pointer("/Properties/Timeout")).unwrap_or(global);
        // API Gateway's own time-out, which can't be longer. An authorizer limits the time of its
        // verdict itself.
        let gateway = match name {
            "AuthorizeRequest" => Duration::from_secs(10),
            _ => Duration::from_secs(30),
        };
        assert!(timeout <= gateway, "{name}");
        if name != "AuthorizeRequest" {
            let longest = platform::api::LONGEST_CALL + Duration::from_millis(500);
            assert!(longest <= timeout, "{name}");
        }
    }
}

#[test]
fn the_table_is_guarded() {
    let template = template();
    let table = template.part("/Resources/Table").unwrap();
    assert_eq!(table["DeletionPolicy"], "Retain");
    assert_eq!(table["UpdateReplacePolicy"], "Retain");
    let properties = &table["Properties"];
    assert_eq!(properties["DeletionProtectionEnabled"], true);
    assert_eq!(
        properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
        true
    );
    assert_eq!(
        properties["TimeToLiveSpecification"],
        json!({ "AttributeName": "expires", "Enabled": true })
    );
}

#[test]
fn functions_have_no_more_rights_than_they_need() {
    let template = template();
    for (name, function) in template.resources("AWS::Serverless::Function") {
        // A function without policies may do nothing.
        let policies = function.pointer("/Properties/Policies");
        for policy in policies.and_then(Value::as_array).into_iter().flatten() {
            for statement in policy["Statement"].as_array().unwrap() {
                let is_bounded = !statement["Resource"].to_string().contains("\"*\"");
                let actions = match &statement["Action"] {
                    Value::Array(actions) => actions.clone(),
                    action => vec![action.clone()],
                };
                for action in actions {
                    let action = action.as_str().unwrap().to_owned();
                    assert!(!action.contains('*'), "{name}: {action}");
                    // SES has no resource for its suppression list.
                    let is_boundless = action.ends_with("SuppressedDestination");
                    assert!(is_bounded || is_boundless, "{name}: {action}");
                    // Rows are kept: nothing is ever deleted.
                    assert_ne!(action, "dynamodb:DeleteItem", "{name}");
                }
            }
        }
    }
}

/// Click tracking would send the invite's token through another server.
#[test]
fn mail_is_not_tracked() {
    let template = template();
    for (_, set) in template.resources("AWS::SES::ConfigurationSet") {
        assert!(set.pointer("/Properties/TrackingOptions").is_none());
    }
    for (_, destination) in template.resources("AWS::SES::ConfigurationSetEventDestination") {
        let types = destination.to_string().to_uppercase();
        assert!(!types.contains("\"OPEN\"") && !types.contains("\"CLICK\""));
    }
}

#[test]
fn feedback_reaches_its_function_or_a_queue_with_an_alarm() {
    let template = template();
    let part = |pointer: &str| template.part(&format!("/Resources/{pointer}")).unwrap();
    let destination = part("MailFeedbackDestination/Properties/EventDestination");
    // Open and click tracking would send the invite's token through another server.
    assert_eq!(
        destination["MatchingEventTypes"],
        json!([
            "SEND",
            "REJECT",
            "DELIVERY",
            "DELIVERY_DELAY",
            "BOUNCE",
            "COMPLAINT",
            "RENDERING_FAILURE"
        ])
    );
    let topic = json!({ "Ref": "MailFeedbackTopic" });
    assert_eq!(destination["SnsDestination"]["TopicARN"], topic);
    let allowed = &part("MailFeedbackTopicPolicy/Properties/PolicyDocument/Statement")[0];
    assert_eq!(
        allowed["Principal"],
        json!({ "Service": "ses.amazonaws.com" })
    );
    assert_eq!(allowed["Action"], "sns:Publish");
    assert!(
        allowed
            .pointer("/Condition/StringEquals/AWS:SourceAccount")
            .is_some()
    );

    let event = part("MailFeedback/Properties/Events/Notification/Properties");
    assert_eq!(event["Topic"], topic);
    let queue = |of: &Value| {
        of["Fn::GetAtt"]
            .as_str()
            .unwrap()
            .split('.')
            .next()
            .unwrap()
            .to_owned()
    };
    let undelivered = queue(&event["RedrivePolicy"]["deadLetterTargetArn"]);
    let lost = "MailFeedback/Properties/EventInvokeConfig/DestinationConfig/OnFailure";
    let lost = queue(&part(lost)["Destination"]);
    assert_ne!(undelivered, lost);
    for queue in [undelivered, lost] {
        assert_eq!(part(&queue)["Type"], "AWS::SQS::Queue");
        let has_alarm = template
            .resources("AWS::CloudWatch::Alarm")
            .any(|(_, alarm)| alarm.to_string().contains(&format!("{queue}.QueueName")));
        assert!(has_alarm, "{queue}");
    }
}

#[test]
fn billing_events_reach_their_function_or_a_queue() {
    let template = template();
    let part = |pointer: &str| template.part(&format!("/Resources/{pointer}")).unwrap();
    let event = part("ProvisionAccount/Properties/Events/Billing/Properties");
    let undelivered = json!({ "Fn::GetAtt": "UndeliveredProvisionings.Arn" });
    assert_eq!(event["DeadLetterConfig"]["Arn"], undelivered);
    let allowed = &part("UndeliveredProvisioningsPolicy/Properties/PolicyDocument/Statement")[0];
    assert_eq!(
        allowed["Principal"],
        json!({ "Service": "events.amazonaws.com" })
    );
    assert_eq!(allowed["Resource"], undelivered);
    let lost = part("ProvisionAccount/Properties/EventInvokeConfig/DestinationConfig/OnFailure");
    assert_eq!(
        lost["Destination"],
        json!({ "Fn::GetAtt": "LostProvisionings.Arn" })
    );
}

#[test]
fn nothing_is_lost_without_an_alarm() {
    let template = template();
    let alarms: Vec<String> = template
        .resources("AWS::CloudWatch::Alarm")
        .map(|(_, alarm)| alarm.to_string())
        .collect();
    for (queue, _) in template.resources("AWS::SQS::Queue") {
        let name = format!("{queue}.QueueName");
        assert!(alarms.iter().any(|alarm| alarm.contains(&name)), "{queue}");
    }
}

#[test]
fn changes_reach_their_function_or_a_queue() {
    let template = template();
    let part = |pointer: &str| template.part(&format!("/Resources/{pointer}")).unwrap();
    let images = part("Table/Properties/StreamSpecification/StreamViewType");
    assert_eq!(images, "NEW_AND_OLD_IMAGES");
    let source = part("ChangesSource/Properties");
    assert_eq!(source["FunctionName"], json!({ "Ref": "PublishChanges" }));
    let stream = json!({ "Fn::GetAtt": "Table.StreamArn" });
    assert_eq!(source["EventSourceArn"], stream);
    // Retried for as long as the stream holds the records. A queue would get only their position in
    // the stream, which no longer exists by then.
    assert_eq!(source["MaximumRetryAttempts"], -1);
    assert_eq!(source["MaximumRecordAgeInSeconds"], 23 * 3_600);
    let bucket = json!({ "Fn::GetAtt": "LostChangeRecords.Arn" });
    assert_eq!(
        source["DestinationConfig"]["OnFailure"]["Destination"],
        bucket
    );
    let bucket = part("LostChangeRecords");
    assert_eq!(bucket["DeletionPolicy"], "Retain");
    let access = &bucket["Properties"]["PublicAccessBlockConfiguration"];
    assert!(
        access
            .as_object()
            .unwrap()
            .values()
            .all(|blocked| blocked == true)
    );
    // The queue with the alarm hears of every object stored there.
    let notifications = &bucket["Properties"]["NotificationConfiguration"];
    assert_eq!(
        notifications["EventBridgeConfiguration"]["EventBridgeEnabled"],
        true
    );
    let rule = part("LostChangesRule/Properties");
    let of_bucket = json!({ "bucket": { "name": [{ "Ref": "LostChangeRecords" }] } });
    assert_eq!(rule["EventPattern"]["detail"], of_bucket);
    let queue = json!({ "Fn::GetAtt": "LostChanges.Arn" });
    assert_eq!(rule["Targets"][0]["Arn"], queue);
    let allowed = &part("LostChangesPolicy/Properties/PolicyDocument/Statement")[0];
    assert_eq!(allowed["Resource"], queue);
}
