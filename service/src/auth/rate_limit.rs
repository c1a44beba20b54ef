//! The rate limit of an API key: the generic cell rate algorithm (GCRA) of the crate governor, reported in the
//! `RateLimit-*` headers of draft-ietf-httpapi-ratelimit-headers-06.

use std::{num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed},
};
use poem::http::{HeaderMap, HeaderValue};

/// The rate limit of one key, and its state.
#[derive(Debug)]
pub(super) struct RateLimit {
    rate: RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>,
    quota: Quota,
}

/// The state of a rate limit after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RateLimitStatus {
    /// Maximum number of requests at once.
    burst: u32,
    /// Number of requests allowed now.
    remaining: u32,
    /// Time until the full burst is available; if exceeded, until one request is allowed.
    reset: Duration,
    /// Time in which a used-up burst becomes available again.
    window: Duration,
    /// Whether the request exceeds the limit.
    pub(super) is_exceeded: bool,
}

impl RateLimit {
    /// A limit of `per_second` requests on average, and `burst` at once.
    pub(super) fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self {
            rate: RateLimiter::direct(quota).with_middleware(),
            quota,
        }
    }

    /// Counts a request, unless it exceeds the limit.
    pub(super) fn count(&self) -> RateLimitStatus {
        let burst = self.quota.burst_size().get();
        let status = |remaining: u32, reset, is_exceeded| RateLimitStatus {
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
                status(
                    remaining,
                    self.quota.replenish_interval().saturating_mul(used),
                    false,
                )
            }
            Err(until) => status(0, until.wait_time_from(DefaultClock::default().now()), true),
        }
    }
}

impl RateLimitStatus {
    /// Seconds until one more request is allowed, rounded up, at least 1.
    pub(super) fn retry_after(self) -> u32 {
        seconds(self.reset).max(1)
    }

    /// Writes the `RateLimit-*` headers.
    pub(super) fn write_headers(self, headers: &mut HeaderMap) {
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

/// Seconds, rounded up.
fn seconds(time: Duration) -> u32 {
    let partial = u64::from(time.subsec_nanos() > 0);
    u32::try_from(time.as_secs() + partial).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_at_once_and_the_next_request_gets_the_time_to_wait() {
        let limit = RateLimit::new(NonZeroU32::MIN, NonZeroU32::new(3).unwrap());
        for remaining in [2, 1, 0] {
            let status = limit.count();
            assert!(!status.is_exceeded);
            assert_eq!(status.remaining, remaining);
        }
        let status = limit.count();
        assert!(status.is_exceeded);
        assert_eq!(status.retry_after(), 1);
        let mut headers = HeaderMap::new();
        status.write_headers(&mut headers);
        assert_eq!(headers["ratelimit-limit"], "3");
        assert_eq!(headers["ratelimit-remaining"], "0");
        assert_eq!(headers["ratelimit-reset"], "1");
        assert_eq!(headers["ratelimit-policy"], "3;w=3");
    }
}
