//! The only module that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use ess_schema::Timestamp;
use ess_schema::time::InvalidTime;

/// The current time.
///
/// # Errors
/// When the clock is set to a time before 1970 or far in the future.
pub(crate) fn now() -> Result<Timestamp, InvalidTime> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since_epoch.map_or(-1, |since| i64::try_from(since.as_millis()).unwrap_or(-1));
    Timestamp::from_millis(millis)
}

/// The start of a simulation whose facts, which span an hour, happened before `now`.
pub(crate) fn hour_before(now: Timestamp) -> Timestamp {
    const MINUTE_MS: i64 = 60_000;
    let since_minute = now.as_millis() % MINUTE_MS;
    now.plus_millis(-since_minute - 59 * MINUTE_MS)
}
