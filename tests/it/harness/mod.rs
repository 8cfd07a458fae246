//! The front door: a whole stack for one test, and the people who call it.

mod bless;
pub(crate) mod contract;
pub(crate) mod issuer;
mod log;
mod meter;
mod wire;

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use domain::id::MemberId;
use local::{Mail, Options, SigningKey, Stack};
use platform::Problem;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};

pub(crate) use bless::compare_or_bless;
pub(crate) use log::Log;
pub(crate) use meter::{Cost, Meter};
use wire::Patience;
pub(crate) use wire::{AWS_SAYS, Fault, Mutant, Order, Request, Wire};

/// The owner of every account that [`Rollcall::account`] makes.
pub(crate) const OWNER: &str = "olivia@example.com";

/// When every test begins. Only tests move the clock, so no test depends on the time of day or the
/// speed of the machine.
pub(crate) const NOON: &str = "2026-11-24T12:00:00Z";

/// The items of the table, by partition and sort key.
pub(crate) type Rows = BTreeMap<String, Row>;
pub(crate) type Row = BTreeMap<String, AttributeValue>;

/// A running stack that holds only what a test puts in.
pub(crate) struct Rollcall {
    pub(crate) stack: Stack,
    /// Every request that the functions make to AWS.
    pub(crate) wire: Wire,
    http: reqwest::Client,
}

impl Rollcall {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        // All tests share one key, because creating one is slow.
        static SIGNING_KEY: OnceLock<SigningKey> = OnceLock::new();
        let key = SIGNING_KEY.get_or_init(|| SigningKey::generate().unwrap());
        let wire = Wire::default();
        let options = Options {
            signing_key: Some(key.clone()),
            http_clients: Some(wire.to_http_clients()),
            sleep: Some(SharedAsyncSleep::new(Patience)),
            clock_stands_at: Some(NOON.parse().unwrap()),
            ..options
        };
        Self {
            stack: Stack::start(options).await.unwrap(),
            wire,
            http: reqwest::Client::new(),
        }
    }

    /// A running stack with the pro account `acme`, and its owner.
    pub(crate) async fn start_with_owner() -> (Self, Person) {
        let rollcall = Self::start().await;
        rollcall.account("acme", "pro").await;
        let owner = rollcall.person(OWNER).await;
        rollcall.wire.forget();
        (rollcall, owner)
    }

    /// The same with an owner who has logged in: this owner's calls need only the rows they change.
    pub(crate) async fn start_with_bound_owner() -> (Self, Person) {
        let (rollcall, owner) = Self::start_with_owner().await;
        owner.login(&json!({})).await.expect_status(200);
        rollcall.wire.forget();
        (rollcall, owner)
    }

    /// Provisions an account that belongs to [`OWNER`], or changes its plan.
    pub(crate) async fn account(&self, id: &str, plan: &str) {
        self.provision(&json!({
            "accountId": id,
            "company": format!("{id} Inc."),
            "plan": plan,
            "owner": { "firstName": "Olivia", "lastName": "Owner", "email": OWNER },
        }))
        .await
        .expect_status(200);
    }

    /// Sends a payload to `provision-account`.
    pub(crate) async fn provision(&self, payload: &Value) -> Reply {
        self.dev("/dev/accounts", payload).await
    }

    /// Calls the control surface.
    pub(crate) async fn dev(&self, path: &str, body: &Value) -> Reply {
        let request = self
            .http
            .post(self.url(path))
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        Reply::of(request).await
    }

    /// Calls the API without a token.
    pub(crate) async fn anonymous(&self, method: Method, path: &str) -> Reply {
        Reply::of(self.request(method, path)).await
    }

    /// A request without a token, for cases that [`Rollcall::anonymous`] doesn't cover.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// A person who signed in with a verified address.
    pub(crate) async fn person(&self, email: &str) -> Person {
        self.signed_in(&json!({ "email": email })).await
    }

    /// A person who signed in with this payload of `/dev/token`.
    pub(crate) async fn signed_in(&self, claims: &Value) -> Person {
        let token = self.dev("/dev/token", claims).await.expect_status(200);
        Person {
            url: self.stack.url().to_owned(),
            http: self.http.clone(),
            bearer: format!("Bearer {}", token.text("idToken")),
        }
    }

    /// Invites a person to `acme`, and accepts the invite.
    pub(crate) async fn member(&self, owner: &Person, email: &str) -> Person {
        owner.invite("acme", email).await.expect_status(201);
        let member = self.person(email).await;
        let login = member
            .login(&json!({ "inviteToken": self.newest_token() }))
            .await;
        login.expect_status(200);
        self.wire.forget();
        member
    }

    /// Adds this many people to an account directly in the table: copies of one person, with the
    /// addresses `p0000@example.com` and up.
    pub(crate) async fn crowd(&self, account: &str, like: &str, people: usize) {
        let original = self.row(account, like).await;
        let text = |text: String| AttributeValue::S(text);
        let (rank_before_id, _) = original["rank"].as_s().unwrap().rsplit_once('#').unwrap();
        let requests: Vec<WriteRequest> = (0..people)
            .map(|number| {
                let email = format!("p{number:04}@example.com");
                let id = member_id(account, &email);
                let mut row: HashMap<_, _> = original.clone().into_iter().collect();
                row.insert("sk".to_owned(), text(format!("MEMBER#{id}")));
                row.insert("rank".to_owned(), text(format!("{rank_before_id}#{id}")));
                row.insert("memberId".to_owned(), text(id.to_string()));
                row.insert("email".to_owned(), text(email));
                let put = PutRequest::builder().set_item(Some(row)).build().unwrap();
                WriteRequest::builder().put_request(put).build()
            })
            .collect();
        let dynamodb = self.stack.dynamodb();
        // DynamoDB accepts 25 at a time.
        for batch in requests.chunks(25) {
            let write = dynamodb.batch_write_item();
            let write = write.request_items("Table", batch.to_vec());
            write.send().await.unwrap();
        }
    }

    /// Closes an account, as its owner.
    pub(crate) async fn close(&self, account: &str) {
        let owner = self.person(OWNER).await;
        let closed = owner.delete(&format!("/accounts/{account}")).await;
        closed.expect_status(200);
        self.wire.forget();
    }

    /// Moves the functions' clock ahead.
    pub(crate) async fn advance(&self, seconds: u32) {
        let reply = self
            .dev("/dev/clock", &json!({ "advanceSeconds": seconds }))
            .await;
        reply.expect_status(200);
    }

    pub(crate) fn newest_mail(&self) -> Mail {
        self.stack.mailbox().newest().unwrap()
    }

    /// The token in the newest mail's link.
    pub(crate) fn newest_token(&self) -> String {
        let link = self.newest_mail().link.unwrap();
        link.split_once("#token=").unwrap().1.to_owned()
    }

    /// Invokes a function with an event, bypassing API Gateway.
    pub(crate) async fn invoke(&self, operation: &str, event: Value) -> Result<Value, Problem> {
        self.stack.invoke(operation, event).await.unwrap()
    }

    /// Every item of the table, by its key.
    pub(crate) async fn rows(&self) -> Rows {
        let mut rows = BTreeMap::new();
        let mut pages = self
            .stack
            .dynamodb()
            .scan()
            .table_name("Table")
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.next().await {
            let item: BTreeMap<_, _> = item.unwrap().into_iter().collect();
            let key = |name: &str| item.get(name).unwrap().as_s().unwrap().clone();
            rows.insert(format!("{} {}", key("pk"), key("sk")), item);
        }
        rows
    }

    /// The row of a person in an account.
    pub(crate) async fn row(&self, account: &str, email: &str) -> Row {
        let key = format!("ACCOUNT#{account} MEMBER#{}", member_id(account, email));
        self.rows().await.remove(&key).unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.stack.url())
    }
}

/// The id of a person in an account.
pub(crate) fn member_id(account: &str, email: &str) -> MemberId {
    MemberId::of(&account.parse().unwrap(), &email.parse().unwrap())
}

/// A person who calls the API with an ID token.
#[derive(Clone)]
pub(crate) struct Person {
    url: String,
    http: reqwest::Client,
    bearer: String,
}

impl Person {
    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::POST, path).body(body.to_string())).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::PATCH, path).body(body.to_string())).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::DELETE, path)).await
    }

    /// A request by this person, for cases that the other methods don't cover.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .header(AUTHORIZATION, &self.bearer)
    }

    /// Invites Kim Lee at an address.
    pub(crate) async fn invite(&self, account: &str, email: &str) -> Reply {
        self.post(&format!("/accounts/{account}/members"), &invitation(email))
            .await
    }

    /// The same with an idempotency key.
    pub(crate) async fn invite_with_key(&self, account: &str, email: &str, key: &str) -> Reply {
        let path = format!("/accounts/{account}/members");
        let request = self.request(Method::POST, &path);
        let request = request.header("Idempotency-Key", key);
        Reply::of(request.body(invitation(email).to_string())).await
    }

    pub(crate) async fn resend_with_key(&self, account: &str, email: &str, key: &str) -> Reply {
        let id = member_id(account, email);
        let path = format!("/accounts/{account}/members/{id}/resend");
        Reply::of(
            self.request(Method::POST, &path)
                .header("Idempotency-Key", key),
        )
        .await
    }

    pub(crate) async fn resend(&self, account: &str, email: &str) -> Reply {
        let id = member_id(account, email);
        self.post(
            &format!("/accounts/{account}/members/{id}/resend"),
            &json!({}),
        )
        .await
    }

    pub(crate) async fn remove(&self, account: &str, email: &str) -> Reply {
        let id = member_id(account, email);
        self.delete(&format!("/accounts/{account}/members/{id}"))
            .await
    }

    pub(crate) async fn list(&self, account: &str, query: &str) -> Reply {
        self.get(&format!("/accounts/{account}/members{query}"))
            .await
    }

    pub(crate) async fn login(&self, body: &Value) -> Reply {
        self.post("/login", body).await
    }
}

/// The body that invites Kim Lee.
pub(crate) fn invitation(email: &str) -> Value {
    json!({ "firstName": "Kim", "lastName": "Lee", "email": email })
}

/// What the API answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) raw: String,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let (http, request) = request.build_split();
        let request = request.unwrap();
        let (method, url) = (request.method().clone(), request.url().clone());
        let response = http.execute(request).await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let raw = response.text().await.unwrap();
        let body = serde_json::from_str(&raw).unwrap_or_default();
        let reply = Self {
            status,
            headers,
            raw,
            body,
        };
        let content_type = reply.header("content-type");
        contract::check(
            method.as_str(),
            url.path(),
            status,
            &content_type,
            &reply.body,
        );
        reply
    }

    #[track_caller]
    pub(crate) fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.raw);
        self
    }

    /// Checks for a problem with this status and code, in the form that all problems have.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.text("code")), (status, code.to_owned()));
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["type"], format!("/problems/{code}"));
        assert_eq!(self.body["status"], status);
        assert_eq!(self.text("requestId"), self.header("x-request-id"));
        assert!(!self.text("title").is_empty() && !self.text("detail").is_empty());
        self
    }

    /// A string field of the body; empty if there is none.
    pub(crate) fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }

    /// A header; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        let value = self.headers.get(name).map(|value| value.to_str().unwrap());
        value.unwrap_or_default().to_owned()
    }

    /// The fields that a problem names.
    pub(crate) fn wrong_fields(&self) -> Vec<String> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        let field = |error: Value| error["field"].as_str().unwrap().to_owned();
        errors.into_iter().map(field).collect()
    }

    /// The body without what differs from one request to the next.
    pub(crate) fn without_request_id(&self) -> Value {
        let mut body = self.body.clone();
        if let Some(body) = body.as_object_mut() {
            body.remove("requestId");
        }
        body
    }

    /// The addresses in the list.
    pub(crate) fn emails(&self) -> Vec<String> {
        let members = self.body["members"].as_array().unwrap();
        let email = |member: &Value| member["email"].as_str().unwrap().to_owned();
        members.iter().map(email).collect()
    }
}
