//! What calls cost, line by line.

use crate::harness::{Cost, Meter, Reply, Rollcall};

const HEAD: &str = "\
| Operation | Outcome | Calls to AWS, in sequence | Depth | Read units | Write units | Bytes written |
|---|---|---|--:|--:|--:|--:|
";

/// What one call cost.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) operation: &'static str,
    pub(super) outcome: String,
    pub(super) cost: Cost,
}

impl Line {
    fn text(&self) -> String {
        let Cost {
            steps,
            read_units,
            write_units,
            bytes,
        } = &self.cost;
        let (operation, outcome) = (self.operation, &self.outcome);
        let calls = match steps.join(", ") {
            none if none.is_empty() => "none".to_owned(),
            calls => calls,
        };
        let depth = steps.len();
        format!(
            "| {operation} | {outcome} | {calls} | {depth} | {read_units} | {write_units} | {bytes} |\n"
        )
    }
}

/// All lines as a table.
pub(super) fn table(lines: &[Line]) -> String {
    let lines = lines.iter().map(Line::text);
    lines.fold(HEAD.to_owned(), |table, line| table + &line)
}

/// What the calls to one stack cost, line by line.
pub(super) struct Ledger<'a> {
    rollcall: &'a Rollcall,
    meter: Meter,
    pub(super) lines: Vec<Line>,
}

impl<'a> Ledger<'a> {
    pub(super) fn of(rollcall: &'a Rollcall) -> Self {
        Self {
            rollcall,
            meter: rollcall.wire.meter(),
            lines: Vec::new(),
        }
    }

    /// What happened since the last line.
    async fn cost(&self) -> Cost {
        self.meter.take(&self.rollcall.stack).await
    }

    /// Leaves out what happened since the last line.
    pub(super) async fn skip(&self) {
        self.cost().await;
    }

    /// Writes down what happened since the last line, and checks that it made these requests to AWS
    /// in this order, and nothing else.
    pub(super) async fn happened(
        &mut self,
        operation: &'static str,
        outcome: &str,
        steps: &[&str],
    ) {
        let cost = self.cost().await;
        assert_eq!(cost.steps, steps, "{operation}: {outcome}");
        self.lines.push(Line {
            operation,
            outcome: outcome.to_owned(),
            cost,
        });
    }

    /// A call that succeeded.
    pub(super) async fn done(
        &mut self,
        operation: &'static str,
        what: &str,
        steps: &[&str],
        reply: Reply,
    ) {
        assert!(reply.status < 300, "{operation}, {what}: {}", reply.raw);
        self.happened(operation, what, steps).await;
    }

    /// A call that was refused: it writes nothing.
    pub(super) async fn refused(
        &mut self,
        operation: &'static str,
        code: &str,
        steps: &[&str],
        reply: Reply,
    ) {
        self.refused_as(operation, code, "", steps, reply).await;
    }

    /// A call that was refused for a reason that can cost one thing or another.
    pub(super) async fn refused_as(
        &mut self,
        operation: &'static str,
        code: &str,
        how: &str,
        steps: &[&str],
        reply: Reply,
    ) {
        assert_eq!(reply.text("code"), code, "{operation} {how}: {}", reply.raw);
        let outcome = format!("`{code}`{how}");
        self.happened(operation, &outcome, steps).await;
        let written = self.lines.last().map(|line| line.cost.bytes);
        assert_eq!(written, Some(0), "{operation}: {code}");
    }
}
