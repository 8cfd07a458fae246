//! The tables, in Markdown.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::Failure;
use crate::counts::Counts;
use crate::function::{Memory, Subject, sizes};
use crate::measure::{Times, median, percentile};

/// The measurements of a subject.
pub(crate) struct Row {
    name: String,
    pub(crate) times: Option<Times>,
    pub(crate) counts: Option<Counts>,
}

impl Row {
    pub(crate) fn new(subject: &Subject) -> Self {
        Self {
            name: subject.name.clone(),
            times: None,
            counts: None,
        }
    }

    /// Init and first invocation with a small share of the processor.
    fn small_start(&self) -> Option<Duration> {
        let times = self.times.as_ref()?;
        let starts = times.small_init.iter().zip(&times.small_first);
        let starts: Vec<Duration> = starts.map(|(init, first)| *init + *first).collect();
        median(&starts)
    }

    fn warm(&self, percent: usize) -> Option<Duration> {
        percentile(&self.times.as_ref()?.warm, percent)
    }

    fn paced(&self, percent: usize) -> Option<Duration> {
        percentile(&self.times.as_ref()?.small_paced, percent)
    }

    /// The highest peak of all rounds, in KiB.
    fn peak(&self) -> Option<u64> {
        let times = self.times.as_ref()?;
        let grown = times.grown.iter().map(|[_, after]| after.peak);
        let peaks = times.memory.iter().map(|memory| memory.peak).chain(grown);
        peaks.max()
    }

    /// The largest growth of any round, in KiB.
    fn growth(&self) -> Option<i64> {
        let grown = &self.times.as_ref()?.grown;
        let growths = grown.iter().map(|[before, after]| growth(*before, *after));
        growths.max()
    }
}

fn growth(before: Memory, after: Memory) -> i64 {
    after.resident.cast_signed() - before.resident.cast_signed()
}

/// The sizes of a function, in bytes.
pub(crate) struct Size {
    name: String,
    program: u64,
    zipped: u64,
}

impl Size {
    pub(crate) fn of(name: &str, program: &Path) -> Result<Self, Failure> {
        let [program, zipped] = sizes(program)?;
        Ok(Self {
            name: name.to_owned(),
            program,
            zipped,
        })
    }
}

/// Writes all tables to standard output and to `results.md` in a folder, and a short one to
/// `summary.md`.
///
/// # Errors
///
/// If the file cannot be written.
#[expect(clippy::print_stdout, reason = "the results")]
pub(crate) fn write(
    folder: &Path,
    machine: &str,
    rows: &[Row],
    sizes: &[Size],
) -> Result<(), Failure> {
    let mut text = format!("{}\n", machine.trim());
    if rows.iter().any(|row| row.times.is_some()) {
        times(&mut text, rows)?;
        memory(&mut text, rows)?;
    }
    if rows.iter().any(|row| row.counts.is_some()) {
        counts(&mut text, rows)?;
    }
    if !sizes.is_empty() {
        size(&mut text, sizes)?;
    }
    goals(&mut text, rows, sizes)?;
    print!("{text}");
    fs::write(folder.join("results.md"), text)?;
    fs::write(folder.join("summary.md"), summary(machine, rows, sizes)?)?;
    Ok(())
}

/// The summary for a reader in a hurry.
fn summary(machine: &str, rows: &[Row], sizes: &[Size]) -> Result<String, Failure> {
    let mut text = String::from(
        "| | cold start at 7.2% of a core, ms | warm p50, ms | peak memory, MiB | zip, MB | instructions to the first answer |\n\
         |---|---|---|---|---|---|\n",
    );
    for name in SUMMARY {
        let Some(row) = rows.iter().find(|row| row.name == name) else {
            continue;
        };
        let size = sizes.iter().find(|size| size.name == name);
        let cells = [
            milliseconds(row.small_start()),
            milliseconds(row.warm(50)),
            mebibytes(row.peak()),
            size.map_or_else(dash, |size| format!("{:.2}", size.zipped as f64 / 1e6)),
            row.counts.map_or_else(dash, |counts| {
                format!("{:.1} million", counts.to_first as f64 / 1e6)
            }),
        ];
        writeln!(text, "| {name} | {} |", cells.join(" | "))?;
    }
    writeln!(text, "\n{}", machine.trim())?;
    Ok(text)
}

const SUMMARY: [&str; 5] = [
    "authorize-login",
    "invite",
    "stock login",
    "Node login",
    "Python login",
];

fn times(text: &mut String, rows: &[Row]) -> Result<(), Failure> {
    text.push_str(
        "\n### Times\n\n\
         In milliseconds. Init is from `exec` to the first request for an event. The columns \"at 7.2%\" have\n\
         that share of a core from there on. Medians, unless it says p99.\n\n\
         | | init | first | warm p50 | warm p99 | first at 7.2% | init + first at 7.2% | paced p50 at 7.2% | paced p99 at 7.2% |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let Some(times) = &row.times else { continue };
        let cells = [
            median(&times.init),
            median(&times.first),
            row.warm(50),
            row.warm(99),
            median(&times.small_first),
            row.small_start(),
            row.paced(50),
            row.paced(99),
        ];
        let cells = cells.map(milliseconds);
        writeln!(text, "| {} | {} |", row.name, cells.join(" | "))?;
    }
    Ok(())
}

fn memory(text: &mut String, rows: &[Row]) -> Result<(), Failure> {
    text.push_str(
        "\n### Memory\n\n\
         In MiB, as resident. Growth, in KiB, is what 10,000 invocations take more than 1,000.\n\n\
         | | after 1,000 | after 10,000 | peak | growth |\n\
         |---|---|---|---|---|\n",
    );
    for row in rows {
        let Some(times) = &row.times else { continue };
        let after = times.memory.iter().map(|memory| memory.resident).max();
        let grown = times.grown.iter().map(|[_, after]| after.resident).max();
        let cells = [mebibytes(after), mebibytes(grown), mebibytes(row.peak())];
        let growth = row.growth().map_or(dash(), |growth| growth.to_string());
        writeln!(text, "| {} | {} | {growth} |", row.name, cells.join(" | "))?;
    }
    Ok(())
}

fn counts(text: &mut String, rows: &[Row]) -> Result<(), Failure> {
    text.push_str(
        "\n### Instructions\n\n\
         In thousands, as valgrind counts them.\n\n\
         | | to the end of the first invocation | per warm invocation |\n\
         |---|---|---|\n",
    );
    for row in rows {
        let Some(counts) = &row.counts else { continue };
        let (to_first, warm) = (counts.to_first / 1_000, counts.warm / 1_000);
        writeln!(text, "| {} | {to_first} | {warm} |", row.name)?;
    }
    Ok(())
}

fn size(text: &mut String, sizes: &[Size]) -> Result<(), Failure> {
    text.push_str(
        "\n### Sizes\n\n\
         In bytes; zipped is what is uploaded.\n\n\
         | | program | zipped |\n\
         |---|---|---|\n",
    );
    for size in sizes {
        writeln!(
            text,
            "| {} | {} | {} |",
            size.name, size.program, size.zipped
        )?;
    }
    Ok(())
}

/// A goal, and how close it is.
struct Goal {
    of: &'static str,
    what: &'static str,
    goal: String,
    measured: Option<String>,
    is_met: bool,
}

fn goals(text: &mut String, rows: &[Row], sizes: &[Size]) -> Result<(), Failure> {
    text.push_str(
        "\n### Goals\n\n\
         | of | what | goal | measured | met |\n\
         |---|---|---|---|---|\n",
    );
    for goal in all_goals(rows, sizes) {
        let met = match (&goal.measured, goal.is_met) {
            (None, _) => "not measured",
            (_, true) => "yes",
            (_, false) => "no",
        };
        let measured = goal.measured.unwrap_or_else(dash);
        writeln!(
            text,
            "| {} | {} | {} | {measured} | {met} |",
            goal.of, goal.what, goal.goal
        )?;
    }
    Ok(())
}

fn all_goals(rows: &[Row], sizes: &[Size]) -> Vec<Goal> {
    let mut goals = Vec::new();
    for (name, bare, peak, zip) in [
        ("authorize-login", "bare login", 8.0, 2.0),
        ("invite", "bare invite", 9.0, 2.2),
    ] {
        let row = rows.iter().find(|row| row.name == name);
        let other = |name: &str| rows.iter().find(|row| row.name == name);
        let size = sizes.iter().find(|size| size.name == name);
        let mut at_most = |what, most: f64, unit: &str, measured: Option<f64>| {
            goals.push(Goal {
                of: name,
                what,
                goal: format!("at most {most}{unit}"),
                measured: measured.map(|value| format!("{value:.2}{unit}")),
                is_met: measured.is_some_and(|value| value <= most),
            });
        };
        let start = row.and_then(Row::small_start);
        let in_ms = |time: Option<Duration>| time.map(|time| time.as_secs_f64() * 1e3);
        at_most("init + first at 7.2%", 8.0, " ms", in_ms(start));
        let counts = row.and_then(|row| row.counts);
        let bare_counts = other(bare).and_then(|row| row.counts);
        let millions = counts.map(|counts| counts.to_first as f64 / 1e6);
        at_most(
            "instructions to the end of the first invocation",
            10.0,
            " million",
            millions,
        );
        let ratio = counts.zip(bare_counts);
        let ratio = ratio.map(|(counts, bare)| counts.warm as f64 / bare.warm as f64);
        at_most(
            "warm instructions, against the bare requests",
            1.15,
            "x",
            ratio,
        );
        let warm = row.and_then(|row| row.warm(50));
        let warm = warm.zip(other(bare).and_then(|row| row.warm(50)));
        let warm = warm.map(|(warm, bare)| warm.as_secs_f64() / bare.as_secs_f64());
        at_most("warm p50, against the bare requests", 1.25, "x", warm);
        let paced = row.and_then(|row| row.paced(99));
        at_most("paced p99 at 7.2%", 3.0, " ms", in_ms(paced));
        let measured = row.and_then(Row::peak).map(|peak| peak as f64 / 1024.0);
        at_most("peak memory", peak, " MiB", measured);
        let growth = row.and_then(Row::growth).map(|growth| growth as f64);
        at_most(
            "growth from 1,000 to 10,000 invocations",
            256.0,
            " KiB",
            growth,
        );
        let zipped = size.map(|size| size.zipped as f64 / 1e6);
        at_most("zip", zip, " MB", zipped);
        if name == "authorize-login" {
            for (what, least, baseline) in [
                ("less than stock at 7.2%", 50.0, "stock login"),
                ("less than Node at 7.2%", 80.0, "Node login"),
                ("less than Python at 7.2%", 80.0, "Python login"),
            ] {
                let starts = other(baseline).and_then(Row::small_start).zip(start);
                let factor = starts.map(|(other, own)| other.as_secs_f64() / own.as_secs_f64());
                goals.push(Goal {
                    of: name,
                    what,
                    goal: format!("at least {least}x"),
                    measured: factor.map(|factor| format!("{factor:.0}x")),
                    is_met: factor.is_some_and(|factor| factor >= least),
                });
            }
        }
    }
    goals
}

fn milliseconds(time: Option<Duration>) -> String {
    time.map_or_else(dash, |time| format!("{:.2}", time.as_secs_f64() * 1e3))
}

fn mebibytes(kibibytes: Option<u64>) -> String {
    kibibytes.map_or_else(dash, |size| format!("{:.2}", size as f64 / 1024.0))
}

fn dash() -> String {
    "-".to_owned()
}
