//! How much may be worked on at once: requests, bytes of their bodies, and items of their lists, for a few bytes of a body may be an
//! item that takes a hundred times as many. What does not fit is refused at once, so that nothing queues without bound
//! (invariant I10). No locks: three counters.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::config::LimitsConfig;

/// The in-flight limits, and what is taken of them.
#[derive(Debug)]
pub(crate) struct Admission {
    requests: Budget,
    bytes: Budget,
    items: Budget,
}

/// A limit is reached: nothing was done for the request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overloaded;

/// One request's part; given back when dropped.
#[derive(Debug)]
pub(crate) struct InFlightPermit {
    admission: Arc<Admission>,
    bytes: usize,
    items: usize,
}

impl Admission {
    pub(crate) fn new(limits: &LimitsConfig) -> Self {
        Self {
            requests: Budget::of(limits.in_flight_requests),
            bytes: Budget::of(limits.in_flight_bytes),
            items: Budget::of(limits.in_flight_items),
        }
    }

    /// Lets a request in, its body still to come.
    ///
    /// # Errors
    /// [`Overloaded`] when as many are in as may be.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<InFlightPermit, Overloaded> {
        self.requests.take(1)?;
        Ok(InFlightPermit {
            admission: Arc::clone(self),
            bytes: 0,
            items: 0,
        })
    }
}

impl InFlightPermit {
    /// Makes room for more of the body.
    ///
    /// # Errors
    /// [`Overloaded`] when bodies hold as many bytes as they may.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Overloaded> {
        self.admission.bytes.take(bytes)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Makes room for the items of a list; a request that is one item needs none beside its own.
    ///
    /// # Errors
    /// [`Overloaded`] when as many items are worked on as may be.
    pub(crate) fn hold(&mut self, items: usize) -> Result<(), Overloaded> {
        self.admission.items.take(items)?;
        self.items += items;
        Ok(())
    }
}

impl Drop for InFlightPermit {
    fn drop(&mut self) {
        self.admission.items.give_back(self.items);
        self.admission.bytes.give_back(self.bytes);
        self.admission.requests.give_back(1);
    }
}

#[derive(Debug)]
struct Budget {
    taken: AtomicUsize,
    limit: usize,
}

impl Budget {
    fn of(limit: usize) -> Self {
        let taken = AtomicUsize::new(0);
        Self { taken, limit }
    }

    fn take(&self, amount: usize) -> Result<(), Overloaded> {
        let before = self.taken.fetch_add(amount, Ordering::Relaxed);
        if before + amount <= self.limit {
            return Ok(());
        }
        self.give_back(amount);
        Err(Overloaded)
    }

    fn give_back(&self, amount: usize) {
        self.taken.fetch_sub(amount, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::read;

    fn admission(requests: &str, bytes: &str) -> Arc<Admission> {
        let settings = [
            ("IN_FLIGHT_MAX_REQUESTS", requests),
            ("IN_FLIGHT_MAX_BYTES", bytes),
            ("REQUEST_MAX_BYTES", "1024"),
            ("IN_FLIGHT_MAX_ITEMS", "10000"),
        ];
        Arc::new(Admission::new(&read(&settings).unwrap().limits))
    }

    #[test]
    fn a_request_beyond_the_limit_is_refused_until_another_has_ended() {
        let admission = admission("2", "1024");
        let first = admission.admit().unwrap();
        let _second = admission.admit().unwrap();
        assert_eq!(admission.admit().unwrap_err(), Overloaded);
        drop(first);
        assert!(admission.admit().is_ok());
    }

    #[test]
    fn bytes_beyond_the_limit_are_refused_until_others_were_given_back() {
        let admission = admission("10", "1024");
        let mut first = admission.admit().unwrap();
        let mut second = admission.admit().unwrap();
        assert_eq!(first.grow(1_000), Ok(()));
        assert_eq!(second.grow(25), Err(Overloaded));
        assert_eq!(second.grow(24), Ok(()));
        drop(first);
        assert_eq!(second.grow(1_000), Ok(()));
    }

    #[test]
    fn items_beyond_the_limit_are_refused_until_others_were_given_back() {
        let admission = admission("10", "1024");
        let mut first = admission.admit().unwrap();
        let mut second = admission.admit().unwrap();
        assert_eq!(first.hold(9_000), Ok(()));
        assert_eq!(second.hold(1_001), Err(Overloaded));
        assert_eq!(second.hold(1_000), Ok(()));
        drop(first);
        assert_eq!(second.hold(9_000), Ok(()));
    }
}
