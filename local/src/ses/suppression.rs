//! The suppression list: addresses that SES doesn't send to, because mail to them bounced for good
//! or met a complaint.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SuppressionReason {
    /// Mail bounced for good.
    Bounce,
    /// The recipient complained.
    Complaint,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Suppressed {
    pub(crate) reason: SuppressionReason,
    pub(crate) since: Timestamp,
}

/// Clones share the list. It keeps addresses in lower case.
#[derive(Debug, Clone, Default)]
pub struct SuppressionList(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    addresses: BTreeMap<String, Suppressed>,
    /// Keeps the list between runs.
    file: Option<PathBuf>,
}

impl SuppressionList {
    /// Starts with the list that earlier runs kept in the folder.
    pub(crate) fn open(folder: Option<&Path>) -> io::Result<Self> {
        let Some(folder) = folder else {
            return Ok(Self::default());
        };
        let file = folder.join("suppressions.json");
        let addresses = match fs::read(&file) {
            Ok(json) => serde_json::from_slice(&json)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        let contents = Contents {
            addresses,
            file: Some(file),
        };
        Ok(Self(Arc::new(Mutex::new(contents))))
    }

    /// # Errors
    ///
    /// If the list's file can't be written.
    pub fn add(&self, email: &str, reason: SuppressionReason, since: Timestamp) -> io::Result<()> {
        let mut contents = self.contents();
        let email = email.to_lowercase();
        contents
            .addresses
            .insert(email, Suppressed { reason, since });
        contents.keep()
    }

    pub(crate) fn get(&self, email: &str) -> Option<Suppressed> {
        self.contents()
            .addresses
            .get(&email.to_lowercase())
            .copied()
    }

    /// False, if the address wasn't on the list.
    pub(crate) fn remove(&self, email: &str) -> io::Result<bool> {
        let mut contents = self.contents();
        let was_listed = contents.addresses.remove(&email.to_lowercase()).is_some();
        contents.keep()?;
        Ok(was_listed)
    }

    /// Puts the recipient on the list after a hard bounce or a complaint, as SES does when it publishes the event.
    /// It doesn't if SES never tried to deliver the mail
    /// (<https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html>).
    pub(crate) fn learn(&self, event: &Value, now: Timestamp) -> io::Result<()> {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        let Some(recipient) = text("/mail/destination/0") else {
            return Ok(());
        };
        match text("/eventType").or_else(|| text("/notificationType")) {
            Some("Bounce")
                if text("/bounce/bounceType") == Some("Permanent")
                    && matches!(text("/bounce/bounceSubType"), Some("General" | "NoEmail")) =>
            {
                self.add(recipient, SuppressionReason::Bounce, now)
            }
            Some("Complaint") if text("/complaint/complaintSubType").is_none() => {
                self.add(recipient, SuppressionReason::Complaint, now)
            }
            _ => Ok(()),
        }
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn keep(&self) -> io::Result<()> {
        match &self.file {
            Some(file) => fs::write(file, serde_json::to_vec_pretty(&self.addresses)?),
            None => Ok(()),
        }
    }
}
