//! How many queries run at once, and how many may wait for that: past both, a caller is told at once (invariant I10).

use tokio::sync::{Semaphore, SemaphorePermit};

use super::SelectError;

/// Lets queries through in the order they came.
#[derive(Debug)]
pub(super) struct Gate {
    running: Semaphore,
    present: Semaphore,
}

/// The right to run one query, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'g> {
    _present: SemaphorePermit<'g>,
    _running: SemaphorePermit<'g>,
}

impl Gate {
    /// At most `running` queries run, and `waiting` wait.
    pub(super) fn new(running: usize, waiting: usize) -> Self {
        Self {
            running: Semaphore::new(running),
            present: Semaphore::new(running + waiting),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`SelectError::Overloaded`] when too many wait already.
    pub(super) async fn turn(&self) -> Result<Turn<'_>, SelectError> {
        let present = self
            .present
            .try_acquire()
            .map_err(|_| SelectError::Overloaded)?;
        let running = self
            .running
            .acquire()
            .await
            .map_err(|_| SelectError::Overloaded)?;
        Ok(Turn {
            _present: present,
            _running: running,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn past_the_bound_a_query_is_refused_at_once() {
        let gate = Gate::new(1, 1);
        let first = gate.turn().await.unwrap();
        let mut second = Box::pin(gate.turn());
        assert!(
            std::future::poll_fn(|context| std::task::Poll::Ready(second.as_mut().poll(context)))
                .await
                .is_pending()
        );
        assert!(matches!(gate.turn().await, Err(SelectError::Overloaded)));
        drop(first);
        drop(second.await.unwrap());
        gate.turn().await.unwrap();
    }
}
