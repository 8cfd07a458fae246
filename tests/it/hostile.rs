//! Addresses, names, ids, tokens and cursors as an attacker would write them.

use std::collections::BTreeSet;

use domain::address::EmailAddress;
use domain::id::{AccountId, MemberId};
use domain::name::PersonName;
use domain::token::InviteToken;
use serde_json::{Value, json};

use crate::harness::{OWNER, Rollcall, invitation, member_id};

/// Addresses, each with its canonical form, or nothing if it is refused. RFC 5321 and 5322 define
/// addresses, UTS 46 defines domains in other scripts, and the rules of [`EmailAddress`] decide
/// which ones are accepted.
fn addresses() -> Vec<(String, Option<String>)> {
    serde_json::from_str(include_str!("../corpus/addresses.json")).unwrap()
}

/// Addresses too long to keep in a file.
fn long_addresses() -> Vec<String> {
    vec![
        "x".repeat(100_000),
        "@".repeat(1_000),
        format!("kim@{}", "x".repeat(100_000)),
        format!("kim@{}com", "a.".repeat(200)),
        format!("{}@example.com", ".".repeat(10_000)),
    ]
}

#[test]
fn each_address_is_what_the_corpus_says() {
    let addresses = addresses();
    assert!(addresses.len() >= 300, "{}", addresses.len());
    let different: BTreeSet<_> = addresses.iter().map(|(text, _)| text).collect();
    assert_eq!(different.len(), addresses.len());
    let mut wrong = Vec::new();
    for (text, canonical) in &addresses {
        let read = text.parse::<EmailAddress>().ok().map(String::from);
        if read != *canonical {
            wrong.push((text, canonical, read));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for text in long_addresses() {
        assert!(text.parse::<EmailAddress>().is_err());
    }
}

/// Two addresses of the corpus share a row only if they are the same address.
#[test]
fn no_address_is_mistaken_for_another() {
    let account: AccountId = "acme".parse().unwrap();
    let canonical: BTreeSet<_> = addresses()
        .into_iter()
        .filter_map(|(_, canonical)| canonical)
        .collect();
    let ids: BTreeSet<_> = canonical
        .iter()
        .map(|address| MemberId::of(&account, &address.parse().unwrap()).to_string())
        .collect();
    assert_eq!(ids.len(), canonical.len());
    for address in &canonical {
        assert!(address.is_ascii() && address.len() <= 254, "{address}");
        assert!(!address.contains(['\r', '\n', ' ', '<', '>', ',', '"']));
    }
}

/// Each accepted address gets one row and one mail, and nobody else gets mail. Refused ones leave
/// nothing.
#[tokio::test]
async fn refused_addresses_leave_nothing_and_accepted_ones_get_the_only_mail() {
    let rollcall = Rollcall::start_with(local::Options {
        parameters: vec![("SendsPerHour", "1000".to_owned())],
        ..local::Options::default()
    })
    .await;
    rollcall.account("acme", "pro").await;
    let owner = rollcall.person(OWNER).await;
    let mut expected = BTreeSet::new();
    // Testing every accepted address would be slow; the unusual ones matter.
    let is_strange =
        |text: &String| text.contains(|c: char| !c.is_ascii_alphanumeric() && !"@.-".contains(c));
    for (text, canonical) in addresses() {
        if canonical.is_some() && !is_strange(&text) {
            continue;
        }
        let reply = owner
            .post("/accounts/acme/members", &invitation(&text))
            .await;
        match canonical {
            Some(canonical) if expected.insert(canonical.clone()) => {
                assert_eq!(reply.expect_status(201).text("email"), canonical);
            }
            Some(_) => drop(reply.expect_problem(409, "already_invited")),
            None => {
                let refused = reply.expect_problem(400, "invalid_request");
                assert_eq!(refused.wrong_fields(), ["email"], "{text:?}");
            }
        }
    }
    let mails = rollcall.stack.mailbox().list();
    let recipients: BTreeSet<_> = mails.iter().map(|mail| mail.to.clone()).collect();
    assert_eq!(recipients, expected);
    assert_eq!(mails.len(), expected.len());
    let rows = rollcall.rows().await;
    let members = rows.keys().filter(|key| key.contains(" MEMBER#")).count();
    assert_eq!(members, expected.len() + 1);
}

/// Names that would carry a message into a stranger's mailbox.
const NAMES: [&str; 43] = [
    "<b>Kim</b>",
    "<script>alert(1)</script>",
    "Kim<br>",
    "&lt;b&gt;",
    "Kim&nbsp;Lee",
    "<a href=x>Kim</a>",
    "http://evil.example",
    "https:evil.example",
    "evil.example",
    "www.evil",
    "Kim (see evil.example/now)",
    "Kim evil.example Lee",
    "mailto:eve@example.com",
    "eve@example.com",
    "Kim\r\nBcc: eve@example.com",
    "Kim\nSubject: x",
    "Kim\rLee",
    "Kim\u{0}",
    "Kim\u{1b}[31m",
    "Kim\u{202e}mik",
    "\u{2066}Kim\u{2069}",
    "Ki\u{200b}m",
    "Ki\u{200d}m",
    "Ki\u{ad}m",
    "Kim\u{feff}",
    "Kim\u{2028}Lee",
    "\u{301}Kim",
    "{{name}}",
    "{% raw %}",
    "${name}",
    "#{name}",
    "%s%s%n",
    "=cmd|x",
    "+1 555 0100",
    "You won $1000",
    "Click here!",
    "Kim; DROP TABLE",
    "Kim/../Lee",
    "Kim\\Lee",
    "😀",
    "👩‍👩‍👧",
    "①",
    "Kim_Lee",
];

#[test]
fn a_message_is_not_a_name() {
    for name in NAMES {
        assert!(name.parse::<PersonName>().is_err(), "{name:?}");
    }
    let long = "a".repeat(65);
    let marks = format!("a{}", "\u{301}".repeat(64));
    for name in [long.as_str(), marks.as_str()] {
        assert!(name.parse::<PersonName>().is_err());
    }
}

/// Real names with every character that a name can contain, escaped where necessary.
#[tokio::test]
async fn a_name_cannot_leave_its_place_in_the_mail() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let company = json!({ "company": "<img src=x onerror=alert(1)> & \"Sons\" {{7*7}}" });
    owner
        .patch("/accounts/acme", &company)
        .await
        .expect_status(200);
    let mut body = invitation("kim@example.com");
    body["firstName"] = json!("D'Arcy'");
    owner
        .post("/accounts/acme/members", &body)
        .await
        .expect_status(201);
    let mail = rollcall.newest_mail();
    assert!(!mail.html.contains("<img src=x"), "{}", mail.html);
    assert!(!mail.html.contains("& \"Sons"), "{}", mail.html);
    assert!(mail.text.contains("{{7*7}}") && mail.html.contains("{{7*7}}"));
    assert!(!mail.subject.contains("Sons") && !mail.from.contains("Sons"));
    assert_eq!(mail.to, "kim@example.com");
}

/// Values that could be mistaken for an id, a token or a cursor.
const TEXTS: [&str; 30] = [
    "",
    " ",
    ".",
    "..",
    "../acme",
    "acme/",
    "acme#MEMBER",
    "ACCOUNT#acme",
    "MEMBER#x",
    "acme\u{0}",
    "acme\n",
    "acme%23",
    "acme.acme",
    "acme acme",
    "acme;",
    "acme'",
    "acme\"",
    "\u{ff41}cme",
    "аcme",
    "acme\u{200b}",
    "acmé",
    "*",
    "null\u{0}",
    "{}",
    "[]",
    "{\"pk\":{\"S\":\"ACCOUNT#other\"}}",
    "eyJhbGciOiJub25lIn0.e30.",
    "AAAA====",
    "-_-_-_=",
    "%2e%2e",
];

#[test]
fn lookalikes_are_not_ids_or_tokens() {
    for text in TEXTS {
        assert!(text.parse::<AccountId>().is_err(), "{text:?}");
        assert!(text.parse::<MemberId>().is_err(), "{text:?}");
        assert!(text.parse::<InviteToken>().is_err(), "{text:?}");
    }
    for length in [65, 1_000, 100_000] {
        assert!("a".repeat(length).parse::<AccountId>().is_err());
        assert!("a".repeat(length).parse::<MemberId>().is_err());
        assert!("a".repeat(length).parse::<InviteToken>().is_err());
    }
}

/// A cursor with any byte changed leads nowhere, or to the same account's list.
#[tokio::test]
async fn no_altered_cursor_leaves_its_account() {
    let (_rollcall, owner) = Rollcall::start_with_owner().await;
    for person in ["a", "b", "c"] {
        let email = format!("{person}@example.com");
        owner.invite("acme", &email).await.expect_status(201);
    }
    let page = owner.list("acme", "?limit=2").await.expect_status(200);
    let good = page.text("cursor");
    let ours: BTreeSet<_> = owner.list("acme", "").await.emails().into_iter().collect();
    let mut tried = 0;
    for place in 0..good.len() {
        for other in ['A', '_', '0'] {
            let mut altered: Vec<char> = good.chars().collect();
            altered[place] = other;
            let altered: String = altered.into_iter().collect();
            let query = format!("?limit=2&cursor={altered}");
            let reply = owner.list("acme", &query).await;
            tried += 1;
            if reply.status == 200 {
                assert!(reply.emails().iter().all(|email| ours.contains(email)));
            } else {
                reply.expect_problem(400, "invalid_request");
            }
        }
    }
    assert!(tried > 100, "{tried}");
    for text in TEXTS {
        let query = format!(
            "?cursor={}",
            data_encoding::BASE64URL_NOPAD.encode(text.as_bytes())
        );
        let refused = owner.list("acme", &query).await;
        refused.expect_problem(400, "invalid_request");
    }
}

/// A token with any character changed is malformed or matches nobody.
#[tokio::test]
async fn no_altered_token_opens_anything() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner
        .invite("acme", "kim@example.com")
        .await
        .expect_status(201);
    let kim = rollcall.person("kim@example.com").await;
    let good = rollcall.newest_token();
    let rows = rollcall.rows().await;
    for place in 0..good.len() {
        let mut altered: Vec<char> = good.chars().collect();
        altered[place] = if altered[place] == 'a' { 'b' } else { 'a' };
        let altered: String = altered.into_iter().collect();
        let refused = kim.login(&json!({ "inviteToken": altered })).await;
        assert!(
            (400..500).contains(&refused.status),
            "{altered}: {}",
            refused.raw
        );
    }
    // A secret that was never sent, with the owner's member id.
    let forged = format!("acme.{}.{}", member_id("acme", OWNER), "A".repeat(43));
    let refused = kim.login(&json!({ "inviteToken": forged })).await;
    assert!((400..500).contains(&refused.status));
    assert_eq!(rollcall.rows().await, rows);
    kim.login(&json!({ "inviteToken": good }))
        .await
        .expect_status(200);
}

/// Claims of the wrong type don't become an address.
#[test]
fn values_of_other_types_are_not_addresses() {
    for value in [
        json!(null),
        json!(1),
        json!(true),
        json!([]),
        json!({}),
        json!(["kim@example.com"]),
    ] {
        assert!(serde_json::from_value::<EmailAddress>(Value::clone(&value)).is_err());
    }
}
