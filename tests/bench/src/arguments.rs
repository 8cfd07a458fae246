//! The arguments from `tests/bench/run`: what to measure.

use std::path::PathBuf;

use crate::Failure;

pub(crate) struct Arguments {
    /// The folder of the functions: `<operation>`, or `<LogicalId>/bootstrap`.
    pub(crate) functions: PathBuf,
    /// The folder of the baselines in Rust.
    pub(crate) baselines: PathBuf,
    /// The folder for results.
    pub(crate) out: PathBuf,
    /// A description of the machine, as a Markdown list.
    pub(crate) machine: String,
    /// Whether the baseline `stock` was built.
    pub(crate) stock: bool,
    /// How to start the baseline in JavaScript.
    pub(crate) node: Option<Vec<PathBuf>>,
    /// How to start the baseline in Python.
    pub(crate) python: Option<Vec<PathBuf>>,
    /// How many times everything is started.
    pub(crate) rounds: usize,
    /// The parts to run: `times`, `counts`, `sizes`. Empty means all.
    pub(crate) parts: Vec<String>,
    /// If given, only compares instruction counts with these ceilings.
    pub(crate) gate: Option<PathBuf>,
}

impl Arguments {
    /// Reads `--name value` pairs.
    ///
    /// # Errors
    ///
    /// An unknown name, or a missing or wrong value.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut parsed = Self {
            functions: PathBuf::new(),
            baselines: PathBuf::new(),
            out: PathBuf::new(),
            machine: String::new(),
            stock: false,
            node: None,
            python: None,
            rounds: 15,
            parts: Vec::new(),
            gate: None,
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next();
            let value = value.ok_or_else(|| format!("{name} lacks its value"))?;
            match name.as_str() {
                "--functions" => parsed.functions = value.into(),
                "--baselines" => parsed.baselines = value.into(),
                "--out" => parsed.out = value.into(),
                "--machine" => parsed.machine = value,
                "--stock" => parsed.stock = value.parse()?,
                "--node" => parsed.node = Some(words(&value)),
                "--python" => parsed.python = Some(words(&value)),
                "--rounds" => parsed.rounds = value.parse()?,
                "--only" => parsed.parts = value.split(',').map(str::to_owned).collect(),
                "--gate" => parsed.gate = Some(value.into()),
                _ => return Err(format!("{name} is not known").into()),
            }
        }
        Ok(parsed)
    }

    pub(crate) fn does(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|name| name == part)
    }
}

fn words(value: &str) -> Vec<PathBuf> {
    value.split_whitespace().map(PathBuf::from).collect()
}
