//! The clock of this machine.

use std::time::SystemTime;

use ess_schema::Timestamp;
use ess_service::problem::{Problem, ProblemKind};

/// The current time.
///
/// # Errors
/// 500 when the clock is outside the range of ESS timestamps.
pub(super) fn now() -> Result<Timestamp, Problem> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let millis = since
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok());
    millis
        .and_then(|millis| Timestamp::from_millis(millis).ok())
        .ok_or_else(|| {
            tracing::error!("the clock of this machine is outside the years 1970 to 2261");
            Problem::new(ProblemKind::Internal, "the clock of the server is wrong")
        })
}
