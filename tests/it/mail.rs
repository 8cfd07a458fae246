//! The mail that carries an invite, and what happens when SES refuses it.

use domain::id::EmailKey;
use local::{Options, SesFailure};
use serde_json::{Value, json};

use crate::harness::{Fault, Log, NOON, OWNER, Person, Rollcall, member_id};

const KIM: &str = "kim@example.com";

/// An account with people and a company whose names would break unescaped HTML.
async fn awkward() -> (Rollcall, Person) {
    let rollcall = Rollcall::start_with(Options {
        parameters: vec![
            ("AppUrl", "https://app.example.com/team".to_owned()),
            ("ProductName", "Paper & Pen".to_owned()),
        ],
        ..Options::default()
    })
    .await;
    rollcall
        .provision(&json!({
            "accountId": "acme",
            "company": "<b>Bold</b> & \"Sons\"",
            "plan": "pro",
            "owner": { "firstName": "Olivia", "lastName": "O'Neil", "email": OWNER },
        }))
        .await
        .expect_status(200);
    let owner = rollcall.person(OWNER).await;
    let body = json!({ "firstName": "D'Arcy", "lastName": "Lee", "email": KIM });
    let invited = owner.post("/accounts/acme/members", &body).await;
    invited.expect_status(201);
    (rollcall, owner)
}

#[tokio::test]
async fn the_text_part_reads_well() {
    let (rollcall, owner) = awkward().await;
    let mail = rollcall.newest_mail();
    assert_eq!(
        mail.text.replace(&rollcall.newest_token(), "TOKEN"),
        "\
Hello D'Arcy,

Olivia O'Neil (olivia@example.com) has invited you to the account of <b>Bold</b> & \"Sons\" in Paper & Pen.

To accept, open this link and sign in as kim@example.com:

https://app.example.com/team/invite#token=TOKEN

The link works until 1 December 2026 at 12:00 UTC. You need it only for your first login; after that, log in from the login page as usual.

Please turn off automatic replies, such as out-of-office messages, for kim@example.com. An address used to sign in must not have an auto-responder.

If you didn't expect this invitation, you can ignore it: nothing happens unless you use the link. If you have questions, reply to this e-mail or write to support@rollcall.example."
    );

    rollcall.advance(86_400).await;
    owner.resend("acme", KIM).await.expect_status(200);
    let resent = rollcall.newest_mail().text;
    assert!(resent.contains("The link works until 2 December 2026 at 12:00 UTC."));
    assert!(resent.contains("This link replaces the links in earlier invitations."));
}

#[tokio::test]
async fn the_html_part_says_the_same_and_escapes_it() {
    let (rollcall, _owner) = awkward().await;
    let mail = rollcall.newest_mail();
    let html = &mail.html;
    for text in [
        "D&#39;Arcy",
        "Olivia O&#39;Neil",
        "olivia@example.com",
        "&#60;b&#62;Bold&#60;/b&#62; &#38; &#34;Sons&#34;",
        "Paper &#38; Pen",
        "1 December 2026 at 12:00 UTC",
        "automatic replies",
        "If you didn't expect this invitation",
        "support@rollcall.example",
    ] {
        assert!(html.contains(text), "{text} is missing:\n{html}");
    }
    for markup in ["<b>", "D'Arcy", "\"Sons\"", "<script", "<img", "http://"] {
        assert!(!html.contains(markup), "{markup} is there:\n{html}");
    }
    let href = format!("href=\"{}\"", mail.link.unwrap());
    assert_eq!(html.matches(&href).count(), 2);
}

#[tokio::test]
async fn the_envelope_is_the_same_for_everyone() {
    let (rollcall, _owner) = awkward().await;
    let mail = rollcall.newest_mail();
    assert_eq!(mail.subject, "Your invitation to Paper & Pen");
    assert_eq!(mail.from, "\"Paper & Pen\" <invites@rollcall.example>");
    assert_eq!(mail.reply_to, ["support@rollcall.example"]);
    assert_eq!(mail.to, KIM);
    assert_eq!(mail.configuration_set, "ConfigurationSet");
    let member = member_id("acme", KIM).to_string();
    let recipient = EmailKey::of(&KIM.parse().unwrap());
    let tags = [
        ("account", "acme"),
        ("member", &member),
        ("recipient", recipient.as_str()),
        ("send", "1"),
        ("stage", "local"),
    ];
    let tags = tags.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(mail.tags, tags.into());
    let link = mail.link.unwrap();
    let token = link.strip_prefix("https://app.example.com/team/invite#token=");
    let parts: Vec<_> = token.unwrap().split('.').collect();
    assert_eq!((parts[0], parts[1], parts[2].len()), ("acme", &*member, 43));
}

/// SES accepts only ASCII in the header, so the name is encoded and the mail goes out.
#[tokio::test]
async fn a_product_may_have_a_name_in_any_script() {
    for (product, from) in [
        ("Café", "=?UTF-8?B?Q2Fmw6k=?="),
        (
            "日本語の長い長い製品の名前です",
            "=?UTF-8?B?5pel5pys6Kqe44Gu6ZW344GE6ZW344GE6KO95ZOB44Gu5ZCN5YmN44Gn44GZ?=",
        ),
        (
            "日本語の長い長い製品の名前です。",
            "=?UTF-8?B?5pel5pys6Kqe44Gu6ZW344GE6ZW344GE6KO95ZOB44Gu5ZCN5YmN44Gn44GZ?= \
             =?UTF-8?B?44CC?=",
        ),
    ] {
        let rollcall = Rollcall::start_with(Options {
            parameters: vec![("ProductName", product.to_owned())],
            ..Options::default()
        })
        .await;
        rollcall.account("acme", "pro").await;
        let owner = rollcall.person(OWNER).await;
        let invited = owner.invite("acme", KIM).await.expect_status(201);
        assert_eq!(invited.body["delivery"]["status"], "sending", "{product}");
        let mail = rollcall.newest_mail();
        assert_eq!(mail.from, format!("{from} <invites@rollcall.example>"));
        assert_eq!(mail.subject, format!("Your invitation to {product}"));
        assert!(mail.text.contains(product) && mail.html.contains(product));
    }
}

/// How a refusal reaches the owner and the operators: the failure, the number of tries, the reason
/// counted in the metric, and the reason and advice shown.
const REFUSALS: [(SesFailure, usize, &str, &str, &str); 17] = {
    const REFUSED: &str = "The mail service rejected the e-mail.";
    const SENDER: &str = "The sender's address isn't verified with the mail service.";
    const SANDBOX: &str =
        "The mail service is still in test mode and only sends to verified addresses.";
    const PAUSED: &str = "The mail service has paused sending.";
    const QUOTA: &str = "The mail service's sending quota is used up.";
    const SETTINGS: &str = "The mail service doesn't accept the product's mail settings.";
    const NO_ANSWER: &str = "The mail service didn't confirm that it accepted the e-mail.";
    const SUPPORT: &str =
        "The invite is saved. Contact support, and resend it once they have fixed the problem.";
    const CORRECT: &str = "The invite is saved. Contact support: resending won't help until the \
         product's mail settings are corrected.";
    const WAIT: &str = "The invite is saved. Wait a few minutes, then resend it.";
    const UNSURE: &str =
        "The invite is saved. Resend it if the e-mail hasn't arrived in a few minutes.";
    use SesFailure::*;
    [
        (AccessDenied, 1, "misconfigured", SETTINGS, CORRECT),
        (AccountSuspended, 1, "sending_paused", PAUSED, SUPPORT),
        (BadRequest, 1, "misconfigured", SETTINGS, CORRECT),
        (ExpiredToken, 1, "misconfigured", SETTINGS, CORRECT),
        (Internal, 3, "no_answer", NO_ANSWER, UNSURE),
        (InvalidSignature, 1, "misconfigured", SETTINGS, CORRECT),
        (LimitExceeded, 3, "quota_exceeded", QUOTA, WAIT),
        (
            MailFromDomainNotVerified,
            1,
            "sender_not_verified",
            SENDER,
            CORRECT,
        ),
        (MessageRejected, 1, "message_rejected", REFUSED, SUPPORT),
        (NotFound, 1, "misconfigured", SETTINGS, CORRECT),
        (
            RecipientNotVerified,
            1,
            "recipient_not_verified",
            SANDBOX,
            CORRECT,
        ),
        (RequestTimeout, 3, "no_answer", NO_ANSWER, UNSURE),
        (SenderNotVerified, 1, "sender_not_verified", SENDER, CORRECT),
        (SendingPaused, 1, "sending_paused", PAUSED, SUPPORT),
        (Throttling, 3, "quota_exceeded", QUOTA, WAIT),
        (TooManyRequests, 3, "quota_exceeded", QUOTA, WAIT),
        (Validation, 1, "misconfigured", SETTINGS, CORRECT),
    ]
};

#[tokio::test]
async fn a_refused_mail_keeps_the_invite_and_advises_the_owner() {
    let log = Log::capture();
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    assert_eq!(REFUSALS.map(|refusal| refusal.0), SesFailure::ALL);
    for (number, (failure, tries, counted, reason, advice)) in REFUSALS.into_iter().enumerate() {
        let email = format!("p{number}@example.com");
        let failed = json!({
            "status": "failed", "at": NOON, "reason": reason, "advice": advice,
        });
        for _ in 0..tries {
            rollcall.stack.mailbox().fail_next(failure);
        }
        let invited = owner.invite("acme", &email).await.expect_status(201);
        assert_eq!(invited.text("status"), "invited");
        assert_eq!(invited.body["delivery"], failed, "{failure:?}");
        let list = owner.list("acme", &format!("?q={email}")).await;
        assert_eq!(list.body["members"], json!([invited.body]));
        let sends = rollcall.wire.calls();
        let sends = sends.iter().filter(|call| *call == "SendEmail").count();
        assert_eq!(sends, tries, "{failure:?}");
        let mut lines = log.lines().into_iter();
        let failed = lines.rfind(|line| line["InvitesFailed"] == 1);
        assert_eq!(failed.unwrap()["reason"], counted, "{failure:?}");

        // The owner can resend at once, because no mail reached the person yet.
        let resent = owner.resend("acme", &email).await.expect_status(200);
        assert_eq!(resent.body["delivery"]["status"], "sending");
        let person = rollcall.person(&email).await;
        let token = json!({ "inviteToken": rollcall.newest_token() });
        person.login(&token).await.expect_status(200);
        rollcall.wire.forget();
    }
    assert_eq!(rollcall.stack.mailbox().list().len(), REFUSALS.len());
    // SES's messages quote addresses.
    assert!(!log.text().contains("@example.com") && !log.text().contains("identities failed"));
}

#[tokio::test]
async fn a_refused_resend_can_be_repeated_at_once() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    rollcall.advance(60).await;
    for _ in 0..2 {
        let mailbox = rollcall.stack.mailbox();
        mailbox.fail_next(SesFailure::MessageRejected);
        let resent = owner.resend("acme", KIM).await.expect_status(200);
        assert_eq!(resent.body["delivery"]["status"], "failed");
    }
    owner.resend("acme", KIM).await.expect_status(200);
    let refused = owner.resend("acme", KIM).await;
    refused.expect_problem(429, "resend_too_soon");
}

/// If SES refused a mail, nobody saw its link. If the mail may have gone out, its link works.
#[tokio::test]
async fn a_mail_without_an_answer_may_have_gone_out_and_its_link_works() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.wire.fail("SendEmail", Fault::LostAnswer, 3);
    let invited = owner.invite("acme", KIM).await.expect_status(201);
    rollcall.wire.expect_all_happened();
    assert_eq!(invited.body["delivery"]["status"], "failed");
    let mails = rollcall.stack.mailbox().list();
    let links: Vec<_> = mails.iter().map(|mail| &mail.link).collect();
    assert!(links.windows(2).all(|pair| pair[0] == pair[1]));
    let kim = rollcall.person(KIM).await;
    let token = json!({ "inviteToken": rollcall.newest_token() });
    kim.login(&token).await.expect_status(200);
    let list = owner.list("acme", "").await;
    assert_eq!(list.body["members"][1]["status"], "active");
    assert_eq!(list.body["members"][1]["delivery"], Value::Null);
}

#[tokio::test]
async fn the_call_succeeds_whatever_the_mail_service_does() {
    for (fault, tries) in [
        (Fault::NoConnection, 3),
        (Fault::Garbage, 1),
        (Fault::Error(403, "AccessDeniedException"), 1),
        (Fault::Error(503, "ServiceUnavailable"), 3),
    ] {
        let (rollcall, owner) = Rollcall::start_with_owner().await;
        rollcall.wire.fail("SendEmail", fault, tries);
        let invited = owner.invite("acme", KIM).await.expect_status(201);
        rollcall.wire.expect_all_happened();
        assert_eq!(invited.body["delivery"]["status"], "failed", "{fault:?}");
        assert!(rollcall.stack.mailbox().list().is_empty());
        let resent = owner.resend("acme", KIM).await.expect_status(200);
        assert_eq!(resent.body["delivery"]["status"], "sending");
    }
}

/// A failure that can't be stored is still in the answer.
#[tokio::test]
async fn the_answer_reports_a_failure_even_if_the_table_cannot_store_it() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall
        .stack
        .mailbox()
        .fail_next(SesFailure::MessageRejected);
    rollcall.wire.fail("UpdateItem", Fault::NoConnection, 3);
    let invited = owner.invite("acme", KIM).await.expect_status(201);
    rollcall.wire.expect_all_happened();
    assert_eq!(invited.body["delivery"]["status"], "failed");
    let list = owner.list("acme", "").await;
    assert_eq!(list.body["members"][1]["delivery"]["status"], "sending");
}

/// The mail service's result arrives last, and must not overwrite what others wrote meanwhile.
#[tokio::test]
async fn a_late_failure_overwrites_no_other_write() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let remover = owner.clone();
    rollcall.wire.before("SendEmail", async move {
        remover.remove("acme", KIM).await.expect_status(200);
    });
    rollcall
        .stack
        .mailbox()
        .fail_next(SesFailure::MessageRejected);
    let invited = owner.invite("acme", KIM).await.expect_status(201);
    rollcall.wire.expect_all_happened();
    assert_eq!(invited.body["delivery"]["status"], "failed");
    let removed = owner.list("acme", "?status=removed").await;
    assert_eq!(removed.emails(), [KIM]);
}
