async fn $snake() -> Vec<Line> {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    rollcall.member(&owner, MAX).await;
    let ledger = Ledger::new(&rollcall);
    let $snake = ledger.of("$kebab");
    let id = member_id("acme", MAX);
    let path = format!("/accounts/acme/members/{id}/$kebab");
    let reply = owner.post(&path, &json!({})).await;
    $snake.done("done", &[READ, UPDATE], reply).await;
    ledger.lines()
}

