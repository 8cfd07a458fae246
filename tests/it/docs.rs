//! Checks what the documents say against the code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use domain::bounce::{BounceCause, Permanence};
use domain::support::{Suppression, to_do};
use local::{Options, Template};
use platform::metrics::Metric;
use platform::problem::Code;
use serde_json::{Value, json};

use crate::events::payload;
use crate::harness::{Rollcall, compare_or_bless};

#[test]
fn the_problems_are_up_to_date() {
    let rows = Code::ALL.iter().map(|code| {
        let (status, meaning) = (code.status(), code.meaning().trim());
        let code_cell = format!("`{}`", code.as_str());
        [&code_cell, status.as_str(), code.title(), meaning].map(str::to_owned)
    });
    expect_rows("docs/problems.md", "| Code |", rows);
}

#[test]
fn the_causes_of_bounces_are_up_to_date() {
    let rows = BounceCause::ALL.iter().map(|cause| {
        let may_resend = match cause.permanence() {
            Permanence::Transient => "yes",
            Permanence::Permanent => "after a lift",
        };
        let to_do = to_do(*cause, &Suppression::NotListed);
        [cause.reason(), cause.advice(), &to_do, may_resend].map(str::to_owned)
    });
    expect_rows("docs/operating.md", "| It came back because |", rows);
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
fn the_configuration_is_up_to_date() {
    let template = Template::of_this_repository().unwrap();
    let parameters = template.part("/Parameters").unwrap().as_object().unwrap();
    let rows = parameters.iter().map(|(name, parameter)| {
        let default = match parameter.get("Default") {
            None => String::new(),
            Some(Value::String(text)) if text.is_empty() => String::new(),
            Some(Value::String(text)) => format!("`{text}`"),
            Some(value) => format!("`{value}`"),
        };
        let description = parameter["Description"].as_str().unwrap().to_owned();
        [format!("`{name}`"), default, description]
    });
    let rows = as_written("README.md", rows.collect());
    expect_rows("README.md", "| Parameter |", rows);
}

#[test]
fn the_alarms_are_up_to_date() {
    let template = Template::of_this_repository().unwrap();
    let alarms = template.resources("AWS::CloudWatch::Alarm");
    let rows = alarms.map(|(name, _)| [format!("`{name}`")]).collect();
    let rows = as_written("docs/operating.md", rows);
    expect_rows("docs/operating.md", "| Alarm |", rows);
}

#[test]
fn the_metrics_are_up_to_date() {
    let rows = Metric::ALL.iter().map(|metric| {
        let dimension = metric.dimension().map(|name| format!("`{name}`"));
        [
            format!("`{}`", metric.name()),
            dimension.unwrap_or_default(),
        ]
    });
    expect_rows("docs/operating.md", "| Metric |", rows);
}

#[test]
fn the_layout_names_existing_paths() {
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
    let stored = rollcall.rows().await;
    let identity = stored.values().find_map(|row| row.get("identity")).unwrap();
    let subject = identity.as_m().unwrap()["subject"].as_s().unwrap();
    let claims = json!({ "sub": subject, "email": "a.new@address.example" });
    let moved = rollcall.signed_in(&claims).await;
    moved
        .login(&json!({ "accountId": "demo" }))
        .await
        .expect_status(200);

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

/// Sorts rows as they are in a document. Those it lacks come last.
fn as_written<const N: usize>(path: &str, mut rows: Vec<[String; N]>) -> Vec<[String; N]> {
    let document = read(path);
    rows.sort_by_key(|row| {
        let place = document.find(&format!("\n| {} |", row[0]));
        place.unwrap_or(usize::MAX)
    });
    rows
}

/// The first cells of each row are these. People write the cells after them.
#[track_caller]
fn expect_rows<const N: usize>(
    path: &str,
    head: &str,
    rows: impl IntoIterator<Item = [String; N]>,
) {
    compare_or_bless(path, |document| {
        let (before, rest) = document.split_at(document.find(head).unwrap());
        let end = rest.find("\n\n").map_or(rest.len(), |end| end + 1);
        let (table, after) = rest.split_at(end);
        let lines: Vec<&str> = table.lines().collect();
        let columns = lines[0].matches('|').count() - 1;

        let mut updated = format!("{before}{}\n{}\n", lines[0], lines[1]);
        for row in rows {
            let written = lines
                .iter()
                .find(|line| line.starts_with(&format!("| {} |", row[0])));
            let by_hand: Vec<&str> = match written {
                Some(line) => line.trim_matches('|').split('|').skip(N).collect(),
                None => vec![""; columns - N],
            };
            let is_explained = by_hand.iter().all(|cell| !cell.trim().is_empty());
            assert!(
                written.is_none() || is_explained,
                "{path}: {} is not explained",
                row[0]
            );
            for cell in row.iter().map(String::as_str).chain(by_hand) {
                let cell = cell.trim();
                updated += &format!("| {cell}{}", if cell.is_empty() { "" } else { " " });
            }
            updated += "|\n";
        }
        updated + after
    });
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
