//! What the functions of a test write to their log.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use platform::{Clock, Environment, telemetry};
use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use super::NOON;

/// The log of a test: all its functions run on its thread.
pub(crate) struct Log {
    written: Written,
    _guard: DefaultGuard,
}

impl Log {
    /// Writes down, from now on, what a deployed function would print with the most talkative
    /// setting.
    pub(crate) fn capture() -> Self {
        let variables = [("AWS_LAMBDA_LOG_LEVEL", "TRACE"), ("STAGE", "local")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let written = Written::default();
        let clock = Clock::new(|| NOON.parse().unwrap());
        let environment = Environment::of(variables.into());
        let subscriber = telemetry::subscriber(&environment, clock, written.clone()).unwrap();
        Self {
            written,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    pub(crate) fn text(&self) -> String {
        let bytes = self.written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// The lines, each of which is JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let line = |line: &str| serde_json::from_str(line).unwrap();
        self.text().lines().map(line).collect()
    }
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
