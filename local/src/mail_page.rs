//! The page that shows the mail that was sent.

use askama::Template;

use crate::ses::Mail;

/// Mail contains text that people typed. So the template escapes everything, and shows the HTML part
/// in a frame that can't run scripts.
#[derive(Template)]
#[template(path = "mail.html")]
struct MailPage<'a> {
    mails: &'a [Mail],
}

pub(crate) fn page(mails: &[Mail]) -> Result<String, askama::Error> {
    MailPage { mails }.render()
}

/// The token in the mail's link: `POST /login` takes it as `inviteToken`.
fn invite_token(mail: &Mail) -> Option<&str> {
    let (_, token) = mail.link.as_deref()?.split_once("#token=")?;
    Some(token)
}
