//! `cargo run -p openapi`: writes the description of the API to `openapi.json`.

use std::process::ExitCode;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi.json");

#[expect(clippy::print_stderr, reason = "it talks to a person")]
fn main() -> ExitCode {
    let written = openapi::text()
        .map_err(|error| error.to_string())
        .and_then(|text| std::fs::write(FILE, text).map_err(|error| error.to_string()));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("openapi.json was not written: {error}");
            ExitCode::FAILURE
        }
    }
}
