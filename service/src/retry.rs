//! The one retry policy: exponential backoff with jitter for what may pass, and no second attempt for what will not.

use std::{fmt::Display, future::Future, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Connection, time-out, overload: the same attempt may succeed later.
    Transient,
    /// The attempt itself is at fault: it will fail again.
    Permanent,
}

/// An error that knows its class.
pub trait Classify: Display {
    /// The error's class.
    fn class(&self) -> ErrorClass;
}

/// How long to wait between attempts: doubling from `first` to `longest`, each plus up to as much again at random.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// The first wait.
    pub min_delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
    /// The sum of waits after which the last error is returned; none: never.
    pub total_delay: Option<Duration>,
}

impl RetryPolicy {
    /// For work that must happen, however long it takes; stop it by dropping the future.
    pub const FOREVER: Self = Self {
        min_delay: Duration::from_millis(50),
        max_delay: Duration::from_secs(5),
        total_delay: None,
    };

    /// For a start beside parts that are starting, too: about a minute.
    pub const STARTUP: Self = Self {
        min_delay: Duration::from_millis(200),
        max_delay: Duration::from_secs(5),
        total_delay: Some(Duration::from_mins(1)),
    };

    /// Runs `attempt` until it succeeds, fails permanently, or the policy gives up. `what` names the work in the log.
    ///
    /// # Errors
    /// The last attempt's error.
    pub async fn run<T, E: Classify, F: Future<Output = Result<T, E>>>(
        &self,
        what: &str,
        attempt: impl FnMut() -> F,
    ) -> Result<T, E> {
        let report = |error: &E, wait: Duration| {
            tracing::warn!(%error, wait_ms = wait.as_millis() as u64, "{what} failed, trying again: {error}");
        };
        attempt
            .retry(self.backoff())
            .when(|error| error.class() == ErrorClass::Transient)
            .notify(report)
            .await
    }

    /// The waits themselves, for a caller that is not async.
    pub fn backoff(&self) -> impl BackoffBuilder + use<> {
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
    use std::cell::Cell;

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
        let result = QUICK.run("the work", attempt).await;
        (made.get(), result)
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_until_it_does() {
        assert_eq!(attempts(20, ErrorClass::Transient).await, (21, Ok(())));
    }

    #[tokio::test]
    async fn what_will_not_pass_is_tried_once() {
        assert_eq!(
            attempts(20, ErrorClass::Permanent).await,
            (1, Err(Failure(ErrorClass::Permanent)))
        );
    }
}
