//! What a deployment is safe by, as `template.yaml` says it. What each function may do is in
//! `permissions`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use authorize_request::LONGEST_VERDICT;
use local::Template;
use platform::api::LONGEST_CALL;
use platform::aws::{DYNAMODB_TIMEOUTS, SES_TIMEOUTS};
use platform::metrics::{Metric, NAMESPACE};
use serde_json::{Value, json};

/// API Gateway waits so long for a function
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const API_GATEWAY: Duration = Duration::from_secs(30);

/// The same for an authorizer.
const AUTHORIZER: Duration = Duration::from_secs(10);

/// The routes that need no ID token: the page, and what describes the API.
fn is_public(method: &str, path: &str) -> bool {
    let page = [
        "/",
        "/invite",
        "/login",
        "/support",
        "/assets/{version}/{file}",
    ];
    let api = ["/openapi.json", "/problems/{code}"];
    method == "GET" && (page.contains(&path) || api.contains(&path))
}

fn template() -> Template {
    Template::of_this_repository().unwrap()
}

/// A part of the template that must be there.
#[track_caller]
fn part(template: &Template, pointer: &str) -> Value {
    let part = template.part(pointer).cloned();
    part.unwrap_or_else(|| panic!("template.yaml has no {pointer}"))
}

fn reference(name: &str) -> Value {
    json!({ "Ref": name })
}

#[test]
fn the_table_cannot_be_lost_by_mistake() {
    let template = template();
    let table = part(&template, "/Resources/Table");
    assert_eq!(table["DeletionPolicy"], "Retain");
    assert_eq!(table["UpdateReplacePolicy"], "Retain");
    let properties = &table["Properties"];
    assert_eq!(properties["DeletionProtectionEnabled"], true);
    assert_eq!(properties["SSESpecification"]["SSEEnabled"], true);
    let recovery = &properties["PointInTimeRecoverySpecification"];
    assert_eq!(recovery["PointInTimeRecoveryEnabled"], true);
    // One table holds everything that matters.
    assert_eq!(template.resources("AWS::DynamoDB::Table").count(), 1);
}

#[test]
fn events_that_were_lost_are_kept_encrypted_for_two_weeks() {
    let template = template();
    let queues: Vec<_> = template.resources("AWS::SQS::Queue").collect();
    assert_eq!(queues.len(), 4);
    for (name, queue) in queues {
        assert_eq!(queue["DeletionPolicy"], "Retain", "{name}");
        let properties = &queue["Properties"];
        assert_eq!(properties["SqsManagedSseEnabled"], true, "{name}");
        assert_eq!(
            properties["MessageRetentionPeriod"],
            14 * 24 * 3_600,
            "{name}"
        );
    }
}

#[test]
fn every_route_but_the_public_ones_has_the_authorizer() {
    let template = template();
    let auth = part(&template, "/Resources/Api/Properties/Auth");
    assert_eq!(auth["DefaultAuthorizer"], "IdToken");
    let jwt = &auth["Authorizers"]["IdToken"]["JwtConfiguration"];
    assert_eq!(jwt["issuer"], reference("Issuer"));
    assert_eq!(jwt["audience"], reference("Audience"));
    for function in template.functions().unwrap() {
        for route in function.routes {
            let is_public = is_public(&route.method, &route.path);
            assert_eq!(route.has_authorizer, !is_public, "{route:?}");
        }
    }
}

#[test]
fn only_the_products_own_pages_may_call_the_api() {
    let template = template();
    let cors = part(&template, "/Resources/Api/Properties/CorsConfiguration");
    let host = json!({ "Fn::Select": [2, { "Fn::Split": ["/", reference("AppUrl")] }] });
    let origin = json!({ "Fn::Sub": ["https://${Host}", { "Host": host }] });
    assert_eq!(cors["AllowOrigins"], json!([origin]));
    // The token is a header of its own: no cookie is ever needed.
    assert_eq!(cors["AllowCredentials"], Value::Null);
    let methods = cors["AllowMethods"].as_array().unwrap();
    let routes = template.functions().unwrap();
    let routes = routes.iter().flat_map(|function| &function.routes);
    for route in routes {
        assert!(methods.contains(&json!(route.method)), "{route:?}");
    }
}

#[test]
fn what_can_be_abused_is_throttled_tighter_than_the_rest() {
    let template = template();
    let api = part(&template, "/Resources/Api/Properties");
    let default = &api["DefaultRouteSettings"];
    let tighter = api["RouteSettings"].as_object().unwrap();
    let routes: BTreeSet<String> = template
        .functions()
        .unwrap()
        .iter()
        .flat_map(|function| &function.routes)
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    for (route, settings) in tighter {
        assert!(routes.contains(route), "there is no {route}");
        for limit in ["ThrottlingRateLimit", "ThrottlingBurstLimit"] {
            assert!(
                settings[limit].as_u64() < default[limit].as_u64(),
                "{route}"
            );
        }
    }
    let members = "/accounts/{accountId}/members";
    for route in [
        "POST /login".to_owned(),
        format!("POST {members}"),
        format!("POST {members}/{{memberId}}/resend"),
        "GET /support/feedback".to_owned(),
        "DELETE /support/suppressions/{email}".to_owned(),
    ] {
        assert!(tighter.contains_key(&route), "{route}");
    }
}

/// A flood of events must not take the concurrency that logins need.
#[test]
fn functions_that_take_floods_have_a_share_of_their_own() {
    let template = template();
    for (name, function) in template.resources("AWS::Serverless::Function") {
        let events = function["Properties"]["Events"].as_object();
        let takes_floods = events
            .into_iter()
            .flatten()
            .any(|(_, event)| event["Type"] != "HttpApi");
        let reserved = function["Properties"]["ReservedConcurrentExecutions"].as_u64();
        assert_eq!(reserved.is_some(), takes_floods, "{name}");
    }
}

/// Whoever waits gets an answer from whom they asked, not from the one who waits behind.
#[test]
fn each_waits_longer_than_the_one_that_it_waits_for() {
    for [attempt, operation] in [DYNAMODB_TIMEOUTS, SES_TIMEOUTS] {
        assert!(attempt < operation && operation < LONGEST_VERDICT);
    }
    assert!(LONGEST_VERDICT < LONGEST_CALL);

    let template = template();
    let default = part(&template, "/Globals/Function/Timeout");
    for (name, function) in template.resources("AWS::Serverless::Function") {
        let timeout = &function["Properties"]["Timeout"];
        let timeout = if timeout.is_null() { &default } else { timeout };
        let timeout = Duration::from_secs(timeout.as_u64().unwrap());
        let (inside, outside) = match name {
            "AuthorizeRequest" => (LONGEST_VERDICT, AUTHORIZER),
            _ => (LONGEST_CALL, API_GATEWAY),
        };
        assert!(inside < timeout && timeout <= outside, "{name}");
    }
}

#[test]
fn every_function_is_traced_and_logs_json_that_is_not_kept_forever() {
    let template = template();
    let globals = part(&template, "/Globals/Function");
    assert_eq!(globals["Tracing"], "Active");
    let logging = &globals["LoggingConfig"];
    assert_eq!(logging["LogFormat"], "JSON");
    assert_eq!(logging["LogGroup"], reference("FunctionLogs"));
    let access = part(&template, "/Resources/Api/Properties/AccessLogSettings");
    assert_eq!(
        access["DestinationArn"],
        json!({ "Fn::GetAtt": "AccessLogs.Arn" })
    );
    for (name, group) in template.resources("AWS::Logs::LogGroup") {
        let retention = &group["Properties"]["RetentionInDays"];
        assert_eq!(*retention, reference("LogRetentionDays"), "{name}");
    }
    for (name, function) in template.resources("AWS::Serverless::Function") {
        for setting in ["Tracing", "LoggingConfig"] {
            assert_eq!(function["Properties"][setting], Value::Null, "{name}");
        }
    }
    // Metrics are lines of the level INFO: a level above it would drop them.
    let levels = part(&template, "/Parameters/LogLevel/AllowedValues");
    assert_eq!(levels, json!(["TRACE", "DEBUG", "INFO"]));
}

/// An access log that had paths would have the addresses that support asks about.
#[test]
fn the_access_log_has_no_path_and_no_query() {
    let format = part(
        &template(),
        "/Resources/Api/Properties/AccessLogSettings/Format",
    );
    let format = format.as_str().unwrap();
    for variable in format.split("$context.").skip(1) {
        let variable = variable.split('"').next().unwrap();
        let known = [
            "requestId",
            "requestTime",
            "routeKey",
            "status",
            "responseLatency",
            "authorizer.error",
            "integrationErrorMessage",
        ];
        assert!(known.contains(&variable), "{variable}");
    }
    let line: BTreeMap<String, String> = serde_json::from_str(format).unwrap();
    assert!(line.contains_key("requestId"));
}

/// The link of an invite must not lead through another server.
#[test]
fn mail_is_encrypted_on_its_way_and_not_tracked() {
    let template = template();
    let set = part(&template, "/Resources/ConfigurationSet/Properties");
    assert_eq!(set["DeliveryOptions"]["TlsPolicy"], "REQUIRE");
    assert_eq!(set["ReputationOptions"]["ReputationMetricsEnabled"], true);
    assert_eq!(set["TrackingOptions"], Value::Null);
    let destination = part(&template, "/Resources/MailFeedbackDestination/Properties");
    let kinds = destination["EventDestination"]["MatchingEventTypes"]
        .as_array()
        .unwrap();
    assert!(!kinds.contains(&json!("OPEN")) && !kinds.contains(&json!("CLICK")));
}

/// Where the values of a metric come from: its own, or those of the ones that it is computed from.
fn sources(alarm: &Value) -> Vec<Value> {
    match alarm["Metrics"].as_array() {
        None => vec![alarm.clone()],
        Some(metrics) => {
            let sources = metrics
                .iter()
                .map(|metric| metric["MetricStat"]["Metric"].clone());
            sources.filter(|source| !source.is_null()).collect()
        }
    }
}

fn dimensions(source: &Value) -> BTreeMap<String, Value> {
    let dimensions = source["Dimensions"].as_array().into_iter().flatten();
    dimensions
        .map(|dimension| {
            let name = dimension["Name"].as_str().unwrap().to_owned();
            (name, dimension["Value"].clone())
        })
        .collect()
}

#[test]
fn every_alarm_tells_the_topic_if_there_is_one() {
    let template = template();
    let topic = json!({ "Fn::If": [
        "HasAlarmTopic",
        [reference("AlarmTopicArn")],
        reference("AWS::NoValue"),
    ]});
    let mut alarms = 0;
    for (name, alarm) in template.resources("AWS::CloudWatch::Alarm") {
        let properties = &alarm["Properties"];
        assert_eq!(properties["AlarmActions"], topic, "{name}");
        assert_eq!(properties["TreatMissingData"], "notBreaching", "{name}");
        let description = properties["AlarmDescription"].as_str().unwrap();
        assert!(description.ends_with('.'), "{name}");
        alarms += 1;
    }
    assert!(alarms > 10);
}

/// That somebody hears of every queue is in `template`.
#[test]
fn somebody_hears_of_every_function() {
    let template = template();
    let alarms = template.resources("AWS::CloudWatch::Alarm");
    let watched: Vec<(Value, BTreeMap<String, Value>)> = alarms
        .flat_map(|(_, alarm)| sources(&alarm["Properties"]))
        .map(|source| (source["MetricName"].clone(), dimensions(&source)))
        .collect();
    let is_watched = |metric: &str, dimension: &str, value: Value| {
        let of = BTreeMap::from([(dimension.to_owned(), value)]);
        watched.contains(&(json!(metric), of))
    };
    // Failures and throttling of a function behind the API are answers of the API.
    for metric in ["5xx", "Latency"] {
        assert!(is_watched(metric, "ApiId", reference("Api")), "{metric}");
    }
    for function in template.functions().unwrap() {
        let name = function.logical_id;
        for metric in ["Errors", "Throttles"] {
            let is_watched = is_watched(metric, "FunctionName", reference(&name));
            assert!(is_watched == function.routes.is_empty(), "{name}: {metric}");
        }
    }
    for metric in ["Reputation.BounceRate", "Reputation.ComplaintRate"] {
        assert!(
            watched.contains(&(json!(metric), BTreeMap::new())),
            "{metric}"
        );
    }
}

/// An alarm on a metric that nobody counts would be quiet forever.
#[test]
fn alarms_and_dashboard_show_metrics_that_are_counted() {
    let template = template();
    for (name, alarm) in template.resources("AWS::CloudWatch::Alarm") {
        for source in sources(&alarm["Properties"]) {
            if source["Namespace"] != NAMESPACE {
                continue;
            }
            let metric = Metric::ALL
                .into_iter()
                .find(|metric| source["MetricName"] == metric.name());
            let metric = metric.unwrap_or_else(|| panic!("{name} watches {source}"));
            let mut dimensions = dimensions(&source);
            assert_eq!(
                dimensions.remove("stage"),
                Some(reference("Stage")),
                "{name}"
            );
            let other = dimensions.keys().next().map(String::as_str);
            assert!(other.is_none() || other == metric.dimension(), "{name}");
        }
    }
    let dashboard = part(
        &template,
        "/Resources/Dashboard/Properties/DashboardBody/Fn::Sub",
    );
    let dashboard = dashboard.as_str().unwrap();
    let body: Value = serde_json::from_str(dashboard).unwrap();
    assert_eq!(body["widgets"].as_array().unwrap().len(), 8);
    for metric in Metric::ALL {
        assert!(dashboard.contains(metric.name()), "{}", metric.name());
    }
}
