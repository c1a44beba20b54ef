//! How much may be worked on at once: requests, and bytes of their bodies. What does not fit is refused at once, so that
//! nothing queues without bound (invariant I10). No locks: two counters.

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
}

/// A limit is reached: nothing was done for the request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overloaded;

/// One request's part; given back when dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    admission: Arc<Admission>,
    bytes: usize,
}

impl Admission {
    pub(crate) fn new(limits: &LimitsConfig) -> Self {
        Self {
            requests: Budget::of(limits.in_flight_requests),
            bytes: Budget::of(limits.in_flight_bytes),
        }
    }

    /// Lets a request in, its body still to come.
    ///
    /// # Errors
    /// [`Overloaded`] when as many are in as may be.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Admitted, Overloaded> {
        self.requests.take(1)?;
        Ok(Admitted {
            admission: Arc::clone(self),
            bytes: 0,
        })
    }
}

impl Admitted {
    /// Makes room for more of the body.
    ///
    /// # Errors
    /// [`Overloaded`] when bodies hold as many bytes as they may.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Overloaded> {
        self.admission.bytes.take(bytes)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
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
}
