//! Times and memory. All subjects take turns, so a disturbance affects them all.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::function::{Function, Memory, Stage, Subject};
use crate::quota::Quota;

/// Invocations after the first one, without pauses.
const WARM: usize = 1_000;
/// Invocations in the rounds that measure memory.
const MANY: usize = 10_000;
/// One round in this many measures memory.
const EVERY: usize = 5;
/// Invocations with a small share of the processor, after the first one of a round.
const PACED: usize = 40;
/// The time between two of these.
const PACE: Duration = Duration::from_millis(25);

/// The measurements of one subject, over all rounds.
#[derive(Default, Clone)]
pub(crate) struct Times {
    /// From the start to the first request for an event.
    pub(crate) init: Vec<Duration>,
    pub(crate) first: Vec<Duration>,
    /// Further invocations.
    pub(crate) warm: Vec<Duration>,
    /// Of starts with a small share of the processor after the first request for an event.
    pub(crate) small_init: Vec<Duration>,
    pub(crate) small_first: Vec<Duration>,
    pub(crate) small_paced: Vec<Duration>,
    /// After the first 1,000 invocations.
    pub(crate) memory: Vec<Memory>,
    /// After 10,000, together with the value after 1,000.
    pub(crate) grown: Vec<[Memory; 2]>,
}

/// Measures all subjects in turns.
///
/// # Errors
///
/// If one fails.
pub(crate) fn measure(
    stage: &mut Stage,
    subjects: &[Subject],
    rounds: usize,
    quota: Option<&Quota>,
    say: impl Fn(usize),
) -> Result<Vec<Times>, Failure> {
    let mut all = vec![Times::default(); subjects.len()];
    for round in 0..rounds {
        for (subject, times) in subjects.iter().zip(&mut all) {
            whole_core(stage, subject, times, round % EVERY == 0)?;
            if let Some(quota) = quota {
                small_share(stage, subject, times, quota)?;
            }
        }
        say(round + 1);
    }
    Ok(all)
}

fn whole_core(
    stage: &mut Stage,
    subject: &Subject,
    times: &mut Times,
    many: bool,
) -> Result<(), Failure> {
    let mut function = Function::start(stage, subject, &[], None)?;
    times.init.push(function.init);
    times.first.push(function.invoke()?);
    times.warm.extend(function.invoke_times(WARM)?);
    let memory = function.memory()?;
    times.memory.push(memory);
    if many {
        function.invoke_times(MANY - WARM - 1)?;
        times.grown.push([memory, function.memory()?]);
    }
    function.end()
}

fn small_share(
    stage: &mut Stage,
    subject: &Subject,
    times: &mut Times,
    quota: &Quota,
) -> Result<(), Failure> {
    quota.lift()?;
    let mut function = Function::start(stage, subject, &[], Some(quota))?;
    times.small_init.push(function.init);
    quota.impose()?;
    times.small_first.push(function.invoke()?);
    for _ in 0..PACED {
        let begun = Instant::now();
        times.small_paced.push(function.invoke()?);
        sleep(PACE.saturating_sub(begun.elapsed()));
    }
    quota.lift()?;
    function.end()
}

/// A percentile, rounded up to a measured value.
pub(crate) fn percentile(values: &[Duration], percent: usize) -> Option<Duration> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last * percent).div_ceil(100)).copied()
}

pub(crate) fn median(values: &[Duration]) -> Option<Duration> {
    percentile(values, 50)
}
