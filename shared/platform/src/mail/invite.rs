//! The e-mail of an invite, and the reasons why it can't be sent.

use std::time::Duration;

use askama::Template;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageTag};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use data_encoding::BASE64;
use domain::account::Account;
use domain::address::EmailAddress;
use domain::delivery::SendFailure;
use domain::id::EmailKey;
use domain::member::{Invite, Member};
use domain::name::unlinked;
use domain::token::InviteToken;
use tracing::warn;

use crate::Platform;
use crate::aws::cause;
use crate::config::ConfigError;

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

#[derive(Debug, Clone, Copy)]
pub struct InviteMail<'a> {
    pub account: &'a Account,
    pub inviter: &'a Member,
    pub member: &'a Member,
    /// Stands in for the address, which no tag may contain.
    pub recipient: &'a EmailKey,
    pub invite: &'a Invite,
    pub token: &'a InviteToken,
}

/// The words of the e-mail, for its text and its HTML part.
struct Letter<'a> {
    product: &'a str,
    first_name: String,
    inviter: String,
    inviter_email: &'a str,
    company: String,
    email: &'a str,
    link: String,
    expires: String,
    support: &'a str,
    is_resent: bool,
}

#[derive(Template)]
#[template(path = "invite.txt", escape = "none")]
struct TextPart<'a> {
    mail: &'a Letter<'a>,
}

#[derive(Template)]
#[template(path = "invite.html")]
struct HtmlPart<'a> {
    mail: &'a Letter<'a>,
}

/// Lambda gives a function 10 seconds to get ready, and DynamoDB may need some of them.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

impl Mailer {
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

    /// Opens the connection ahead of the first invite, with an e-mail without a recipient, which the mail
    /// service refuses. The answer does not matter, so the wait is short.
    pub async fn connect(&self) {
        let refused = self.client.send_email().send();
        let _ = tokio::time::timeout(CONNECT_WITHIN, refused).await;
    }

    /// Sends an invite. Commit first: an e-mail cannot be taken back.
    ///
    /// # Errors
    ///
    /// Why the mail service did not accept it. The cause is logged here.
    pub async fn send_invite(&self, mail: InviteMail<'_>) -> Result<(), SendFailure> {
        let message = self.message(mail).map_err(|error| {
            warn!(cause = %error, "an invite e-mail could not be composed");
            SendFailure::MessageRejected
        })?;
        let tag = |name: &str, value: &str| MessageTag::builder().name(name).value(value).build();
        let tags = [
            tag("stage", &self.stage),
            tag("account", mail.account.id.as_str()),
            tag("member", mail.member.id.as_str()),
            tag("send", &mail.member.last_send.to_string()),
            tag("recipient", mail.recipient.as_str()),
        ];
        let tags = tags.into_iter().collect::<Result<Vec<_>, _>>();
        let sent = self
            .client
            .send_email()
            // In lower case, as every `EmailAddress` is. IAM compares it with `ses:FromAddress` letter
            // by letter: with a capital in `MailFrom`, SES would answer 403 to every e-mail.
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
                    "the mail service did not accept an invite"
                );
                Err(failure(&error, &self.from, &mail.member.email))
            }
        }
    }

    fn message(&self, mail: InviteMail<'_>) -> Result<Message, Box<dyn std::error::Error>> {
        let words = Letter {
            product: &self.product,
            first_name: unlinked(mail.member.first_name.as_str()),
            inviter: unlinked(&format!(
                "{} {}",
                mail.inviter.first_name, mail.inviter.last_name
            )),
            inviter_email: mail.inviter.email.as_str(),
            company: unlinked(mail.account.company.as_str()),
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
/// 2047, 2) if it is not ASCII, because SES accepts only ASCII there.
fn display_name(product: &str) -> String {
    if product.is_ascii() {
        return format!("\"{}\"", product.replace(['"', '\\'], ""));
    }
    // A word with 45 bytes is below the limit of 75 characters. It never splits a character.
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

/// Why an e-mail was not accepted
/// (<https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>).
///
/// SES has more errors than it lists there, such as `AccessDenied`. For those the status decides: a 4xx
/// means that the e-mail was not sent and that the same request will be refused again.
fn failure(
    error: &SdkError<SendEmailError, HttpResponse>,
    from: &EmailAddress,
    to: &EmailAddress,
) -> SendFailure {
    let service = match error {
        SdkError::ServiceError(service) => service,
        // The request was never sent.
        SdkError::ConstructionFailure(_) => return SendFailure::Misconfigured,
        _ => return SendFailure::NoAnswer,
    };
    let status = service.raw().status().as_u16();
    match service.err() {
        // A permission, a credential or a signature, whatever the name of the error.
        _ if status == 403 => SendFailure::Misconfigured,
        SendEmailError::MessageRejected(rejected) => {
            rejection(rejected.message().unwrap_or_default(), from, to)
        }
        SendEmailError::MailFromDomainNotVerifiedException(_) => SendFailure::SenderNotVerified,
        SendEmailError::SendingPausedException(_)
        | SendEmailError::AccountSuspendedException(_) => SendFailure::SendingPaused,
        SendEmailError::LimitExceededException(_) | SendEmailError::TooManyRequestsException(_) => {
            SendFailure::QuotaExceeded
        }
        SendEmailError::NotFoundException(_) | SendEmailError::BadRequestException(_) => {
            SendFailure::Misconfigured
        }
        other => match (status, other.code().unwrap_or_default()) {
            (429, _) | (_, "Throttling" | "ThrottlingException") => SendFailure::QuotaExceeded,
            (408, _) | (_, "RequestTimeout" | "RequestTimeoutException") => SendFailure::NoAnswer,
            (300..=499, _) => SendFailure::Misconfigured,
            _ => SendFailure::NoAnswer,
        },
    }
}

/// Why SES rejected a message. SES lists the identities that are not verified: the sender's, and in its
/// sandbox also the recipient's
/// (<https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html>). The list quotes
/// addresses, so it must not get into the log.
fn rejection(message: &str, from: &EmailAddress, to: &EmailAddress) -> SendFailure {
    let message = message.to_ascii_lowercase();
    if !message.contains("not verified") {
        return SendFailure::MessageRejected;
    }
    // An address can follow a display name, and the sender's domain can replace its address.
    let from = from.as_str();
    let is_sender = |identity: &str| {
        from.strip_suffix(identity)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with(['@', '.']))
    };
    let identities: Vec<&str> = message
        .split(|c: char| c.is_whitespace() || "<>\",;".contains(c))
        .filter(|identity| identity.contains('.'))
        .collect();
    let is_only_the_recipient =
        identities.contains(&to.as_str()) && !identities.into_iter().any(is_sender);
    if is_only_the_recipient {
        SendFailure::RecipientNotVerified
    } else {
        SendFailure::SenderNotVerified
    }
}

#[cfg(test)]
mod tests {
    use domain::delivery::SendFailure::{
        self, MessageRejected, RecipientNotVerified, SenderNotVerified,
    };

    use super::rejection;

    #[test]
    fn a_rejection_says_whose_address_is_not_verified() {
        let table: [(&str, SendFailure); 12] = [
            ("invites@mail.paper.example", SenderNotVerified),
            ("Paper <invites@mail.paper.example>", SenderNotVerified),
            (
                "\"Paper, Inc.\" <Invites@mail.paper.example>, kim@example.com",
                SenderNotVerified,
            ),
            (
                "kim@example.com, invites@mail.paper.example",
                SenderNotVerified,
            ),
            ("mail.paper.example", SenderNotVerified),
            ("paper.example, kim@example.com", SenderNotVerified),
            // Neither the sender nor the recipient.
            ("", SenderNotVerified),
            ("support@paper.example", SenderNotVerified),
            ("kim@example.com", RecipientNotVerified),
            ("Kim@Example.com", RecipientNotVerified),
            // The sender's address is part of another one, and so is the domain.
            (
                "xinvites@mail.paper.example, kim@example.com",
                RecipientNotVerified,
            ),
            ("kim@example.com, xmail.paper.example", RecipientNotVerified),
        ];
        let (from, to) = ("invites@mail.paper.example", "kim@example.com");
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        for (identities, expected) in table {
            let message = format!(
                "Email address is not verified. The following identities failed the check in \
                 region EU-CENTRAL-1: {identities}"
            );
            assert_eq!(rejection(&message, &from, &to), expected, "{identities}");
        }
        for message in [
            "",
            "Transaction failed: Duplicate header 'kim@example.com'.",
        ] {
            assert_eq!(rejection(message, &from, &to), MessageRejected, "{message}");
        }
    }
}
