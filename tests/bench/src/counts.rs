//! Instructions, counted by valgrind. The counts stay the same on a busy machine.

use std::fs;
use std::path::Path;

use crate::Failure;
use crate::function::{Function, Stage, Subject};

/// The number of invocations in the mean cost of a warm one.
const WARM: u64 = 100;

/// The number of runs per count.
const RUNS: usize = 3;

/// The instructions of a function, in user mode.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// From its start to the end of the first invocation.
    pub(crate) to_first: u64,
    /// Per further invocation.
    pub(crate) warm: u64,
}

/// Counts the instructions of two runs with different numbers of invocations.
///
/// # Errors
///
/// If valgrind is missing, or the function fails under it.
pub(crate) fn count(stage: &mut Stage, subject: &Subject) -> Result<Counts, Failure> {
    let to_first = smallest(stage, subject, 1)?;
    let more = smallest(stage, subject, 1 + WARM)?;
    Ok(Counts {
        to_first,
        warm: more.saturating_sub(to_first) / WARM,
    })
}

/// The smallest count of several runs: on a busy machine, slow steps under valgrind can time out
/// and run again.
fn smallest(stage: &mut Stage, subject: &Subject, invocations: u64) -> Result<u64, Failure> {
    let mut smallest = run(stage, subject, invocations)?;
    for _ in 1..RUNS {
        smallest = smallest.min(run(stage, subject, invocations)?);
    }
    Ok(smallest)
}

fn run(stage: &mut Stage, subject: &Subject, invocations: u64) -> Result<u64, Failure> {
    let name = subject.name.replace(' ', "-");
    let out = stage.folder.join(format!("{name}.{invocations}.callgrind"));
    let valgrind = [
        VALGRIND.to_owned(),
        "--tool=callgrind".to_owned(),
        format!("--callgrind-out-file={}", out.display()),
    ];
    let mut function = Function::start(stage, subject, &valgrind, None)?;
    for _ in 0..invocations {
        function.invoke()?;
    }
    function.end()?;
    let profile = fs::read_to_string(&out)?;
    let total = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))
        .ok_or("valgrind counted nothing")?;
    Ok(total.trim().parse()?)
}

const VALGRIND: &str = "/usr/bin/valgrind";

/// Whether a subject's instructions can be counted: valgrind is installed, and the subject has no
/// just-in-time compiler.
pub(crate) fn can_count(subject: &Subject) -> bool {
    let is_compiled = subject.command.len() == 1;
    is_compiled && Path::new(VALGRIND).exists()
}

/// The most instructions that a function may take.
pub(crate) struct Ceiling {
    pub(crate) operation: String,
    /// To the end of the first invocation.
    pub(crate) to_first: u64,
    /// Per warm invocation.
    pub(crate) warm: u64,
}

impl Ceiling {
    /// Reads lines of an operation and two numbers. Lines that begin with `#` are comments.
    ///
    /// # Errors
    ///
    /// If a line can't be parsed.
    pub(crate) fn read(file: &Path) -> Result<Vec<Self>, Failure> {
        let text = fs::read_to_string(file)?;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| match *line.split_whitespace().collect::<Vec<_>>() {
                [operation, to_first, warm] => Ok(Self {
                    operation: operation.to_owned(),
                    to_first: to_first.parse()?,
                    warm: warm.parse()?,
                }),
                _ => Err(format!("a ceiling that is not understood: {line}").into()),
            })
            .collect()
    }
}
