//! Waits for a condition until a deadline. Never sleeps for a fixed time.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::error::{Error, Result};

/// Polls at an interval until `poll` returns a value. `what` names the condition in the error.
///
/// # Errors
/// Those of `poll`, and a timeout.
pub(crate) async fn until<T>(
    what: &str,
    timeout: Duration,
    poll_interval: Duration,
    mut poll: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + timeout;
    let mut ticks = interval(poll_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while Instant::now() < deadline {
        ticks.tick().await;
        if let Some(value) = poll().await? {
            return Ok(value);
        }
    }
    let seconds = timeout.as_secs();
    Err(Error::message(format!("timeout after {seconds} s: {what}")))
}
