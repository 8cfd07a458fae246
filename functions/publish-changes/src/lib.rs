//! Publishes changes of accounts and their people: reads the table's stream, and puts an event on
//! the bus for every change that other systems may need.
//!
//! Events come at least once. If the bus refuses one, the whole batch comes again. Consumers
//! recognize repetitions by an event's id, and late events by its sequence number.

use domain::Timestamp;
use domain::change::{Change, of_expiry};
use domain::id::{AccountId, MemberId};
use domain::member::Removal;
use platform::bus::{Bus, Event};
use platform::metrics::count_removals;
use platform::store::{Record, Store};
use platform::telemetry::log_removal;
use platform::{ConfigError, Invocation, Platform, Problem};
use serde::Serialize;
use serde_json::Value;

#[derive(Debug)]
pub struct PublishChanges {
    store: Store,
    bus: Bus,
}

#[derive(Debug, Serialize)]
pub struct Published {
    /// The number of events from the batch.
    events: usize,
}

impl Invocation for PublishChanges {
    const NAME: &'static str = "publish-changes";

    type Outcome = Published;

    fn new(platform: &Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(platform)?,
            bus: Bus::new(platform)?,
        })
    }

    async fn get_ready(&self, _now: Timestamp) {
        self.store.connect().await;
    }

    async fn invoke(&self, event: Value, _now: Timestamp) -> Result<Published, Problem> {
        let mut events = Vec::new();
        for record in Record::of_event(&event) {
            match record.expired_invite() {
                Some((account, member, at)) => {
                    events.extend(self.expiry(&record, account, &member, at).await?);
                }
                None => events.extend(events_of(&record)?),
            }
        }
        // First of all, because the log must record every loss of access even if the bus fails. A
        // batch that comes again is logged again.
        let removals: Vec<_> = events.iter().filter_map(removal).collect();
        for (account, member, removal) in &removals {
            log_removal(account, member, removal);
        }
        self.bus.put(&events).await?;
        count_removals(removals.len());
        Ok(Published {
            events: events.len(),
        })
    }

    /// A batch concerns many accounts.
    fn account(_: &Published) -> Option<&AccountId> {
        None
    }
}

impl PublishChanges {
    /// The event of an expired invite. None, if the invite was accepted, cancelled or sent again.
    async fn expiry(
        &self,
        record: &Record<'_>,
        account: AccountId,
        member: &MemberId,
        at: Timestamp,
    ) -> Result<Option<Event>, Problem> {
        let mut read = self.store.read();
        let member = read.member(&account, member);
        let member = read.run().await?.take(member)?;
        let expired = member.and_then(|member| Some((of_expiry(&member, at)?, member.version())));
        Ok(expired.map(|(change, version)| event(record, account, version, change)))
    }
}

fn removal(event: &Event) -> Option<(&AccountId, &MemberId, &Removal)> {
    let Change::MemberRemoved(member, removal) = &event.change else {
        return None;
    };
    Some((&event.account, member, removal))
}

/// The events of one write. There are at most two: a new plan while the account is reopened.
fn events_of(record: &Record<'_>) -> Result<Vec<Event>, Problem> {
    let Some(changes) = record.changes()? else {
        return Ok(Vec::new());
    };
    let (account, version) = (changes.account, changes.version);
    let event = |change| event(record, account.clone(), version, change);
    Ok(changes.changes.into_iter().map(event).collect())
}

fn event(record: &Record<'_>, account: AccountId, version: u64, change: Change) -> Event {
    Event {
        id: format!("{}-{}", record.id(), change.name()),
        sequence: version,
        time: record.time(),
        account,
        change,
    }
}
