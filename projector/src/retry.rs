//! Trying for ever, visibly: what may pass is tried until it does, and readiness says so meanwhile (I11). Whoever calls this
//! is stopped by dropping the future.

use std::{fmt::Display, future::Future};

use ess_service::retry::{Classify, ErrorClass, RetryPolicy};

use crate::{
    metrics,
    status::{Stage, Vitals},
};

/// Tries until it succeeds or fails for good.
///
/// # Errors
/// A permanent one.
pub(crate) async fn until_decided<T, E: Classify, F: Future<Output = Result<T, E>>>(
    vitals: &Vitals,
    stage: Stage,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E> {
    let visibly = || {
        let attempt = attempt();
        async move {
            let result = attempt.await;
            match result.as_ref().map_err(|error| (error, error.class())) {
                Err((error, ErrorClass::Transient)) => {
                    metrics::retried(stage);
                    vitals.hindered(stage, error.to_string());
                }
                Ok(_) | Err((_, ErrorClass::Permanent)) => vitals.works(stage),
            }
            result
        }
    };
    RetryPolicy::FOREVER.run(stage.name(), visibly).await
}

/// Tries until it succeeds.
pub(crate) async fn until_done<T, E: Display, F: Future<Output = Result<T, E>>>(
    vitals: &Vitals,
    stage: Stage,
    mut attempt: impl FnMut() -> F,
) -> T {
    loop {
        let passing = || {
            let attempt = attempt();
            async move { attempt.await.map_err(Passing) }
        };
        if let Ok(done) = until_decided(vitals, stage, passing).await {
            return done;
        }
    }
}

/// An error of which the caller knows that it passes.
struct Passing<E>(E);

impl<E: Display> Display for Passing<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: Display> Classify for Passing<E> {
    fn class(&self) -> ErrorClass {
        ErrorClass::Transient
    }
}
