//! Reads one page of distinct events. The rows of the read model are not distinct: repetitions may not be merged yet, and two
//! messages with one identity may differ. A page drops rows whose sort key may be incomplete, retains the canonical row of each
//! identity, and reads on until it is full.

use std::{collections::HashMap, future::Future};

use ess_schema::{EventId, Source, Timestamp};

use crate::{
    question::{EventKey, EventsPage, Start},
    read::read_model::{Generation, SelectError},
    sql::{CanonicalPosition, CanonicalPositions, EventsScan, InvalidRow, StoredEvent},
};

/// The maximum number of reads of a page. After that it is returned as it is, and its cursor leads on.
const MAX_READS: u32 = 12;
/// The maximum number of rows of one read. One sort key cannot have more: ClickHouse rejects inserts long before so many parts
/// wait for a merge.
const MAX_ROWS: usize = 4_096;

/// A page, and where the next begins if there is one.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) events: Vec<StoredEvent>,
    pub(crate) next: Option<EventKey>,
}

/// Where rows of events are read.
pub(crate) trait EventRows: Sync {
    /// Rows in the order of their sort key, repetitions included.
    fn scan(
        &self,
        scan: &EventsScan,
    ) -> impl Future<Output = Result<Vec<StoredEvent>, SelectError>> + Send;

    /// The canonical positions of the identities of these events.
    fn canonical_positions(
        &self,
        events: &[StoredEvent],
    ) -> impl Future<Output = Result<Vec<CanonicalPosition>, SelectError>> + Send;
}

impl EventRows for Generation<'_> {
    async fn scan(&self, scan: &EventsScan) -> Result<Vec<StoredEvent>, SelectError> {
        self.read_model.select(self.number, scan).await
    }

    async fn canonical_positions(
        &self,
        events: &[StoredEvent],
    ) -> Result<Vec<CanonicalPosition>, SelectError> {
        self.read_model
            .select(self.number, &CanonicalPositions::of(events))
            .await
    }
}

impl EventsPage {
    /// Reads the page.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub(crate) async fn read(&self, rows: &impl EventRows) -> Result<Page, SelectError> {
        let limit = usize::from(self.limit);
        let mut page = Page::default();
        let mut start = self.start.clone();
        for read in 0..MAX_READS {
            // One row more shows that there is a next page; later reads expect many repetitions.
            let wanted = ((limit + 1 - page.events.len()) << read).min(MAX_ROWS);
            let scan = EventsScan {
                filter: self.filter.clone(),
                start: start.clone(),
                rows: wanted,
            };
            let mut scanned = rows.scan(&scan).await?;
            let is_end = scanned.len() < wanted;
            if !is_end {
                cut_last_key(&mut scanned);
            }
            let last = scanned.last().map(key_of).transpose()?;
            page.events.extend(canonical(rows, scanned).await?);
            if page.events.len() >= limit && !(is_end && page.events.len() == limit) {
                page.events.truncate(limit);
                page.next = page.events.last().map(key_of).transpose()?;
                return Ok(page);
            }
            if is_end {
                return Ok(page);
            }
            start = last.map_or(start, Start::After);
        }
        page.next = if let Start::After(key) = start {
            Some(key)
        } else {
            None
        };
        Ok(page)
    }
}

/// Drops the rows of the last sort key, of which more may follow.
fn cut_last_key(rows: &mut Vec<StoredEvent>) {
    while let [.., before, last] = rows.as_slice() {
        let was_first = before.sort_key() != last.sort_key();
        rows.pop();
        if was_first {
            return;
        }
    }
    rows.clear();
}

/// The canonical rows: those at the lowest log position of their identity. A row whose identity is not stored yet is canonical,
/// because it is the first.
async fn canonical(
    rows: &impl EventRows,
    scanned: Vec<StoredEvent>,
) -> Result<Vec<StoredEvent>, SelectError> {
    if scanned.is_empty() {
        return Ok(scanned);
    }
    let lowest: HashMap<_, _> = rows
        .canonical_positions(&scanned)
        .await?
        .into_iter()
        .map(|first| {
            (
                (first.event_id, first.source),
                (first.partition, first.offset),
            )
        })
        .collect();
    let is_canonical = |event: &StoredEvent| {
        let identity = (event.event_id.clone(), event.source.clone());
        lowest
            .get(&identity)
            .is_none_or(|first| *first == (event.partition, event.offset))
    };
    let mut events: Vec<_> = scanned.into_iter().filter(is_canonical).collect();
    events.dedup_by(|next, first| {
        let is_repetition = next.sort_key() == first.sort_key();
        // The first storage of an event counts, as it does once repetitions are merged.
        if is_repetition && next.store_time < first.store_time {
            std::mem::swap(next, first);
        }
        is_repetition
    });
    Ok(events)
}

/// The key of a page's last event.
fn key_of(event: &StoredEvent) -> Result<EventKey, SelectError> {
    let read = || -> Result<EventKey, InvalidRow> {
        Ok(EventKey {
            occurred_at: Timestamp::from_millis(event.occurred_at)?,
            source: Source::new(event.source.as_str())?,
            event_id: EventId::new(event.event_id.as_str())?,
        })
    };
    read().map_err(SelectError::InvalidRow)
}

#[cfg(test)]
mod tests;
