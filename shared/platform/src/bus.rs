//! The event bus, on which the rest of the product learns what happened.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use domain::Timestamp;
use domain::change::Change;
use domain::id::{AccountId, MemberId};
use serde::Serialize;

use crate::Platform;
use crate::answer::to_json;
use crate::aws::cause;
use crate::config::ConfigError;
use crate::problem::Problem;

/// The version of the format of events. A consumer reads the fields that it knows and ignores
/// others. A field with a new meaning needs another version.
const VERSION: u32 = 1;

/// The limit of `PutEvents`.
const MOST_AT_ONCE: usize = 10;

#[derive(Clone, Debug)]
pub struct Bus {
    client: Client,
    name: String,
}

#[derive(Debug)]
pub struct Event {
    /// The same for every repetition of the event.
    pub id: String,
    /// Rises with every change of the same account or person: an event with a lower number came
    /// late.
    pub sequence: u64,
    /// In seconds since 1970.
    pub time: i64,
    pub account: AccountId,
    pub change: Change,
}

/// What `docs/events` describes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    version: u32,
    id: &'a str,
    sequence: u64,
    account_id: &'a AccountId,
    #[serde(flatten)]
    about: About<'a>,
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum About<'a> {
    Account {},
    Plan {
        plan: &'a str,
        previous_plan: &'a str,
    },
    Owner {
        owner_id: &'a MemberId,
        previous_owner_id: &'a MemberId,
    },
    Member {
        member_id: &'a MemberId,
    },
    Invite {
        member_id: &'a MemberId,
        invited_by: &'a MemberId,
        expires_at: Timestamp,
    },
    Expiry {
        member_id: &'a MemberId,
        expired_at: Timestamp,
    },
    Delivery {
        member_id: &'a MemberId,
        status: &'static str,
    },
}

impl Bus {
    /// Uses the bus that `EVENT_BUS` names.
    ///
    /// # Errors
    ///
    /// If the variable is missing.
    pub fn new(platform: &Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            client: platform.aws.eventbridge(),
            name: platform.environment.required("EVENT_BUS")?,
        })
    }

    /// Puts events on the bus, in order.
    ///
    /// # Errors
    ///
    /// `unavailable` if the bus refuses one. The events before it are on the bus.
    pub async fn put(&self, events: &[Event]) -> Result<(), Problem> {
        for events in events.chunks(MOST_AT_ONCE) {
            let entries = events.iter().map(|event| self.entry(event));
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            let put = self.client.put_events().set_entries(Some(entries));
            let output = put
                .send()
                .await
                .map_err(|error| Problem::unavailable(cause(&error)))?;
            if output.failed_entry_count() > 0 {
                let mut codes = output
                    .entries()
                    .iter()
                    .filter_map(|entry| entry.error_code());
                let code = codes.next().unwrap_or("unknown error");
                return Err(Problem::unavailable(format!(
                    "an event was not accepted: {code}"
                )));
            }
        }
        Ok(())
    }

    fn entry(&self, event: &Event) -> Result<PutEventsRequestEntry, Problem> {
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source("rollcall")
            .detail_type(event.change.name())
            .time(DateTime::from_secs(event.time))
            .detail(event.detail()?)
            .build())
    }
}

impl Event {
    fn detail(&self) -> Result<String, Problem> {
        to_json(&Detail {
            version: VERSION,
            id: &self.id,
            sequence: self.sequence,
            account_id: &self.account,
            about: About::of(&self.change),
        })
    }
}

impl<'a> About<'a> {
    fn of(change: &'a Change) -> Self {
        match change {
            Change::MemberInvited {
                member,
                by,
                expires_at,
            } => Self::Invite {
                member_id: member,
                invited_by: by,
                expires_at: *expires_at,
            },
            Change::MemberActivated(member_id)
            | Change::MemberRemoved(member_id, _)
            | Change::MemberAddressChanged(member_id)
            | Change::MemberIdentityChanged(member_id) => Self::Member { member_id },
            Change::InviteDeliveryChanged(member_id, delivery) => Self::Delivery {
                member_id,
                status: delivery.status.name(),
            },
            Change::InviteExpired { member, at } => Self::Expiry {
                member_id: member,
                expired_at: *at,
            },
            Change::AccountClosed | Change::AccountReopened => Self::Account {},
            Change::OwnerChanged { before, after } => Self::Owner {
                owner_id: after,
                previous_owner_id: before,
            },
            Change::AccountPlanChanged { before, after } => Self::Plan {
                plan: after.as_str(),
                previous_plan: before.as_str(),
            },
        }
    }
}
