//! The SNS topic between SES and `mail-feedback`: wraps messages in SNS's envelope, invokes the
//! function, and tries again after a failure, as Lambda does.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use platform::{Invocation, Problem, random};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

use crate::functions::Functions;
use mail_feedback::MailFeedback;

/// How often Lambda invokes a function with an event if it keeps failing
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>).
const MOST_INVOCATIONS: usize = 3;

/// SES publishes here. Clones share the messages.
#[derive(Debug, Clone)]
pub(crate) struct Topic {
    messages: mpsc::UnboundedSender<Value>,
    /// The number of messages that the function hasn't handled yet.
    pending: watch::Sender<usize>,
}

/// The receiving end of a topic.
#[derive(Debug)]
pub(crate) struct Subscription {
    messages: mpsc::UnboundedReceiver<Value>,
    pending: watch::Sender<usize>,
}

impl Topic {
    pub(crate) fn new() -> (Self, Subscription) {
        let (sender, messages) = mpsc::unbounded_channel();
        let pending = watch::Sender::new(0);
        let subscription = Subscription {
            messages,
            pending: pending.clone(),
        };
        let topic = Self {
            messages: sender,
            pending,
        };
        (topic, subscription)
    }

    pub(crate) fn publish(&self, message: Value) {
        self.pending.send_modify(|pending| *pending += 1);
        if self.messages.send(message).is_err() {
            self.pending.send_modify(|pending| *pending -= 1);
        }
    }

    /// Waits until the function has handled all messages.
    pub(crate) async fn settled(&self) {
        let mut pending = self.pending.subscribe();
        let _ = pending.wait_for(|pending| *pending == 0).await;
    }
}

impl Subscription {
    /// Hands the messages to the function, one after the other, until `stopped` resolves.
    pub(crate) async fn deliver(
        mut self,
        functions: Arc<Functions>,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        mut stopped: oneshot::Receiver<()>,
    ) {
        loop {
            let message = tokio::select! {
                message = self.messages.recv() => message,
                _ = &mut stopped => None,
            };
            let Some(message) = message else { return };
            let event = envelope(&message.to_string(), now());
            for _ in 0..MOST_INVOCATIONS {
                if let Some(Ok(_)) = invoke(&functions, event.clone()).await {
                    break;
                }
            }
            self.pending.send_modify(|pending| *pending -= 1);
        }
    }
}

pub(crate) async fn invoke(functions: &Functions, event: Value) -> Option<Result<Value, Problem>> {
    functions.invoke(MailFeedback::NAME, event).await
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html#sns-sample-event>
pub(crate) fn envelope(message: &str, now: Timestamp) -> Value {
    const TOPIC: &str = "arn:aws:sns:eu-central-1:000000000000:MailFeedbackTopic";
    let message_id = message_id();
    json!({
        "Records": [{
            "EventVersion": "1.0",
            "EventSource": "aws:sns",
            "EventSubscriptionArn": format!("{TOPIC}:local"),
            "Sns": {
                "Type": "Notification",
                "MessageId": message_id,
                "TopicArn": TOPIC,
                "Subject": "Amazon SES Email Event Notification",
                "Message": message,
                "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
                "SignatureVersion": "1",
                "Signature": "local",
                "SigningCertUrl": "https://sns.eu-central-1.amazonaws.com/local.pem",
                "UnsubscribeUrl": "https://sns.eu-central-1.amazonaws.com/",
                "MessageAttributes": {},
            },
        }],
    })
}

/// A new id that looks like SES's.
pub(crate) fn message_id() -> String {
    let random = random::secret().unwrap_or_default();
    format!("0107{:.32}-000000", HEXLOWER.encode(&random))
}
