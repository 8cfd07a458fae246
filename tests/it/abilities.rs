//! What each role may do on every route of the template.

use domain::ability::Ability;
use domain::member::Role;
use local::{Route, Template};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Person, Reply, Rollcall, invitation, member_id};

/// Who may call a route.
enum Door {
    /// People of the account whose role has this ability.
    Ability(Ability),
    /// Everyone the account lets in.
    Login,
    /// Support staff.
    Support,
    /// Anyone, signed in or not.
    Public,
}

/// Who may call each route. A new route must be added here.
fn door(route: &Route) -> Door {
    match (route.method.as_str(), route.path.as_str()) {
        ("GET", "/accounts/{accountId}/members") => Door::Ability(Ability::MembersList),
        ("POST", "/accounts/{accountId}/members") => Door::Ability(Ability::MembersInvite),
        ("POST", "/accounts/{accountId}/members/{memberId}/resend") => {
            Door::Ability(Ability::MembersResend)
        }
        ("DELETE", "/accounts/{accountId}/members/{memberId}") => {
            Door::Ability(Ability::MembersRemove)
        }
        ("PATCH", "/accounts/{accountId}" | "/accounts/{accountId}/members/{memberId}") => {
            Door::Ability(Ability::AccountUpdate)
        }
        ("DELETE", "/accounts/{accountId}") => Door::Ability(Ability::AccountClose),
        ("POST", "/login") => Door::Login,
        (_, path) if path.starts_with("/support/") => Door::Support,
        ("GET", "/" | "/invite" | "/login" | "/support" | "/openapi.json" | "/problems/{code}") => {
            Door::Public
        }
        ("GET", path) if path.starts_with("/assets/") => Door::Public,
        _ => panic!("whom is {} {} for?", route.method, route.path),
    }
}

/// A body that the route accepts.
fn body(route: &Route, account: &str) -> Value {
    match (route.method.as_str(), route.path.as_str()) {
        ("POST", "/accounts/{accountId}/members") => invitation("somebody@example.com"),
        ("PATCH", "/accounts/{accountId}") => json!({ "company": "Renamed" }),
        ("PATCH", _) => json!({ "lastName": "Renamed" }),
        ("POST", "/login") => json!({ "accountId": account }),
        _ => json!({}),
    }
}

/// The people around an account of their own.
struct Cast {
    account: String,
    owner: Person,
    member: Person,
    removed: Person,
    invited: Person,
    stranger: Person,
}

impl Cast {
    /// A separate account for each route, so routes don't affect each other.
    async fn gather(rollcall: &Rollcall, account: String) -> Self {
        let email = |who: &str| format!("{who}@{account}.example");
        rollcall
            .provision(&json!({
                "accountId": account,
                "company": "Acme",
                "plan": "pro",
                "owner": { "firstName": "Olivia", "lastName": "Owner", "email": email("owner") },
            }))
            .await
            .expect_status(200);
        let owner = rollcall.person(&email("owner")).await;
        for who in ["member", "removed"] {
            owner.invite(&account, &email(who)).await.expect_status(201);
            let person = rollcall.person(&email(who)).await;
            let invite = json!({ "inviteToken": rollcall.newest_token() });
            person.login(&invite).await.expect_status(200);
        }
        let removal = owner.remove(&account, &email("removed")).await;
        removal.expect_status(200);
        let invite = owner.invite(&account, &email("invited")).await;
        invite.expect_status(201);
        Self {
            member: rollcall.person(&email("member")).await,
            removed: rollcall.person(&email("removed")).await,
            invited: rollcall.person(&email("invited")).await,
            stranger: rollcall.person(&email("stranger")).await,
            owner,
            account,
        }
    }

    /// The path of a route, filled in for the account's invited person.
    fn path(&self, route: &Route) -> String {
        let target = member_id(&self.account, &format!("invited@{}.example", self.account));
        route
            .path
            .replace("{accountId}", &self.account)
            .replace("{memberId}", target.as_str())
            .replace("{email}", "invited%40example.com")
            .replace("{code}", "no_access")
    }

    async fn call(&self, caller: &Person, route: &Route) -> Reply {
        let method: Method = route.method.parse().unwrap();
        let body = body(route, &self.account).to_string();
        Reply::of(caller.request(method, &self.path(route)).body(body)).await
    }
}

#[track_caller]
fn expect_ok(reply: &Reply, who: &str, route: &Route) {
    let is_ok = (200..300).contains(&reply.status);
    assert!(is_ok, "{who}: {route:?} answered {}", reply.raw);
}

#[tokio::test]
async fn every_route_lets_in_exactly_the_people_with_its_ability() {
    let rollcall = Rollcall::start().await;
    let mut abilities_met = Vec::new();
    let functions = Template::of_this_repository().unwrap().functions().unwrap();
    let routes = functions.into_iter().flat_map(|function| function.routes);
    for (number, route) in routes.enumerate() {
        let cast = Cast::gather(&rollcall, format!("acme{number}")).await;
        // Resend has a cooldown, and the invite has just been sent.
        rollcall.advance(120).await;

        let method: Method = route.method.parse().unwrap();
        let anonymous = rollcall.anonymous(method, &cast.path(&route)).await;
        match door(&route) {
            Door::Public => {
                assert!(!route.has_authorizer, "{route:?}");
                // A made-up asset is missing for everyone.
                assert!(matches!(anonymous.status, 200 | 404), "{route:?}");
                continue;
            }
            Door::Ability(_) | Door::Login | Door::Support => {
                assert!(route.has_authorizer, "{route:?}");
                anonymous.expect_problem(401, "unauthenticated");
            }
        }
        let refuse = async |caller: &Person, code: &str| {
            let reply = cast.call(caller, &route).await;
            reply.expect_problem(403, code);
        };
        if let Door::Support = door(&route) {
            for caller in [&cast.owner, &cast.member, &cast.stranger] {
                refuse(caller, "support_only").await;
            }
            continue;
        }
        refuse(&cast.removed, "access_revoked").await;
        refuse(&cast.invited, "invite_link_required").await;
        refuse(&cast.stranger, "no_access").await;
        // The owner comes last, because the owner's call may close the account.
        for (caller, role) in [(&cast.member, Role::Member), (&cast.owner, Role::Owner)] {
            let may = match door(&route) {
                Door::Ability(ability) => {
                    abilities_met.push(ability);
                    Ability::of(role).contains(&ability)
                }
                Door::Login | Door::Support | Door::Public => true,
            };
            if may {
                let reply = cast.call(caller, &route).await;
                expect_ok(&reply, &format!("{role:?}"), &route);
            } else {
                refuse(caller, "owner_only").await;
            }
        }
    }
    for ability in Ability::of(Role::Owner) {
        // Using the product isn't a route of this API: `authorize-request` guards it.
        let is_met = abilities_met.contains(ability) || *ability == Ability::AccountUse;
        assert!(is_met, "no route is about {ability:?}");
    }
}
