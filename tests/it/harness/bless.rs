//! Text of the repository that follows from the code.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Demands that a file of the repository already is what `update` makes of it. With `BLESS=1`, writes
/// it instead.
///
/// `just bless` runs the tests that have `up_to_date` in their name.
#[track_caller]
pub(crate) fn compare_or_bless(path: &str, update: impl FnOnce(&str) -> String) {
    // Several tests may write parts of the same file.
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

#[expect(clippy::disallowed_methods, reason = "no part of what is tested")]
fn is_blessing() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| value == "1")
}
