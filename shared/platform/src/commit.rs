//! Read, decide, commit on what was seen; and again when another writer was faster.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::problem::Problem;
use crate::random;

/// How often a call decides before it gives up.
const MOST_ATTEMPTS: u32 = 8;

/// After this time no new attempt is made.
const NO_ATTEMPT_AFTER: Duration = Duration::from_secs(3);

/// Longest pause after the first collision; it grows with every further one.
const PAUSE: Duration = Duration::from_millis(15);

/// When the last attempt begins at the latest.
pub(crate) const LAST_ATTEMPT_BY: Duration =
    NO_ATTEMPT_AFTER.saturating_add(PAUSE.saturating_mul(MOST_ATTEMPTS));

/// The attempts of one call, bounded in number and time.
#[derive(Debug)]
pub struct Attempts {
    begun: Instant,
    number: u32,
}

impl Attempts {
    /// Begins the first attempt.
    #[must_use]
    pub fn begin() -> Self {
        Self {
            begun: Instant::now(),
            number: 1,
        }
    }

    /// Begins another one, after a commit that was lost to another writer or whose answer was.
    ///
    /// # Errors
    ///
    /// `unavailable` when attempts or time have run out.
    pub async fn again(&mut self) -> Result<(), Problem> {
        if self.number >= MOST_ATTEMPTS || self.begun.elapsed() >= NO_ATTEMPT_AFTER {
            let cause = format!("no commit settled in {} attempts", self.number);
            return Err(Problem::unavailable(cause));
        }
        sleep(random::up_to(PAUSE * self.number)).await;
        self.number += 1;
        Ok(())
    }
}
