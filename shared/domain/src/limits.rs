//! How often mail may be sent, and how long an invite lives.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

/// The deployment sets these parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long an invite's newest link works.
    pub invite_lifetime: SignedDuration,
    /// The least time between two sends of an invite.
    pub resend_cooldown: SignedDuration,
    /// How often an invite can be resent on one day (UTC).
    pub resends_per_day: u32,
    /// How many mails an account can send in one hour of the clock.
    pub sends_per_hour: u32,
    /// How many mails a recipient can get on one day (UTC), from all accounts together.
    pub sends_per_recipient_per_day: u32,
}

/// Whole seconds from `now` until `then`, at least one, for `Retry-After`.
#[must_use]
pub fn seconds_until(then: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(then.duration_since(now).as_secs())
        .unwrap_or(0)
        .max(1)
}

/// The day that a time is in (UTC).
#[must_use]
pub fn day_of(time: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(time).date()
}

/// When the next day begins (UTC).
#[must_use]
pub fn next_day(now: Timestamp) -> Timestamp {
    next_multiple(now, 86_400)
}

/// When the next hour of the clock begins.
#[must_use]
pub fn next_hour(now: Timestamp) -> Timestamp {
    next_multiple(now, 3_600)
}

fn next_multiple(now: Timestamp, seconds: i64) -> Timestamp {
    let next = (now.as_second().div_euclid(seconds) + 1) * seconds;
    Timestamp::from_second(next).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::{day_of, next_day, next_hour, seconds_until};
    use jiff::Timestamp;

    #[test]
    fn windows_begin_on_the_hour_and_at_midnight() {
        let now: Timestamp = "2026-11-24T23:59:59Z".parse().unwrap();
        assert_eq!(next_hour(now).to_string(), "2026-11-25T00:00:00Z");
        assert_eq!(next_day(now).to_string(), "2026-11-25T00:00:00Z");
        assert_eq!(next_day(next_day(now)).to_string(), "2026-11-26T00:00:00Z");
        assert_eq!(day_of(now).to_string(), "2026-11-24");
        assert_eq!(seconds_until(next_day(now), now), 1);
        assert_eq!(seconds_until(now, next_day(now)), 1);
    }
}
