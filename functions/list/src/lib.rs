//! `GET /accounts/{accountId}/members`: who is in the account, page by page.

use std::str::FromStr;

use domain::Invalid;
use domain::ability::Ability;
use domain::account::ProPlans;
use domain::id::AccountId;
use platform::answer::MembersAnswer;
use platform::store::{Actor, Cursor, CursorText, MembersFilter, StatusFilter, Store};
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem};

#[derive(Debug)]
pub struct List {
    store: Store,
    pro_plans: ProPlans,
}

struct Asked {
    account: AccountId,
    filter: MembersFilter,
    limit: PageLimit,
    after: Option<Cursor>,
}

/// The most people on a page: 1 to 100.
struct PageLimit(usize);

impl FromStr for PageLimit {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.parse() {
            Ok(limit @ 1..=100) if text.bytes().all(|b| b.is_ascii_digit()) => Ok(Self(limit)),
            _ => Err(Invalid("must be a whole number from 1 to 100")),
        }
    }
}

impl Operation for List {
    const NAME: &'static str = "list";

    fn new(platform: &Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(platform)?,
            pro_plans: platform.environment.required("PRO_PLANS")?,
        })
    }

    async fn get_ready(&self) {
        self.store.connect().await;
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        let Asked {
            account,
            filter,
            limit,
            after,
        } = parse(call)?;
        let (caller, now) = (&call.caller, call.now);

        let seen = self.store.membership(&account, caller).await?;

        let actor = Actor::admit(caller, seen.as_ref(), &self.pro_plans)?;
        actor.access.require(Ability::MembersList)?;

        // After the caller is let in: strangers must not spend the cost of a page or a search, or
        // learn anything from the time that it takes.
        let page = self
            .store
            .members_page(&account, &filter, limit.0, after, now)
            .await?;
        let cursor = page.next.map(|cursor| cursor.to_text(&account, &filter));
        Answer::ok(&MembersAnswer::new(
            actor.access,
            &page.members,
            cursor,
            &self.pro_plans,
            now,
        ))
    }
}

fn parse(call: &Call) -> Result<Asked, Problem> {
    let account: AccountId = call.path("accountId")?;
    let mut query = call.query();
    let status = query.optional("status").unwrap_or(StatusFilter::Current);
    let delivery = query.optional("delivery");
    let text = query.optional("q");
    let limit = query.optional("limit").unwrap_or(PageLimit(50));
    let cursor: Option<CursorText> = query.optional("cursor");
    query.finish(())?;
    let filter = MembersFilter {
        status,
        delivery,
        text,
    };
    let after = cursor
        .map(|cursor| Cursor::of_text(&cursor, &account, &filter))
        .transpose()
        .map_err(|reason| Problem::invalid_field("cursor", reason))?;
    Ok(Asked {
        account,
        filter,
        limit,
        after,
    })
}
