//! Text in the repository that the code determines.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Fails if `update` would change a file of the repository. With `BLESS=1`, writes the change instead.
///
/// `just bless` runs the tests that have `up_to_date` in their names.
#[track_caller]
pub(crate) fn compare_or_bless(path: &str, update: impl FnOnce(&str) -> String) {
    // Several tests write parts of the same file.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let written = fs::read_to_string(&file).unwrap();
    let expected = update(&written);
    if written == expected {
        return;
    }
    if is_blessing() {
        fs::write(&file, expected).unwrap();
        return;
    }
    let lines = written.lines().zip(expected.lines());
    let same = lines.take_while(|(old, new)| old == new).count();
    let [old, new] = [&written, &expected].map(|text| text.lines().nth(same).unwrap_or_default());
    let line = same + 1;
    panic!("{path} is out of date: run `just bless`. Line {line} is\n{old}\nand becomes\n{new}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether to write is up to the command line"
)]
fn is_blessing() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| value == "1")
}
