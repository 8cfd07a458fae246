//! The product's suppression list at SES: addresses that SES does not send to.
//! <https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html>

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::types::SuppressionListReason;
use aws_smithy_runtime_api::client::result::SdkError;
use domain::Timestamp;
use domain::address::EmailAddress;
use domain::support::{Suppression, SuppressionReason};
use tracing::warn;

use crate::Platform;
use crate::aws::cause;
use crate::problem::Problem;

#[derive(Debug, Clone)]
pub struct SuppressionList {
    client: Client,
}

impl SuppressionList {
    #[must_use]
    pub fn new(platform: &Platform) -> Self {
        Self {
            client: platform.aws.ses(),
        }
    }

    /// What the list says about an address. If SES does not answer, support still sees the rest.
    pub async fn look_up(&self, email: &EmailAddress) -> Suppression {
        let answer = self
            .client
            .get_suppressed_destination()
            .email_address(email.as_str())
            .send()
            .await;
        match answer {
            Ok(output) => match output.suppressed_destination() {
                Some(listed) => Suppression::Listed {
                    reason: match listed.reason() {
                        SuppressionListReason::Complaint => SuppressionReason::Complaint,
                        _ => SuppressionReason::Bounce,
                    },
                    since: Timestamp::from_second(listed.last_update_time().secs()).ok(),
                },
                None => Suppression::Unknown,
            },
            Err(SdkError::ServiceError(error)) if error.err().is_not_found_exception() => {
                Suppression::NotListed
            }
            Err(error) => {
                warn!(
                    cause = cause(&error),
                    "the suppression list could not be read"
                );
                Suppression::Unknown
            }
        }
    }

    /// Takes an address off the list. It makes no difference if the address is not on it.
    ///
    /// # Errors
    ///
    /// `unavailable` if SES fails.
    pub async fn lift(&self, email: &EmailAddress) -> Result<(), Problem> {
        let answer = self
            .client
            .delete_suppressed_destination()
            .email_address(email.as_str())
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) if error.err().is_not_found_exception() => Ok(()),
            Err(error) => Err(Problem::unavailable(cause(&error))),
        }
    }
}
