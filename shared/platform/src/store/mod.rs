//! The table. Operations read a consistent snapshot, decide, and write on what they saw.
//!
//! There is one rule for writing: an item is written if its `version` is still the one that was
//! read, or if it still does not exist. Counters are the one exception: they add one if they are
//! below their limit.

mod actor;
mod error;
mod feedback;
mod handover;
mod item;
mod key;
mod members;
mod memberships;
mod rank;
mod read;
mod stream;
mod write;

use std::collections::HashMap;
use std::ops::Deref;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

pub use actor::Actor;
pub use error::StoreError;
pub use feedback::{FeedbackCursor, FeedbackCursorText, FeedbackPage};
pub use handover::HandoverRows;
pub use item::{Alias, Pointer};
pub use members::{Cursor, CursorText, MembersFilter, MembersPage, StatusFilter, TextFilter};
pub use memberships::{CallerSlots, Place, Seen, StoredMembership};
pub(crate) use read::LONGEST_READ;
pub use read::{Found, PlaceSlot, Read, Slot};
pub use stream::{Changes, Record};
pub use write::{Attempt, CountedAttempt, CountingWrite, Write};

use domain::id::AccountId;

use crate::Platform;
use crate::config::ConfigError;

type Item = HashMap<String, AttributeValue>;

/// A value that was read, and its version. A write over it succeeds only if the version is still
/// the same.
#[derive(Debug, Clone)]
pub struct Stored<T> {
    pub value: T,
    version: u64,
}

impl<T> Stored<T> {
    /// The number of writes of the item so far.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The item after `value` was committed over `seen`.
    #[must_use]
    pub fn after<S>(seen: Option<&Stored<S>>, value: T) -> Self {
        Self {
            value,
            version: next_version(seen.map(|seen| seen.version)),
        }
    }
}

impl<T> Deref for Stored<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

fn next_version(seen: Option<u64>) -> u64 {
    seen.unwrap_or(0).saturating_add(1)
}

#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
}

impl Store {
    /// Uses the table that `TABLE_NAME` names.
    ///
    /// # Errors
    ///
    /// If the variable is missing.
    pub fn new(platform: &Platform) -> Result<Self, ConfigError> {
        let table = platform.environment.required("TABLE_NAME")?;
        Ok(Self {
            client: platform.aws.dynamodb(),
            table,
        })
    }

    /// Opens the connection ahead of the first call, by reading a key that no item has. It makes no
    /// difference if that fails.
    pub async fn connect(&self) {
        let key = key::Key::nothing();
        let _ = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .send()
            .await;
    }

    /// Begins a read of several items in one call.
    #[must_use]
    pub fn read(&self) -> Read<'_> {
        Read::new(self)
    }

    /// Begins a write to an account for a caller who was let in.
    #[must_use]
    pub fn write_as<'a>(&'a self, actor: &Actor<'_>) -> Write<'a> {
        Write::by_actor(self, actor)
    }

    /// Begins a write to an account for the service itself: for billing, the mail system, support,
    /// and logins, which turn callers into actors.
    #[must_use]
    pub fn write_as_service<'a>(&'a self, account: &AccountId) -> Write<'a> {
        Write::by_service(self, account)
    }
}
