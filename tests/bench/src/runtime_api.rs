//! Lambda's runtime API, from which a function gets its events
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).

use std::io::{self, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use platform::Clock;

use crate::Failure;
use crate::http::{self, Request};

/// The longest wait for a function, which may run under valgrind.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Serves one function at a time.
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    calls: Receiver<Call>,
    waiting: Option<SyncSender<Vec<u8>>>,
    /// The time when the last event was handed over.
    handed_over: Arc<Mutex<Instant>>,
}

/// A function's call to the API.
enum Call {
    /// It asks for an event.
    Next(Instant, SyncSender<Vec<u8>>),
    /// It has answered an event.
    Answered(Instant, Vec<u8>),
    /// It has failed.
    Failed(Vec<u8>),
}

impl RuntimeApi {
    /// Starts the API on a free port.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (sender, calls) = channel();
        let handed_over = Arc::new(Mutex::new(Instant::now()));
        let shared = Arc::clone(&handed_over);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (sender, handed_over) = (sender.clone(), Arc::clone(&shared));
                thread::spawn(move || serve(&stream, &sender, &handed_over));
            }
        });
        Ok(Self {
            address,
            calls,
            waiting: None,
            handed_over,
        })
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Forgets the last function before another one is started.
    pub(crate) fn forget(&mut self) {
        self.waiting = None;
        self.calls.try_iter().for_each(drop);
    }

    /// Waits until the function asks for an event, and returns the time.
    ///
    /// # Errors
    ///
    /// If the function does anything else, or nothing in time.
    pub(crate) fn wait(&mut self) -> Result<Instant, Failure> {
        match self.calls.recv_timeout(LONGEST_WAIT)? {
            Call::Next(at, waiting) => {
                self.waiting = Some(waiting);
                Ok(at)
            }
            Call::Answered(..) => Err("a function answered without an event".into()),
            Call::Failed(body) => Err(failed(&body)),
        }
    }

    /// Hands an event to the waiting function, and waits until it asks for the next one. Returns
    /// the answer and the time that it took.
    ///
    /// # Errors
    ///
    /// If the function does not answer.
    pub(crate) fn invoke(&mut self, event: &[u8]) -> Result<(Vec<u8>, Duration), Failure> {
        let waiting = self.waiting.take().ok_or("no function is waiting")?;
        waiting.send(event.to_vec())?;
        let (answered, answer) = match self.calls.recv_timeout(LONGEST_WAIT)? {
            Call::Answered(at, body) => (at, body),
            Call::Next(..) => return Err("a function asked for another event too early".into()),
            Call::Failed(body) => return Err(failed(&body)),
        };
        let handed_over = *self.handed_over.lock().map_err(|error| error.to_string())?;
        self.wait()?;
        Ok((answer, answered.saturating_duration_since(handed_over)))
    }
}

fn failed(body: &[u8]) -> Failure {
    let body = String::from_utf8_lossy(body);
    format!("a function failed: {body}").into()
}

fn serve(
    stream: &TcpStream,
    calls: &Sender<Call>,
    handed_over: &Mutex<Instant>,
) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    let clock = Clock::system();
    while let Some(request) = Request::read(&mut reader)? {
        let now = Instant::now();
        let (_, path) = request.line();
        if path.ends_with("/invocation/next") {
            let (waiting, event) = sync_channel(1);
            calls.send(Call::Next(now, waiting))?;
            let event = event.recv()?;
            let deadline = clock.now().as_millisecond() + 30_000;
            let headers = format!(
                "content-type: application/json\r\n\
                 lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
                 lambda-runtime-deadline-ms: {deadline}\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:123456789012:function:bench\r\n\
                 lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n"
            );
            *handed_over.lock().map_err(|error| error.to_string())? = Instant::now();
            http::write(&mut writer, "200 OK", &headers, &event)?;
        } else {
            let answered = path.ends_with("/response");
            let call = if answered {
                Call::Answered(now, request.body)
            } else {
                Call::Failed(request.body)
            };
            calls.send(call)?;
            http::write(&mut writer, "202 Accepted", "", b"{\"status\":\"OK\"}")?;
        }
    }
    Ok(())
}
