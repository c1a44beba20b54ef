//! Direct access to the read model in ClickHouse, as an operator has it.

use std::collections::BTreeMap;

use clickhouse::Client;
use ess_schema::columns::EventColumns;
use ess_schema::{Event, Position};
use serde_json::Value;

use crate::{TestApp, eventually};

/// Stores events at these positions in a generation's database, in one block, as the projector does.
///
/// # Panics
/// When the server refuses.
pub async fn insert_events(client: &Client, events: impl IntoIterator<Item = (&Event, Position)>) {
    let mut rows = EventColumns::default();
    for (event, position) in events {
        rows.push(event, position);
    }
    let insert = client.insert_formatted_with("INSERT INTO events FORMAT Native");
    let mut insert = insert.buffered();
    for piece in rows.native_block(0..rows.len()) {
        insert.write_buffered(&piece);
    }
    insert.end().await.unwrap();
}

impl TestApp {
    /// A new client of the ClickHouse server without a database: connections die with the runtime of a test.
    pub fn clickhouse(&self) -> Client {
        Client::default().with_url(self.parts().clickhouse_url())
    }

    /// The database of the active generation.
    ///
    /// # Panics
    /// When there is none, or the server does not respond.
    pub async fn database(&self) -> String {
        let generation = self.generation().await;
        format!("{}_g{generation}", self.control_database())
    }

    /// The active generation.
    ///
    /// # Panics
    /// When there is none, or the server does not respond.
    pub async fn generation(&self) -> u32 {
        let active = "SELECT argMax(generation, (changed_at, generation)) FROM generations WHERE state = 'active'";
        let control = self.clickhouse().with_database(self.control_database());
        let generation: u32 = control.query(active).fetch_one().await.unwrap();
        assert!(generation > 0, "no generation is active");
        generation
    }

    /// The rows of a query in the active generation, as JSON objects.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn select(&self, sql: &str) -> Vec<Value> {
        let client = self.clickhouse().with_database(self.database().await);
        let query = client
            .query(sql)
            .with_setting("output_format_json_quote_64bit_integers", "0");
        let mut rows = query.fetch_bytes("JSONEachRow").unwrap();
        let bytes = rows
            .collect()
            .await
            .unwrap_or_else(|e| panic!("{sql}: {e}"));
        let text = std::str::from_utf8(&bytes).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Executes a statement in the active generation.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn execute(&self, sql: &str) {
        let client = self.clickhouse().with_database(self.database().await);
        let executed = client.query(sql).execute().await;
        executed.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    /// The recorded progress of the active generation: the next offset of each partition.
    ///
    /// # Panics
    /// When the server does not respond.
    pub async fn projected(&self) -> BTreeMap<u16, u64> {
        let sql = "SELECT partition, max(next_offset) FROM projection_progress GROUP BY partition";
        let client = self.clickhouse().with_database(self.database().await);
        let rows = client.query(sql).fetch_all::<(u16, u64)>().await;
        rows.unwrap().into_iter().collect()
    }

    /// Waits until the active generation holds these positions.
    ///
    /// # Panics
    /// With the tail of the projector's log, when it does not in time.
    pub async fn wait_until_projected(&self, positions: impl IntoIterator<Item = Position>) {
        let mut ends = BTreeMap::new();
        for Position { partition, offset } in positions {
            let end: &mut u64 = ends.entry(partition).or_default();
            *end = (*end).max(offset + 1);
        }
        eventually("the appended records are projected", async || {
            let projected = self.projected().await;
            let behind = |(partition, end): &(&u16, &u64)| {
                projected.get(*partition).is_none_or(|next| next < *end)
            };
            let missing: Vec<_> = ends.iter().filter(behind).collect();
            if missing.is_empty() {
                return Ok(());
            }
            let tail = self.projector.log_tail();
            Err(format!(
                "missing {missing:?}, projected {projected:?}\n{tail}"
            ))
        })
        .await;
    }

    /// Waits until the active generation holds every record that is in the topic now.
    ///
    /// # Panics
    /// As [`TestApp::wait_until_projected`].
    pub async fn wait_until_everything_is_projected(&self) {
        let ends = self.topic.end_offsets().await.into_iter();
        let last = ends.filter_map(|(partition, end)| {
            let offset = end.checked_sub(1)?;
            Some(Position { partition, offset })
        });
        self.wait_until_projected(last).await;
    }
}
