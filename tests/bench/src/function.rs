//! One run of a function, from its start to its end.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::endpoints::{Endpoints, Recording};
use crate::quota::Quota;
use crate::runtime_api::RuntimeApi;

/// Something to measure: a function or a baseline.
#[derive(Clone)]
pub(crate) struct Subject {
    /// Its name in the tables.
    pub(crate) name: String,
    /// The program and its arguments.
    pub(crate) command: Vec<PathBuf>,
    /// The whole environment, as Lambda sets it.
    pub(crate) environment: BTreeMap<String, String>,
    /// The payload of each invocation.
    pub(crate) event: Vec<u8>,
    /// A part of every correct answer.
    pub(crate) expected: &'static str,
    /// The recorded answers of AWS.
    pub(crate) recording: Recording,
}

/// The surroundings of a run.
pub(crate) struct Stage {
    pub(crate) api: RuntimeApi,
    pub(crate) endpoints: Endpoints,
    /// The folder for logs.
    pub(crate) folder: PathBuf,
}

pub(crate) struct Function<'a> {
    child: Child,
    api: &'a mut RuntimeApi,
    subject: &'a Subject,
    /// From the start to the first request for an event.
    pub(crate) init: Duration,
}

/// In KiB.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// The most that was resident so far.
    pub(crate) peak: u64,
    pub(crate) resident: u64,
}

impl<'a> Function<'a> {
    /// Starts a function, under another program if one is given, and waits until it asks for an
    /// event.
    ///
    /// # Errors
    ///
    /// If it does not start. Its output is in a file.
    pub(crate) fn start(
        stage: &'a mut Stage,
        subject: &'a Subject,
        in_front: &[String],
        quota: Option<&Quota>,
    ) -> Result<Self, Failure> {
        stage.api.forget();
        stage.endpoints.replay(subject.recording.clone());
        Self::start_anyhow(stage, subject, in_front, quota)
    }

    /// The same, in any mode of the endpoints.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub(crate) fn start_anyhow(
        stage: &'a mut Stage,
        subject: &'a Subject,
        in_front: &[String],
        quota: Option<&Quota>,
    ) -> Result<Self, Failure> {
        let log = stage
            .folder
            .join(format!("{}.log", subject.name.replace(' ', "-")));
        let log = File::create(log)?;
        let mut words = in_front
            .iter()
            .map(PathBuf::from)
            .chain(subject.command.iter().cloned());
        let program = words.next().ok_or("nothing to run")?;
        let mut command = Command::new(program);
        command
            .args(words)
            .env_clear()
            .envs(&subject.environment)
            .env("AWS_LAMBDA_RUNTIME_API", stage.api.address())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let started = Instant::now();
        let child = command.spawn()?;
        if let Some(quota) = quota {
            quota.add(child.id())?;
        }
        let mut function = Self {
            child,
            api: &mut stage.api,
            subject,
            init: Duration::ZERO,
        };
        let waiting = function.api.wait();
        let waiting = waiting.map_err(|error| function.complaint(&error))?;
        function.init = waiting.saturating_duration_since(started);
        Ok(function)
    }

    /// Invokes the function and checks its answer. Returns the time that it took.
    ///
    /// # Errors
    ///
    /// If the answer is wrong: a benchmark of failures is worthless.
    pub(crate) fn invoke(&mut self) -> Result<Duration, Failure> {
        let answered = self.api.invoke(&self.subject.event);
        let (answer, took) = answered.map_err(|error| self.complaint(&error))?;
        let answer = String::from_utf8_lossy(&answer);
        if answer.contains(self.subject.expected) {
            Ok(took)
        } else {
            Err(self.complaint(&format!("it answered {answer}").into()))
        }
    }

    /// # Errors
    ///
    /// If an answer is wrong.
    pub(crate) fn invoke_times(&mut self, times: usize) -> Result<Vec<Duration>, Failure> {
        (0..times).map(|_| self.invoke()).collect()
    }

    /// Reads the resident memory (<https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>).
    ///
    /// # Errors
    ///
    /// If the kernel doesn't report it.
    pub(crate) fn memory(&self) -> Result<Memory, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            number.ok_or_else(|| format!("/proc/PID/status has no {name}"))
        };
        Ok(Memory {
            peak: value("VmHWM:")?,
            resident: value("VmRSS:")?,
        })
    }

    /// Asks the function to end, and waits until it has.
    ///
    /// # Errors
    ///
    /// If it can't be asked.
    pub(crate) fn end(mut self) -> Result<(), Failure> {
        let process = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &process]).status()?;
        self.child.wait()?;
        Ok(())
    }

    fn complaint(&self, error: &Failure) -> Failure {
        let name = &self.subject.name;
        format!("{name}: {error} (its output is in target/bench)").into()
    }
}

impl Drop for Function<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The size of a program, and of its upload, in bytes.
///
/// # Errors
///
/// If the program can't be read.
pub(crate) fn sizes(program: &Path) -> Result<[u64; 2], Failure> {
    let size = fs::metadata(program)?.len();
    // The same compression as zip, without zip's directory.
    let zipped = Command::new("gzip").arg("-9c").arg(program).output()?;
    Ok([size, zipped.stdout.len() as u64])
}
