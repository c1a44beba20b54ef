//! Retries without a time limit. While an attempt keeps failing, the stage is marked as blocked and readiness reports the
//! error (I11). Drop the future to stop.

use std::{
    fmt::{self, Display, Formatter},
    future::Future,
};

use ess_service::retry::{Classify, ErrorClass, RetryPolicy};

use crate::{
    metrics,
    status::{PipelineStatus, Stage},
};

/// Retries transient errors until an attempt succeeds or fails permanently.
///
/// # Errors
/// The permanent error.
pub(crate) async fn retry_transient<T, E: Classify, F: Future<Output = Result<T, E>>>(
    status: &PipelineStatus,
    stage: Stage,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E> {
    let reported = || {
        let attempt = attempt();
        async move {
            let result = attempt.await;
            match result.as_ref().map_err(|error| (error, error.class())) {
                Err((error, ErrorClass::Transient)) => {
                    metrics::retried(stage.name());
                    status.mark_blocked(stage, error.to_string());
                }
                Ok(_) | Err((_, ErrorClass::Permanent)) => status.mark_healthy(stage),
            }
            result
        }
    };
    RetryPolicy::FOREVER.run(stage.name(), reported).await
}

/// Retries every error until an attempt succeeds.
pub(crate) async fn retry_forever<T, E: Display, F: Future<Output = Result<T, E>>>(
    status: &PipelineStatus,
    stage: Stage,
    mut attempt: impl FnMut() -> F,
) -> T {
    loop {
        let transient = || {
            let attempt = attempt();
            async move { attempt.await.map_err(Transient) }
        };
        if let Ok(value) = retry_transient(status, stage, transient).await {
            return value;
        }
    }
}

/// Classifies any error as transient.
struct Transient<E>(E);

impl<E: Display> Display for Transient<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: Display> Classify for Transient<E> {
    fn class(&self) -> ErrorClass {
        ErrorClass::Transient
    }
}
