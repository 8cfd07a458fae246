//! The crates that the functions are built from. The lock file may hold more, for programs that run
//! elsewhere.

use std::collections::BTreeSet;
use std::process::Command;

use local::Template;

/// Crates that no function may contain: `docs/decisions/0004-cold-start.md` says why.
const UNWANTED: [&str; 5] = [
    "aws-config",
    "aws-lc-fips-sys",
    "aws-lc-rs",
    "aws-lc-sys",
    "openssl-sys",
];

/// The crates that go into these packages, built together and with the features they ask for.
fn crates(packages: &[String]) -> BTreeSet<String> {
    let tree = ["tree", "--locked", "--offline", "--prefix=none"];
    let output = Command::new(env!("CARGO"))
        .args(tree)
        .args(["--edges=normal,build", "--format={p}"])
        .args(
            packages
                .iter()
                .map(|package| format!("--package={package}")),
        )
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .filter_map(|line| Some(line.split_once(' ')?.0.to_owned()))
        .collect()
}

#[test]
fn no_function_contains_crates_that_slow_down_cold_starts() {
    let functions = Template::of_this_repository().unwrap().functions().unwrap();
    let functions: Vec<String> = functions.into_iter().map(|each| each.operation).collect();
    let crates = crates(&functions);
    for function in &functions {
        assert!(crates.contains(function), "{function} is not in {crates:?}");
    }
    assert!(crates.contains("ring"));
    let found: Vec<_> = UNWANTED
        .iter()
        .filter(|name| crates.contains(**name))
        .collect();
    assert!(found.is_empty(), "{found:?}");
}
