//! Accounts, their plans and their status.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, MemberId};
use crate::name::CompanyName;
use crate::text::{Invalid, text_newtype};

/// A customer of the product. Its serialised form is the item in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    #[serde(rename = "accountId")]
    pub id: AccountId,
    pub company: CompanyName,
    /// The name that billing last sent. The owner may have changed `company` since.
    pub provisioned_company: CompanyName,
    pub plan: Plan,
    #[serde(flatten)]
    pub status: AccountStatus,
    /// The main account holder.
    #[serde(rename = "ownerId")]
    pub owner: MemberId,
    /// The newest message from billing. Older ones change nothing.
    #[serde(flatten)]
    pub provisioned: Provisioned,
    /// The message that made somebody else the owner, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_over: Option<Provisioned>,
}

/// The place of a message from billing in the order of all messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provisioned {
    /// When the message became true.
    #[serde(rename = "provisionedAt")]
    pub at: Timestamp,
    /// Billing's own number for the message.
    #[serde(
        rename = "provisionedRevision",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub revision: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "camelCase")]
pub enum AccountStatus {
    Active,
    /// Closed by its owner: nobody gets in.
    Closed {
        #[serde(rename = "closedAt")]
        at: Timestamp,
    },
}

impl AccountStatus {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Closed { .. } => "closed",
        }
    }
}

impl Account {
    #[must_use]
    pub fn with_status(&self, status: AccountStatus) -> Self {
        Self {
            status,
            ..self.clone()
        }
    }
}

/// The name of a plan, as the product's billing calls it: `[A-Za-z0-9_-]{1,64}`. Case does not
/// matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Plan(String);

text_newtype!(Plan);

impl FromStr for Plan {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_valid = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !is_valid {
            return Err(Invalid(
                "must be 1 to 64 letters, digits, hyphens or underscores",
            ));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

/// The plans that include multi-user access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProPlans(Vec<Plan>);

impl ProPlans {
    #[must_use]
    pub fn include(&self, plan: &Plan) -> bool {
        self.0.contains(plan)
    }
}

impl FromStr for ProPlans {
    type Err = Invalid;

    /// Reads a comma-separated list.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.split(',')
            .map(|plan| plan.trim().parse())
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::{Plan, ProPlans};

    #[test]
    fn pro_level_is_a_list_and_ignores_case() {
        let pro: ProPlans = "pro, Business,enterprise".parse().unwrap();
        for plan in ["pro", "PRO", "business", "Enterprise"] {
            assert!(pro.include(&plan.parse().unwrap()), "{plan}");
        }
        for plan in ["basic", "pro-trial", "p"] {
            assert!(!pro.include(&plan.parse().unwrap()), "{plan}");
        }
        assert!("".parse::<ProPlans>().is_err());
        assert!("pro,,basic".parse::<ProPlans>().is_err());
        assert!("pro level".parse::<Plan>().is_err());
    }
}
