//! The real handlers on a stack, for one sequence of steps after another.

use std::collections::{BTreeMap, BTreeSet};

use local::{Mail, Options};
use platform::{Clock, Problem};
use serde_json::{Value, json};

use super::history::{History, Owner};
use super::model::{
    ACCOUNTS, DAY, LIFETIME, Model, NOON, PEOPLE, Person, RESENDS_PER_DAY, SENDS_PER_HOUR,
    SENDS_PER_RECIPIENT, Standing,
};
use super::step::{Act, Caller, Report, Step, Token, opening};
use crate::bad_input::api_event;
use crate::harness::issuer::verified;
use crate::harness::{Rollcall, Row, member_id};
use crate::mail_feedback::event;

/// The identity provider of everybody.
const ISSUER: &str = "https://id.example";

/// A stack for many sequences. Each has its own accounts and people.
pub(crate) struct World {
    pub(crate) rollcall: Rollcall,
    /// Seconds since the midnight before the first sequence.
    now: i64,
    sequences: usize,
    pub(super) steps: usize,
}

pub(crate) struct Sequence<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) model: Model,
    mails: Vec<Mail>,
    history: History,
    /// The rows of each account after the newest step.
    rows: Vec<BTreeMap<String, Row>>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self {
            rollcall: Self::start_stack().await,
            now: NOON,
            sequences: 0,
            steps: 0,
        }
    }

    async fn start_stack() -> Rollcall {
        let parameters = [
            ("SendsPerHour", SENDS_PER_HOUR),
            ("ResendsPerDay", RESENDS_PER_DAY),
            ("SendsPerRecipientPerDay", SENDS_PER_RECIPIENT),
        ];
        let parameters = parameters.map(|(name, limit)| (name, limit.to_string()));
        let issuer = ("Issuer", ISSUER.to_owned());
        Rollcall::start_with(Options {
            parameters: parameters.into_iter().chain([issuer]).collect(),
            ..Options::default()
        })
        .await
    }

    /// Begins a sequence, at noon.
    pub(crate) async fn begin(&mut self) -> Sequence<'_> {
        // The mailbox of a stack remembers everything.
        if self.sequences % 100 == 99 {
            self.rollcall = Self::start_stack().await;
            self.now = NOON;
        }
        let to_noon = (NOON - self.now).rem_euclid(DAY);
        self.rollcall.advance(u32::try_from(to_noon).unwrap()).await;
        self.now += to_noon;
        self.sequences += 1;
        let mut sequence = Sequence {
            world: self,
            model: Model::at_noon(),
            mails: Vec::new(),
            history: History::default(),
            rows: vec![BTreeMap::new(); ACCOUNTS],
        };
        for step in opening() {
            sequence.take_without_a_look(&step).await;
        }
        sequence.rows = sequence.partitions().await;
        sequence
    }

    fn account(&self, account: usize) -> String {
        format!("s{}-{account}", self.sequences)
    }

    /// The ids of everyone in every account.
    fn people(&self) -> Vec<String> {
        let accounts = (0..ACCOUNTS).map(|account| self.account(account));
        let people = accounts.flat_map(|account| {
            (0..PEOPLE).map(move |who| member_id(&account, &self.email(who)).to_string())
        });
        people.collect()
    }

    fn email(&self, who: usize) -> String {
        format!("p{who}@s{}.example", self.sequences)
    }

    fn subject(&self, subject: usize) -> String {
        format!("subject-{subject}-{}", self.sequences)
    }

    fn member_id(&self, account: usize, row: usize) -> String {
        member_id(&self.account(account), &self.email(row)).to_string()
    }

    async fn rows(&self, partition: String) -> BTreeMap<String, Row> {
        let query = self.rollcall.stack.dynamodb().query().table_name("Table");
        let query = query
            .key_condition_expression("pk = :pk")
            .consistent_read(true);
        let partition = aws_sdk_dynamodb::types::AttributeValue::S(partition);
        let found = query
            .expression_attribute_values(":pk", partition)
            .send()
            .await;
        let rows = found.unwrap().items.unwrap_or_default().into_iter();
        rows.map(|row| (row["sk"].as_s().unwrap().clone(), row.into_iter().collect()))
            .collect()
    }
}

impl Sequence<'_> {
    /// Takes a step, and compares answer, rows and list with the model.
    pub(crate) async fn take(&mut self, step: &Step) {
        let Some(step) = step.resolved(&self.model) else {
            return;
        };
        self.world.steps += 1;
        self.take_without_a_look(&step).await;
        let after = self.partitions().await;
        let mentioned = self.accounts_of(&step);
        for (account, rows) in after.iter().enumerate() {
            if mentioned.contains(&account) {
                assert_eq!(summary_of(rows), self.told(&self.model, account));
                self.expect_list(account).await;
            } else {
                assert_eq!(self.rows[account], *rows, "{step:?} crossed accounts");
            }
        }
        self.rows = after;
    }

    /// Takes a step, and compares only the answer with the model.
    pub(crate) async fn take_unseen(&mut self, step: &Step) {
        if let Some(step) = step.resolved(&self.model) {
            self.take_without_a_look(&step).await;
        }
    }

    async fn take_without_a_look(&mut self, step: &Step) {
        let expected = self.model.take(step);
        let (status, body) = self.carry_out(step).await;
        let code = body["code"].as_str().unwrap_or_default();
        assert_eq!((status, code), expected, "{step:?}: {body}");
        if let Step::Wait(seconds) = step {
            self.world.now += seconds;
        }
        if self.mails.len() < self.model.sends.len() {
            self.mails.push(self.world.rollcall.newest_mail());
        }
        let mut answered = step.clone();
        if let Step::Login { account, .. } = &mut answered {
            let is_named = |account: &usize| body["account"]["id"] == self.world.account(*account);
            *account = account.or_else(|| (0..ACCOUNTS).find(is_named));
        }
        let sends = &self.model.sends;
        self.history.note(&answered, status, self.model.now, sends);
        if let Step::HandOver { account, .. } = *step
            && status == 200
        {
            self.note_handover(account).await;
        }
    }

    async fn note_handover(&mut self, account: usize) {
        let rows = &self.partitions().await[account];
        let text = |row: &Row, name: &str| row[name].as_s().unwrap().clone();
        let row_of =
            |row: usize| rows.get(&format!("MEMBER#{}", self.world.member_id(account, row)));
        let owner = text(&rows["ACCOUNT"], "ownerId");
        let is_owner = |row: &usize| self.world.member_id(account, *row) == owner;
        let row = (0..PEOPLE).find(is_owner).unwrap();
        let item = row_of(row).unwrap();
        let email = text(item, "email");
        let address = (0..PEOPLE).find(|address| self.world.email(*address) == email);
        let subject = item.get("identity").map(|identity| {
            let subject = identity.as_m().unwrap()["subject"].as_s().unwrap();
            let is_theirs = |who: &usize| self.world.subject(*who) == *subject;
            (0..2 * PEOPLE).find(is_theirs).unwrap()
        });
        let is_removed =
            |row: usize| row_of(row).is_some_and(|row| text(row, "state") == "removed");
        let owner = Owner {
            row,
            address: address.unwrap(),
        };
        let is_pro = text(&rows["ACCOUNT"], "plan") == "pro";
        self.history.note_plan(account, is_pro);
        self.history
            .note_handover(account, owner, subject, is_removed);
    }

    /// The accounts that a step can change.
    fn accounts_of(&self, step: &Step) -> Vec<usize> {
        let only = match *step {
            Step::Provision { account, .. }
            | Step::HandOver { account, .. }
            | Step::Call { account, .. } => Some(account),
            Step::Report { send, .. } => Some(self.model.sends[send].account),
            Step::Login { account, token, .. } => token
                .map(|token| match token {
                    Token::Sent(send) => self.model.sends[send].account,
                    Token::MadeUp { account, .. } => account,
                })
                .or(account),
            Step::Wait(_) | Step::Lift { .. } => None,
        };
        only.map_or_else(|| (0..ACCOUNTS).collect(), |account| vec![account])
    }

    pub(crate) async fn carry_out(&self, step: &Step) -> (u16, Value) {
        let none = json!({});
        match *step {
            Step::Wait(seconds) => {
                self.world
                    .rollcall
                    .advance(u32::try_from(seconds).unwrap())
                    .await;
                (200, none)
            }
            Step::Provision {
                account,
                is_pro,
                reopen,
            } => {
                let mut payload = self.payload(account, is_pro, account);
                payload["reopen"] = json!(reopen);
                self.provision(payload).await
            }
            Step::HandOver { account, handover } => {
                let subject = handover.named.map(|named| self.world.subject(named));
                let mut payload = self.payload(account, handover.is_pro, handover.to);
                payload["owner"]["subject"] = json!(subject);
                payload["handover"] = json!(true);
                payload["former"] = json!(if handover.removes { "remove" } else { "member" });
                payload["revision"] = json!(handover.revision);
                self.provision(payload).await
            }
            Step::Call { account, by, act } => {
                let (route, whom, body) = match act {
                    Act::Invite(whom) => {
                        let email = self.world.email(whom);
                        let body = json!({ "firstName": "Kim", "lastName": "Lee", "email": email });
                        ("invite POST /accounts/{accountId}/members", None, body)
                    }
                    Act::Resend(whom) => {
                        let route = "resend POST /accounts/{accountId}/members/{memberId}/resend";
                        (route, Some(whom), none)
                    }
                    Act::Correct(whom, address) => {
                        let route = "resend POST /accounts/{accountId}/members/{memberId}/resend";
                        let email = self.world.email(address);
                        (route, Some(whom), json!({ "email": email }))
                    }
                    Act::Remove(whom) => {
                        let route = "remove DELETE /accounts/{accountId}/members/{memberId}";
                        (route, Some(whom), none)
                    }
                    Act::Rename(whom) => {
                        let route = "update-details PATCH /accounts/{accountId}/members/{memberId}";
                        (route, Some(whom), json!({ "lastName": "Renamed" }))
                    }
                    Act::RenameCompany => {
                        let body = json!({ "company": "Renamed" });
                        ("update-details PATCH /accounts/{accountId}", None, body)
                    }
                    Act::Close => ("close-account DELETE /accounts/{accountId}", None, none),
                    Act::List => ("list GET /accounts/{accountId}/members", None, none),
                };
                self.call(route, by, Some(account), whom, &body).await
            }
            Step::Login { by, account, token } => {
                let account = account.map(|account| self.world.account(account));
                let token = token.map(|token| self.token(token));
                let body = json!({ "accountId": account, "inviteToken": token });
                let body = body.as_object().unwrap().clone().into_iter();
                let body: Value = body.filter(|(_, value)| !value.is_null()).collect();
                self.call("authorize-login POST /login", by, None, None, &body)
                    .await
            }
            Step::Report { send, report } => {
                let event = sns(
                    &report_of(&self.mails[send], report),
                    &format!("{send} {report:?}"),
                );
                let rollcall = &self.world.rollcall;
                let (status, done) = outcome(rollcall.invoke("mail-feedback", event).await);
                assert!(status != 200 || done == json!({ "recorded": 1, "ignored": 0 }));
                (status, done)
            }
            Step::Lift { whom } => {
                let claims = json!({
                    "iss": ISSUER, "sub": "sue", "email": "sue@product.example", "email_verified": "true",
                });
                let route = "DELETE /support/suppressions/{email}";
                let mut event = api_event(route, &claims, "");
                let mut token = claims;
                token["groups"] = json!(["support"]);
                token["iat"] = json!(Clock::system().now().as_second());
                event["headers"]["authorization"] = json!(verified(&token));
                event["pathParameters"] = json!({ "email": self.world.email(whom) });
                self.answered("lift-suppression", event).await
            }
        }
    }

    /// What billing says about an account.
    fn payload(&self, account: usize, is_pro: bool, owner: usize) -> Value {
        json!({
            "accountId": self.world.account(account),
            "company": "Acme",
            "plan": if is_pro { "pro" } else { "basic" },
            "owner": {
                "firstName": "Olivia",
                "lastName": "Owner",
                "email": self.world.email(owner),
            },
        })
    }

    async fn provision(&self, payload: Value) -> (u16, Value) {
        let rollcall = &self.world.rollcall;
        outcome(rollcall.invoke("provision-account", payload).await)
    }

    pub(crate) fn people(&self) -> Vec<String> {
        self.world.people()
    }

    pub(crate) fn email(&self, who: usize) -> String {
        self.world.email(who)
    }

    /// Calls an operation by its name and route.
    pub(crate) async fn call(
        &self,
        route: &str,
        by: Caller,
        account: Option<usize>,
        whom: Option<usize>,
        body: &Value,
    ) -> (u16, Value) {
        let (operation, route) = route.split_once(' ').unwrap();
        let mut claims = json!({
            "iss": ISSUER, "sub": self.world.subject(by.subject),
        });
        if let Some(address) = by.address {
            claims["email"] = json!(self.world.email(address));
            claims["email_verified"] = json!("true");
        }
        let mut event = api_event(route, &claims, &body.to_string());
        let account = account.map(|account| self.world.account(account));
        if let Some(account) = &account {
            event["pathParameters"]["accountId"] = json!(account);
            if let Some(whom) = whom {
                let member = member_id(account, &self.world.email(whom));
                event["pathParameters"]["memberId"] = json!(member);
            }
        }
        self.answered(operation, event).await
    }

    async fn answered(&self, operation: &str, event: Value) -> (u16, Value) {
        let answer = self.world.rollcall.invoke(operation, event).await.unwrap();
        let status = answer["statusCode"].as_u64().unwrap().try_into().unwrap();
        let body = answer["body"].as_str().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    fn token(&self, token: Token) -> String {
        match token {
            Token::Sent(send) => {
                let link = self.mails[send].link.as_deref().unwrap();
                link.split_once("#token=").unwrap().1.to_owned()
            }
            Token::MadeUp { account, whom } => {
                let account = self.world.account(account);
                let member = member_id(&account, &self.world.email(whom));
                format!("{account}.{member}.{}", "A".repeat(43))
            }
        }
    }

    pub(crate) async fn partitions(&self) -> Vec<BTreeMap<String, Row>> {
        let mut partitions = Vec::new();
        for account in 0..ACCOUNTS {
            let partition = format!("ACCOUNT#{}", self.world.account(account));
            partitions.push(self.world.rows(partition).await);
        }
        partitions
    }

    /// What a model knows about an account, in the form of [`summary_of`].
    pub(crate) fn told(&self, model: &Model, account: usize) -> BTreeMap<String, String> {
        let Some(known) = &model.accounts[account] else {
            return BTreeMap::new();
        };
        let person = |(row, person): (&usize, &Person)| {
            let bound = |subject: &usize| self.world.subject(*subject);
            let text = match &person.standing {
                Standing::Invited(invite) => {
                    format!("invited nobody {}", delivery(invite.delivery))
                }
                Standing::Active {
                    bound: by,
                    accepted,
                } => {
                    let by = by.as_ref().map_or("nobody".to_owned(), bound);
                    let accepted = accepted.as_ref();
                    let delivery = accepted.map_or("none", |invite| delivery(invite.delivery));
                    format!("active {by} {delivery}")
                }
                Standing::Removed { .. } => "removed nobody none".to_owned(),
            };
            let role = if *row == known.owner {
                "owner"
            } else {
                "member"
            };
            let text = format!("{} {role} {text}", self.world.email(person.address));
            (self.world.member_id(account, *row), text)
        };
        let alias = |(address, row): (&usize, &usize)| {
            let place = self.world.member_id(account, *address);
            (
                place,
                format!("see {}", self.world.member_id(account, *row)),
            )
        };
        let plan = if known.is_pro { "pro" } else { "basic" };
        let status = if known.is_closed { "closed" } else { "active" };
        let sends: u32 = known.sends.values().sum();
        let owner = self.world.member_id(account, known.owner);
        let rest = [
            ("account".to_owned(), format!("{plan} {status} {owner}")),
            ("sends".to_owned(), sends.to_string()),
        ];
        let people = known.people.iter().map(person);
        people
            .chain(known.aliases.iter().map(alias))
            .chain(rest)
            .collect()
    }

    /// The list shows exactly the people in the model.
    async fn expect_list(&self, account: usize) {
        let Some(known) = &self.model.accounts[account] else {
            return;
        };
        let owner = &known.people[&known.owner];
        let Standing::Active { bound, .. } = owner.standing else {
            panic!("an account without owner: {known:?}");
        };
        // Before the first login, the address leads there, unless the identity is in by another row. After
        // it, the address may belong to somebody else.
        let nobody = 2 * PEOPLE;
        let by = bound.map_or(
            Caller::with_address(nobody, owner.address),
            Caller::without_address,
        );
        let act = Act::List;
        let (status, body) = self.carry_out(&Step::Call { account, by, act }).await;
        if known.is_closed {
            assert_eq!(status, 403, "{body}");
            return;
        }
        let listed = body["members"].as_array().unwrap().iter().map(|member| {
            let text = |name: &str| member[name].as_str().unwrap().to_owned();
            (text("id"), (text("email"), text("status")))
        });
        let listed: BTreeMap<_, _> = listed.collect();
        let present = known.people.iter().filter_map(|(row, person)| {
            let status = match &person.standing {
                Standing::Active { .. } => "active",
                Standing::Invited(invite) if self.model.now >= invite.sent_at + LIFETIME => {
                    "expired"
                }
                Standing::Invited(_) => "invited",
                Standing::Removed { .. } => return None,
            };
            let shown = (self.world.email(person.address), status.to_owned());
            Some((self.world.member_id(account, *row), shown))
        });
        assert_eq!(listed, present.collect());
    }

    /// Tries every account as every person.
    pub(super) async fn expect_open_doors(&mut self) {
        for (who, account) in (0..PEOPLE).flat_map(|who| (0..ACCOUNTS).map(move |to| (who, to))) {
            let login = Step::Login {
                by: Caller::first(who),
                account: Some(account),
                token: None,
            };
            self.take_without_a_look(&login).await;
        }
    }

    /// Every address that ever led to an account still does, and no other.
    pub(super) async fn expect_pointers(&self) {
        use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
        let mut expected = BTreeSet::new();
        let mut asked = KeysAndAttributes::builder().consistent_read(true);
        for (who, account) in (0..PEOPLE).flat_map(|who| (0..ACCOUNTS).map(move |to| (who, to))) {
            let email = self.email(who).parse().unwrap();
            let person = domain::id::EmailKey::of(&email);
            let key = [
                ("pk", format!("PERSON#{}", person.as_str())),
                ("sk", format!("ACCOUNT#{}", self.world.account(account))),
            ];
            if let Some(known) = &self.model.accounts[account]
                && known.known.contains(&who)
            {
                expected.insert(key[0].1.clone() + &key[1].1);
            }
            let key = key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value)));
            asked = asked.keys(key.into());
        }
        let dynamodb = self.world.rollcall.stack.dynamodb();
        let read = dynamodb.batch_get_item();
        let read = read.request_items("Table", asked.build().unwrap());
        let found = read.send().await.unwrap().responses.unwrap();
        let found = found["Table"].iter().map(|pointer| {
            let text = |name: &str| pointer[name].as_s().unwrap().as_str();
            text("pk").to_owned() + text("sk")
        });
        assert_eq!(found.collect::<BTreeSet<_>>(), expected);
    }
}

/// An open invite has an item that disappears when the invite expires.
fn expect_expiry(member: &Row, expiry: &Option<&Row>) {
    if member["state"].as_s().unwrap() != "invited" {
        return;
    }
    let invite = member["invite"].as_m().unwrap();
    let over: domain::Timestamp = invite["expiresAt"].as_s().unwrap().parse().unwrap();
    let goes = expiry.unwrap()["expires"].as_n().unwrap();
    assert_eq!(*goes, over.as_second().to_string());
}

/// What the rows of an account have in common with a model.
pub(crate) fn summary_of(rows: &BTreeMap<String, Row>) -> BTreeMap<String, String> {
    let text = |row: &Row, name: &str| row[name].as_s().unwrap().clone();
    let mut summary = BTreeMap::new();
    let mut sends = 0;
    for (key, row) in rows {
        match key.split_once('#') {
            Some(("MEMBER", id)) if row.contains_key("alias") => {
                summary.insert(id.to_owned(), format!("see {}", text(row, "alias")));
            }
            Some(("MEMBER", id)) => {
                expect_expiry(row, &rows.get(&format!("EXPIRY#{id}")));
                let subject = row.get("identity").map_or("nobody", |identity| {
                    identity.as_m().unwrap()["subject"].as_s().unwrap()
                });
                let delivery = row.get("invite").map_or("none", |invite| {
                    let delivery = invite.as_m().unwrap()["delivery"].as_m().unwrap();
                    delivery["status"].as_s().unwrap()
                });
                let (email, role) = (text(row, "email"), text(row, "role"));
                let state = text(row, "state");
                let told = format!("{email} {role} {state} {subject} {delivery}");
                summary.insert(id.to_owned(), told);
            }
            Some(("SENDS", _)) => sends += row["count"].as_n().unwrap().parse::<u32>().unwrap(),
            Some(("EXPIRY", _)) => {}
            Some(other) => panic!("an unexpected row: {other:?}"),
            None => {
                let (plan, status) = (text(row, "plan"), text(row, "status"));
                let told = format!("{plan} {status} {}", text(row, "ownerId"));
                summary.insert("account".to_owned(), told);
            }
        }
    }
    summary.insert("sends".to_owned(), sends.to_string());
    summary
}

/// The outcome of a direct invocation, in the form of an answer of the API.
fn outcome(outcome: Result<Value, Problem>) -> (u16, Value) {
    match outcome {
        Ok(done) => (200, done),
        Err(problem) => {
            let code = problem.code();
            (code.status().as_u16(), json!({ "code": code.as_str() }))
        }
    }
}

fn delivery(report: Option<Report>) -> &'static str {
    match report {
        None => "sending",
        Some(Report::Sent) => "sent",
        Some(Report::Delivered) => "delivered",
        Some(Report::AutoReplied) => "auto_replied",
        Some(Report::Bounced) => "bounced",
        Some(Report::Complained) => "complained",
    }
}

fn report_of(mail: &Mail, report: Report) -> Value {
    let (kind, part, content) = match report {
        Report::Sent => ("Send", "send", json!({})),
        Report::Delivered => ("Delivery", "delivery", json!({})),
        Report::AutoReplied => (
            "Bounce",
            "bounce",
            json!({ "bounceType": "Transient", "bounceSubType": "General", "feedbackId": "auto" }),
        ),
        Report::Bounced => (
            "Bounce",
            "bounce",
            json!({ "bounceType": "Permanent", "bounceSubType": "NoEmail", "feedbackId": "bounce" }),
        ),
        Report::Complained => (
            "Complaint",
            "complaint",
            json!({ "complaintFeedbackType": "abuse", "feedbackId": "complaint" }),
        ),
    };
    let mut event = event(mail, kind);
    event[part] = content;
    event
}

fn sns(message: &Value, id: &str) -> Value {
    json!({
        "Records": [{
            "Sns": {
                "MessageId": id,
                "Timestamp": "2026-11-24T12:00:00.000Z",
                "Message": message.to_string(),
            },
        }],
    })
}
