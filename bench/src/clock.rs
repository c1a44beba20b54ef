//! The present, as events carry it.

use std::time::{SystemTime, UNIX_EPOCH};

use ess_schema::Timestamp;

use crate::error::{Error, Result};

/// The current time.
///
/// # Errors
/// A clock outside the years that ESS stores.
pub(crate) fn now() -> Result<Timestamp> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(-1, |since| since.as_millis() as i64);
    Timestamp::from_millis(millis).map_err(|e| Error::message(e.to_string()))
}
