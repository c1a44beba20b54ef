//! The retry policy of all services: exponential backoff with jitter for transient errors, no retry for permanent ones.

use std::{fmt::Display, future::Future, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};

/// Whether a retry can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Connection, timeout, overload: a retry may succeed.
    Transient,
    /// A retry fails again.
    Permanent,
}

/// An error with a class.
pub trait Classify: Display {
    /// The error's class.
    fn class(&self) -> ErrorClass;
}

/// The delays between attempts: they double from `min_delay` to `max_delay`, and jitter adds up to the same again.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// The first delay.
    pub min_delay: Duration,
    /// The longest delay.
    pub max_delay: Duration,
    /// The sum of delays after which the last error is returned; none: never.
    pub total_delay: Option<Duration>,
}

impl RetryPolicy {
    /// Retries forever. Drop the future to stop.
    pub const FOREVER: Self = Self {
        min_delay: Duration::from_millis(50),
        max_delay: Duration::from_secs(5),
        total_delay: None,
    };

    /// Retries for about a minute, while Kafka and ClickHouse may still be starting.
    pub const STARTUP: Self = Self {
        min_delay: Duration::from_millis(200),
        max_delay: Duration::from_secs(5),
        total_delay: Some(Duration::from_mins(1)),
    };

    /// Runs `attempt` until it succeeds, fails permanently, or `total_delay` is reached. `operation` appears in log lines.
    ///
    /// # Errors
    /// The error of the last attempt.
    pub async fn run<T, E: Classify, F: Future<Output = Result<T, E>>>(
        &self,
        operation: &str,
        attempt: impl FnMut() -> F,
    ) -> Result<T, E> {
        let report = |error: &E, wait: Duration| {
            let wait_ms = wait.as_millis() as u64;
            tracing::warn!(%error, wait_ms, "{operation} failed, retrying in {wait_ms} ms: {error}");
        };
        attempt
            .retry(self.backoff())
            .when(|error| error.class() == ErrorClass::Transient)
            .notify(report)
            .await
    }

    fn backoff(&self) -> impl BackoffBuilder + use<> {
        ExponentialBuilder::new()
            .with_jitter()
            .with_min_delay(self.min_delay)
            .with_max_delay(self.max_delay)
            .without_max_times()
            .with_total_delay(self.total_delay)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use tokio::time::Instant;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Failure(ErrorClass);

    impl Display for Failure {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{:?}", self.0)
        }
    }

    impl Classify for Failure {
        fn class(&self) -> ErrorClass {
            self.0
        }
    }

    const QUICK: RetryPolicy = RetryPolicy {
        min_delay: Duration::from_micros(1),
        max_delay: Duration::from_micros(2),
        total_delay: None,
    };

    async fn attempts(failures: u32, class: ErrorClass) -> (u32, Result<(), Failure>) {
        let made = Cell::new(0);
        let attempt = || {
            made.set(made.get() + 1);
            let result = if made.get() > failures {
                Ok(())
            } else {
                Err(Failure(class))
            };
            async { result }
        };
        let result = QUICK.run("work", attempt).await;
        (made.get(), result)
    }

    #[tokio::test]
    async fn a_transient_error_is_retried_until_success() {
        assert_eq!(attempts(20, ErrorClass::Transient).await, (21, Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn delays_double_up_to_the_maximum_and_the_total_ends_the_retries() {
        let policy = RetryPolicy::STARTUP;
        let attempts = RefCell::new(Vec::new());
        let attempt = || {
            attempts.borrow_mut().push(Instant::now());
            async { Err::<(), _>(Failure(ErrorClass::Transient)) }
        };
        let result = policy.run("work", attempt).await;
        assert_eq!(result, Err(Failure(ErrorClass::Transient)));

        let attempts = attempts.into_inner();
        let mut delay = policy.min_delay;
        for pair in attempts.windows(2) {
            // The timer of tokio has a resolution of 1 ms.
            let waited = pair[1] - pair[0];
            let longest = delay * 2 + Duration::from_millis(1);
            assert!((delay..=longest).contains(&waited), "{waited:?}: {delay:?}");
            delay = policy.max_delay.min(delay * 2);
        }
        let total = attempts[attempts.len() - 1] - attempts[0];
        let limit = policy.total_delay.unwrap();
        assert!(total <= limit + Duration::from_secs(1), "{total:?}");
        assert!(total + policy.max_delay * 2 >= limit, "{total:?}");
    }

    #[tokio::test]
    async fn a_permanent_error_is_not_retried() {
        assert_eq!(
            attempts(20, ErrorClass::Permanent).await,
            (1, Err(Failure(ErrorClass::Permanent)))
        );
    }
}
