//! The page that shows the mail that was sent.

use askama::Template;

use crate::ses::Mail;

/// Mail contains what people typed, so the template escapes everything, and the HTML part is
/// shown in a frame that may run nothing.
#[derive(Template)]
#[template(path = "mail.html")]
struct MailPage<'a> {
    mails: &'a [Mail],
}

/// The HTML of `GET /dev/mail`. The mails are shown in the order given.
///
/// # Errors
///
/// If the template cannot be rendered.
pub(crate) fn page(mails: &[Mail]) -> Result<String, askama::Error> {
    MailPage { mails }.render()
}

/// The invite token that a mail's link carries: what `POST /login` takes as `inviteToken`.
fn invite_token(mail: &Mail) -> Option<&str> {
    let (_, token) = mail.link.as_deref()?.split_once("#token=")?;
    Some(token)
}
