//! Waiting with a limit.

use crate::trouble::{Result, trouble};
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const PACE: Duration = Duration::from_millis(20);

/// Waits until `ready` gives a value; fails with `what` after `limit`.
///
/// # Errors
/// The time is over, or `ready` itself failed.
#[track_caller]
pub fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut ready: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let until = Instant::now() + limit;
    loop {
        if let Some(value) = ready()? {
            return Ok(value);
        }
        if Instant::now() >= until {
            return Err(trouble(format!("waited {limit:?} in vain for {what}")));
        }
        std::thread::sleep(PACE);
    }
}

/// Waits until `ready` is true.
///
/// # Errors
/// As [`wait_for`].
#[track_caller]
pub fn wait_until(
    what: &str,
    limit: Duration,
    mut ready: impl FnMut() -> Result<bool>,
) -> Result<()> {
    wait_for(what, limit, || Ok(ready()?.then_some(())))
}
