//! One page of events, each distinct one once. The rows of the read model are not that yet: a repetition may not be merged, and
//! two messages under one identity may differ. What is read here is cut where rows of one sort key might be missing, reduced to
//! the rows that stand, and read on until the page is full.

use std::{collections::HashMap, future::Future};

use ess_schema::{EventId, Source, Timestamp};

use crate::{
    question::{EventKey, EventsPage, Start},
    read::read_model::{Generation, SelectError},
    sql::{EventsScan, InvalidRow, Standing, StandingPositions, StoredEvent},
};

/// After so many reads a page is handed out as it is; its cursor tells where to go on.
const MOST_READS: u32 = 12;
/// The most rows of one read. One sort key cannot have more: ClickHouse refuses inserts long before so many parts wait for a merge.
const MOST_ROWS: usize = 4_096;

/// A page, and where the next begins if there is one.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) events: Vec<StoredEvent>,
    pub(crate) next: Option<EventKey>,
}

/// Where rows come from.
pub(crate) trait EventRows: Sync {
    /// Rows in the order of their sort key, repetitions included.
    fn scan(
        &self,
        scan: &EventsScan,
    ) -> impl Future<Output = Result<Vec<StoredEvent>, SelectError>> + Send;

    /// Where these events' identities stand first.
    fn standing(
        &self,
        events: &[StoredEvent],
    ) -> impl Future<Output = Result<Vec<Standing>, SelectError>> + Send;
}

impl EventRows for Generation<'_> {
    async fn scan(&self, scan: &EventsScan) -> Result<Vec<StoredEvent>, SelectError> {
        self.read_model.select(self.number, scan).await
    }

    async fn standing(&self, events: &[StoredEvent]) -> Result<Vec<Standing>, SelectError> {
        self.read_model
            .select(self.number, &StandingPositions::of(events))
            .await
    }
}

impl EventsPage {
    /// Reads it.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub(crate) async fn read(&self, rows: &impl EventRows) -> Result<Page, SelectError> {
        let limit = usize::from(self.limit);
        let mut page = Page::default();
        let mut start = self.start.clone();
        for read in 0..MOST_READS {
            // One more than is missing tells that there is a next page; later reads expect many repetitions.
            let wanted = ((limit + 1 - page.events.len()) << read).min(MOST_ROWS);
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
            page.events.extend(standing(rows, scanned).await?);
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

/// Takes away the rows of the last sort key, of which more may follow.
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

/// Those of the rows that stand for their identity. One whose identity is not stored yet stands: it is the first.
async fn standing(
    rows: &impl EventRows,
    scanned: Vec<StoredEvent>,
) -> Result<Vec<StoredEvent>, SelectError> {
    if scanned.is_empty() {
        return Ok(scanned);
    }
    let lowest: HashMap<_, _> = rows
        .standing(&scanned)
        .await?
        .into_iter()
        .map(|first| {
            (
                (first.event_id, first.source),
                (first.partition, first.offset),
            )
        })
        .collect();
    let stands = |event: &StoredEvent| {
        let identity = (event.event_id.clone(), event.source.clone());
        lowest
            .get(&identity)
            .is_none_or(|first| *first == (event.partition, event.offset))
    };
    let mut standing: Vec<_> = scanned.into_iter().filter(stands).collect();
    standing.dedup_by(|next, kept| {
        let is_repetition = next.sort_key() == kept.sort_key();
        // Stored more than once, its first storing counts, as it will once they are merged.
        if is_repetition && next.store_time < kept.store_time {
            std::mem::swap(next, kept);
        }
        is_repetition
    });
    Ok(standing)
}

/// Where a page ends whose last event is this.
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
