//! A clock that can be moved ahead, to see invites expire and limits pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use platform::Clock;

/// The machine's clock, or one that stands still, and how far it was moved ahead.
///
/// It is the functions' clock. Sign-in tokens keep to real time, so that one that was issued before
/// a move is still good after it.
#[derive(Debug, Clone)]
pub struct AdjustableClock {
    clock: Clock,
    ahead: Arc<AtomicI64>,
}

impl AdjustableClock {
    /// A clock that runs like the machine's.
    #[must_use]
    pub fn running() -> Self {
        Self::over(Clock::system())
    }

    /// A clock that stands still until it is moved.
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

    /// Moves the clock ahead.
    pub fn advance(&self, seconds: u32) {
        self.ahead.fetch_add(i64::from(seconds), Ordering::SeqCst);
    }

    /// The time on this clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_secs(self.ahead.load(Ordering::SeqCst));
        self.clock
            .now()
            .saturating_add(ahead)
            .unwrap_or(Timestamp::MAX)
    }

    /// This clock, for a function.
    #[must_use]
    pub fn to_clock(&self) -> Clock {
        let clock = self.clone();
        Clock::new(move || clock.now())
    }
}
