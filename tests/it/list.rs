//! Who is in an account, page by page.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::harness::{OWNER, Person, Rollcall, member_id};

const KIM: &str = "kim@example.com";

async fn invite(owner: &Person, first_name: &str, last_name: &str, email: &str) {
    let body = json!({ "firstName": first_name, "lastName": last_name, "email": email });
    let invited = owner.post("/accounts/acme/members", &body).await;
    invited.expect_status(201);
}

async fn accept(rollcall: &Rollcall, email: &str) {
    let person = rollcall.person(email).await;
    let token = json!({ "inviteToken": rollcall.newest_token() });
    person.login(&token).await.expect_status(200);
}

/// An account with people in every state.
async fn company() -> (Rollcall, Person) {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    invite(&owner, "zoe", "Expired", "zoe@example.com").await;
    invite(&owner, "Ada", "Expired", "ada@example.com").await;
    rollcall.advance(6 * 86_400).await;
    for (first_name, last_name, email) in [
        ("bob", "Active", "bob@example.com"),
        ("Anna", "Active", "anna@example.com"),
        ("Émile", "Active", "emile@example.com"),
    ] {
        invite(&owner, first_name, last_name, email).await;
        accept(&rollcall, email).await;
    }
    for (name, email) in [("Nina", "n@example.com"), ("Otis", "o@example.com")] {
        invite(&owner, name, "Removed", email).await;
        accept(&rollcall, email).await;
        rollcall.advance(1).await;
        owner.remove("acme", email).await.expect_status(200);
    }
    invite(&owner, "Mia", "Invited", "mia@example.com").await;
    rollcall.advance(2 * 86_400).await;
    (rollcall, owner)
}

#[tokio::test]
async fn the_owner_comes_first_then_the_active_then_the_invited_each_by_name() {
    let (_rollcall, owner) = company().await;
    let list = owner.list("acme", "").await.expect_status(200);
    let members = list.body["members"].as_array().unwrap().iter();
    let shown: Vec<_> = members
        .map(|member| (member["firstName"].as_str(), member["status"].as_str()))
        .map(|(name, status)| (name.unwrap(), status.unwrap()))
        .collect();
    assert_eq!(
        shown,
        [
            ("Olivia", "active"),
            ("Anna", "active"),
            ("bob", "active"),
            ("Émile", "active"),
            ("Ada", "expired"),
            ("Mia", "invited"),
            ("zoe", "expired"),
        ]
    );
    assert_eq!(list.body["account"]["id"], "acme");
    assert_eq!(list.body["abilities"].as_array().unwrap().len(), 7);
    assert!(list.body.get("cursor").is_none());
}

#[tokio::test]
async fn members_see_the_same_list() {
    let (rollcall, owner) = company().await;
    let anna = rollcall.person("anna@example.com").await;
    for query in ["", "?status=removed", "?q=a&limit=2"] {
        let seen_by_owner = owner.list("acme", query).await.expect_status(200);
        let seen_by_member = anna.list("acme", query).await.expect_status(200);
        assert_eq!(
            seen_by_member.body["members"],
            seen_by_owner.body["members"]
        );
        assert_eq!(
            seen_by_member.body["abilities"],
            json!(["account:use", "members:list"])
        );
    }
}

#[tokio::test]
async fn filters_find_the_people_they_name() {
    let (_rollcall, owner) = company().await;
    for (query, found) in [
        ("?status=active", "olivia anna bob emile"),
        ("?status=invited", "mia"),
        ("?status=expired", "ada zoe"),
        // The newest removal first.
        ("?status=removed", "o n"),
        ("?q=BOB", "bob"),
        ("?q=active", "anna bob emile"),
        ("?q=anna%20act", "anna"),
        ("?q=%C3%A9MILE", "emile"),
        ("?q=%20mia%20", "mia"),
        ("?q=Zoe%40EXAMPLE.com", "zoe"),
        ("?q=removed", ""),
        ("?q=removed&status=removed", "o n"),
        ("?q=nina&status=removed", "n"),
        ("?q=expired&status=invited", ""),
        ("?q=a&status=expired", "ada zoe"),
        ("?q=nobody", ""),
        ("?q=", "olivia anna bob emile ada mia zoe"),
        ("?q=%25", ""),
        ("?q=%23", ""),
    ] {
        let list = owner.list("acme", query).await.expect_status(200);
        let emails: Vec<_> = found
            .split_whitespace()
            .map(|name| format!("{name}@example.com"))
            .collect();
        assert_eq!(list.emails(), emails, "{query}");
        assert!(list.body.get("cursor").is_none(), "{query}");
    }
}

/// Case is more than 26 pairs of letters.
#[tokio::test]
async fn the_search_ignores_case_in_every_script() {
    let (_rollcall, owner) = Rollcall::start_with_owner().await;
    invite(&owner, "Σοφία", "Οδυσσέως", "sofia@example.com").await;
    invite(&owner, "Жанна", "Straße", "janna@example.com").await;
    for (text, found) in [
        ("ΣΟΦΊΑ", "sofia@example.com"),
        // A sigma ends this text, but not the name.
        ("ΟΔΥΣ", "sofia@example.com"),
        ("ΟΔΥΣΣΈΩΣ", "sofia@example.com"),
        ("οδυσσέωσ", "sofia@example.com"),
        ("жАННА", "janna@example.com"),
        ("STRASSE", "janna@example.com"),
        ("straße", "janna@example.com"),
    ] {
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let list = owner.list("acme", &format!("?q={encoded}")).await;
        assert_eq!(list.expect_status(200).emails(), [found], "{text}");
    }
}

/// All pages of a list, and how many people each had.
async fn pages(owner: &Person, account: &str, query: &str) -> (Vec<String>, Vec<usize>) {
    let (mut emails, mut sizes) = (Vec::new(), Vec::new());
    let mut cursor = String::new();
    loop {
        let page = owner.list(account, &format!("?{query}{cursor}")).await;
        let page = page.expect_status(200);
        sizes.push(page.emails().len());
        emails.extend(page.emails());
        match page.body.get("cursor") {
            Some(next) => cursor = format!("&cursor={}", next.as_str().unwrap()),
            None => return (emails, sizes),
        }
        assert!(sizes.len() < 1_000, "the pages do not end");
    }
}

/// Copies the row of an invited person many times, under other addresses.
async fn crowd(rollcall: &Rollcall, model: &str, names: impl Iterator<Item = String>) {
    let row = rollcall.row("acme", model).await;
    let text = |text: String| AttributeValue::S(text);
    let requests: Vec<_> = names
        .map(|name| {
            let email = format!("{name}@example.com");
            let id = member_id("acme", &email);
            let mut row: BTreeMap<_, _> = row.clone();
            row.insert("sk".to_owned(), text(format!("MEMBER#{id}")));
            row.insert("rank".to_owned(), text(format!("3#{name} lee#{id}")));
            row.insert("memberId".to_owned(), text(id.to_string()));
            row.insert("firstName".to_owned(), text(name));
            row.insert("email".to_owned(), text(email));
            let put = PutRequest::builder().set_item(Some(row.into_iter().collect()));
            let put = put.build().unwrap();
            WriteRequest::builder().put_request(put).build()
        })
        .collect();
    for requests in requests.chunks(25) {
        let write = rollcall.stack.dynamodb().batch_write_item();
        write
            .request_items("Table", requests.to_vec())
            .send()
            .await
            .unwrap();
    }
}

/// Names of three letters: `aaa`, `aab`, and so on.
fn names(count: u32) -> impl Iterator<Item = String> {
    let letter = |number: u32| char::from_digit(10 + number % 26, 36).unwrap();
    (0..count).map(move |n| String::from_iter([letter(n / 676), letter(n / 26), letter(n)]))
}

#[tokio::test]
async fn pages_hold_everyone_once_and_in_order() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", "zzz@example.com").await;
    crowd(&rollcall, "zzz@example.com", names(118)).await;
    // The owner, the model and the crowd: 120 people.
    let everybody: Vec<_> = std::iter::once(OWNER.to_owned())
        .chain(names(118).map(|name| format!("{name}@example.com")))
        .chain(["zzz@example.com".to_owned()])
        .collect();
    for (query, sizes) in [
        ("", vec![50, 50, 20]),
        ("limit=100", vec![100, 20]),
        ("limit=60", vec![60, 60]),
        ("limit=99", vec![99, 21]),
        ("limit=5", vec![5; 24]),
        ("limit=60&q=EXAMPLE", vec![60, 60]),
        ("limit=50&q=example", vec![50, 50, 20]),
    ] {
        assert_eq!(
            pages(&owner, "acme", query).await,
            (everybody.clone(), sizes),
            "{query}"
        );
    }
    let invited = everybody[1..].to_vec();
    for (query, sizes) in [
        ("status=invited&limit=100", vec![100, 19]),
        ("status=invited&limit=17", vec![17; 7]),
    ] {
        assert_eq!(
            pages(&owner, "acme", query).await,
            (invited.clone(), sizes),
            "{query}"
        );
    }
    let with_b = invited.into_iter().filter(|email| email.contains('b'));
    let (found, _) = pages(&owner, "acme", "limit=2&q=b").await;
    assert_eq!(found, with_b.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_search_through_thousands_ends_even_if_it_finds_nobody() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", "zzz@example.com").await;
    crowd(&rollcall, "zzz@example.com", names(2_100)).await;
    let (found, sizes) = pages(&owner, "acme", "q=nobody").await;
    assert!(found.is_empty());
    // The first page is empty and says that there may be more.
    assert_eq!(sizes, [0, 0]);
    let (found, _) = pages(&owner, "acme", "q=zzz").await;
    assert_eq!(found, ["zzz@example.com"]);
    // Invites expire without a write, so this filter has to look at everyone too.
    let (found, _) = pages(&owner, "acme", "status=expired").await;
    assert!(found.is_empty());
}

#[tokio::test]
async fn the_removed_come_newest_first_over_all_pages() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let mut emails: Vec<_> = names(7).map(|name| format!("{name}@example.com")).collect();
    for email in &emails {
        owner.invite("acme", email).await.expect_status(201);
        rollcall.advance(1).await;
        owner.remove("acme", email).await.expect_status(200);
    }
    emails.reverse();
    for (limit, sizes) in [(3, vec![3, 3, 1]), (7, vec![7]), (1, vec![1; 7])] {
        let query = format!("status=removed&limit={limit}");
        assert_eq!(
            pages(&owner, "acme", &query).await,
            (emails.clone(), sizes),
            "{query}"
        );
    }
}

#[tokio::test]
async fn people_who_change_between_pages_do_not_break_the_list() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", "zzz@example.com").await;
    crowd(&rollcall, "zzz@example.com", names(6)).await;
    let page = owner.list("acme", "?limit=3").await.expect_status(200);
    assert_eq!(page.emails().last().unwrap(), "aab@example.com");
    // The last person on the page is gone, and so is the next one.
    owner.remove("acme", "aab@example.com").await;
    owner.remove("acme", "aac@example.com").await;
    let cursor = page.text("cursor");
    let query = format!("?limit=100&cursor={cursor}");
    let rest = owner.list("acme", &query).await;
    assert_eq!(
        rest.expect_status(200).emails(),
        ["aad", "aae", "aaf", "zzz"].map(|name| format!("{name}@example.com"))
    );
}

#[tokio::test]
async fn a_cursor_is_good_for_its_account_and_filter_only() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.account("other", "pro").await;
    for account in ["acme", "other"] {
        for email in [KIM, "max@example.com", "mia@example.com"] {
            owner.invite(account, email).await.expect_status(201);
        }
    }
    let page = owner.list("acme", "?limit=2&q=lee").await;
    let cursor = page.expect_status(200).text("cursor");
    owner
        .list("acme", &format!("?limit=9&q=LEE&cursor={cursor}"))
        .await
        .expect_status(200);
    for (account, query) in [
        ("other", "q=lee"),
        ("acme", ""),
        ("acme", "q=le"),
        ("acme", "q=lee&status=invited"),
        ("acme", "status=invited"),
    ] {
        let query = format!("?{query}&cursor={cursor}");
        let refused = owner.list(account, &query).await;
        let refused = refused.expect_problem(400, "invalid_request");
        assert_eq!(refused.wrong_fields(), ["cursor"], "{account} {query}");
    }
}

/// Anyone can take a cursor apart and forge another. It must not lead anywhere else.
#[tokio::test]
async fn a_made_up_cursor_leads_nowhere_else() {
    let (rollcall, owner) = company().await;
    let mut bound = BTreeMap::new();
    for status in ["", "active", "expired", "removed"] {
        let filter = if status.is_empty() { "" } else { "&status=" };
        let page = owner
            .list("acme", &format!("?limit=1{filter}{status}"))
            .await;
        let cursor = page.expect_status(200).text("cursor");
        let cursor = BASE64URL_NOPAD.decode(cursor.as_bytes()).unwrap();
        let cursor = String::from_utf8(cursor).unwrap();
        bound.insert(status, cursor.split_once('\n').unwrap().0.to_owned());
    }
    let cursor = |status: &str, member: &str, rank: &str| {
        let text = format!("{}\n{member}\n{rank}", bound[status]);
        BASE64URL_NOPAD.encode(text.as_bytes())
    };
    let kim = member_id("acme", KIM).to_string();
    rollcall.wire.forget();
    for (status, member, rank) in [
        ("", kim.as_str(), ""),
        ("", &kim, "0"),
        ("", &kim, "4#2026-11-24T12:00:00Z#x"),
        ("", &kim, "5"),
        ("", &kim, &format!("2#{}", "x".repeat(1_100))),
        ("", "", "2#"),
        ("", "ACCOUNT", "2#"),
        ("", &kim.to_uppercase(), "2#"),
        ("active", &kim, "3#x"),
        ("expired", &kim, "2#x"),
        ("removed", &kim, "3#x"),
        ("removed", &kim, "6"),
    ] {
        let mut query = format!("?cursor={}", cursor(status, member, rank));
        if !status.is_empty() {
            query += &format!("&status={status}");
        }
        let refused = owner.list("acme", &query).await;
        let refused = refused.expect_problem(400, "invalid_request");
        assert_eq!(
            refused.wrong_fields(),
            ["cursor"],
            "{status} {member} {rank}"
        );
    }
    assert!(rollcall.wire.calls().is_empty());
    let query = format!("?cursor={}", cursor("", &kim, "3#zoe"));
    let list = owner.list("acme", &query).await;
    assert_eq!(list.expect_status(200).emails(), ["zoe@example.com"]);
}

#[tokio::test]
async fn an_answer_leaves_out_fields_that_do_not_apply() {
    let (_rollcall, owner) = company().await;
    let fields = |member: &Value| -> Vec<String> {
        let members = member.as_object().unwrap().keys().cloned();
        members.collect()
    };
    let common = ["email", "firstName", "id", "lastName", "role", "status"];
    let expect = |member: &Value, own: &[&str]| {
        let mut expected: Vec<_> = common.iter().chain(own).copied().collect();
        let mut found = fields(member);
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected);
    };
    let invite = ["invitedAt", "lastSentAt", "sends"];
    let list = owner.list("acme", "").await;
    expect(&list.body["members"][0], &["activeSince"]);
    let active = [&invite[..], &["activeSince"]].concat();
    expect(&list.body["members"][1], &active);
    let open = [&invite[..], &["expiresAt", "delivery"]].concat();
    expect(&list.body["members"][4], &open);
    let removed = owner.list("acme", "?status=removed").await;
    expect(&removed.body["members"][0], &["removedAt"]);
}
