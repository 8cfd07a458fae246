//! What must hold for any input: each function takes unchecked input, and panics if a promise is
//! broken. The fuzz targets run them for hours; here they get the seeds of those targets.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use authorize_request::AuthorizeRequest;
use data_encoding::BASE64URL_NOPAD;
use domain::Timestamp;
use domain::address::EmailAddress;
use domain::id::{AccountId, MemberId};
use domain::name::{CompanyName, PersonName};
use domain::token::InviteToken;
use platform::fields::Fields;
use platform::problem::Code;
use platform::sign_in::SignIn;
use platform::store::{
    Cursor, CursorText, FeedbackCursorText, MembersFilter, Record, StatusFilter,
};
use platform::{Call, Environment, Invocation, Platform};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// A text as an address, a name, an id or a token: what is read is canonical, and reads the same
/// again.
pub(crate) fn address(text: &str) {
    if let Ok(address) = text.parse::<EmailAddress>() {
        let canonical = address.as_str();
        assert!(canonical.is_ascii() && canonical.len() <= 254);
        assert!(!canonical.contains(|c: char| c.is_ascii_uppercase() || c.is_ascii_control()));
        assert_eq!(canonical.matches('@').count(), 1);
        assert_eq!(canonical.parse(), Ok(address.clone()));
        assert_eq!(address.masked().matches('@').count(), 1);
    }
    if let Ok(name) = text.parse::<PersonName>() {
        assert!(
            !name
                .as_str()
                .contains(['<', '>', '&', '/', ':', '@', '\r', '\n'])
        );
        assert_eq!(name.as_str().parse(), Ok(name.clone()));
    }
    if let Ok(name) = text.parse::<CompanyName>() {
        assert!(!name.as_str().contains(['\r', '\n']));
    }
    if let Ok(account) = text.parse::<AccountId>() {
        assert!(!account.as_str().contains('#') && account.as_str() == text);
    }
    if let Ok(member) = text.parse::<MemberId>() {
        assert_eq!(member.as_str(), text);
    }
    if let Ok(token) = text.parse::<InviteToken>() {
        assert_eq!(token.to_link_text(), text);
    }
}

/// A text as a cursor: what is read is what was given out, for this account and this filter.
pub(crate) fn cursor(text: &str) {
    let _ = text.parse::<FeedbackCursorText>();
    let Ok(cursor) = text.parse::<CursorText>() else {
        return;
    };
    let account: AccountId = "acme".parse().unwrap();
    let other: AccountId = "other".parse().unwrap();
    let filter = MembersFilter {
        status: StatusFilter::Current,
        delivery: None,
        text: None,
    };
    if let Ok(place) = Cursor::of_text(&cursor, &account, &filter) {
        assert_eq!(place.to_text(&account, &filter), text);
        assert!(Cursor::of_text(&cursor, &other, &filter).is_err());
    }
}

/// A text as an event of API Gateway: only a verified address counts, and parsing
/// the rest of the request ends in values or in a problem.
pub(crate) fn request(event: &str) {
    let Ok(mut event) = serde_json::from_str::<Value>(event) else {
        return;
    };
    // API Gateway says itself how it was reached, and lambda_http relies on it: it makes a URL of
    // these, and panics where there is none.
    if let Some(headers) = event.get_mut("headers").and_then(Value::as_object_mut) {
        let is_gateways = |name: &str| {
            ["host", "x-forwarded-proto"].contains(&name.to_ascii_lowercase().as_str())
        };
        headers.retain(|name, _| !is_gateways(name));
        headers.insert("host".to_owned(), Value::from("api.example.com"));
    }
    if let Some(domain) = event.pointer_mut("/requestContext/domainName") {
        *domain = Value::from("api.example.com");
    }
    if let Some(Value::String(path)) = event.get_mut("rawPath")
        && !path.starts_with('/')
    {
        path.insert(0, '/');
    }
    let Ok(request) = lambda_http::request::from_str(&event.to_string()) else {
        return;
    };
    let settings = [("IDENTITY_CLAIM", "sub"), ("EMAIL_PROOF", "email_verified")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let sign_in = SignIn::new(&Environment::of(settings.into())).unwrap();
    let Ok(call) = Call::new(request, &sign_in, Timestamp::UNIX_EPOCH) else {
        return;
    };
    let claims = &event["requestContext"]["authorizer"]["jwt"]["claims"];
    if let Some(proven) = call.caller.email() {
        assert_eq!(claims["email_verified"], "true");
        let email: EmailAddress = claims["email"].as_str().unwrap().parse().unwrap();
        assert_eq!(*proven, email);
    }
    assert_eq!(claims["sub"], call.caller.identity.subject);
    let _ = call.path::<AccountId>("accountId");
    let _ = call.path::<MemberId>("memberId");
    let _ = call.path::<EmailAddress>("email");
    let _ = call.idempotency_key();
    let _ = call.query().finish(());
    if let Ok(mut body) = call.body() {
        let _ = body.required::<PersonName>("firstName");
        let _ = body.optional::<EmailAddress>("email");
        let _ = body.optional_text("inviteToken");
        let _ = body.finish(());
    }
}

/// A text as an event of SNS, EventBridge or the table's stream.
pub(crate) fn event(event: &str) {
    let Ok(event) = serde_json::from_str::<Value>(event) else {
        return;
    };
    for record in Record::of_event(&event) {
        let _ = (record.id(), record.sequence_number(), record.time());
        let _ = record.changes();
    }
    let records = event.get("Records").and_then(Value::as_array);
    for record in records.into_iter().flatten() {
        if let Some(message) = record.pointer("/Sns/Message").and_then(Value::as_str) {
            let _ = mail_feedback::ses_event::read(message, "sns", Timestamp::UNIX_EPOCH);
        }
    }
    if let Ok(mut fields) = Fields::of_value(event) {
        let mut owner = fields.enter("owner");
        let _ = owner.required::<EmailAddress>("email");
        let _ = owner.check(());
        let _ = (fields.flag("reopen"), fields.optional_number("revision"));
        let _ = fields.finish(());
    }
}

/// A text as a token; and as the claims, as the header and as both of a token that its issuer signed.
/// Without a subject, it lets nobody in, and looks like a refusal rather than a failure.
pub(crate) fn token(text: &str) {
    thread_local!(static GUARDED: Guarded = Guarded::new());
    GUARDED.with(|guarded| {
        let (header, claims) = (br#"{"typ":"JWT"}"#, b"{}");
        guarded.refuses(text);
        guarded.refuses(&guarded.signed(header, text.as_bytes()));
        guarded.refuses(&guarded.signed(text.as_bytes(), claims));
        let mut parts = text.split('.');
        let mut part = || BASE64URL_NOPAD.decode(parts.next()?.as_bytes()).ok();
        if let (Some(header), Some(claims)) = (part(), part()) {
            guarded.refuses(&guarded.signed(&header, &claims));
        }
    });
}

/// A guard, and the issuer that it trusts.
struct Guarded {
    guard: AuthorizeRequest,
    runtime: Runtime,
    issuer: String,
    pair: EcdsaKeyPair,
}

impl Guarded {
    fn new() -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let [x, y] = [x, y].map(|part| BASE64URL_NOPAD.encode(part));
        let key = json!({ "kty": "EC", "crv": "P-256", "kid": "key", "x": x, "y": y });

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        // Both documents of the issuer in one.
        let document = json!({ "issuer": issuer, "jwks_uri": issuer, "keys": [key] }).to_string();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &document);
            }
        });

        let variables = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "none"),
            ("AWS_SECRET_ACCESS_KEY", "none"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
            ("TABLE_NAME", "Table"),
            ("PRO_PLANS", "pro"),
            ("ISSUER", &issuer),
            ("AUDIENCE", "product"),
            ("API_AUDIENCE", "api"),
            ("IDENTITY_CLAIM", "sub"),
            ("EMAIL_PROOF", "email_verified"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let platform = Platform::deployed(Environment::of(variables.into())).unwrap();
        Self {
            guard: AuthorizeRequest::new(&platform).unwrap(),
            runtime: Builder::new_current_thread().enable_all().build().unwrap(),
            issuer,
            pair,
        }
    }

    /// A token of the issuer with this header and these claims. If they are JSON objects, they name
    /// the key, the issuer and the audience, and no subject.
    fn signed(&self, header: &[u8], claims: &[u8]) -> String {
        let part = |bytes: &[u8], fields: Value| match serde_json::from_slice(bytes) {
            Ok(Value::Object(mut object)) => {
                object.remove("sub");
                object.extend(fields.as_object().unwrap().clone());
                BASE64URL_NOPAD.encode(Value::Object(object).to_string().as_bytes())
            }
            _ => BASE64URL_NOPAD.encode(bytes),
        };
        let header = part(header, json!({ "alg": "ES256", "kid": "key" }));
        let claims = part(claims, json!({ "iss": self.issuer, "aud": "product" }));
        let signed = format!("{header}.{claims}");
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = BASE64URL_NOPAD.encode(signature.unwrap().as_ref());
        format!("{signed}.{signature}")
    }

    fn refuses(&self, token: &str) {
        let event = json!({ "headers": { "authorization": format!("Bearer {token}") } });
        let verdict = self.guard.invoke(event, Timestamp::UNIX_EPOCH);
        let refusal = self.runtime.block_on(verdict).unwrap_err();
        assert_eq!(refusal.code(), Code::Unauthenticated, "{token}");
    }
}

fn serve(mut stream: TcpStream, document: &str) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let _ = lines
        .take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
        .count();
    let length = document.len();
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    let _ = stream.write_all((head + document).as_bytes());
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    fn seeds(folder: &str) -> Vec<String> {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(folder);
        let files = std::fs::read_dir(folder).unwrap();
        let texts: Vec<_> = files
            .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
            .collect();
        assert!(texts.len() >= 10, "{}", texts.len());
        texts
    }

    /// A text, its beginnings, and it with a character left out or changed.
    fn each_with_mutants(texts: &[String], promise: fn(&str)) {
        for text in texts {
            promise(text);
            let places: Vec<_> = text.char_indices().map(|(place, _)| place).collect();
            let step = places.len().div_ceil(60).max(1);
            for place in places.into_iter().step_by(step) {
                let (before, after) = text.split_at(place);
                promise(before);
                let rest: String = after.chars().skip(1).collect();
                for other in ["", "\u{0}", "\"", "@", "\u{202e}", "999"] {
                    promise(&format!("{before}{other}{rest}"));
                }
            }
        }
    }

    #[test]
    fn addresses_keep_their_promises() {
        each_with_mutants(&seeds("tests/fuzz/seeds/address"), super::address);
        let corpus: Vec<(String, Option<String>)> =
            serde_json::from_str(include_str!("../corpus/addresses.json")).unwrap();
        let corpus: Vec<_> = corpus.into_iter().map(|(text, _)| text).collect();
        each_with_mutants(&corpus, super::address);
    }

    #[test]
    fn cursors_keep_their_promises() {
        each_with_mutants(&seeds("tests/fuzz/seeds/cursor"), super::cursor);
    }

    #[test]
    fn requests_keep_their_promises() {
        each_with_mutants(&seeds("events"), super::request);
    }

    #[test]
    fn events_keep_their_promises() {
        each_with_mutants(&seeds("events"), super::event);
    }

    #[test]
    fn tokens_keep_their_promises() {
        let (long, short) = seeds("tests/fuzz/seeds/token")
            .into_iter()
            .partition::<Vec<_>, _>(|text| text.len() > 1_000);
        long.iter().for_each(|text| super::token(text));
        each_with_mutants(&short, super::token);
    }
}
