//! Pages over rows with repetitions and conflicts: each canonical event is listed once.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::question::EventFilter;

/// Rows with repetitions and conflicts, as ClickHouse may return them. It counts the reads.
#[derive(Default)]
struct EventTable {
    rows: Vec<StoredEvent>,
    first: BTreeMap<(String, String), (u16, u64)>,
    scans: std::sync::atomic::AtomicUsize,
}

impl EventTable {
    /// Each message is (event id, time, offset); messages may repeat.
    fn of(messages: &[(u8, i64, u64)]) -> Self {
        let mut table = Self::default();
        for (id, occurred_at, offset) in messages {
            let event = StoredEvent {
                event_id: format!("e{id}"),
                source: "s".to_owned(),
                occurred_at: *occurred_at,
                offset: *offset,
                ..StoredEvent::default()
            };
            let identity = (event.event_id.clone(), event.source.clone());
            let first = table.first.entry(identity).or_insert((0, *offset));
            *first = (*first).min((0, *offset));
            table.rows.push(event);
        }
        // The sort is stable, so rows of one key stay in the order of the messages.
        table.rows.sort_by(|a, b| b.sort_key().cmp(&a.sort_key()));
        table
    }

    /// The expected list: canonical events, newest first.
    fn listed(&self) -> Vec<(String, u64)> {
        let is_canonical = |event: &&StoredEvent| {
            self.first[&(event.event_id.clone(), event.source.clone())].1 == event.offset
        };
        let mut listed: Vec<_> = self
            .rows
            .iter()
            .filter(is_canonical)
            .map(identity_of)
            .collect();
        listed.dedup();
        listed
    }

    fn scans(&self) -> usize {
        self.scans.load(std::sync::atomic::Ordering::Relaxed)
    }
}

fn identity_of(event: &StoredEvent) -> (String, u64) {
    (event.event_id.clone(), event.offset)
}

impl EventRows for EventTable {
    async fn scan(&self, scan: &EventsScan) -> Result<Vec<StoredEvent>, SelectError> {
        self.scans
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let begins = |event: &&StoredEvent| match &scan.start {
            Start::After(EventKey {
                occurred_at,
                source,
                event_id,
            }) => event.sort_key() < (occurred_at.as_millis(), source.as_str(), event_id.as_str()),
            Start::Newest | Start::Offset(_) => true,
        };
        Ok(self
            .rows
            .iter()
            .filter(begins)
            .take(scan.rows)
            .cloned()
            .collect())
    }

    async fn canonical_positions(
        &self,
        events: &[StoredEvent],
    ) -> Result<Vec<CanonicalPosition>, SelectError> {
        let position =
            |((event_id, source), (partition, offset)): (&(String, String), &(u16, u64))| {
                CanonicalPosition {
                    event_id: event_id.clone(),
                    source: source.clone(),
                    partition: *partition,
                    offset: *offset,
                }
            };
        let is_requested =
            |identity: &&(String, String)| events.iter().any(|event| event.event_id == identity.0);
        Ok(self
            .first
            .iter()
            .filter(|(identity, _)| is_requested(identity))
            .map(position)
            .collect())
    }
}

/// Every page from the newest to the last.
async fn pages(table: &EventTable, limit: u16) -> Vec<Vec<(String, u64)>> {
    let mut start = Start::Newest;
    let mut pages = Vec::new();
    loop {
        let page = EventsPage::new(EventFilter::default(), start, limit)
            .unwrap()
            .read(table)
            .await
            .unwrap();
        pages.push(page.events.iter().map(identity_of).collect());
        match page.next {
            Some(key) => start = Start::After(key),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn a_page_without_repetitions_costs_one_read() {
    let table = EventTable::of(&[(1, 10, 1), (2, 20, 2), (3, 30, 3)]);
    let page = EventsPage::new(EventFilter::default(), Start::Newest, 2)
        .unwrap()
        .read(&table)
        .await
        .unwrap();
    assert_eq!(
        page.events.iter().map(identity_of).collect::<Vec<_>>(),
        [("e3".to_owned(), 3), ("e2".to_owned(), 2)]
    );
    assert_eq!(page.next.unwrap().event_id.as_str(), "e2");
    assert_eq!(table.scans(), 1);
}

#[tokio::test]
async fn a_last_page_that_is_full_has_no_next() {
    let table = EventTable::of(&[(1, 10, 1), (2, 20, 2), (3, 30, 3), (4, 40, 4)]);
    assert_eq!(
        pages(&table, 2)
            .await
            .iter()
            .map(Vec::len)
            .collect::<Vec<_>>(),
        [2, 2]
    );
    assert_eq!(pages(&EventTable::default(), 2).await, [Vec::new()]);
}

#[tokio::test]
async fn of_two_messages_under_one_identity_the_first_in_the_log_is_listed() {
    let table = EventTable::of(&[(1, 10, 7), (1, 30, 9), (2, 20, 8)]);
    assert_eq!(
        pages(&table, 10).await,
        [vec![("e2".to_owned(), 8), ("e1".to_owned(), 7)]]
    );
}

#[tokio::test]
async fn repetitions_do_not_make_a_page_shorter() {
    let repeated: Vec<_> = (0..20)
        .flat_map(|id| [(id, 10 + i64::from(id), u64::from(id)); 3])
        .collect();
    let table = EventTable::of(&repeated);
    assert_eq!(
        pages(&table, 10)
            .await
            .iter()
            .map(Vec::len)
            .collect::<Vec<_>>(),
        [10, 10]
    );
}

#[tokio::test]
async fn of_an_event_stored_more_than_once_the_first_storing_is_listed() {
    let mut table = EventTable::of(&[(1, 10, 7), (1, 10, 7), (1, 10, 7)]);
    for (row, store_time) in table.rows.iter_mut().zip([30, 20, 25]) {
        row.store_time = store_time;
    }
    let page = EventsPage::new(EventFilter::default(), Start::Newest, 10).unwrap();
    let events = page.read(&table).await.unwrap().events;
    assert_eq!(
        events
            .iter()
            .map(|event| event.store_time)
            .collect::<Vec<_>>(),
        [20]
    );
}

proptest! {
    #[test]
    fn following_the_pages_lists_each_event_once_in_order(
        log in prop::collection::vec((0_u8..6, 0_i64..4), 1..12),
        stored in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        limit in 1_u16..5,
    ) {
        let stored = stored.iter().map(|index| index.index(log.len()));
        let messages: Vec<_> = stored.map(|offset| (log[offset].0, log[offset].1, offset as u64)).collect();
        let table = EventTable::of(&messages);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let pages = runtime.block_on(pages(&table, limit));
        prop_assert!(pages.iter().all(|page| page.len() <= usize::from(limit)));
        prop_assert_eq!(pages.concat(), table.listed());
    }
}
