//! Tells the rest of the product what happened to accounts and their people: reads the table's
//! stream, and puts an event on the bus for every change that somebody may want to know.
//!
//! Events come at least once. When one cannot be put, the whole batch comes again: the id of an event
//! tells repetitions, and its sequence number tells what came late.

use domain::Timestamp;
use domain::id::AccountId;
use platform::bus::{Bus, Event};
use platform::store::Record;
use platform::{ConfigError, Invocation, Platform, Problem};
use serde::Serialize;
use serde_json::Value;

/// Publishes changes.
#[derive(Debug)]
pub struct PublishChanges {
    bus: Bus,
}

/// What came of a batch of the stream.
#[derive(Debug, Serialize)]
pub struct Published {
    /// How many events there were in it.
    events: usize,
}

impl Invocation for PublishChanges {
    const NAME: &'static str = "publish-changes";

    type Outcome = Published;

    fn new(platform: &Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            bus: Bus::new(platform)?,
        })
    }

    async fn invoke(&self, event: Value, _now: Timestamp) -> Result<Published, Problem> {
        let mut events = Vec::new();
        for record in Record::of_event(&event) {
            events.extend(events_of(&record)?);
        }
        self.bus.put(&events).await?;
        Ok(Published {
            events: events.len(),
        })
    }

    /// A batch is about many accounts.
    fn account(_: &Published) -> Option<&AccountId> {
        None
    }
}

/// The events of one write. Two at most: a plan that changes while the account is reopened.
fn events_of(record: &Record<'_>) -> Result<Vec<Event>, Problem> {
    let Some(changes) = record.changes()? else {
        return Ok(Vec::new());
    };
    let event = |change: domain::change::Change| Event {
        id: format!("{}-{}", record.id(), change.name()),
        sequence: changes.version,
        time: record.time(),
        account: changes.account.clone(),
        change,
    };
    Ok(changes.changes.iter().cloned().map(event).collect())
}
