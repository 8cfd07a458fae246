//! What the functions of a test write to their log.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use platform::{Clock, Environment, telemetry};
use serde_json::Value;

use super::NOON;

thread_local! {
    /// What this thread logged, if a test captures it. The whole stack of a test runs on the test's
    /// own thread.
    static WRITTEN: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// The log of the test that captures it, until it is dropped.
pub(crate) struct Log(());

impl Log {
    /// From now on, captures what a deployed function would print at its most verbose level.
    pub(crate) fn capture() -> Self {
        // A subscriber for one thread isn't enough: `tracing` asks once, from any thread, whether a
        // line is wanted.
        static INSTALL: Once = Once::new();
        INSTALL.call_once(|| {
            let variables = [("AWS_LAMBDA_LOG_LEVEL", "TRACE"), ("STAGE", "local")];
            let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let environment = Environment::of(variables.into());
            let clock = Clock::new(|| NOON.parse().unwrap());
            let writer = || ToThisThread;
            let subscriber = telemetry::subscriber(&environment, clock, writer).unwrap();
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        WRITTEN.set(Some(Vec::new()));
        Self(())
    }

    pub(crate) fn text(&self) -> String {
        let written = WRITTEN.with_borrow(|written| written.clone().unwrap());
        String::from_utf8(written).unwrap()
    }

    /// The lines, each of which is JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let line = |line: &str| serde_json::from_str(line).unwrap();
        self.text().lines().map(line).collect()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        WRITTEN.set(None);
    }
}

struct ToThisThread;

impl io::Write for ToThisThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITTEN.with_borrow_mut(|written| {
            if let Some(written) = written {
                written.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
