//! Random numbers, from the operating system.

use std::time::Duration;

/// The operating system gave no random numbers, so no secret can be made.
#[derive(Debug)]
pub struct NoRandomness(getrandom::Error);

impl std::fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the operating system returned no random numbers: {}",
            self.0
        )
    }
}

impl std::error::Error for NoRandomness {}

/// 32 bytes that nobody can guess: the secret of an invite.
///
/// # Errors
///
/// [`NoRandomness`].
pub fn secret() -> Result<[u8; 32], NoRandomness> {
    let mut secret = [0; 32];
    fill(&mut secret)?;
    Ok(secret)
}

/// A time between zero and `longest`, so that writers that collided do not collide again.
#[must_use]
pub fn up_to(longest: Duration) -> Duration {
    let mut byte = [0];
    match fill(&mut byte) {
        Ok(()) => longest * u32::from(byte[0]) / 255,
        Err(NoRandomness(_)) => longest,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks for randomness"
)]
fn fill(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    getrandom::fill(bytes).map_err(NoRandomness)
}
