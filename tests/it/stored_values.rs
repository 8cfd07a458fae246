//! Values in rows were accepted once, and stay readable when the rules for new values become
//! stricter.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use crate::harness::{OWNER, Person, Rollcall, member_id};

const KIM: &str = "kim@example.com";

/// Companies that yesterday's rules accepted and today's refuse.
const COMPANIES: [&str; 5] = [
    "evil.com/unlock now",
    "https:evil.com",
    "mailto:eve@evil.com",
    "See www.evil.com",
    "\u{3000}\u{2800}",
];

/// Names of people of that kind: blanks, the older normal form, a piled-up letter.
const NAMES: [&str; 4] = [
    "Kim\u{3164}",
    "Jose\u{301}",
    "a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "Кimberly",
];

async fn set(rollcall: &Rollcall, sk: &str, attribute: &str, value: &str) {
    rollcall
        .stack
        .dynamodb()
        .update_item()
        .table_name("Table")
        .key("pk", AttributeValue::S("ACCOUNT#acme".to_owned()))
        .key("sk", AttributeValue::S(sk.to_owned()))
        .update_expression("SET #name = :value")
        .expression_attribute_names("#name", attribute)
        .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
        .send()
        .await
        .unwrap();
}

async fn start() -> (Rollcall, Person, Person) {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.member(&owner, KIM).await;
    (rollcall, owner, kim)
}

#[tokio::test]
async fn an_account_works_whatever_it_was_once_called() {
    let (rollcall, owner, kim) = start().await;
    for (number, company) in COMPANIES.into_iter().enumerate() {
        set(&rollcall, "ACCOUNT", "company", company).await;
        set(&rollcall, "ACCOUNT", "provisionedCompany", company).await;
        let list = owner.list("acme", "").await;
        assert_eq!(list.expect_status(200).body["account"]["company"], company);
        kim.login(&json!({})).await.expect_status(200);

        let guest = format!("guest{number}@example.com");
        owner.invite("acme", &guest).await.expect_status(201);
        let mail = rollcall.newest_mail();
        for part in [&mail.text, &mail.html] {
            assert!(!part.contains("evil.com"), "a link in {part}");
        }

        // Billing repeats the name, and changes the plan.
        for plan in ["basic", "pro"] {
            let told = json!({ "accountId": "acme", "company": company, "plan": plan });
            rollcall.provision(&told).await.expect_status(200);
        }
        let anew = owner
            .patch("/accounts/acme", &json!({ "company": company }))
            .await;
        anew.expect_problem(400, "invalid_request");
        let told = json!({ "accountId": "acme", "company": format!("x {company}"), "plan": "pro" });
        let told = rollcall.provision(&told).await;
        told.expect_problem(400, "invalid_request");
    }
}

#[tokio::test]
async fn a_person_gets_in_whatever_they_were_once_called() {
    let (rollcall, owner, kim) = start().await;
    let row = format!("MEMBER#{}", member_id("acme", KIM));
    for name in NAMES {
        for attribute in ["firstName", "lastName"] {
            set(&rollcall, &row, attribute, name).await;
        }
        kim.login(&json!({})).await.expect_status(200);
        let list = owner.list("acme", "?q=kim@").await.expect_status(200);
        assert_eq!(list.body["members"][0]["firstName"], name);
    }
    // A changed name must follow the new rules. The unchanged one stays as it is.
    let path = format!("/accounts/acme/members/{}", member_id("acme", KIM));
    let renamed = owner.patch(&path, &json!({ "firstName": "Kim" })).await;
    assert_eq!(renamed.expect_status(200).text("lastName"), NAMES[3]);
    let refused = owner.patch(&path, &json!({ "lastName": NAMES[3] })).await;
    refused.expect_problem(400, "invalid_request");
}

#[tokio::test]
async fn an_address_that_would_be_refused_today_is_still_an_address() {
    let (rollcall, owner, kim) = start().await;
    let row = format!("MEMBER#{}", member_id("acme", KIM));
    set(&rollcall, &row, "email", "kim@printer.local").await;
    let list = owner.list("acme", "").await.expect_status(200);
    assert_eq!(list.body["members"][1]["email"], "kim@printer.local");
    owner.remove("acme", KIM).await.expect_status(200);
    kim.login(&json!({}))
        .await
        .expect_problem(403, "access_revoked");
}

#[tokio::test]
async fn a_company_name_that_is_a_domain_is_accepted_from_billing_and_shown_without_a_link() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let told = |company: &str| json!({ "accountId": "acme", "company": company, "plan": "pro" });
    for lure in [
        "See booking.example",
        "www.booking.example",
        "booking.example/now",
    ] {
        let refused = rollcall.provision(&told(lure)).await;
        refused.expect_problem(400, "invalid_request");
    }
    let domain = rollcall.provision(&told("Booking.example")).await;
    domain.expect_status(200);
    let renamed = json!({ "company": "Another.example" });
    let renamed = owner.patch("/accounts/acme", &renamed).await;
    renamed.expect_problem(400, "invalid_request");

    owner.invite("acme", KIM).await.expect_status(201);
    let mail = rollcall.newest_mail();
    for part in [&mail.text, &mail.html] {
        assert!(part.contains("Booking.\u{2060}example"), "{part}");
    }
    assert_eq!(rollcall.newest_mail().to, KIM);
    let list = owner.list("acme", "").await;
    assert_eq!(list.body["account"]["company"], "Booking.example");
    assert_eq!(list.body["members"][0]["email"], OWNER);
}
