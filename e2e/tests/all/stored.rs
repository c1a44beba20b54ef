//! Fills a read model as the projector does, rows first and then progress, for tests of the query-api that need neither command-api
//! nor projector and must control what is stored when.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use clickhouse::Client;
use ess_e2e::{TestApp, insert_events};
use ess_schema::decode::{AcceptedShapes, ReceiveContext, decode_item};
use ess_schema::{Event, EventId, Position, Timestamp};
use rand::random;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::oracle;

/// A query-api that caches answers for an hour and waits long for a position: a fresh answer means that the test caused it.
pub(crate) async fn reader() -> &'static TestApp {
    static READER: OnceCell<TestApp> = OnceCell::const_new();
    let start = || {
        alone(&[
            ("CACHE_OPEN_TTL_MS", "3600000"),
            ("AFTER_MAX_WAIT_MS", "60000"),
        ])
    };
    READER.get_or_init(start).await
}

/// A separate query-api with these settings.
pub(crate) async fn alone(settings: &[(&str, &str)]) -> TestApp {
    let builder = TestApp::builder().without_command_api().without_projector();
    let settings = settings.iter();
    let builder = settings.fold(builder, |builder, (key, value)| builder.env(key, value));
    builder.start().await
}

/// A partition that no other test uses, and the next offset to store.
pub(crate) struct Partition {
    client: Client,
    number: u16,
    next: AtomicU64,
}

impl Partition {
    /// A new partition in the active generation of `app`.
    pub(crate) async fn of(app: &TestApp) -> Self {
        Self::in_database(app, &app.database().await)
    }

    /// A new partition in this database.
    pub(crate) fn in_database(app: &TestApp, database: &str) -> Self {
        Self {
            client: app.clickhouse().with_database(database),
            number: random(),
            next: AtomicU64::new(0),
        }
    }

    /// The position of the next event.
    pub(crate) fn next(&self) -> Position {
        Position {
            partition: self.number,
            offset: self.next.load(Ordering::Relaxed),
        }
    }

    /// Inserts events at the next positions, in one block.
    pub(crate) async fn store(&self, events: &[Event]) -> Vec<Position> {
        let first = self.next.fetch_add(events.len() as u64, Ordering::Relaxed);
        let position = |offset| Position {
            partition: self.number,
            offset,
        };
        let positions: Vec<_> = (first..).take(events.len()).map(position).collect();
        let rows: Vec<_> = events.iter().zip(&positions).collect();
        self.store_at(&rows).await;
        positions
    }

    /// Inserts events at these positions, in one block; used to store events again.
    pub(crate) async fn store_at(&self, rows: &[(&Event, &Position)]) {
        let rows = rows.iter().map(|(event, position)| (*event, **position));
        insert_events(&self.client, rows).await;
    }

    /// Records that all stored events are projected.
    pub(crate) async fn record_progress(&self) {
        let sql = "INSERT INTO projection_progress (partition, next_offset, last_ingest_time) SELECT ?, ?, now64(3)";
        let next = self.next.load(Ordering::Relaxed);
        self.client
            .query(sql)
            .bind(self.number)
            .bind(next)
            .execute()
            .await
            .unwrap();
    }
}

/// The event of a command that is received now.
pub(crate) fn event(command: &Value) -> Event {
    event_at(command, oracle::now())
}

/// The event of a command that is received at this time.
pub(crate) fn event_at(command: &Value, received_at: Timestamp) -> Event {
    let mut context = ReceiveContext::Request {
        received_at,
        generate_id: &mut || EventId::new(ess_e2e::unique("e")).unwrap(),
    };
    decode_item(&command.to_string(), AcceptedShapes::Commands, &mut context)
        .unwrap()
        .event
}

/// Percent-encodes text for a path or a query.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        write!(encoded, "%{byte:02X}").unwrap();
    }
    encoded
}
