//! Columns that were stored and are filled again: memory that was paged in once stays. Without this, a profile of a backlog
//! had a sixth of the projector's time in the kernel clearing pages. Bounded by the batches there can be at a time (I10); it never holds rows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ess_schema::columns::EventColumns;

/// Empty columns with room.
#[derive(Debug)]
pub(crate) struct Spares {
    columns: Mutex<Vec<EventColumns>>,
    /// Columns with more room are not kept: records that fill other columns than those before would make them grow for ever.
    most: usize,
}

impl Spares {
    /// For batches with this room.
    pub(crate) fn new(batch_room: usize) -> Self {
        Self {
            columns: Mutex::default(),
            most: batch_room,
        }
    }

    /// Columns to fill.
    pub(crate) fn take(&self) -> EventColumns {
        self.lock().pop().unwrap_or_default()
    }

    /// Gives back columns whose rows are not needed any more.
    pub(crate) fn give(&self, mut columns: EventColumns) {
        if columns.allocated_bytes() <= self.most {
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
    fn columns_are_filled_again_unless_they_have_grown_too_large() {
        let record = record(Some(r#"{"id":"e1","user_id":"u1","track_id":"t1"}"#), &[]);
        let Outcome::Event(event) = decode(&record) else {
            panic!("it is one");
        };
        for kept in [true, false] {
            let mut columns = EventColumns::default();
            columns.push(&event, position(&record));
            let room = columns.allocated_bytes();
            let spares = Spares::new(if kept { room } else { room - 1 });
            spares.give(columns);
            let again = spares.take();
            assert_eq!((again.len(), again.allocated_bytes() == room), (0, kept));
        }
    }
}
