    let anns_row = format!("/accounts/acme/members/{}", member_id("acme", "ann@example.com"));
    let path = format!("{anns_row}/$kebab");
    owner.post(&path, &json!({})).await.expect_status(200);
