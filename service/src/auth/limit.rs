//! How often one key may ask: the generic cell rate algorithm of the crate governor, told in the `RateLimit-*` headers of
//! draft-ietf-httpapi-ratelimit-headers-06.

use std::{num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed},
};
use poem::http::{HeaderMap, HeaderValue};

/// The limit of one key, with what is left of it.
#[derive(Debug)]
pub(super) struct Limit {
    rate: RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>,
    quota: Quota,
}

/// What a request found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Requests that may come at once.
    burst: u32,
    /// Requests that may come now.
    remaining: u32,
    /// Until all of `burst` may come again; of one refused, until one may.
    reset: Duration,
    /// How long it takes until a whole burst may come again.
    window: Duration,
    /// Whether it was one too many.
    pub(super) is_exceeded: bool,
}

impl Limit {
    /// So many requests a second on average, and so many at once.
    pub(super) fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self {
            rate: RateLimiter::direct(quota).with_middleware(),
            quota,
        }
    }

    /// Counts one request, unless it is one too many.
    pub(super) fn count(&self) -> Standing {
        let burst = self.quota.burst_size().get();
        let standing = |remaining: u32, reset, is_exceeded| Standing {
            burst,
            remaining,
            reset,
            window: self.quota.burst_size_replenished_in(),
            is_exceeded,
        };
        match self.rate.check() {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = burst.saturating_sub(remaining);
                standing(
                    remaining,
                    self.quota.replenish_interval().saturating_mul(used),
                    false,
                )
            }
            Err(until) => standing(0, until.wait_time_from(DefaultClock::default().now()), true),
        }
    }
}

impl Standing {
    /// Whole seconds after which one more may come, at least one.
    pub(super) fn retry_after(self) -> u32 {
        seconds(self.reset).max(1)
    }

    /// Tells it.
    pub(super) fn tell(self, headers: &mut HeaderMap) {
        let (burst, window) = (self.burst, seconds(self.window).max(1));
        let policy = HeaderValue::from_str(&format!("{burst};w={window}"));
        headers.insert("ratelimit-limit", burst.into());
        headers.insert("ratelimit-remaining", self.remaining.into());
        headers.insert("ratelimit-reset", seconds(self.reset).into());
        if let Ok(policy) = policy {
            headers.insert("ratelimit-policy", policy);
        }
    }
}

/// Whole seconds, a begun one counting.
fn seconds(time: Duration) -> u32 {
    let begun = u64::from(time.subsec_nanos() > 0);
    u32::try_from(time.as_secs() + begun).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_may_come_at_once_and_one_more_is_told_when() {
        let limit = Limit::new(NonZeroU32::MIN, NonZeroU32::new(3).unwrap());
        for remaining in [2, 1, 0] {
            let standing = limit.count();
            assert!(!standing.is_exceeded);
            assert_eq!(standing.remaining, remaining);
        }
        let standing = limit.count();
        assert!(standing.is_exceeded);
        assert_eq!(standing.retry_after(), 1);
        let mut headers = HeaderMap::new();
        standing.tell(&mut headers);
        assert_eq!(headers["ratelimit-limit"], "3");
        assert_eq!(headers["ratelimit-remaining"], "0");
        assert_eq!(headers["ratelimit-reset"], "1");
        assert_eq!(headers["ratelimit-policy"], "3;w=3");
    }
}
