//! A clock that you can move ahead, to see invites expire and limits pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use platform::Clock;

/// The clock of the functions: the machine's or one that stands still, plus the seconds it was moved ahead.
///
/// Sign-in tokens use real time, so that they stay valid when you move this clock.
#[derive(Debug, Clone)]
pub struct AdjustableClock {
    clock: Clock,
    ahead: Arc<AtomicI64>,
}

impl AdjustableClock {
    #[must_use]
    pub fn running() -> Self {
        Self::over(Clock::system())
    }

    #[must_use]
    pub fn standing_at(time: Timestamp) -> Self {
        Self::over(Clock::new(move || time))
    }

    fn over(clock: Clock) -> Self {
        Self {
            clock,
            ahead: Arc::default(),
        }
    }

    pub fn advance(&self, seconds: u32) {
        self.ahead.fetch_add(i64::from(seconds), Ordering::SeqCst);
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_secs(self.ahead.load(Ordering::SeqCst));
        self.clock
            .now()
            .saturating_add(ahead)
            .unwrap_or(Timestamp::MAX)
    }

    #[must_use]
    pub fn to_clock(&self) -> Clock {
        let clock = self.clone();
        Clock::new(move || clock.now())
    }
}
