//! Waits for a condition with a deadline. No other module of the tests sleeps.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Default deadline of a condition: long, because two cores run everything at once.
pub const DEADLINE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);

/// Polls until `condition` is `Ok`, for [`DEADLINE`].
///
/// # Panics
/// With `what` and the last reason when the deadline has passed.
pub async fn eventually<T>(what: &str, condition: impl AsyncFnMut() -> Result<T, String>) -> T {
    eventually_within(DEADLINE, what, condition).await
}

/// Polls until `condition` is `Ok`, for `deadline`.
///
/// # Panics
/// With `what` and the last reason when the deadline has passed.
pub async fn eventually_within<T>(
    deadline: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let end = Instant::now() + deadline;
    loop {
        let reason = match condition().await {
            Ok(value) => return value,
            Err(reason) => reason,
        };
        assert!(
            Instant::now() < end,
            "{what}: not within {deadline:?}; last reason: {reason}"
        );
        sleep(POLL).await;
    }
}
