//! How many queries run at a time, and how many wait for that. Past both, a query is refused at once (invariant I10).

use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::SelectError;

/// Admits queries in the order of their arrival.
#[derive(Debug)]
pub(super) struct Gate {
    running: Semaphore,
    /// Running and waiting queries.
    admitted: Semaphore,
}

/// The permit to run one query.
#[derive(Debug)]
pub(super) struct QueryPermit<'g> {
    _admitted: SemaphorePermit<'g>,
    _running: SemaphorePermit<'g>,
}

impl Gate {
    /// At most `running` queries run and `waiting` wait.
    pub(super) fn new(running: usize, waiting: usize) -> Self {
        Self {
            running: Semaphore::new(running),
            admitted: Semaphore::new(running + waiting),
        }
    }

    /// Waits until a query may run.
    ///
    /// # Errors
    /// [`SelectError::Overloaded`] when too many queries wait already.
    pub(super) async fn enter(&self) -> Result<QueryPermit<'_>, SelectError> {
        let admitted = self
            .admitted
            .try_acquire()
            .map_err(|_| SelectError::Overloaded)?;
        let running = self
            .running
            .acquire()
            .await
            .map_err(|_| SelectError::Overloaded)?;
        Ok(QueryPermit {
            _admitted: admitted,
            _running: running,
        })
    }
}

#[cfg(test)]
mod tests;
