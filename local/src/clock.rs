//! A clock that can be moved ahead, to see invites expire and limits pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use platform::Clock;

/// The machine's clock and how far it was moved ahead.
///
/// It is the functions' clock. Sign-in tokens keep to real time, so that one that was issued before
/// a move is still good after it.
#[derive(Debug, Clone, Default)]
pub struct AdjustableClock(Arc<AtomicI64>);

impl AdjustableClock {
    /// Moves the clock ahead.
    pub fn advance(&self, seconds: u32) {
        self.0.fetch_add(i64::from(seconds), Ordering::SeqCst);
    }

    /// The time on this clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_secs(self.0.load(Ordering::SeqCst));
        Clock::system()
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
