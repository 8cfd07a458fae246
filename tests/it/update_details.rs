//! `PATCH /accounts/{accountId}` and `PATCH /accounts/{accountId}/members/{memberId}`.

use serde_json::{Value, json};

use crate::harness::{Fault, OWNER, Person, Reply, Rollcall, member_id};

const KIM: &str = "kim@example.com";

fn member_path(account: &str, email: &str) -> String {
    format!("/accounts/{account}/members/{}", member_id(account, email))
}

async fn rename(caller: &Person, email: &str, body: Value) -> Reply {
    caller.patch(&member_path("acme", email), &body).await
}

async fn names(owner: &Person) -> Vec<String> {
    let list = owner.list("acme", "").await.expect_status(200);
    let people = list.body["members"].as_array().unwrap();
    people
        .iter()
        .map(|person| person["firstName"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_owner_renames_the_company() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let body = json!({ "company": "  Acme & Sons " });

    let renamed = owner.patch("/accounts/acme", &body).await;
    let renamed = renamed.expect_status(200);
    assert_eq!(
        renamed.body,
        json!({
            "id": "acme",
            "company": "Acme & Sons",
            "plan": "pro",
            "status": "active",
            "proLevel": true,
        })
    );
    assert_eq!(rollcall.wire.calls(), ["BatchGetItem", "UpdateItem"]);

    let again = owner.patch("/accounts/acme", &body).await;
    assert_eq!(again.expect_status(200).body, renamed.body);
    assert_eq!(rollcall.wire.calls(), ["BatchGetItem"]);
    let list = owner.list("acme", "").await.expect_status(200);
    assert_eq!(list.body["account"], renamed.body);
}

#[tokio::test]
async fn the_owner_renames_people_and_the_list_keeps_its_order() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    rollcall.member(&owner, KIM).await;
    rollcall.member(&owner, "bo@example.com").await;
    let first = json!({ "firstName": "Anna" });
    rename(&owner, KIM, first).await.expect_status(200);
    let last = json!({ "firstName": "Zoe", "lastName": "Last" });
    rename(&owner, "bo@example.com", last)
        .await
        .expect_status(200);
    assert_eq!(names(&owner).await, ["Olivia", "Anna", "Zoe"]);
    rollcall.wire.forget();

    let renamed = rename(&owner, KIM, json!({ "firstName": "Zz", "lastName": null })).await;
    let renamed = renamed.expect_status(200);
    assert_eq!(rollcall.wire.calls(), ["BatchGetItem", "UpdateItem"]);
    assert_eq!(
        (renamed.text("firstName"), renamed.text("lastName")),
        ("Zz".to_owned(), "Lee".to_owned())
    );
    assert_eq!(renamed.text("status"), "active");
    assert_eq!(names(&owner).await, ["Olivia", "Zoe", "Zz"]);
    let list = owner.list("acme", "").await;
    assert_eq!(list.body["members"][2], renamed.body);

    // The owner's own name, an invited person's and a former member's can be wrong, too.
    rename(&owner, OWNER, json!({ "lastName": "Other" }))
        .await
        .expect_status(200);
    owner.invite("acme", "new@example.com").await;
    let invited = rename(&owner, "new@example.com", json!({ "firstName": "New" })).await;
    assert_eq!(invited.expect_status(200).text("status"), "invited");
    owner.remove("acme", KIM).await.expect_status(200);
    let removed = rename(&owner, KIM, json!({ "firstName": "Kimberly" })).await;
    assert_eq!(removed.expect_status(200).text("status"), "removed");
}

#[tokio::test]
async fn a_change_must_say_what_to_change() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    for (body, fields) in [
        (json!({}), vec!["company"]),
        (json!({ "company": null }), vec!["company"]),
        (json!({ "company": "" }), vec!["company"]),
        (json!({ "company": "a\u{202E}b" }), vec!["company"]),
        (json!({ "company": 7 }), vec!["company"]),
        (json!({ "company": "A", "plan": "pro" }), vec!["plan"]),
        (
            json!({ "company": "A", "status": "active" }),
            vec!["status"],
        ),
        (json!({ "firstName": "A" }), vec!["company", "firstName"]),
    ] {
        let refused = owner.patch("/accounts/acme", &body).await;
        let refused = refused.expect_problem(400, "invalid_request");
        assert_eq!(refused.wrong_fields(), fields, "{body}");
    }
    for (body, fields) in [
        (json!({}), vec!["firstName", "lastName"]),
        (
            json!({ "firstName": null, "lastName": null }),
            vec!["firstName", "lastName"],
        ),
        (
            json!({ "firstName": "http://x.example" }),
            vec!["firstName"],
        ),
        (
            json!({ "firstName": "A", "lastName": "" }),
            vec!["lastName"],
        ),
        (
            json!({ "firstName": "A", "email": "x@example.com" }),
            vec!["email"],
        ),
        (json!({ "firstName": "A", "role": "owner" }), vec!["role"]),
    ] {
        let refused = rename(&owner, OWNER, body.clone()).await;
        let refused = refused.expect_problem(400, "invalid_request");
        assert_eq!(refused.wrong_fields(), fields, "{body}");
    }
    let body = json!({ "firstName": "A" });
    let refused = owner.patch("/accounts/acme/members/x", &body).await;
    assert_eq!(refused.wrong_fields(), ["memberId"]);
    assert_eq!(rollcall.wire.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn nobody_else_changes_anything() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.account("other", "pro").await;
    let member = rollcall.member(&owner, KIM).await;
    let removed = rollcall.member(&owner, "gone@example.com").await;
    owner.remove("acme", "gone@example.com").await;
    owner.invite("acme", "new@example.com").await;
    let invited = rollcall.person("new@example.com").await;
    let stranger = rollcall.person("stranger@example.com").await;
    let impostor = json!({ "email": KIM, "sub": "somebody else" });
    let impostor = rollcall.signed_in(&impostor).await;
    let before = rollcall.rows().await;

    for (caller, code) in [
        (&member, "owner_only"),
        (&removed, "access_revoked"),
        (&invited, "invite_link_required"),
        (&stranger, "no_access"),
        (&impostor, "identity_mismatch"),
    ] {
        let body = json!({ "company": "Mine" });
        let company = caller.patch("/accounts/acme", &body).await;
        company.expect_problem(403, code);
        let name = rename(caller, KIM, json!({ "firstName": "Mine" })).await;
        name.expect_problem(403, code);
        // They must not learn whether such a person exists.
        let unknown = rename(caller, "nobody@example.com", json!({ "firstName": "A" })).await;
        unknown.expect_problem(403, code);
    }
    let unknown = rename(&owner, "nobody@example.com", json!({ "firstName": "A" })).await;
    let unknown = unknown.expect_problem(404, "member_not_found");
    let elsewhere = format!("/accounts/acme/members/{}", member_id("other", OWNER));
    let elsewhere = owner.patch(&elsewhere, &json!({ "firstName": "A" })).await;
    assert_eq!(elsewhere.without_request_id(), unknown.without_request_id());
    assert_eq!(rollcall.rows().await, before);

    let body = json!({ "company": "A" });
    let there = stranger.patch("/accounts/acme", &body).await;
    let nowhere = stranger.patch("/accounts/nowhere", &body).await;
    assert_eq!(there.without_request_id(), nowhere.without_request_id());
}

#[tokio::test]
async fn a_plan_without_multi_user_access_still_has_details() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let member = rollcall.member(&owner, KIM).await;
    rollcall.account("acme", "basic").await;

    let company = json!({ "company": "Acme" });
    owner
        .patch("/accounts/acme", &company)
        .await
        .expect_status(200);
    rename(&owner, KIM, json!({ "firstName": "Kimberly" }))
        .await
        .expect_status(200);
    member
        .patch("/accounts/acme", &company)
        .await
        .expect_problem(403, "upgrade_required");
}

#[tokio::test]
async fn two_changes_at_once_both_count() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    rollcall.member(&owner, KIM).await;

    let other = owner.clone();
    rollcall.wire.before("UpdateItem", async move {
        let last = rename(&other, KIM, json!({ "lastName": "Other" })).await;
        last.expect_status(200);
    });
    let renamed = rename(&owner, KIM, json!({ "firstName": "First" })).await;
    let renamed = renamed.expect_status(200);
    assert_eq!(renamed.text("firstName"), "First");
    assert_eq!(renamed.text("lastName"), "Other");

    let other = owner.clone();
    rollcall.wire.before("UpdateItem", async move {
        other.remove("acme", KIM).await.expect_status(200);
    });
    let removed = rename(&owner, KIM, json!({ "firstName": "Second" })).await;
    assert_eq!(removed.expect_status(200).text("status"), "removed");
    assert_eq!(names(&owner).await, ["Olivia"]);
    rollcall.wire.expect_all_happened();
}

#[tokio::test]
async fn an_account_that_closes_meanwhile_is_not_renamed() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let other = owner.clone();
    rollcall.wire.before("UpdateItem", async move {
        other.delete("/accounts/acme").await.expect_status(200);
    });
    let renamed = owner
        .patch("/accounts/acme", &json!({ "company": "Late" }))
        .await;
    renamed.expect_problem(403, "account_closed");
    rollcall.wire.expect_all_happened();
}

#[tokio::test]
async fn a_lost_answer_is_found_again() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    rollcall.wire.fail("UpdateItem", Fault::LostAnswer, 1);
    let renamed = rename(&owner, OWNER, json!({ "firstName": "Olive" })).await;
    assert_eq!(renamed.expect_status(200).text("firstName"), "Olive");
    rollcall.wire.fail("UpdateItem", Fault::LostAnswer, 1);
    let renamed = owner
        .patch("/accounts/acme", &json!({ "company": "Acme" }))
        .await;
    assert_eq!(renamed.expect_status(200).text("company"), "Acme");
    rollcall.wire.expect_all_happened();
}

#[tokio::test]
async fn a_repeated_billing_event_does_not_undo_the_owners_change() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let company = async || {
        let list = owner.list("acme", "").await.expect_status(200);
        list.body["account"]["company"].clone()
    };
    owner
        .patch("/accounts/acme", &json!({ "company": "New Name" }))
        .await
        .expect_status(200);

    rollcall.account("acme", "business").await;
    assert_eq!(company().await, "New Name");

    let told = rollcall
        .provision(&json!({
            "accountId": "acme",
            "company": "Told by Billing",
            "plan": "business",
            "owner": { "firstName": "Olivia", "lastName": "Owner", "email": OWNER },
        }))
        .await;
    assert_eq!(told.expect_status(200).text("outcome"), "updated");
    assert_eq!(company().await, "Told by Billing");
}

#[tokio::test]
async fn the_example_events_are_understood() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.member(&owner, KIM).await;
    for event in [
        include_str!("../../events/update-details.json"),
        include_str!("../../events/update-details-member.json"),
    ] {
        let event = serde_json::from_str(event).unwrap();
        let answer = rollcall.invoke("update-details", event).await.unwrap();
        assert_eq!(answer["statusCode"], 200, "{answer}");
    }
}
