//! Measures the release builds of the functions, with two small servers in place of Lambda and AWS:
//! cold starts, warm invocations, memory, sizes, instructions. `tests/bench/run` starts it.

mod arguments;
mod counts;
mod endpoints;
mod function;
mod http;
mod measure;
mod quota;
mod report;
mod runtime_api;
mod subjects;

use std::path::PathBuf;
use std::process::ExitCode;

use local::SigningKey;

use crate::arguments::Arguments;
use crate::counts::{Ceiling, count};
use crate::endpoints::{Endpoints, SIGNING_KEY};
use crate::function::{Stage, Subject};
use crate::measure::measure;
use crate::quota::Quota;
use crate::report::{Row, Size};
use crate::runtime_api::RuntimeApi;
use crate::subjects::Workshop;

/// The reason, in a sentence.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The functions whose times are measured: a login, a guard, a page, a removal, a mail.
const FUNCTIONS: [&str; 5] = [
    "authorize-login",
    "authorize-request",
    "list",
    "remove",
    "invite",
];

#[expect(clippy::print_stderr, reason = "it talks to a person")]
fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)).and_then(|arguments| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "it tells how far it is")]
fn run(arguments: &Arguments) -> Result<(), Failure> {
    std::fs::create_dir_all(&arguments.out)?;
    let bundle = arguments.out.join("ca.pem");
    // Generating one takes a while.
    let signing_key = SigningKey::load_or_generate(&arguments.out.join(SIGNING_KEY))?;
    let mut stage = Stage {
        api: RuntimeApi::start()?,
        endpoints: Endpoints::start(&arguments.out, &bundle)?,
        folder: arguments.out.clone(),
    };
    let workshop = Workshop::open(signing_key, arguments.functions.clone(), bundle)?;
    if let Some(ceilings) = &arguments.gate {
        return gate(&mut stage, &workshop, &Ceiling::read(ceilings)?);
    }

    let subjects = subjects(&mut stage, &workshop, arguments)?;
    let mut rows: Vec<Row> = subjects.iter().map(Row::new).collect();
    if arguments.does("times") {
        let quota = Quota::new();
        if let Err(error) = &quota {
            eprintln!("No share of the processor can be imposed ({error}): that is left out.");
        }
        let rounds = arguments.rounds;
        let times = measure(
            &mut stage,
            &subjects,
            rounds,
            quota.ok().as_ref(),
            |round| {
                eprintln!("Round {round} of {rounds} is done.");
            },
        )?;
        for (row, times) in rows.iter_mut().zip(times) {
            row.times = Some(times);
        }
    }
    if arguments.does("counts") {
        for (row, subject) in rows.iter_mut().zip(&subjects) {
            if counts::can_count(subject) {
                eprintln!("Counting the instructions of {}.", subject.name);
                row.counts = Some(count(&mut stage, subject)?);
            }
        }
    }
    let sizes = if arguments.does("sizes") {
        let deployed = workshop.deployed()?;
        let programs = deployed
            .iter()
            .map(|function| (&function.operation, workshop.program(function)));
        // Skips functions that aren't built.
        let sizes = programs
            .filter(|(_, program)| program.exists())
            .map(|(operation, program)| Size::of(operation, &program));
        sizes.collect::<Result<_, _>>()?
    } else {
        Vec::new()
    };
    report::write(&arguments.out, &arguments.machine, &rows, &sizes)
}

/// The functions, each with the baseline that makes the same requests to AWS, and the other
/// baselines.
fn subjects(
    stage: &mut Stage,
    workshop: &Workshop,
    arguments: &Arguments,
) -> Result<Vec<Subject>, Failure> {
    let mut subjects = Vec::new();
    for name in FUNCTIONS {
        subjects.push(workshop.function(stage, name)?);
    }
    let of = |name: &str| {
        let subject = subjects.iter().find(|subject| subject.name == name);
        subject.cloned().ok_or("a function is missing")
    };
    let (login, invite) = (of("authorize-login")?, of("invite")?);
    let bin = |name: &str| vec![arguments.baselines.join(name)];
    let mut baselines: Vec<(&str, Vec<PathBuf>, &Subject)> = vec![
        ("empty", bin("empty"), &login),
        ("bare login", bin("bare"), &login),
        ("bare invite", bin("bare"), &invite),
    ];
    if arguments.stock {
        baselines.push(("stock login", bin("stock"), &login));
    }
    if let Some(node) = &arguments.node {
        baselines.push(("Node login", node.clone(), &login));
    }
    if let Some(python) = &arguments.python {
        baselines.push(("Python login", python.clone(), &login));
    }
    for (name, command, like) in baselines {
        let baseline = workshop.baseline(stage, name, command, like)?;
        subjects.push(baseline);
    }
    Ok(subjects)
}

/// Compares instruction counts with their ceilings.
#[expect(clippy::print_stderr, reason = "it talks to a person")]
fn gate(stage: &mut Stage, workshop: &Workshop, ceilings: &[Ceiling]) -> Result<(), Failure> {
    let mut over = 0;
    for ceiling in ceilings {
        let subject = workshop.function(stage, &ceiling.operation)?;
        let counts = count(stage, &subject)?;
        for (what, counted, most) in [
            (
                "to the end of the first invocation",
                counts.to_first,
                ceiling.to_first,
            ),
            ("per warm invocation", counts.warm, ceiling.warm),
        ] {
            let is_over = counted > most;
            over += u32::from(is_over);
            let verdict = if is_over { "OVER" } else { "at most" };
            let name = &ceiling.operation;
            eprintln!("{name}: {counted} instructions {what}, {verdict} {most}");
        }
    }
    if over > 0 {
        return Err("more instructions than tests/bench/ceilings.txt allows".into());
    }
    Ok(())
}
