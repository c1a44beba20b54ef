//! Reuses the columns of stored batches, so that their memory pages stay mapped: without it, clearing pages in the kernel took
//! a sixth of the projector's time in a profile of a backlog. It must never hold rows, nor more columns than there are
//! batches (I10).

use std::sync::{Mutex, MutexGuard, PoisonError};

use ess_schema::columns::EventColumns;

/// Empty columns with allocated capacity.
#[derive(Debug)]
pub(crate) struct ColumnPool {
    columns: Mutex<Vec<EventColumns>>,
    /// Larger columns are dropped. Otherwise records that fill different columns than earlier ones would make them grow
    /// without bound.
    max_capacity: usize,
}

impl ColumnPool {
    /// `max_capacity` is in bytes.
    pub(crate) fn new(max_capacity: usize) -> Self {
        Self {
            columns: Mutex::default(),
            max_capacity,
        }
    }

    /// Returns empty columns, new ones when the pool is empty.
    pub(crate) fn acquire(&self) -> EventColumns {
        self.lock().pop().unwrap_or_default()
    }

    /// Clears the columns and returns them to the pool.
    pub(crate) fn release(&self, mut columns: EventColumns) {
        if columns.allocated_bytes() <= self.max_capacity {
            columns.clear();
            self.lock().push(columns);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<EventColumns>> {
        self.columns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Outcome, decode, position, tests::record};

    #[test]
    fn columns_are_reused_unless_they_have_grown_too_large() {
        let record = record(Some(r#"{"id":"e1","user_id":"u1","track_id":"t1"}"#), &[]);
        let Outcome::Event(event) = decode(&record) else {
            panic!("the record is an event");
        };
        for reused in [true, false] {
            let mut columns = EventColumns::default();
            columns.push(&event, position(&record));
            let capacity = columns.allocated_bytes();
            let pool = ColumnPool::new(if reused { capacity } else { capacity - 1 });
            pool.release(columns);
            let columns = pool.acquire();
            assert_eq!(
                (columns.len(), columns.allocated_bytes() == capacity),
                (0, reused)
            );
        }
    }
}
