//! Limits the requests in flight, the bytes of their bodies, and the items of their lists; items, because one of a few bytes takes a
//! hundred times as much memory. A request that exceeds a limit is rejected at once: it must never wait (invariant I10).

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::config::LimitsConfig;

/// The in-flight limits. A permit is one request, one byte, or one item.
#[derive(Debug)]
pub(crate) struct Admission {
    requests: Semaphore,
    bytes: Semaphore,
    items: Semaphore,
}

/// A limit is reached. Nothing was done for the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too much is in flight: a limit on requests, bytes, or items is reached")]
pub(crate) struct Overloaded;

/// What one request has reserved. Dropping it releases everything.
#[derive(Debug)]
pub(crate) struct InFlightPermit<'a> {
    admission: &'a Admission,
    _request: SemaphorePermit<'a>,
    bytes: SemaphorePermit<'a>,
    items: SemaphorePermit<'a>,
}

impl Admission {
    pub(crate) fn new(limits: &LimitsConfig) -> Self {
        Self {
            requests: Semaphore::new(limits.in_flight_requests),
            bytes: Semaphore::new(limits.in_flight_bytes),
            items: Semaphore::new(limits.in_flight_items),
        }
    }

    /// Admits a request whose body is still to be read.
    ///
    /// # Errors
    /// [`Overloaded`] when the maximum number of requests is in flight.
    pub(crate) fn admit(&self) -> Result<InFlightPermit<'_>, Overloaded> {
        Ok(InFlightPermit {
            admission: self,
            _request: reserve(&self.requests, 1)?,
            bytes: reserve(&self.bytes, 0)?,
            items: reserve(&self.items, 0)?,
        })
    }
}

impl InFlightPermit<'_> {
    /// Reserves bytes for a chunk of the body.
    ///
    /// # Errors
    /// [`Overloaded`] when fewer bytes are available. What was reserved before stays reserved.
    pub(crate) fn reserve_bytes(&mut self, bytes: usize) -> Result<(), Overloaded> {
        self.bytes.merge(reserve(&self.admission.bytes, bytes)?);
        Ok(())
    }

    /// Reserves the items of a list. A body that is one item needs no reservation.
    ///
    /// # Errors
    /// [`Overloaded`] when fewer items are available. What was reserved before stays reserved.
    pub(crate) fn reserve_items(&mut self, items: usize) -> Result<(), Overloaded> {
        self.items.merge(reserve(&self.admission.items, items)?);
        Ok(())
    }
}

fn reserve(semaphore: &Semaphore, count: usize) -> Result<SemaphorePermit<'_>, Overloaded> {
    let count = u32::try_from(count).map_err(|_| Overloaded)?;
    semaphore.try_acquire_many(count).map_err(|_| Overloaded)
}

#[cfg(test)]
mod tests;
