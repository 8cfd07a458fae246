//! What the documents say, held against the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use domain::bounce::{BounceCause, Permanence};
use domain::support::{Suppression, to_do};
use local::{Options, Template};
use platform::metrics::Metric;
use platform::problem::Code;
use serde_json::Value;

use crate::events::payload;
use crate::harness::Rollcall;

#[test]
fn every_problem_is_explained() {
    let text = read("docs/problems.md");
    let written: Vec<Vec<String>> = rows(&text)
        .map(|row| row.into_iter().take(4).map(str::to_owned).collect())
        .collect();
    let expected: Vec<Vec<String>> = Code::ALL
        .iter()
        .map(|code| {
            let (status, meaning) = (code.status(), code.meaning());
            [code.as_str(), status.as_str(), code.title(), meaning.trim()].map(str::to_owned)
        })
        .map(Vec::from)
        .collect();
    assert_eq!(written, expected);
}

/// The table of causes says what the code does, word for word.
#[test]
fn every_cause_of_a_bounce_is_explained() {
    let cell = |text: &str| text.to_owned();
    let expected: Vec<Vec<String>> = BounceCause::ALL
        .iter()
        .map(|cause| {
            let may_resend = match cause.permanence() {
                Permanence::Transient => "yes",
                Permanence::Permanent => "after a lift",
            };
            let to_do = to_do(*cause, &Suppression::NotListed);
            let cells = [cause.reason(), cause.advice(), &to_do, may_resend];
            cells.map(cell).to_vec()
        })
        .collect();
    let text = read("docs/operating.md");
    let (_, table) = text.split_once("| It came back because |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let written: Vec<Vec<String>> = rows(table)
        .map(|row| row.into_iter().map(cell).collect())
        .collect();
    let lines: Vec<_> = expected.iter().map(|row| row.join(" | ")).collect();
    assert_eq!(
        written,
        expected,
        "it should say:\n| {} |",
        lines.join(" |\n| ")
    );
}

#[test]
fn every_threat_has_a_test() {
    let text = read("SECURITY.md");
    let mut named = 0;
    for row in rows(&text) {
        let tests = row.last().unwrap().split('`').step_by(2);
        let before = named;
        for test in tests {
            let (file, name) = test.split_once("::").unwrap();
            let source = read(&format!("tests/it/{file}.rs"));
            let is_test = ["async fn", "fn"].iter().any(|keyword| {
                source
                    .lines()
                    .any(|line| line.starts_with(&format!("{keyword} {name}(")))
            });
            assert!(is_test, "there is no test {test}");
            named += 1;
        }
        assert!(named > before, "{row:?}");
    }
    assert!(named > 20, "{named}");
}

#[test]
fn the_configuration_is_the_templates() {
    let template = Template::of_this_repository().unwrap();
    let parameters = template.part("/Parameters").unwrap().as_object().unwrap();
    let expected: BTreeMap<String, (String, String)> = parameters
        .iter()
        .map(|(name, parameter)| {
            let default = match parameter.get("Default") {
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
                None => String::new(),
            };
            let description = parameter["Description"].as_str().unwrap().to_owned();
            (name.clone(), (default, description))
        })
        .collect();
    let text = read("README.md");
    let written = rows(section(&text, "## Configuration"))
        .map(|row| (row[0].to_owned(), (row[1].to_owned(), row[2].to_owned())))
        .collect();
    assert_eq!(expected, written);
}

#[test]
fn every_alarm_and_every_metric_is_explained() {
    let text = read("docs/operating.md");
    let alarms: BTreeSet<String> = rows(section(&text, "## Alarms"))
        .map(|row| row[0].to_owned())
        .collect();
    let template = Template::of_this_repository().unwrap();
    let expected = template.resources("AWS::CloudWatch::Alarm");
    assert_eq!(alarms, expected.map(|(name, _)| name.to_owned()).collect());

    let metrics: Vec<(String, String)> = rows(section(&text, "## Metrics"))
        .map(|row| (row[0].to_owned(), row[1].to_owned()))
        .collect();
    let expected = Metric::ALL.iter().map(|metric| {
        let dimension = metric.dimension().unwrap_or_default();
        (metric.name().to_owned(), dimension.to_owned())
    });
    assert_eq!(metrics, expected.collect::<Vec<_>>());
}

#[test]
fn the_layout_names_what_exists() {
    let readme = read("README.md");
    let paths: Vec<_> = rows(section(&readme, "## Layout"))
        .flat_map(|row| row[0].split("`, `").collect::<Vec<_>>())
        .map(str::to_owned)
        .collect();
    assert!(paths.len() > 8, "{paths:?}");
    for path in paths {
        assert!(root().join(&path).exists(), "{path} does not exist");
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            let path = link.split('#').next().unwrap();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            let target = document.parent().unwrap().join(path);
            assert!(target.exists(), "{}: {link}", document.display());
            links += 1;
        }
    }
    assert!(links > 10);
}

#[tokio::test]
async fn every_item_of_the_table_is_described() {
    let rollcall = Rollcall::start_with(Options {
        demo: true,
        ..Options::default()
    })
    .await;
    for operation in ["invite", "mail-feedback"] {
        let done = rollcall.invoke(operation, payload(operation)).await;
        done.unwrap_or_else(|problem| panic!("{operation}: {}", problem.detail()));
    }

    let table = read("docs/table.md");
    let described: BTreeSet<(String, String)> = rows(section(&table, "## Items"))
        .map(|row| (kind(row[1]), kind(row[2])))
        .collect();
    let mut written = BTreeSet::new();
    for (key, item) in rollcall.rows().await {
        for attribute in item.keys() {
            let word = format!("`{attribute}`");
            assert!(table.contains(&word), "{key}: {word} is not described");
        }
        let (pk, sk) = key.split_once(' ').unwrap();
        written.insert((kind(pk), kind(sk)));
    }
    assert_eq!(written, described);
}

/// What comes before the `#` of a key.
fn kind(key: &str) -> String {
    key.split('#').next().unwrap().to_owned()
}

/// The cells of the tables in a text, without heads and rules; backticks around a cell are dropped.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let mut lines = text.lines().peekable();
    std::iter::from_fn(move || {
        loop {
            let line = lines.next()?;
            let next_is_rule = lines.peek().is_some_and(|next| next.starts_with("|--"));
            if line.starts_with('|') && !line.starts_with("|--") && !next_is_rule {
                let cells = line.trim_matches('|').split('|').map(str::trim);
                return Some(cells.map(|cell| cell.trim_matches('`')).collect());
            }
        }
    })
}

/// The part of a document under a heading.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) = text
        .split_once(&format!("{heading}\n"))
        .unwrap_or_else(|| panic!("{heading} is missing"));
    rest.split("\n## ").next().unwrap()
}

/// Every Markdown document of the repository.
fn documents() -> Vec<PathBuf> {
    ["", "docs", "docs/decisions"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root().join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
