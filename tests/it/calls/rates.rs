//! How often calls can be made in a second, by the units that they take from DynamoDB.

use super::ledger::Line;
use crate::harness::Cost;

/// How often a call can be made in a second.
struct Rate {
    operation: &'static str,
    outcome: &'static str,
    /// How many of its read and write units are spent outside of the account's partition: on where
    /// the person belongs, on mails and reports to the person, and on the index of those reports.
    elsewhere: (f64, f64),
}

const RATES: [Rate; 9] = [
    Rate::new("invite", "invited", (1.0, 4.0)),
    Rate::new("resend", "sent", (0.0, 2.0)),
    Rate::new("remove", "an active member", (0.0, 0.0)),
    Rate::new("list", "49 people", (0.0, 0.0)),
    Rate::new("authorize-login", "account known", (0.0, 0.0)),
    Rate::new("authorize-login", "account not known", (1.0, 0.0)),
    Rate::new("authorize-login", "accepts an invite", (0.0, 0.0)),
    Rate::new("authorize-request", "account known", (0.0, 0.0)),
    Rate::new("mail-feedback", "a bounce", (1.0, 3.0)),
];

const HEAD: &str = "\
| Call | Units in the account's partition: read, write | One account | A new table | A table with the default quota |
|---|---|--:|--:|--:|
";

/// Read and write units that one partition takes in a second
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>).
const PARTITION: (f64, f64) = (3_000.0, 1_000.0);
/// The same for a table on demand that is new
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html>).
const NEW_TABLE: (f64, f64) = (12_000.0, 4_000.0);
/// The same for one that has grown to the default quota
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).
const GROWN_TABLE: (f64, f64) = (40_000.0, 40_000.0);

impl Rate {
    const fn new(operation: &'static str, outcome: &'static str, elsewhere: (f64, f64)) -> Self {
        Self {
            operation,
            outcome,
            elsewhere,
        }
    }

    fn text(&self, cost: &Cost) -> String {
        let all = (cost.read_units, cost.write_units);
        let account = (all.0 - self.elsewhere.0, all.1 - self.elsewhere.1);
        let rate = |limit: (f64, f64), units: (f64, f64)| {
            let rate = (limit.0 / units.0).min(limit.1 / units.1);
            format!("{:.0}", rate.floor())
        };
        let (operation, outcome) = (self.operation, self.outcome);
        let (read, write) = account;
        let one = rate(PARTITION, account);
        let (new, grown) = (rate(NEW_TABLE, all), rate(GROWN_TABLE, all));
        format!("| {operation}, {outcome} | {read}, {write} | {one} | {new} | {grown} |\n")
    }
}

/// The rates that follow from what calls cost, as a table.
pub(super) fn table(lines: &[Line]) -> String {
    RATES.iter().fold(HEAD.to_owned(), |table, rate| {
        let called = (rate.operation, rate.outcome);
        let line = lines
            .iter()
            .find(|line| (line.operation, line.outcome.as_str()) == called);
        table + &rate.text(&line.unwrap().cost)
    })
}
