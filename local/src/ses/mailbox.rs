//! The mail that the stack keeps for reading instead of sending it.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::errors::SesFailure;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// The `MessageId` of SES's answer.
    pub id: String,
    /// With the display name.
    pub from: String,
    pub reply_to: Vec<String>,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// The invite's link, if the text has one.
    pub link: Option<String>,
    /// SES repeats them in its feedback.
    pub tags: BTreeMap<String, String>,
    pub configuration_set: String,
    pub received_at: Timestamp,
}

/// The mail that was sent. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Mailbox(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    /// Oldest first.
    mails: Vec<Mail>,
    /// Keeps mail between runs: one JSON object per line.
    file: Option<File>,
    failures: VecDeque<SesFailure>,
}

impl Mailbox {
    /// Starts with the mail that earlier runs kept in the folder.
    pub(crate) fn open(folder: Option<&Path>) -> io::Result<Self> {
        let Some(folder) = folder else {
            return Ok(Self::default());
        };
        let path = folder.join("mail.jsonl");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(path)?;
        let mut mails = Vec::new();
        for line in BufReader::new(&file).lines() {
            mails.push(serde_json::from_str(&line?)?);
        }
        let contents = Contents {
            mails,
            file: Some(file),
            failures: VecDeque::new(),
        };
        Ok(Self(Arc::new(Mutex::new(contents))))
    }

    /// Newest first.
    #[must_use]
    pub fn list(&self) -> Vec<Mail> {
        self.contents().mails.iter().rev().cloned().collect()
    }

    #[must_use]
    pub fn newest(&self) -> Option<Mail> {
        self.contents().mails.last().cloned()
    }

    /// How many mails there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.contents().mails.len()
    }

    /// Refuses the next mail. Several refusals queue up.
    pub fn fail_next(&self, failure: SesFailure) {
        self.contents().failures.push_back(failure);
    }

    pub(super) fn next_failure(&self) -> Option<SesFailure> {
        self.contents().failures.pop_front()
    }

    pub(super) fn keep(&self, mail: Mail) -> io::Result<()> {
        let mut contents = self.contents();
        if let Some(file) = &mut contents.file {
            writeln!(file, "{}", serde_json::to_string(&mail)?)?;
        }
        contents.mails.push(mail);
        Ok(())
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
