//! The list of an account's people.

use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::BASE64URL_NOPAD;
use domain::delivery::DeliveryStatus;
use domain::id::{AccountId, MemberId};
use domain::member::{Member, Status};
use domain::request::Fingerprint;
use domain::{Invalid, Timestamp};

use super::error::{StoreError, unanswered};
use super::item::decode;
use super::key::{Key, account_partition};
use super::rank::{END, INVITED, OWNER, REMOVED, folded, folded_name, rank};
use super::{Item, Store};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembersFilter {
    pub status: StatusFilter,
    /// The delivery of the invite's newest mail has this status.
    pub delivery: Option<DeliveryFilter>,
    /// Name or address contains this text.
    pub text: Option<TextFilter>,
}

impl MembersFilter {
    /// Identifies this filter and this account in a cursor. A cursor for other ones is refused.
    fn binding(&self, account: &AccountId) -> Fingerprint {
        let text = self.text.as_ref().map_or("", |text| &text.0);
        let delivery = self.delivery.map_or("", |DeliveryFilter(name)| name);
        Fingerprint::of(&[account.as_str(), self.status.name(), delivery, text])
    }

    /// Whether the range of the index also holds other people.
    fn leaves_some_out(&self) -> bool {
        self.text.is_some() || self.delivery.is_some() || self.status.leaves_some_out()
    }

    fn admits(&self, member: &Member, now: Timestamp) -> bool {
        self.status.admits(member, now)
            && self.delivery.is_none_or(|delivery| delivery.admits(member))
            && self.text.as_ref().is_none_or(|text| text.admits(member))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFilter {
    /// Everyone except removed people.
    Current,
    Only(Status),
}

impl FromStr for StatusFilter {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.parse().map(Self::Only)
    }
}

impl StatusFilter {
    fn name(self) -> &'static str {
        match self {
            Self::Current => "",
            Self::Only(status) => status.as_str(),
        }
    }

    /// The part of the index that holds these people, including both ends.
    fn range(self) -> (&'static str, &'static str) {
        match self {
            Self::Current => (OWNER, REMOVED),
            Self::Only(Status::Active) => (OWNER, INVITED),
            Self::Only(Status::Invited | Status::Expired) => (INVITED, REMOVED),
            Self::Only(Status::Removed) => (REMOVED, END),
        }
    }

    /// Whether the range also holds other people: invites expire without a write.
    fn leaves_some_out(self) -> bool {
        matches!(self, Self::Only(Status::Invited | Status::Expired))
    }

    fn admits(self, member: &Member, now: Timestamp) -> bool {
        match self {
            Self::Current => true,
            Self::Only(status) => member.status(now) == status,
        }
    }
}

/// A status of deliveries, by its name in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryFilter(&'static str);

impl FromStr for DeliveryFilter {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let name = DeliveryStatus::NAMES.into_iter().find(|name| *name == text);
        name.map(Self).ok_or(DeliveryStatus::NOT_A_NAME)
    }
}

impl DeliveryFilter {
    fn admits(self, member: &Member) -> bool {
        member
            .shown_delivery()
            .is_some_and(|delivery| delivery.status.name() == self.0)
    }
}

/// Text to find in names and addresses. Case does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFilter(String);

impl FromStr for TextFilter {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.chars().count() > 254 {
            return Err(Invalid("must be at most 254 characters long"));
        }
        Ok(Self(folded(text.trim())))
    }
}

impl TextFilter {
    fn admits(&self, member: &Member) -> bool {
        folded_name(member).contains(&self.0) || member.email.as_str().contains(&self.0)
    }
}

/// The end of a page of the list, and the beginning of the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    member: MemberId,
    rank: String,
}

impl Cursor {
    fn after(member: &Member) -> Self {
        Self {
            member: member.id.clone(),
            rank: rank(member),
        }
    }

    /// The text works only for this account and filter.
    #[must_use]
    pub fn to_text(&self, account: &AccountId, filter: &MembersFilter) -> String {
        let binding = filter.binding(account);
        let text = format!("{}\n{}\n{}", binding.as_str(), self.member, self.rank);
        BASE64URL_NOPAD.encode(text.as_bytes())
    }

    /// Reads the text of a cursor for this account and filter.
    ///
    /// # Errors
    ///
    /// If it is not a cursor, or is one for another account or filter.
    pub fn of_text(
        text: &CursorText,
        account: &AccountId,
        filter: &MembersFilter,
    ) -> Result<Self, Invalid> {
        let mut parts = text.0.splitn(3, '\n');
        let (Some(bound), Some(member), Some(rank)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(NOT_A_CURSOR);
        };
        // DynamoDB refuses to start outside the range of the query, and its sort keys are at most
        // 1,024 bytes long.
        let (first, last) = filter.status.range();
        let is_in_range = (first..=last).contains(&rank) && rank.len() <= 1_024;
        if bound != filter.binding(account).as_str() || !is_in_range {
            return Err(NOT_A_CURSOR);
        }
        let member = member.parse().map_err(|_| NOT_A_CURSOR)?;
        Ok(Self {
            member,
            rank: rank.to_owned(),
        })
    }

    fn start_key(&self, account: &AccountId) -> Item {
        let mut key = Key::member(account, &self.member).to_item();
        key.insert("rank".to_owned(), AttributeValue::S(self.rank.clone()));
        key
    }
}

/// The text of a cursor from a caller, before its account and filter are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorText(String);

const NOT_A_CURSOR: Invalid =
    Invalid("must be the cursor of an earlier page of the same list, with the same filters");

impl FromStr for CursorText {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bytes = BASE64URL_NOPAD
            .decode(text.as_bytes())
            .map_err(|_| NOT_A_CURSOR)?;
        String::from_utf8(bytes).map(Self).map_err(|_| NOT_A_CURSOR)
    }
}

#[derive(Debug)]
pub struct MembersPage {
    pub members: Vec<Member>,
    pub next: Option<Cursor>,
}

/// The most queries for a page when a filter leaves people out. After that the page stays short,
/// and its cursor leads on.
const MOST_QUERIES: usize = 8;

/// How many people one query reads when a filter leaves people out.
const FILTERED_QUERY: usize = 250;

impl Store {
    /// A page of the list. It is strongly consistent, so it holds people who were invited a moment
    /// ago.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn members_page(
        &self,
        account: &AccountId,
        filter: &MembersFilter,
        limit: usize,
        after: Option<Cursor>,
        now: Timestamp,
    ) -> Result<MembersPage, StoreError> {
        // One more than the page holds, to find out whether the page is the last.
        let query_limit = if filter.leaves_some_out() {
            FILTERED_QUERY
        } else {
            limit.saturating_add(1)
        };
        let mut members = Vec::new();
        let mut next = after;
        for _ in 0..MOST_QUERIES {
            let (found, is_last) = self
                .members_query(account, filter.status, query_limit, next.as_ref())
                .await?;
            let last_found = found.last().map(Cursor::after);
            for member in found {
                let admitted = filter.admits(&member, now);
                if admitted && members.len() == limit {
                    let next = members.last().map(Cursor::after);
                    return Ok(MembersPage { members, next });
                }
                if admitted {
                    members.push(member);
                }
            }
            if is_last || last_found.is_none() {
                return Ok(MembersPage {
                    members,
                    next: None,
                });
            }
            next = last_found;
            if members.len() == limit {
                break;
            }
        }
        Ok(MembersPage { members, next })
    }

    /// One query: the people that it found, and whether they were the last ones.
    async fn members_query(
        &self,
        account: &AccountId,
        status: StatusFilter,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<(Vec<Member>, bool), StoreError> {
        let (first, last) = status.range();
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("rank")
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND #rank BETWEEN :first AND :last")
            .expression_attribute_names("#rank", "rank")
            .expression_attribute_values(":pk", AttributeValue::S(account_partition(account)))
            .expression_attribute_values(":first", AttributeValue::S(first.to_owned()))
            .expression_attribute_values(":last", AttributeValue::S(last.to_owned()))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .scan_index_forward(status != StatusFilter::Only(Status::Removed))
            .set_exclusive_start_key(after.map(|cursor| cursor.start_key(account)))
            .send()
            .await
            .map_err(|error| unanswered(&error))?;
        let members = output
            .items
            .unwrap_or_default()
            .into_iter()
            .map(|item| {
                let key = Key::of_item(&item).unwrap_or_else(Key::nothing);
                decode::<Member>(&key, item).map(|stored| stored.value)
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok((members, output.last_evaluated_key.is_none()))
    }
}
