//! The mail that carries an invite, and what happens when it cannot be sent.

use std::time::Duration;

use askama::Template;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageTag};
use aws_smithy_runtime_api::client::result::SdkError;
use data_encoding::BASE64;
use domain::account::Account;
use domain::address::EmailAddress;
use domain::delivery::SendFailure;
use domain::member::{Invite, Member};
use domain::token::InviteToken;
use tracing::warn;

use crate::Platform;
use crate::aws::cause;
use crate::config::ConfigError;

/// Sends mail for one product.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: Client,
    stage: String,
    app_url: String,
    product: String,
    from: EmailAddress,
    support: EmailAddress,
    configuration_set: String,
}

/// What a mail about an invite is made from.
#[derive(Debug, Clone, Copy)]
pub struct InviteMail<'a> {
    /// The account that the person is invited to.
    pub account: &'a Account,
    /// Who invites.
    pub inviter: &'a Member,
    /// The invited person.
    pub member: &'a Member,
    /// The invite.
    pub invite: &'a Invite,
    /// What the link carries.
    pub token: &'a InviteToken,
}

/// The words of the mail, for both of its forms.
struct Words<'a> {
    product: &'a str,
    first_name: &'a str,
    inviter: String,
    inviter_email: &'a str,
    company: &'a str,
    email: &'a str,
    link: String,
    expires: String,
    support: &'a str,
    is_resent: bool,
}

#[derive(Template)]
#[template(path = "invite.txt", escape = "none")]
struct TextPart<'a> {
    mail: &'a Words<'a>,
}

#[derive(Template)]
#[template(path = "invite.html")]
struct HtmlPart<'a> {
    mail: &'a Words<'a>,
}

/// Lambda waits 10 seconds for a function to get ready, and DynamoDB may need some of them, too.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

impl Mailer {
    /// The mailer that the deployment configures.
    ///
    /// # Errors
    ///
    /// Names the variable that is missing or wrong.
    pub fn new(platform: &Platform) -> Result<Self, ConfigError> {
        let environment = &platform.environment;
        Ok(Self {
            client: platform.aws.ses(),
            stage: environment.required("STAGE")?,
            app_url: environment.required("APP_URL")?,
            product: environment.required("PRODUCT_NAME")?,
            from: environment.required("MAIL_FROM")?,
            support: environment.required("SUPPORT_EMAIL")?,
            configuration_set: environment.required("CONFIGURATION_SET")?,
        })
    }

    /// Opens the connection, so that the first invite does not have to: by a mail to nobody, which the
    /// mail service refuses. Whether it answers does not matter, and is not waited for for long.
    pub async fn connect(&self) {
        let refused = self.client.send_email().send();
        let _ = tokio::time::timeout(CONNECT_WITHIN, refused).await;
    }

    /// Sends an invite. Commit first: a mail cannot be taken back.
    ///
    /// # Errors
    ///
    /// Why the mail service did not take it. The cause is logged here.
    pub async fn send_invite(&self, mail: InviteMail<'_>) -> Result<(), SendFailure> {
        let message = self.message(mail).map_err(|error| {
            warn!(cause = %error, "an invite could not be written");
            SendFailure::MessageRejected
        })?;
        let tag = |name: &str, value: &str| MessageTag::builder().name(name).value(value).build();
        let tags = [
            tag("stage", &self.stage),
            tag("account", mail.account.id.as_str()),
            tag("member", mail.member.id.as_str()),
            tag("send", &mail.member.last_send.to_string()),
        ];
        let tags = tags.into_iter().collect::<Result<Vec<_>, _>>();
        let sent = self
            .client
            .send_email()
            .from_email_address(format!("{} <{}>", display_name(&self.product), self.from))
            .reply_to_addresses(self.support.as_str())
            .destination(
                Destination::builder()
                    .to_addresses(mail.member.email.as_str())
                    .build(),
            )
            .content(EmailContent::builder().simple(message).build())
            .configuration_set_name(&self.configuration_set)
            .set_email_tags(tags.ok())
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => {
                warn!(
                    account_id = mail.account.id.as_str(),
                    cause = cause(&error),
                    "the mail service did not take an invite"
                );
                Err(failure(&error))
            }
        }
    }

    fn message(&self, mail: InviteMail<'_>) -> Result<Message, Box<dyn std::error::Error>> {
        let words = Words {
            product: &self.product,
            first_name: mail.member.first_name.as_str(),
            inviter: format!("{} {}", mail.inviter.first_name, mail.inviter.last_name),
            inviter_email: mail.inviter.email.as_str(),
            company: mail.account.company.as_str(),
            email: mail.member.email.as_str(),
            link: format!(
                "{}/invite#token={}",
                self.app_url,
                mail.token.to_link_text()
            ),
            expires: mail
                .invite
                .expires_at
                .strftime("%-d %B %Y at %H:%M UTC")
                .to_string(),
            support: self.support.as_str(),
            is_resent: mail.invite.sends > 1,
        };
        let utf8 = |text: String| Content::builder().charset("UTF-8").data(text).build();
        let html = utf8(HtmlPart { mail: &words }.render()?)?;
        let text = utf8(TextPart { mail: &words }.render()?)?;
        let subject = utf8(format!("Your invitation to {}", self.product))?;
        let body = Body::builder().text(text).html(html).build();
        Ok(Message::builder().subject(subject).body(body).build())
    }
}

/// The product's name before an address: a quoted string (RFC 5322, 3.2.4), or encoded words (RFC
/// 2047, 2) if it is not ASCII, which is all that SES takes there.
fn display_name(product: &str) -> String {
    if product.is_ascii() {
        return format!("\"{}\"", product.replace(['"', '\\'], ""));
    }
    // With 45 bytes in it, a word stays below its 75 characters. It never splits a character.
    let mut words = vec![String::new()];
    for c in product.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= 45 => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let encoded = words.iter().map(|word| BASE64.encode(word.as_bytes()));
    let encoded = encoded.map(|word| format!("=?UTF-8?B?{word}?="));
    encoded.collect::<Vec<_>>().join(" ")
}

/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>
fn failure<R>(error: &SdkError<SendEmailError, R>) -> SendFailure {
    let SdkError::ServiceError(service) = error else {
        return SendFailure::NoAnswer;
    };
    match service.err() {
        SendEmailError::MessageRejected(_) => SendFailure::MessageRejected,
        SendEmailError::MailFromDomainNotVerifiedException(_) => SendFailure::SenderNotVerified,
        SendEmailError::SendingPausedException(_)
        | SendEmailError::AccountSuspendedException(_) => SendFailure::SendingPaused,
        SendEmailError::LimitExceededException(_) | SendEmailError::TooManyRequestsException(_) => {
            SendFailure::QuotaExceeded
        }
        SendEmailError::NotFoundException(_) | SendEmailError::BadRequestException(_) => {
            SendFailure::Misconfigured
        }
        _ => SendFailure::NoAnswer,
    }
}
