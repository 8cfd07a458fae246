//! The state that all operations of the endpoint share.

use std::sync::Arc;

use jiff::Timestamp;

use super::mailbox::Mailbox;
use super::suppression::SuppressionList;
use crate::sns::Topic;

pub(crate) struct Endpoint {
    pub(crate) mailbox: Mailbox,
    pub(crate) suppression_list: SuppressionList,
    pub(crate) configuration_sets: Vec<String>,
    pub(crate) now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// SES publishes its events here. Without a topic, it publishes none.
    pub(crate) topic: Option<Topic>,
}
