//! `projector generations`: lists the generations of the read model. It must never change anything. Values that Kafka cannot
//! report are left out.

use std::{collections::BTreeMap, process::ExitCode};

use clap::Args;
use comfy_table::{Table, presets::NOTHING};
use ess_service::clickhouse::{GenerationInfo, generation_client, generations};
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

use super::{disk::bytes_on_disk, error::GenerationError};
use crate::{
    command::{self, print},
    commit::progress::projected_offsets,
    config::Settings,
    kafka::{self, PartitionBounds},
};

/// Options of `projector generations`.
#[derive(Debug, Clone, Args)]
pub struct GenerationsOptions {
    /// Print a JSON array instead of a table
    #[arg(long)]
    json: bool,
}

/// Lists the generations; returns the exit code of the process.
pub fn run(settings: &Settings, options: &GenerationsOptions) -> ExitCode {
    command::run(&settings.log, "generations", async {
        let entries = entries(settings).await?;
        print(&if options.json {
            json(&entries)
        } else {
            table(&entries)
        });
        Ok::<_, GenerationError>(())
    })
}

/// A generation in the list.
#[derive(Debug, Serialize)]
struct Entry {
    generation: u32,
    state: &'static str,
    /// In UTC.
    since: String,
    bytes_on_disk: u64,
    /// None when its tables are dropped.
    #[serde(flatten)]
    contents: Option<Contents>,
}

/// The contents of a generation's tables, and its consumers.
#[derive(Debug, Serialize)]
struct Contents {
    events: u64,
    playbacks: u64,
    /// The number of its latest migration.
    schema_change: u32,
    /// Messages that it has not stored yet; none when Kafka does not respond.
    messages_behind: Option<u64>,
    consumer_group: String,
    /// None when Kafka does not respond.
    consumers: Option<usize>,
}

async fn entries(settings: &Settings) -> Result<Vec<Entry>, GenerationError> {
    let bounds = match kafka::bounds(&settings.kafka).await {
        Ok(bounds) => Some(bounds),
        Err(error) => {
            tracing::warn!(%error, "cannot report how far each generation is behind: {error}");
            None
        }
    };
    let mut entries = Vec::new();
    for known in generations(&settings.clickhouse).await? {
        entries.push(entry(settings, known, bounds.as_ref()).await?);
    }
    Ok(entries)
}

async fn entry(
    settings: &Settings,
    known: GenerationInfo,
    bounds: Option<&BTreeMap<u16, PartitionBounds>>,
) -> Result<Entry, GenerationError> {
    let contents = if known.state.has_tables() {
        Some(contents(settings, known.generation, bounds).await?)
    } else {
        None
    };
    Ok(Entry {
        generation: known.generation,
        state: known.state.name(),
        since: known.since,
        bytes_on_disk: bytes_on_disk(&settings.clickhouse, known.generation).await?,
        contents,
    })
}

async fn contents(
    settings: &Settings,
    generation: u32,
    bounds: Option<&BTreeMap<u16, PartitionBounds>>,
) -> Result<Contents, GenerationError> {
    let client = generation_client(&settings.clickhouse, generation);
    let (events, playbacks, schema_change) = client
        .query(
            "SELECT assumeNotNull((SELECT count() FROM event_identities FINAL)), \
             assumeNotNull((SELECT count() FROM playbacks_state FINAL)), \
             assumeNotNull((SELECT max(number) FROM schema_migrations))",
        )
        .fetch_one()
        .await?;
    let projected = projected_offsets(&client).await?;
    let consumer_group = settings.projector.group_of(generation);
    let consumers = match bounds {
        Some(_) => Some(
            kafka::membership(&settings.kafka, &consumer_group)
                .await?
                .members,
        ),
        None => None,
    };
    Ok(Contents {
        events,
        playbacks,
        schema_change,
        messages_behind: bounds.map(|bounds| behind(&projected, bounds)),
        consumer_group,
        consumers,
    })
}

fn behind(projected: &BTreeMap<u16, u64>, bounds: &BTreeMap<u16, PartitionBounds>) -> u64 {
    let each = bounds
        .iter()
        .map(|(partition, PartitionBounds { low, high })| {
            let next = projected.get(partition).copied().unwrap_or_default();
            high.saturating_sub(next.max(*low))
        });
    each.sum()
}

fn json(entries: &[Entry]) -> String {
    // Numbers and texts under names that are texts: serialization cannot fail.
    serde_json::to_string_pretty(entries).unwrap_or_default()
}

fn table(entries: &[Entry]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header([
        "generation",
        "state",
        "since (UTC)",
        "events",
        "playbacks",
        "on disk",
        "migration",
        "messages behind",
        "consumer group",
        "consumers",
    ]);
    for entry in entries {
        table.add_row(row(entry));
    }
    table.to_string()
}

fn row(entry: &Entry) -> Vec<String> {
    let unknown = || "-".to_owned();
    let mut row = vec![
        entry.generation.to_string(),
        entry.state.to_owned(),
        entry.since.clone(),
    ];
    let disk = HumanBytes(entry.bytes_on_disk).to_string();
    match &entry.contents {
        None => row.extend([unknown(), unknown(), disk]),
        Some(contents) => row.extend([
            HumanCount(contents.events).to_string(),
            HumanCount(contents.playbacks).to_string(),
            disk,
            contents.schema_change.to_string(),
            contents
                .messages_behind
                .map_or_else(unknown, |n| HumanCount(n).to_string()),
            contents.consumer_group.clone(),
            contents.consumers.map_or_else(unknown, |n| n.to_string()),
        ]),
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deleted_messages_do_not_count_as_behind() {
        let bounds = BTreeMap::from([
            (0, PartitionBounds { low: 5, high: 9 }),
            (1, PartitionBounds { low: 0, high: 3 }),
            (2, PartitionBounds { low: 7, high: 7 }),
        ]);
        let projected = BTreeMap::from([(0, 8), (2, 7)]);
        assert_eq!(behind(&projected, &bounds), 1 + 3);
        assert_eq!(behind(&BTreeMap::new(), &bounds), 4 + 3);
    }

    #[test]
    fn a_retired_generation_is_listed_without_contents() {
        let retired = Entry {
            generation: 1,
            state: "retired",
            since: "2026-11-24 11:00:00.000".to_owned(),
            bytes_on_disk: 0,
            contents: None,
        };
        assert!(!json(std::slice::from_ref(&retired)).contains("events"));
        assert!(table(&[retired]).contains("retired"));
    }
}
