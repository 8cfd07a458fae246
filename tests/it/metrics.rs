//! What is counted, and how CloudWatch gets to know it.

use platform::metrics::Metric;
use serde_json::{Value, json};

use crate::harness::{Fault, Log, OWNER, Rollcall};
use crate::mail_feedback::event;

const KIM: &str = "kim@example.com";

/// The counts in a log: the metric, and what the dimension says.
fn counts(log: &Log) -> Vec<(String, String)> {
    let lines = log
        .lines()
        .into_iter()
        .filter(|line| !line["_aws"].is_null());
    lines
        .map(|line| {
            let metric = &line["_aws"]["CloudWatchMetrics"][0];
            let name = metric["Metrics"][0]["Name"].as_str().unwrap().to_owned();
            assert_eq!(line[&name], 1);
            let part = metric["Dimensions"][1][1].as_str();
            let part = part.map_or("", |dimension| line[dimension].as_str().unwrap());
            (name, part.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn what_happens_is_counted_once() {
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
        // SNS repeats.
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
            ("Removals", ""),
            ("Logins", "access_revoked"),
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
    let line = log.lines().into_iter().find(|line| !line["_aws"].is_null());
    assert_eq!(
        line.unwrap(),
        json!({
            "_aws": {
                "Timestamp": 1_795_521_600_000_u64,
                "CloudWatchMetrics": [{
                    "Namespace": "Rollcall",
                    "Dimensions": [["stage"], ["stage", "code"]],
                    "Metrics": [{ "Name": "Logins", "Unit": "Count" }],
                }],
            },
            "stage": "local",
            "code": "no_access",
            "Logins": 1,
        })
    );
}
