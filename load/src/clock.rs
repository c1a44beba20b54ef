//! The one place that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use ess_schema::Timestamp;

use crate::error::Error;

/// Now.
///
/// # Errors
/// A clock that is set to no sensible time.
pub(crate) fn now() -> Result<Timestamp, Error> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since_epoch.map_or(-1, |since| i64::try_from(since.as_millis()).unwrap_or(-1));
    Timestamp::from_millis(millis).map_err(Error::Clock)
}

/// The facts of an hour from the returned time lie before `now`.
pub(crate) fn hour_before(now: Timestamp) -> Timestamp {
    const MINUTE_MS: i64 = 60_000;
    let since_minute = now.as_millis() % MINUTE_MS;
    now.plus_millis(-since_minute - 59 * MINUTE_MS)
}
