//! Waiting for a condition under a deadline: nothing here may wait for a time to pass.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::error::{Error, Result};

/// Asks `every` so often until there is an answer.
///
/// # Errors
/// Those of `asked`, and none in time.
pub(crate) async fn until<T>(
    what: &str,
    within: Duration,
    every: Duration,
    mut asked: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + within;
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while Instant::now() < deadline {
        ticks.tick().await;
        if let Some(answer) = asked().await? {
            return Ok(answer);
        }
    }
    let seconds = within.as_secs();
    Err(Error::message(format!("{what}: not within {seconds} s")))
}
