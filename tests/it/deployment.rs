//! The safeguards of a deployment in `template.yaml`. What each function may do is in
//! `permissions`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use authorize_request::LONGEST_VERDICT;
use local::{Function, Template};
use platform::api::LONGEST_CALL;
use platform::aws::{DYNAMODB_TIMEOUTS, SES_TIMEOUTS};
use platform::metrics::{Metric, NAMESPACE};
use serde_json::{Value, json};

/// How long API Gateway waits for a function
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const API_GATEWAY: Duration = Duration::from_secs(30);

/// The same for an authorizer.
const AUTHORIZER: Duration = Duration::from_secs(10);

/// The routes that need no ID token: the page, and the description of the API.
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
    assert_eq!(queues.len(), 5);
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
fn routes_open_to_abuse_are_throttled_more_tightly() {
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

/// `docs/deploy-role.yaml` knows every service that the stack is made of, and cannot reach what is in the table.
#[test]
fn the_role_that_deploys_can_make_the_stack_and_not_empty_the_table() {
    let role = include_str!("../../docs/deploy-role.yaml");
    let template = template();
    let kinds = part(&template, "/Resources");
    for (name, resource) in kinds.as_object().unwrap() {
        let kind = resource["Type"].as_str().unwrap();
        let service = match kind.split("::").nth(1).unwrap() {
            "Serverless" if kind.ends_with("HttpApi") => "apigateway",
            "Serverless" => "lambda",
            "CloudWatch" => "cloudwatch",
            "DynamoDB" => "dynamodb",
            "Events" => "events",
            "Lambda" => "lambda",
            "Logs" => "logs",
            "S3" => "s3",
            "SES" => "ses",
            "SNS" => "sns",
            "SQS" => "sqs",
            other => panic!("{name}: may the role make what {other} has?"),
        };
        let allowed = role.contains(&format!("- {service}:"))
            || role.contains(&format!("Action: {service}:"))
            || role.contains(&format!("Action: [{service}:"));
        assert!(allowed, "{name}: {service}");
    }
    for forbidden in [
        "Item",
        "Scan",
        "Query",
        "DeleteTable",
        "Backup",
        "dynamodb:*",
    ] {
        let lines = role.lines().filter(|line| line.contains("dynamodb:"));
        let allowed: Vec<_> = lines.filter(|line| line.ends_with(forbidden)).collect();
        assert_eq!(allowed, Vec::<&str>::new());
    }
}

/// A flood of events must not take the concurrency that logins need.
#[test]
fn functions_that_take_floods_have_reserved_concurrency() {
    let template = template();
    for (name, function) in template.resources("AWS::Serverless::Function") {
        let events = function["Properties"]["Events"].as_object();
        let takes_floods = events
            .into_iter()
            .flatten()
            .any(|(_, event)| event["Type"] != "HttpApi");
        let reserved = &function["Properties"]["ReservedConcurrentExecutions"];
        // All of the product's requests come through the guard.
        let takes_floods = takes_floods || name == "AuthorizeRequest";
        assert_eq!(!reserved.is_null(), takes_floods, "{name}");
    }
}

/// Each caller waits longer than the call it depends on, so an answer always comes from the service
/// that was called.
#[test]
fn each_caller_waits_longer_than_the_call_it_depends_on() {
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
fn every_function_logs_json_that_is_not_kept_forever() {
    let template = template();
    let globals = part(&template, "/Globals/Function");
    // HTTP APIs have no traces, and the SDK makes none: a call's log line says what it waited for.
    assert_eq!(globals["Tracing"], Value::Null);
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
fn mail_is_encrypted_in_transit_and_not_tracked() {
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

/// Where a metric's values come from: the metric itself, or the metrics it is computed from.
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
fn every_alarm_notifies_the_topic_if_there_is_one() {
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

/// A metric in CloudWatch: its namespace, name and dimensions, and the sum of one period's values.
type Sums = BTreeMap<String, f64>;

fn metric(namespace: &str, name: &str, dimensions: &BTreeMap<String, Value>) -> String {
    format!("{namespace} {name} {}", json!(dimensions))
}

fn metric_of(source: &Value) -> String {
    let text = |name: &str| source[name].as_str().unwrap().to_owned();
    metric(&text("Namespace"), &text("MetricName"), &dimensions(source))
}

/// How a call of a function ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Well,
    /// The function dies, runs out of time, or answers its invoker with an error.
    Error,
    /// API Gateway gets an answer, which says that the call failed.
    Problem,
}

/// What one call records in CloudWatch.
fn counted(sums: &mut Sums, function: &Function, end: End) {
    let function_name =
        BTreeMap::from([("FunctionName".to_owned(), reference(&function.logical_id))]);
    let mut count = |metric: String, value: f64| *sums.entry(metric).or_default() += value;
    count(metric("AWS/Lambda", "Invocations", &function_name), 1.0);
    let is_error = f64::from(u8::from(end == End::Error));
    count(metric("AWS/Lambda", "Errors", &function_name), is_error);
    if end == End::Problem {
        let failures = BTreeMap::from([
            ("stage".to_owned(), reference("Stage")),
            ("operation".to_owned(), json!(function.operation)),
        ]);
        count(metric(NAMESPACE, Metric::Failures.name(), &failures), 1.0);
    }
}

/// The length of an alarm's period, in minutes. All of its metrics have the same.
fn period(alarm: &Value) -> u64 {
    let periods: BTreeSet<u64> = match alarm["Metrics"].as_array() {
        None => [&alarm["Period"]]
            .into_iter()
            .filter_map(Value::as_u64)
            .collect(),
        Some(metrics) => {
            let periods = metrics.iter().map(|metric| &metric["MetricStat"]["Period"]);
            periods.filter_map(Value::as_u64).collect()
        }
    };
    assert_eq!(periods.len(), 1, "{alarm}");
    periods.into_iter().next().unwrap() / 60
}

/// Whether the events of one period raise an alarm. `None` if nothing was measured.
fn is_raised(alarm: &Value, sums: &Sums) -> Option<bool> {
    let threshold = alarm["Threshold"].as_f64()?;
    let value = match alarm["Metrics"].as_array() {
        None => *sums.get(&metric_of(alarm))?,
        Some(metrics) => {
            let mut results = metrics
                .iter()
                .filter(|metric| metric["ReturnData"] != false);
            let result = results.next().unwrap();
            assert!(results.next().is_none(), "{alarm}");
            value_of(metrics, result["Id"].as_str().unwrap(), sums)?
        }
    };
    assert_eq!(alarm["ComparisonOperator"], "GreaterThanThreshold");
    Some(value > threshold)
}

/// The value of a metric or an expression of an alarm, by its id.
fn value_of(metrics: &[Value], id: &str, sums: &Sums) -> Option<f64> {
    let metric = metrics.iter().find(|metric| metric["Id"] == id);
    let metric = metric.unwrap_or_else(|| panic!("there is no {id}"));
    match metric["Expression"].as_str() {
        Some("SUM(METRICS())") => {
            let stats = metrics.iter().map(|metric| &metric["MetricStat"]["Metric"]);
            let stats = stats.filter(|source| !source.is_null());
            let values: Vec<_> = stats
                .filter_map(|source| sums.get(&metric_of(source)))
                .collect();
            (!values.is_empty()).then(|| values.into_iter().sum())
        }
        Some(expression) => MetricMath::evaluate(expression, &|id| value_of(metrics, id, sums)),
        None => sums
            .get(&metric_of(&metric["MetricStat"]["Metric"]))
            .copied(),
    }
}

/// As much of CloudWatch's metric math as the template uses
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>).
struct MetricMath<'a> {
    tokens: Vec<String>,
    next: usize,
    value_of: &'a dyn Fn(&str) -> Option<f64>,
}

impl<'a> MetricMath<'a> {
    fn evaluate(expression: &str, value_of: &'a dyn Fn(&str) -> Option<f64>) -> Option<f64> {
        let mut tokens: Vec<String> = Vec::new();
        for c in expression.chars() {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '.';
            match tokens.last_mut() {
                Some(last) if is_word(c) && last.chars().all(is_word) && !last.is_empty() => {
                    last.push(c);
                }
                Some(last) if c == '=' && [">", "<"].contains(&last.as_str()) => last.push(c),
                _ if c == ' ' => tokens.push(String::new()),
                _ => tokens.push(c.to_string()),
            }
        }
        tokens.retain(|token| !token.is_empty());
        let mut math = Self {
            tokens,
            next: 0,
            value_of,
        };
        let value = math.comparison();
        assert_eq!(math.next, math.tokens.len(), "{expression}");
        value
    }

    fn take(&mut self, expected: &[&str]) -> Option<String> {
        let token = self.tokens.get(self.next)?.clone();
        if !expected.contains(&token.as_str()) {
            return None;
        }
        self.next += 1;
        Some(token)
    }

    fn comparison(&mut self) -> Option<f64> {
        let left = self.sum();
        let Some(operator) = self.take(&[">", ">=", "<", "<="]) else {
            return left;
        };
        let (left, right) = (left, self.sum());
        let (left, right) = (left?, right?);
        let holds = match operator.as_str() {
            ">" => left > right,
            ">=" => left >= right,
            "<" => left < right,
            _ => left <= right,
        };
        Some(f64::from(u8::from(holds)))
    }

    fn sum(&mut self) -> Option<f64> {
        let mut value = self.product();
        while let Some(operator) = self.take(&["+", "-"]) {
            let right = self.product();
            let sign = if operator == "+" { 1.0 } else { -1.0 };
            value = value.zip(right).map(|(left, right)| left + sign * right);
        }
        value
    }

    fn product(&mut self) -> Option<f64> {
        let mut value = self.atom();
        while let Some(operator) = self.take(&["*", "/"]) {
            let right = self.atom();
            value = value
                .zip(right)
                .map(|(left, right)| match operator.as_str() {
                    "*" => left * right,
                    _ => left / right,
                });
        }
        value
    }

    fn atom(&mut self) -> Option<f64> {
        if self.take(&["("]).is_some() {
            let value = self.comparison();
            self.take(&[")"]).unwrap();
            return value;
        }
        let word = self.tokens[self.next].clone();
        self.next += 1;
        if self.take(&["("]).is_none() {
            return word.parse().ok().or_else(|| (self.value_of)(&word));
        }
        let mut arguments = vec![self.comparison()];
        while self.take(&[","]).is_some() {
            arguments.push(self.comparison());
        }
        self.take(&[")"]).unwrap();
        match (word.as_str(), arguments.as_slice()) {
            ("FILL", [value, filling]) => value.or(*filling),
            ("IF", [condition, then, otherwise]) => {
                if (*condition)? == 0.0 {
                    *otherwise
                } else {
                    *then
                }
            }
            _ => panic!("what is {word}?"),
        }
    }
}

/// The alarms that are always raised by calls of a function with these outcomes, one a minute,
/// wherever the periods begin.
fn raised_by(template: &Template, function: &Function, calls: &[(u64, End)]) -> BTreeSet<String> {
    let mut raised = BTreeSet::new();
    for (name, alarm) in template.resources("AWS::CloudWatch::Alarm") {
        let alarm = &alarm["Properties"];
        let Some(1) = alarm["EvaluationPeriods"].as_u64() else {
            continue;
        };
        let length = period(alarm);
        let is_raised_from = |beginning: u64| {
            let mut periods = BTreeMap::<u64, Sums>::new();
            for (minute, end) in calls {
                let sums = periods.entry((minute + beginning) / length).or_default();
                counted(sums, function, *end);
            }
            periods
                .values()
                .any(|sums| is_raised(alarm, sums) == Some(true))
        };
        if (0..length).all(is_raised_from) {
            raised.insert(name.to_owned());
        }
    }
    raised
}

/// A rarely used function must not fail unnoticed, and a single failure must not wake anyone.
#[test]
fn a_function_that_only_fails_raises_an_alarm_after_three_calls() {
    let template = template();
    for function in template.functions().unwrap() {
        let ends = match function.routes.is_empty() {
            true => vec![End::Error],
            false => vec![End::Error, End::Problem],
        };
        for end in ends {
            for minutes in [[0, 0, 0], [0, 1, 9], [0, 5, 9], [0, 8, 9], [0, 9, 9]] {
                let calls = minutes.map(|minute| (minute, end));
                let raised = raised_by(&template, &function, &calls);
                assert!(
                    !raised.is_empty(),
                    "{} {end:?} {minutes:?}",
                    function.operation
                );
            }
            for others in [0, 1, 2, 1_000] {
                let mut calls = vec![(0, end)];
                calls.extend((0..others).map(|minute| (minute % 10, End::Well)));
                let raised = raised_by(&template, &function, &calls);
                assert!(
                    raised.is_empty(),
                    "{} {end:?}: {raised:?}",
                    function.operation
                );
            }
        }
    }
}

#[test]
fn the_api_and_mail_raise_alarms_when_they_only_fail() {
    let template = template();
    let of_stage = |more: &[(&str, Value)]| {
        let more = more
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        let stage = [("stage".to_owned(), reference("Stage"))];
        stage.into_iter().chain(more).collect::<BTreeMap<_, _>>()
    };
    let of_api = BTreeMap::from([("ApiId".to_owned(), reference("Api"))]);
    let failed = |reason: Option<&str>| {
        let reason = reason.map(|reason| ("reason", json!(reason)));
        metric(NAMESPACE, "InvitesFailed", &of_stage(reason.as_slice()))
    };
    let verdicts = |code: Option<&str>| {
        let code = code.map(|code| ("code", json!(code)));
        metric(NAMESPACE, "Verdicts", &of_stage(code.as_slice()))
    };
    let (errors, calls) = (
        metric("AWS/ApiGateway", "5xx", &of_api),
        metric("AWS/ApiGateway", "Count", &of_api),
    );
    let sent = metric(NAMESPACE, "InvitesSent", &of_stage(&[]));
    for (alarm, sums, expected) in [
        ("ApiErrorsAlarm", vec![(&errors, 2.0), (&calls, 2.0)], true),
        ("ApiErrorsAlarm", vec![(&errors, 1.0), (&calls, 1.0)], false),
        (
            "ApiErrorsAlarm",
            vec![(&errors, 6.0), (&calls, 1_000.0)],
            false,
        ),
        (
            "ApiErrorsAlarm",
            vec![(&errors, 60.0), (&calls, 1_000.0)],
            true,
        ),
        ("InvitesFailedAlarm", vec![(&failed(None), 2.0)], true),
        ("InvitesFailedAlarm", vec![(&failed(None), 1.0)], false),
        (
            "InvitesFailedAlarm",
            vec![(&failed(None), 2.0), (&sent, 98.0)],
            false,
        ),
        (
            "MailMisconfiguredAlarm",
            vec![(&failed(Some("misconfigured")), 1.0)],
            true,
        ),
        (
            "SendingPausedAlarm",
            vec![(&failed(Some("sending_paused")), 1.0)],
            true,
        ),
        (
            "GuardRefusesAlarm",
            vec![
                (&verdicts(Some("unauthenticated")), 11.0),
                (&verdicts(None), 20.0),
            ],
            true,
        ),
        (
            "GuardRefusesAlarm",
            vec![
                (&verdicts(Some("unauthenticated")), 3.0),
                (&verdicts(None), 3.0),
            ],
            false,
        ),
    ] {
        let properties = part(&template, &format!("/Resources/{alarm}/Properties"));
        let sums: Sums = sums
            .into_iter()
            .map(|(metric, sum)| (metric.clone(), sum))
            .collect();
        let raised = is_raised(&properties, &sums) == Some(true);
        assert_eq!(raised, expected, "{alarm}: {sums:?}");
    }
}

#[test]
fn throttling_latency_and_reputation_raise_alarms() {
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
    assert!(is_watched("Latency", "ApiId", reference("Api")));
    // Throttling of a function behind the API shows up as an answer of the API.
    for function in template.functions().unwrap() {
        let name = function.logical_id;
        let is_watched = is_watched("Throttles", "FunctionName", reference(&name));
        assert!(is_watched == function.routes.is_empty(), "{name}");
    }
    for metric in ["Reputation.BounceRate", "Reputation.ComplaintRate"] {
        assert!(
            watched.contains(&(json!(metric), BTreeMap::new())),
            "{metric}"
        );
    }
}

/// An alarm on a metric that is never counted would never be raised.
#[test]
fn alarms_and_dashboard_show_metrics_that_are_counted() {
    let template = template();
    for (name, alarm) in template.resources("AWS::CloudWatch::Alarm") {
        for source in sources(&alarm["Properties"]) {
            if source["Namespace"] != NAMESPACE {
                continue;
            }
            let metric = Metric::ALL
                .iter()
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
    assert_eq!(body["widgets"].as_array().unwrap().len(), 11);
    for metric in Metric::ALL {
        assert!(dashboard.contains(metric.name()), "{}", metric.name());
    }
}
