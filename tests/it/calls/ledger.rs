//! What calls cost, line by line.

use std::cell::RefCell;

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
    lines: RefCell<Vec<Line>>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(rollcall: &'a Rollcall) -> Self {
        Self {
            rollcall,
            meter: rollcall.wire.meter(),
            lines: RefCell::default(),
        }
    }

    pub(super) fn of(&self, operation: &'static str) -> OperationLedger<'_> {
        OperationLedger {
            ledger: self,
            operation,
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

    pub(super) fn lines(&self) -> Vec<Line> {
        self.lines.take()
    }
}

/// The lines of one operation.
pub(super) struct OperationLedger<'a> {
    ledger: &'a Ledger<'a>,
    operation: &'static str,
}

impl OperationLedger<'_> {
    /// Writes down what happened since the last line, and checks that it made these requests to AWS
    /// in this order, and nothing else.
    pub(super) async fn happened(&self, outcome: &str, steps: &[&str]) {
        let cost = self.ledger.cost().await;
        assert_eq!(cost.steps, steps, "{}: {outcome}", self.operation);
        self.ledger.lines.borrow_mut().push(Line {
            operation: self.operation,
            outcome: outcome.to_owned(),
            cost,
        });
    }

    /// A call that succeeds.
    pub(super) async fn done(&self, what: &str, steps: &[&str], reply: Reply) {
        assert!(reply.status < 300, "{what}: {}", reply.raw);
        self.happened(what, steps).await;
    }

    /// A call that is refused after one read.
    pub(super) async fn refused(&self, code: &str, reply: Reply) {
        self.refused_as(code, "", &["BatchGetItem"], reply).await;
    }

    /// A call that is refused: it writes nothing. Says why, if the costs of a code differ by the
    /// reason.
    pub(super) async fn refused_as(&self, code: &str, how: &str, steps: &[&str], reply: Reply) {
        assert_eq!(reply.text("code"), code, "{how}: {}", reply.raw);
        self.happened(&format!("`{code}`{how}"), steps).await;
        let written = self
            .ledger
            .lines
            .borrow()
            .last()
            .map(|line| line.cost.bytes);
        assert_eq!(written, Some(0), "{}: {code}", self.operation);
    }
}
