//! Read, decide, commit on what was seen; and again if another writer was faster.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::problem::Problem;
use crate::random;
use crate::store::Attempt;

const MOST_ATTEMPTS: u32 = 8;

const NO_ATTEMPT_AFTER: Duration = Duration::from_secs(3);

/// The longest pause after the first collision. It grows with every further one.
const PAUSE: Duration = Duration::from_millis(15);

/// The last attempt begins by then.
pub(crate) const LAST_ATTEMPT_BY: Duration =
    NO_ATTEMPT_AFTER.saturating_add(PAUSE.saturating_mul(MOST_ATTEMPTS));

/// Makes attempts until one settles. Each reads, decides, and commits on what it saw.
///
/// # Errors
///
/// Those of an attempt, or `unavailable` if there are too many attempts or the time is over.
pub async fn until_settled<T, A>(attempt: impl Fn() -> A) -> Result<T, Problem>
where
    A: Future<Output = Result<Attempt<T>, Problem>>,
{
    let begun = Instant::now();
    let mut number = 1;
    loop {
        match attempt().await? {
            Attempt::Settled(value) => return Ok(value),
            Attempt::Lost => {}
        }
        if number >= MOST_ATTEMPTS || begun.elapsed() >= NO_ATTEMPT_AFTER {
            let cause = format!("no commit settled in {number} attempts");
            return Err(Problem::unavailable(cause));
        }
        sleep(random::up_to(PAUSE * number)).await;
        number += 1;
    }
}
