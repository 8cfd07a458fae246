//! The stand-in for AWS: a TLS server that replays recorded answers of the local stack. The answers
//! are real, and cost almost nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::Failure;
use crate::http::{self, Request};

/// The certificates that deployed functions trust. The benchmark's own are added, so reading them
/// costs as much as in a deployment.
const AMAZON_ROOTS: &str = include_str!("../../../shared/platform/src/aws/amazon-roots.pem");

/// The system's certificates, for programs that use them.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The file of the key for the certificates and for tokens.
pub(crate) const SIGNING_KEY: &str = "signing-key.pem";

/// An operation's requests with their answers.
#[derive(Default, Clone)]
pub(crate) struct Recording(BTreeMap<String, Exchange>);

#[derive(Clone)]
struct Exchange {
    request: Vec<u8>,
    answer: Arc<Vec<u8>>,
}

impl Recording {
    /// The requests by AWS operation, for the baselines.
    ///
    /// # Errors
    ///
    /// If one is not JSON.
    pub(crate) fn requests(&self) -> Result<Value, Failure> {
        let mut requests = json!({});
        for (asked, exchange) in &self.0 {
            let name = asked.rsplit(['.', '/']).next().unwrap_or_default();
            let request = if exchange.request.is_empty() {
                Value::Null
            } else {
                serde_json::from_slice(&exchange.request)?
            };
            if let Some(requests) = requests.as_object_mut() {
                requests.insert(name.to_owned(), request);
            }
        }
        Ok(requests)
    }
}

/// The addresses of the local stack's services, as `address:port`.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    pub(crate) dynamodb: String,
    pub(crate) ses: String,
    pub(crate) events: String,
}

pub(crate) struct Endpoints {
    url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    recording: Recording,
    services: Option<Services>,
}

impl Endpoints {
    /// Starts the server, and writes the certificates to trust into a file.
    ///
    /// # Errors
    ///
    /// If no port is free, or the file can't be written.
    pub(crate) fn start(folder: &Path, bundle: &Path) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let url = format!("https://localhost:{}", listener.local_addr()?.port());
        let tls = Arc::new(tls(folder, bundle)?);
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, state) = (Arc::clone(&tls), Arc::clone(&shared));
                // If a connection breaks, the function reports it.
                thread::spawn(move || serve(stream, tls, &state));
            }
        });
        Ok(Self { url, state })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// From now on, forwards every request to the services and records it.
    pub(crate) fn record(&self, services: Services) {
        self.set(State {
            recording: Recording::default(),
            services: Some(services),
        });
    }

    pub(crate) fn recorded(&self) -> Recording {
        let state = self.state.lock();
        state.map_or_else(|_| Recording::default(), |state| state.recording.clone())
    }

    /// From now on, only replays recorded answers.
    pub(crate) fn replay(&self, recording: Recording) {
        self.set(State {
            recording,
            services: None,
        });
    }

    fn set(&self, new: State) {
        if let Ok(mut state) = self.state.lock() {
            *state = new;
        }
    }
}

/// A certificate like those of AWS's endpoints: RSA, with one intermediate. All of them share one
/// key.
fn tls(folder: &Path, bundle: &Path) -> Result<ServerConfig, Failure> {
    let key = KeyPair::from_pem(&fs::read_to_string(folder.join(SIGNING_KEY))?)?;
    let authority = |name: &str| {
        let mut parameters = CertificateParams::new([])?;
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok::<_, rcgen::Error>(parameters)
    };
    let root = authority("Root of the benchmark")?;
    let root_certificate = root.self_signed(&key)?;
    let root = Issuer::new(root, &key);
    let middle = authority("Authority of the benchmark")?;
    let middle_certificate = middle.signed_by(&key, &root)?;
    let middle = Issuer::new(middle, &key);
    let own = CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, &middle)?;

    let root = root_certificate.pem();
    fs::write(bundle, format!("{AMAZON_ROOTS}\n{root}"))?;
    let system = fs::read_to_string(SYSTEM_ROOTS).unwrap_or_else(|_| AMAZON_ROOTS.to_owned());
    fs::write(
        bundle.with_extension("system.pem"),
        format!("{system}\n{root}"),
    )?;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = vec![own.der().clone(), middle_certificate.der().clone()];
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key.into())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn serve(stream: TcpStream, tls: Arc<ServerConfig>, state: &Mutex<State>) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    let connection = ServerConnection::new(tls)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    while let Some(request) = Request::read(&mut reader)? {
        let answer = answer(&request, state)?;
        reader.get_mut().write_all(&answer)?;
        reader.get_mut().flush()?;
    }
    Ok(())
}

fn answer(request: &Request, state: &Mutex<State>) -> Result<Arc<Vec<u8>>, Failure> {
    let (method, path) = request.line();
    let target = request.header("x-amz-target");
    let mut asked = target.map_or_else(|| format!("{method} {path}"), str::to_owned);
    // The service refuses the mail without a recipient, which only opens the connection.
    if request.body == b"{}" {
        asked += " of nothing";
    }
    let mut state = state.lock().map_err(|error| error.to_string())?;
    if let Some(exchange) = state.recording.0.get(&asked) {
        return Ok(Arc::clone(&exchange.answer));
    }
    let answer = match &state.services {
        Some(services) => forward(request, service(services, &asked))?,
        None => not_recorded(&asked)?,
    };
    let exchange = Exchange {
        request: request.body.clone(),
        answer: Arc::new(answer),
    };
    let answer = Arc::clone(&exchange.answer);
    if state.services.is_some() {
        state.recording.0.insert(asked, exchange);
    }
    Ok(answer)
}

fn service<'a>(services: &'a Services, asked: &str) -> &'a str {
    if asked.starts_with("DynamoDB") {
        &services.dynamodb
    } else if asked.starts_with("AWSEvents") {
        &services.events
    } else {
        &services.ses
    }
}

/// A service's answer, unchanged except that the connection stays open.
fn forward(request: &Request, service: &str) -> Result<Vec<u8>, Failure> {
    let mut stream = TcpStream::connect(service)?;
    let mut lines = request.head.trim_end().lines();
    let mut head = format!("{}\r\n", lines.next().unwrap_or_default());
    for line in lines {
        if !line.to_ascii_lowercase().starts_with("connection:") {
            head += &format!("{line}\r\n");
        }
    }
    head += "connection: close\r\n\r\n";
    stream.write_all(head.as_bytes())?;
    stream.write_all(&request.body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8(answer)?;
    Ok(answer.replacen("connection: close\r\n", "", 1).into_bytes())
}

/// The answer to an unexpected request.
fn not_recorded(asked: &str) -> Result<Vec<u8>, Failure> {
    let mut answer = Vec::new();
    let body = json!({ "message": format!("{asked} is not recorded") }).to_string();
    http::write(&mut answer, "400 Bad Request", "", body.as_bytes())?;
    Ok(answer)
}
