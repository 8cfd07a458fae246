//! Sequences of all operations, by several people in several accounts while time goes by: the real
//! handlers answer and store what a reference model says, whatever comes after whatever.
//!
//! A sequence that fails is made as short as it goes, and printed.

pub(crate) mod model;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use local::{Mail, Options};
use platform::{Clock, Problem};
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::bad_input::api_event;
use crate::harness::issuer::verified;
use crate::harness::{Rollcall, Row, member_id};
use crate::mail_feedback::event;
use model::{
    ACCOUNTS, Caller, DAY, HOUR, LIFETIME, Model, NOON, PEOPLE, RESENDS_PER_DAY, Report,
    SENDS_PER_HOUR, SENDS_PER_RECIPIENT, Standing, Token,
};

/// One call, or a while.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Seconds go by.
    Wait(i64),
    Provision {
        account: usize,
        is_pro: bool,
        reopen: bool,
    },
    Invite {
        account: usize,
        by: Caller,
        whom: usize,
    },
    Resend {
        account: usize,
        by: Caller,
        whom: usize,
    },
    Remove {
        account: usize,
        by: Caller,
        whom: usize,
    },
    Rename {
        account: usize,
        by: Caller,
        whom: usize,
    },
    RenameCompany {
        account: usize,
        by: Caller,
    },
    Close {
        account: usize,
        by: Caller,
    },
    List {
        account: usize,
        by: Caller,
    },
    Login {
        by: Caller,
        account: Option<usize>,
        token: Option<Token>,
    },
    Report {
        send: usize,
        report: Report,
    },
    Lift {
        whom: usize,
    },
}

/// Sends are chosen by how long ago they were; more never come about than that.
const MOST_SENDS: usize = 1_000;

/// A step that somebody takes.
pub(crate) fn single_step() -> impl Strategy<Value = Step> {
    let account = || 0..ACCOUNTS;
    let person = || 0..PEOPLE;
    let is_another = || proptest::bool::weighted(0.05);
    let caller =
        move || (person(), is_another()).prop_map(|(who, is_another)| Caller { who, is_another });
    // Mostly the owner, or most steps would be refused.
    let by_somebody = move || {
        (
            account(),
            option::weighted(0.2, person()),
            is_another(),
            person(),
        )
            .prop_map(|(account, other, is_another, whom)| {
                let who = other.unwrap_or(account);
                (account, Caller { who, is_another }, whom)
            })
    };
    // Mostly a recent send.
    let send = || prop_oneof![4 => 0..2_usize, 1 => 0..MOST_SENDS];
    let token = move || {
        let made_up = (account(), person());
        prop_oneof![
            9 => send().prop_map(Token::Sent),
            1 => made_up.prop_map(|(account, whom)| Token::MadeUp { account, whom }),
        ]
    };
    let report = prop_oneof![
        Just(Report::Sent),
        Just(Report::Delivered),
        Just(Report::AutoReplied),
        Just(Report::Bounced),
        Just(Report::Complained),
    ];
    let wait = prop_oneof![
        4 => Just(60),
        1 => Just(1),
        1 => Just(59),
        1 => Just(HOUR),
        1 => Just(DAY),
        1 => Just(LIFETIME - 1),
        1 => Just(LIFETIME),
    ];
    prop_oneof![
        3 => wait.prop_map(Step::Wait),
        2 => (account(), proptest::bool::weighted(0.7), any::<bool>())
            .prop_map(|(account, is_pro, reopen)| Step::Provision { account, is_pro, reopen }),
        5 => by_somebody().prop_map(|(account, by, whom)| Step::Invite { account, by, whom }),
        4 => by_somebody().prop_map(|(account, by, whom)| Step::Resend { account, by, whom }),
        3 => by_somebody().prop_map(|(account, by, whom)| Step::Remove { account, by, whom }),
        1 => by_somebody().prop_map(|(account, by, whom)| Step::Rename { account, by, whom }),
        1 => by_somebody().prop_map(|(account, by, _)| Step::RenameCompany { account, by }),
        1 => by_somebody().prop_map(|(account, by, _)| Step::Close { account, by }),
        1 => by_somebody().prop_map(|(account, by, _)| Step::List { account, by }),
        3 => (caller(), option::of(account()), option::weighted(0.7, token()))
            .prop_map(|(by, account, token)| Step::Login { by, account, token }),
        // Whoever gets a mail mostly follows its link.
        6 => (send(), is_another()).prop_map(|(send, is_another)| Step::Login {
            by: Caller { who: PEOPLE, is_another },
            account: None,
            token: Some(Token::Sent(send)),
        }),
        4 => (send(), report).prop_map(|(send, report)| Step::Report { send, report }),
        1 => person().prop_map(|whom| Step::Lift { whom }),
    ]
}

/// What comes before the steps of every sequence: its accounts, which are pro.
fn opening() -> impl Iterator<Item = Step> {
    (0..ACCOUNTS).map(|account| Step::Provision {
        account,
        is_pro: true,
        reopen: false,
    })
}

impl Step {
    /// The step with its sends by number. Nothing, if there was no send yet.
    pub(crate) fn resolved(&self, model: &Model) -> Option<Self> {
        let number = |age: usize| {
            (age < MOST_SENDS).then(|| {
                let sends = model.sends.len();
                sends.checked_sub(1 + age % sends.max(1))
            })?
        };
        let mut step = self.clone();
        match &mut step {
            Self::Report { send, .. } => *send = number(*send)?,
            Self::Login {
                token: Some(Token::Sent(send)),
                by,
                ..
            } => {
                *send = number(*send)?;
                if by.who == PEOPLE {
                    by.who = model.sends[*send].1;
                }
            }
            _ => {}
        }
        Some(step)
    }
}

/// A stack for many sequences, each with accounts and people of its own.
pub(crate) struct World {
    pub(crate) rollcall: Rollcall,
    /// Seconds since the midnight before the first sequence.
    now: i64,
    sequences: usize,
    steps: usize,
}

/// What came about in one sequence.
pub(crate) struct Sequence<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) model: Model,
    mails: Vec<Mail>,
    history: History,
    /// Of each account, as they were after the newest step.
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
        Rollcall::start_with(Options {
            parameters: parameters.into(),
            ..Options::default()
        })
        .await
    }

    /// Begins a sequence, at noon.
    pub(crate) async fn begin(&mut self) -> Sequence<'_> {
        // The mailbox of a stack remembers everything, and is searched at every step.
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

    /// The ids of everybody in every account.
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
    /// Takes a step, and holds answer, rows and list against the model.
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
                self.expect_rows(account, rows);
                self.expect_list(account).await;
            } else {
                assert_eq!(self.rows[account], *rows, "{step:?} crossed accounts");
            }
        }
        self.rows = after;
    }

    /// Takes a step that other tests look at, and holds the answer against the model.
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
        self.history.note(step, status, self.model.now);
    }

    /// The accounts that a step can change.
    fn accounts_of(&self, step: &Step) -> Vec<usize> {
        match *step {
            Step::Provision { account, .. }
            | Step::Invite { account, .. }
            | Step::Resend { account, .. }
            | Step::Remove { account, .. }
            | Step::Rename { account, .. }
            | Step::RenameCompany { account, .. }
            | Step::Close { account, .. }
            | Step::List { account, .. } => vec![account],
            Step::Report { send, .. } => vec![self.model.sends[send].0],
            Step::Login {
                token: Some(Token::Sent(send)),
                ..
            } => vec![self.model.sends[send].0],
            Step::Login {
                token: Some(Token::MadeUp { account, .. }),
                ..
            } => vec![account],
            Step::Login {
                account: Some(account),
                ..
            } => vec![account],
            Step::Wait(_) | Step::Login { .. } | Step::Lift { .. } => (0..ACCOUNTS).collect(),
        }
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
                let payload = json!({
                    "accountId": self.world.account(account),
                    "company": "Acme",
                    "plan": if is_pro { "pro" } else { "basic" },
                    "owner": {
                        "firstName": "Olivia",
                        "lastName": "Owner",
                        "email": self.world.email(account),
                    },
                    "reopen": reopen,
                });
                let rollcall = &self.world.rollcall;
                outcome(rollcall.invoke("provision-account", payload).await)
            }
            Step::Invite { account, by, whom } => {
                let body = json!({
                    "firstName": "Kim", "lastName": "Lee", "email": self.world.email(whom),
                });
                let route = "invite POST /accounts/{accountId}/members";
                self.call(route, by, Some(account), None, &body).await
            }
            Step::Resend { account, by, whom } => {
                let route = "resend POST /accounts/{accountId}/members/{memberId}/resend";
                self.call(route, by, Some(account), Some(whom), &none).await
            }
            Step::Remove { account, by, whom } => {
                let route = "remove DELETE /accounts/{accountId}/members/{memberId}";
                self.call(route, by, Some(account), Some(whom), &none).await
            }
            Step::Rename { account, by, whom } => {
                let route = "update-details PATCH /accounts/{accountId}/members/{memberId}";
                let body = json!({ "lastName": "Renamed" });
                self.call(route, by, Some(account), Some(whom), &body).await
            }
            Step::RenameCompany { account, by } => {
                let route = "update-details PATCH /accounts/{accountId}";
                let body = json!({ "company": "Renamed" });
                self.call(route, by, Some(account), None, &body).await
            }
            Step::Close { account, by } => {
                let route = "close-account DELETE /accounts/{accountId}";
                self.call(route, by, Some(account), None, &none).await
            }
            Step::List { account, by } => {
                let route = "list GET /accounts/{accountId}/members";
                self.call(route, by, Some(account), None, &none).await
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
                    "iss": "https://id.example", "sub": "sue", "email": "sue@product.example", "email_verified": "true",
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

    /// The address of a person.
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
        let email = self.world.email(by.who);
        let subject = if by.is_another {
            "another"
        } else {
            "the-first"
        };
        let claims = json!({
            "iss": "https://id.example",
            "sub": format!("{subject}-{}", by.who),
            "email": email,
            "email_verified": "true",
        });
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

    /// The account, the people and the counters of the rows are those of the model.
    fn expect_rows(&self, account: usize, rows: &BTreeMap<String, Row>) {
        assert_eq!(summary_of(rows), self.told(&self.model, account));
    }

    /// What a model knows of an account, as [`summary_of`] says it.
    pub(crate) fn told(&self, model: &Model, account: usize) -> BTreeMap<String, String> {
        let Some(known) = &model.accounts[account] else {
            return BTreeMap::new();
        };
        let person = |(who, standing): (&usize, &Standing)| {
            let subject = |bound: &Caller| {
                let kind = if bound.is_another {
                    "another"
                } else {
                    "the-first"
                };
                format!("{kind}-{who}")
            };
            let text = match standing {
                Standing::Owner { bound: None } => "active nobody none".to_owned(),
                Standing::Owner { bound: Some(bound) } => format!("active {} none", subject(bound)),
                Standing::Invited(invite) => {
                    format!("invited nobody {}", delivery(invite.delivery))
                }
                Standing::Active { bound, accepted } => {
                    format!("active {} {}", subject(bound), delivery(accepted.delivery))
                }
                Standing::Removed => "removed nobody none".to_owned(),
            };
            (self.world.email(*who), text)
        };
        let plan = if known.is_pro { "pro" } else { "basic" };
        let status = if known.is_closed { "closed" } else { "active" };
        let sends: u32 = known.sends.values().sum();
        let rest = [
            ("account".to_owned(), format!("{plan} {status}")),
            ("sends".to_owned(), sends.to_string()),
        ];
        known.people.iter().map(person).chain(rest).collect()
    }

    /// The list shows exactly who is in the model, to whom it may be shown.
    async fn expect_list(&self, account: usize) {
        let Some(known) = &self.model.accounts[account] else {
            return;
        };
        let Some(Standing::Owner { bound }) = known.people.get(&account) else {
            panic!("an account without owner: {known:?}");
        };
        let by = bound.unwrap_or(Caller {
            who: account,
            is_another: false,
        });
        let route = "list GET /accounts/{accountId}/members";
        let (status, body) = self.call(route, by, Some(account), None, &json!({})).await;
        if known.is_closed {
            assert_eq!(status, 403, "{body}");
            return;
        }
        let listed = body["members"].as_array().unwrap().iter().map(|member| {
            let text = |name: &str| member[name].as_str().unwrap().to_owned();
            (text("email"), text("status"))
        });
        let listed: BTreeMap<_, _> = listed.collect();
        let present = known.people.iter().filter_map(|(who, standing)| {
            let status = match standing {
                Standing::Owner { .. } | Standing::Active { .. } => "active",
                Standing::Invited(invite) if self.model.now >= invite.sent_at + LIFETIME => {
                    "expired"
                }
                Standing::Invited(_) => "invited",
                Standing::Removed => return None,
            };
            Some((self.world.email(*who), status.to_owned()))
        });
        assert_eq!(listed, present.collect());
    }

    /// Tries to get in, for everybody and everywhere.
    async fn expect_open_doors(&mut self) {
        for (who, account) in (0..PEOPLE).flat_map(|who| (0..ACCOUNTS).map(move |to| (who, to))) {
            let by = Caller {
                who,
                is_another: false,
            };
            let login = Step::Login {
                by,
                account: Some(account),
                token: None,
            };
            self.take_without_a_look(&login).await;
        }
    }

    /// Whoever is in an account is pointed to from there, and nobody else.
    async fn expect_pointers(&self) {
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
                && known.people.contains_key(&who)
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

/// An open invite has an item that goes away when its time is over.
fn expect_expiry(member: &Row, expiry: &Option<&Row>) {
    if member["state"].as_s().unwrap() != "invited" {
        return;
    }
    let invite = member["invite"].as_m().unwrap();
    let over: domain::Timestamp = invite["expiresAt"].as_s().unwrap().parse().unwrap();
    let goes = expiry.unwrap()["expires"].as_n().unwrap();
    assert_eq!(*goes, over.as_second().to_string());
}

/// What the rows of an account say that a model knows, too.
pub(crate) fn summary_of(rows: &BTreeMap<String, Row>) -> BTreeMap<String, String> {
    let text = |row: &Row, name: &str| row[name].as_s().unwrap().clone();
    let mut summary = BTreeMap::new();
    let mut sends = 0;
    for (key, row) in rows {
        match key.split_once('#') {
            Some(("MEMBER", id)) => {
                expect_expiry(row, &rows.get(&format!("EXPIRY#{id}")));
                let subject = row.get("identity").map_or("nobody", |identity| {
                    identity.as_m().unwrap()["subject"].as_s().unwrap()
                });
                let delivery = row.get("invite").map_or("none", |invite| {
                    let delivery = invite.as_m().unwrap()["delivery"].as_m().unwrap();
                    delivery["status"].as_s().unwrap()
                });
                let told = format!("{} {subject} {delivery}", text(row, "state"));
                summary.insert(text(row, "email"), told);
            }
            Some(("SENDS", _)) => sends += row["count"].as_n().unwrap().parse::<u32>().unwrap(),
            Some(("EXPIRY", _)) => {}
            Some(other) => panic!("a row that nobody asked for: {other:?}"),
            None => {
                let told = format!("{} {}", text(row, "plan"), text(row, "status"));
                summary.insert("account".to_owned(), told);
            }
        }
    }
    summary.insert("sends".to_owned(), sends.to_string());
    summary
}

/// What a function that is invoked directly came to, as an answer of the API.
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

/// The promises that matter most, held against what was answered alone: the model has no part in
/// this.
#[derive(Default)]
struct History {
    sends: Vec<Sent>,
    inside: BTreeMap<(usize, usize), Caller>,
    pro: BTreeMap<usize, bool>,
}

struct Sent {
    account: usize,
    whom: usize,
    at: i64,
    /// Used, or followed by another one, or withdrawn.
    is_spent: bool,
}

impl History {
    fn note(&mut self, step: &Step, status: u16, now: i64) {
        if !matches!(status, 200 | 201) {
            return;
        }
        match *step {
            Step::Provision {
                account, is_pro, ..
            } => {
                self.pro.insert(account, is_pro);
            }
            Step::Invite { account, by, whom } | Step::Resend { account, by, whom } => {
                assert!(self.pro[&account], "not pro, and a mail was sent");
                assert_eq!(by.who, account, "somebody else than the owner invited");
                self.spend(account, whom);
                self.sends.push(Sent {
                    account,
                    whom,
                    at: now,
                    is_spent: false,
                });
            }
            Step::Remove { account, by, whom } => {
                assert_ne!(whom, account, "the owner was removed");
                assert_eq!(by.who, account, "somebody else than the owner removed");
                self.spend(account, whom);
                self.inside.remove(&(account, whom));
            }
            Step::Login { by, account, token } => {
                let used = match token {
                    Some(Token::Sent(send)) => Some(send),
                    Some(Token::MadeUp { account, .. }) => {
                        assert!(self.inside.contains_key(&(account, by.who)) || account == by.who);
                        None
                    }
                    None => None,
                };
                let account = used.map(|send| self.sends[send].account).or(account);
                let Some(account) = account else { return };
                if let Some(bound) = self.inside.get(&(account, by.who)) {
                    assert_eq!(*bound, by, "somebody else got in");
                    return;
                }
                if by.who != account {
                    let Some(used) = used else {
                        panic!("in without an invite");
                    };
                    let sent = &mut self.sends[used];
                    assert_eq!(sent.whom, by.who, "another address got in");
                    assert!(!sent.is_spent, "a token worked twice, or after a newer one");
                    assert!(now < sent.at + LIFETIME, "a token worked after its time");
                    assert!(self.pro[&account], "not pro, and an invite was accepted");
                    sent.is_spent = true;
                }
                self.inside.insert((account, by.who), by);
            }
            Step::List { account, by } => {
                let known = self.inside.get(&(account, by.who));
                assert!(
                    by.who == account || known == Some(&by),
                    "seen by a stranger"
                );
            }
            Step::Wait(_)
            | Step::Rename { .. }
            | Step::RenameCompany { .. }
            | Step::Close { .. }
            | Step::Report { .. }
            | Step::Lift { .. } => {}
        }
    }

    fn spend(&mut self, account: usize, whom: usize) {
        for sent in &mut self.sends {
            sent.is_spent |= (sent.account, sent.whom) == (account, whom);
        }
    }
}

/// The model makes up the sequences, and shortens one that fails.
impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        let mut model = Self::at_noon();
        for step in opening() {
            model.take(&step);
        }
        Just(model).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        single_step().boxed()
    }

    fn preconditions(model: &Self, step: &Step) -> bool {
        step.resolved(model).is_some()
    }

    fn apply(mut model: Self, step: &Step) -> Self {
        if let Some(step) = step.resolved(&model) {
            model.take(&step);
        }
        model
    }
}

/// The real handlers, on a stack that lives as long as the process: a sequence that fails leaves
/// its stack behind, and the next one starts another.
struct Handlers {
    runtime: &'static Runtime,
    sequence: Sequence<'static>,
}

thread_local! {
    static IDLE: Cell<Option<(&'static Runtime, &'static mut World)>> = const { Cell::new(None) };
}

impl StateMachineTest for Handlers {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(_: &Model) -> Self {
        let (runtime, world) = IDLE.take().unwrap_or_else(|| {
            let runtime: &Runtime = Box::leak(Box::new(Runtime::new().unwrap()));
            let world = Box::new(runtime.block_on(World::start()));
            (runtime, Box::leak(world))
        });
        let sequence = runtime.block_on(world.begin());
        Self { runtime, sequence }
    }

    fn apply(mut handlers: Self, _: &Model, step: Step) -> Self {
        handlers.runtime.block_on(handlers.sequence.take(&step));
        handlers
    }

    fn check_invariants(handlers: &Self, _: &Model) {
        let Self { runtime, sequence } = handlers;
        runtime.block_on(sequence.expect_pointers());
    }

    fn teardown(mut handlers: Self, _: Model) {
        let Self { runtime, sequence } = &mut handlers;
        runtime.block_on(sequence.expect_open_doors());
        IDLE.set(Some((handlers.runtime, handlers.sequence.world)));
    }
}

/// Tries so many cases of a strategy. One that fails is made as short as it goes, in so many steps at
/// most, and printed.
pub(crate) fn try_cases<S: Strategy>(
    cases: u32,
    max_shrink_iters: u32,
    rng_seed: RngSeed,
    strategy: &S,
    try_case: impl Fn(S::Value),
) {
    let config = Config {
        cases,
        max_shrink_iters,
        failure_persistence: None,
        rng_seed,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(strategy, |case| {
        try_case(case);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Runs sequences, and says how many steps they had.
fn run(sequences: u32, longest: usize, rng_seed: RngSeed) -> usize {
    let strategy = Model::sequential_strategy(1..=longest);
    try_cases(
        sequences,
        2_000,
        rng_seed,
        &strategy,
        |(model, steps, seen)| {
            Handlers::test_sequential(Config::default(), model, steps, seen);
        },
    );
    IDLE.take().map_or(0, |(_, world)| world.steps)
}

#[test]
fn a_hundred_sequences_go_as_the_model_says() {
    let steps = run(100, 15, RngSeed::Fixed(7));
    assert!(steps > 500, "{steps}");
}

/// The long run: other sequences each time.
#[test]
#[ignore = "takes minutes: cargo test --profile long -p tests -- --ignored --nocapture sequences"]
fn ten_thousand_sequences_go_as_the_model_says() {
    let steps = run(10_000, 50, RngSeed::Random);
    println!("10000 sequences, {steps} steps");
}
