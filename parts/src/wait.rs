//! Waits for a condition until a deadline. The only place of this crate that sleeps.

use std::thread;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(25);

/// Polls until `condition` returns a value; `None` after `deadline`.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the polling with a deadline that other code must use"
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
