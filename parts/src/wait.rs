//! Waiting for a condition with a deadline: the one place of this crate that sleeps.

use std::thread;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(25);

/// Polls until `condition` gives a value; `None` once `deadline` has passed.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the poll under a deadline that others are sent to"
)]
pub fn until<T>(deadline: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(value) = condition() {
            return Some(value);
        }
        if Instant::now() >= end {
            return None;
        }
        thread::sleep(POLL);
    }
}
