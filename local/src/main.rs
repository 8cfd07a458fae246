//! `cargo run`: starts the local stack and prints what to open.

use std::process::ExitCode;

use local::{Arguments, Options, Stack};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[tokio::main]
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this prints for a person"
)]
async fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    if arguments.help {
        println!("{}", Arguments::HELP);
        return ExitCode::SUCCESS;
    }
    log_to_standard_error();
    match Stack::start(Options::from(arguments)).await {
        Ok(stack) => {
            println!("rollcall: {}", stack.url());
            println!("{}", stack.what_to_open());
            stopped().await;
            stack.stop().await;
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("rollcall: {error}");
            ExitCode::FAILURE
        }
    }
}

fn log_to_standard_error() {
    let targets = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("platform", LevelFilter::INFO)
        // It logs every refused request, and failed conditions are normal.
        .with_target("dynoxide", LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(targets)
        .with(lines)
        .init();
}

/// Waits for Ctrl-C or SIGTERM.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
