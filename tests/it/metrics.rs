//! The metrics, and the lines that carry them to CloudWatch.

use platform::metrics::Metric;
use reqwest::Method;
use serde_json::{Value, json};

use crate::authorize_request::product;
use crate::harness::{Fault, Log, OWNER, Rollcall};
use crate::mail_feedback::event;

const KIM: &str = "kim@example.com";

/// The counts in a log: the metric, and the value of its dimension.
pub(crate) fn counts(log: &Log) -> Vec<(String, String)> {
    log.lines()
        .into_iter()
        .filter_map(|line| {
            let metric = &line["_aws"]["CloudWatchMetrics"][0];
            if metric["Metrics"][0]["Unit"] != "Count" {
                return None;
            }
            let name = metric["Metrics"][0]["Name"].as_str().unwrap().to_owned();
            assert_eq!(line[&name], 1);
            let part = metric["Dimensions"][1][1].as_str();
            let part = part.map_or("", |dimension| line[dimension].as_str().unwrap());
            Some((name, part.to_owned()))
        })
        .collect()
}

#[tokio::test]
async fn every_event_is_counted_once() {
    let log = Log::capture();
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.login(&json!({})).await.expect_status(200);
    let pause = Fault::Error(400, "SendingPausedException");
    rollcall.wire.fail("SendEmail", pause, 1);
    owner
        .invite("acme", "ann@example.com")
        .await
        .expect_status(201);
    owner.invite("acme", KIM).await.expect_status(201);
    rollcall.advance(120).await;
    owner.resend("acme", KIM).await.expect_status(200);

    let mail = rollcall.newest_mail();
    let report = |kind: &str, part: &str, content: Value| {
        let mut event = event(&mail, kind);
        event[part] = content;
        event
    };
    let bounce = |label: &str, sublabel: &str| {
        let id = format!("feedback-{label}-{sublabel}");
        let content = json!({
            "bounceType": label, "bounceSubType": sublabel, "feedbackId": id,
        });
        report("Bounce", "bounce", content)
    };
    for report in [
        report("Delivery", "delivery", json!({})),
        bounce("Transient", "General"),
        bounce("Transient", "MailboxFull"),
        bounce("Permanent", "NoEmail"),
        report("Complaint", "complaint", json!({})),
    ] {
        // SNS can deliver an event twice.
        for _ in 0..2 {
            rollcall
                .dev("/dev/feedback", &report)
                .await
                .expect_status(200);
        }
    }

    let kim = rollcall.person(KIM).await;
    kim.login(&json!({ "accountId": "acme" }))
        .await
        .expect_status(403);
    let token = json!({ "inviteToken": rollcall.newest_token() });
    kim.login(&token).await.expect_status(200);
    for _ in 0..2 {
        owner.remove("acme", KIM).await.expect_status(200);
    }
    kim.login(&json!({})).await.expect_status(403);
    // Looking at the events makes the stack read the table's stream.
    let events = rollcall.anonymous(Method::GET, "/dev/events.json").await;
    events.expect_status(200);
    product(&owner, Some("acme")).await.expect_status(200);
    let denied = Fault::Error(400, "AccessDeniedException");
    rollcall.wire.fail("BatchGetItem", denied, 1);
    owner.list("acme", "").await.expect_status(500);

    let counts = counts(&log);
    let counts: Vec<_> = counts
        .iter()
        .map(|(name, part)| (name.as_str(), part.as_str()))
        .collect();
    assert_eq!(
        counts,
        [
            ("Logins", "ok"),
            ("InvitesFailed", "sending_paused"),
            ("InvitesSent", ""),
            ("InvitesResent", ""),
            ("AutoReplies", ""),
            ("Bounces", "transient"),
            ("Bounces", "permanent"),
            ("Complaints", ""),
            ("Logins", "invite_link_required"),
            ("InvitesAccepted", ""),
            ("Logins", "ok"),
            ("Logins", "access_revoked"),
            ("Removals", ""),
            ("Verdicts", "ok"),
            ("Failures", "list"),
        ]
    );
    for metric in Metric::ALL {
        assert!(
            counts.iter().any(|(name, _)| *name == metric.name()),
            "{}",
            metric.name()
        );
    }
}

#[tokio::test]
async fn a_count_is_a_line_that_cloudwatch_understands() {
    let log = Log::capture();
    let rollcall = Rollcall::start().await;
    rollcall
        .person(OWNER)
        .await
        .login(&json!({}))
        .await
        .expect_status(403);
    let line = log.lines().into_iter().find(|line| line["Logins"] == 1);
    let mut line = line.unwrap();
    // How long DynamoDB took differs from run to run.
    let took = line.as_object_mut().unwrap().remove("dynamodbMs").unwrap();
    assert!(took.as_f64().unwrap() > 0.0, "{took}");
    assert_eq!(
        line,
        json!({
            "_aws": {
                "Timestamp": 1_795_521_600_000_u64,
                "CloudWatchMetrics": [
                    {
                        "Namespace": "Rollcall",
                        "Dimensions": [["stage"], ["stage", "code"]],
                        "Metrics": [{ "Name": "Logins", "Unit": "Count" }],
                    },
                    {
                        "Namespace": "Rollcall",
                        "Dimensions": [["stage"]],
                        "Metrics": [{ "Name": "dynamodbMs", "Unit": "Milliseconds" }],
                    },
                ],
            },
            "stage": "local",
            "code": "no_access",
            "Logins": 1,
        })
    );
}

#[tokio::test]
async fn a_call_says_what_it_waited_for() {
    let log = Log::capture();
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    rollcall.wire.fail("BatchGetItem", Fault::NoConnection, 1);
    owner.invite("acme", KIM).await.expect_status(201);
    let refused = owner.invite("acme", "nobody").await;
    refused.expect_problem(400, "invalid_request");
    let events = rollcall.anonymous(Method::GET, "/dev/events.json").await;
    events.expect_status(200);
    product(&owner, Some("acme")).await.expect_status(200);

    // What each call waited for, and in how many tries.
    let lines = log.lines();
    let waits = |operation: &str| -> Vec<Vec<(&str, u64)>> {
        let lines = lines.iter().filter(|line| line["operation"] == operation);
        let lines = lines.filter(|line| line["_aws"].is_null());
        lines
            .map(|line| {
                let tries = ["dynamodb", "ses", "eventbridge", "issuer"].into_iter();
                let tries = tries.filter_map(|name| {
                    let tries = line[format!("{name}Tries")].as_u64()?;
                    assert!(line[format!("{name}Ms")].as_f64().unwrap() >= 0.0, "{line}");
                    Some((name, tries))
                });
                tries.collect()
            })
            .collect()
    };
    let (invited, refused) = (vec![("dynamodb", 3), ("ses", 1)], vec![]);
    assert_eq!(waits("invite"), [invited, refused]);
    assert_eq!(waits("publish-changes"), [[("eventbridge", 1)]]);
    assert_eq!(
        waits("authorize-request"),
        [[("dynamodb", 1), ("issuer", 2)]]
    );
}
