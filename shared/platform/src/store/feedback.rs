//! The mail system's reports, by person and by day.

use std::str::FromStr;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::BASE64URL_NOPAD;
use domain::address::EmailAddress;
use domain::feedback::Feedback;
use domain::id::EmailKey;
use domain::limits::day_of;
use domain::{Invalid, Timestamp};
use jiff::ToSpan;
use jiff::civil::Date;

use super::error::{StoreError, unanswered};
use super::item::decode;
use super::key::{FEEDBACK, Key, feedback_day, feedback_order, person_partition};
use super::{Item, Store, Stored};

/// Newest first.
#[derive(Debug)]
pub struct FeedbackPage {
    pub feedback: Vec<Feedback>,
    pub next: Option<FeedbackCursor>,
}

/// The end of a page of feedback, and the beginning of the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackCursor {
    day: Date,
    /// The place of the last report on the page, if the page had a report of that day.
    after: Option<(Key, String)>,
}

/// A cursor in the form that a caller sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackCursorText(FeedbackCursor);

const PAGE: usize = 50;

/// The most days that a page looks at. After that it stays short, and its cursor leads on.
const MOST_DAYS: usize = 10;

const NOT_A_CURSOR: Invalid = Invalid("must be the cursor of an earlier page");

impl FeedbackCursor {
    #[must_use]
    pub fn to_text(&self) -> String {
        let (pk, sk, order) = match &self.after {
            Some((key, order)) => (key.pk.as_str(), key.sk.as_str(), order.as_str()),
            None => ("", "", ""),
        };
        BASE64URL_NOPAD.encode(format!("{}\n{pk}\n{sk}\n{order}", self.day).as_bytes())
    }

    fn read(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let mut parts = text.split('\n');
        let mut next = || parts.next().filter(|part| part.len() <= 1_024);
        let (day, pk, sk, order) = (next()?.parse().ok()?, next()?, next()?, next()?);
        let is_place = pk.starts_with("PERSON#") && sk.strip_prefix(FEEDBACK) == Some(order);
        let after = is_place.then(|| {
            let key = Key {
                pk: pk.to_owned(),
                sk: sk.to_owned(),
            };
            (key, order.to_owned())
        });
        (is_place || pk.is_empty()).then_some(Self { day, after })
    }
}

impl FromStr for FeedbackCursorText {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        FeedbackCursor::read(text).map(Self).ok_or(NOT_A_CURSOR)
    }
}

impl From<FeedbackCursorText> for FeedbackCursor {
    fn from(text: FeedbackCursorText) -> Self {
        text.0
    }
}

impl Store {
    /// All stored feedback about mail to a person, newest first.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn feedback_of_person(
        &self,
        email: &EmailAddress,
    ) -> Result<Vec<Feedback>, StoreError> {
        let partition = person_partition(&EmailKey::of(email));
        let mut feedback = Vec::new();
        let mut start = None;
        loop {
            let query = self
                .client
                .query()
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":pk", AttributeValue::S(partition.clone()))
                .expression_attribute_values(":prefix", AttributeValue::S(FEEDBACK.to_owned()))
                .set_exclusive_start_key(start);
            let (mut found, next) = self.feedback_query(query).await?;
            feedback.append(&mut found);
            start = next;
            if start.is_none() {
                return Ok(feedback);
            }
        }
    }

    /// A page of the feedback about all mail, newest first, back to the day of `since`. The newest
    /// reports may be missing for a moment, because the index follows the table.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn recent_feedback(
        &self,
        since: Timestamp,
        from: Option<FeedbackCursor>,
        now: Timestamp,
    ) -> Result<FeedbackPage, StoreError> {
        let mut feedback = Vec::new();
        let mut cursor = from.unwrap_or(FeedbackCursor {
            day: day_of(now),
            after: None,
        });
        for _ in 0..MOST_DAYS {
            if cursor.day < day_of(since) {
                return Ok(FeedbackPage {
                    feedback,
                    next: None,
                });
            }
            let room = PAGE.saturating_sub(feedback.len());
            let found = self.feedback_of_day(&cursor, room).await?;
            let is_full = found.len() == room;
            let (mut newer, older): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|report| report.at >= since);
            feedback.append(&mut newer);
            if !older.is_empty() {
                return Ok(FeedbackPage {
                    feedback,
                    next: None,
                });
            }
            if is_full {
                let after = feedback.last().map(|report| {
                    (
                        Key::of_feedback(report),
                        feedback_order(report.at, &report.id),
                    )
                });
                let next = Some(FeedbackCursor {
                    day: cursor.day,
                    after,
                });
                return Ok(FeedbackPage { feedback, next });
            }
            let day = cursor.day.saturating_sub(1.day());
            cursor = FeedbackCursor { day, after: None };
        }
        Ok(FeedbackPage {
            feedback,
            next: Some(cursor),
        })
    }

    async fn feedback_of_day(
        &self,
        cursor: &FeedbackCursor,
        limit: usize,
    ) -> Result<Vec<Feedback>, StoreError> {
        let day = AttributeValue::S(feedback_day(cursor.day));
        let start = cursor.after.as_ref().map(|(key, order)| {
            let mut start = key.to_item();
            start.insert("gsi1pk".to_owned(), day.clone());
            start.insert("gsi1sk".to_owned(), AttributeValue::S(order.clone()));
            start
        });
        let query = self
            .client
            .query()
            .index_name("gsi1")
            .key_condition_expression("gsi1pk = :day")
            .expression_attribute_values(":day", day)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start);
        let (found, _) = self.feedback_query(query).await?;
        Ok(found)
    }

    /// One query, newest first, and where the next one begins.
    async fn feedback_query(
        &self,
        query: QueryFluentBuilder,
    ) -> Result<(Vec<Feedback>, Option<Item>), StoreError> {
        let output = query
            .table_name(&self.table)
            .scan_index_forward(false)
            .send()
            .await
            .map_err(|error| unanswered(&error))?;
        let feedback = output
            .items
            .unwrap_or_default()
            .into_iter()
            .map(|item| {
                let key = Key::of_item(&item).unwrap_or_else(Key::nothing);
                decode::<Feedback>(&key, item).map(|Stored { value, .. }| value)
            })
            .collect::<Result<_, _>>()?;
        Ok((feedback, output.last_evaluated_key))
    }
}
