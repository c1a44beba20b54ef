//! What is told of each generation. What the servers cannot say is left out, never guessed.

use std::{collections::BTreeMap, sync::Arc};

use comfy_table::{Table, presets::NOTHING};
use ess_service::clickhouse::{GenerationInfo, generation_client, generations};
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

use super::{bytes_on_disk, error::Refusal};
use crate::{commit::progress::Progress, config::Settings, kafka, status::Bounds};

/// One generation.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    generation: u32,
    state: &'static str,
    /// UTC.
    since: String,
    bytes_on_disk: u64,
    /// None: its tables are gone.
    #[serde(flatten)]
    contents: Option<Contents>,
}

/// What its tables hold, and who keeps it up to date.
#[derive(Debug, Serialize)]
struct Contents {
    events: u64,
    playbacks: u64,
    /// The newest one it was made with.
    schema_change: u32,
    /// Messages of the log that it does not hold yet; none: the log does not answer.
    messages_behind: Option<u64>,
    consumer_group: String,
    /// None: the log does not answer.
    consumers: Option<usize>,
}

/// Looks at every generation.
pub(super) async fn look(settings: &Settings) -> Result<Vec<Entry>, Refusal> {
    let bounds = match kafka::bounds(&settings.kafka).await {
        Ok(bounds) => Some(bounds),
        Err(error) => {
            tracing::warn!(%error, "how far each generation is behind cannot be told: {error}");
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
    bounds: Option<&BTreeMap<u16, Bounds>>,
) -> Result<Entry, Refusal> {
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
    bounds: Option<&BTreeMap<u16, Bounds>>,
) -> Result<Contents, Refusal> {
    let client = generation_client(&settings.clickhouse, generation);
    let (events, playbacks, schema_change) = client
        .query(
            "SELECT assumeNotNull((SELECT count() FROM event_identities FINAL)), \
             assumeNotNull((SELECT count() FROM playbacks_state FINAL)), \
             assumeNotNull((SELECT max(number) FROM schema_migrations))",
        )
        .fetch_one()
        .await?;
    let held = Progress::new(client, Arc::default()).read().await?;
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
        messages_behind: bounds.map(|bounds| behind(&held, bounds)),
        consumer_group,
        consumers,
    })
}

fn behind(held: &BTreeMap<u16, u64>, bounds: &BTreeMap<u16, Bounds>) -> u64 {
    let each = bounds.iter().map(|(partition, Bounds { low, high })| {
        let held = held.get(partition).copied().unwrap_or_default();
        high.saturating_sub(held.max(*low))
    });
    each.sum()
}

pub(super) fn json(entries: &[Entry]) -> String {
    // Numbers, texts and names that are texts: nothing in it can be refused.
    serde_json::to_string_pretty(entries).unwrap_or_default()
}

pub(super) fn table(entries: &[Entry]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header([
        "generation",
        "state",
        "since (UTC)",
        "events",
        "playbacks",
        "on disk",
        "schema change",
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
    fn what_the_log_no_longer_holds_is_not_behind() {
        let bounds = BTreeMap::from([
            (0, Bounds { low: 5, high: 9 }),
            (1, Bounds { low: 0, high: 3 }),
            (2, Bounds { low: 7, high: 7 }),
        ]);
        let held = BTreeMap::from([(0, 8), (2, 7)]);
        assert_eq!(behind(&held, &bounds), 1 + 3);
        assert_eq!(behind(&BTreeMap::new(), &bounds), 4 + 3);
    }

    #[test]
    fn of_a_generation_that_is_gone_only_that_is_told() {
        let gone = Entry {
            generation: 1,
            state: "retired",
            since: "2026-11-24 11:00:00.000".to_owned(),
            bytes_on_disk: 0,
            contents: None,
        };
        assert!(!json(std::slice::from_ref(&gone)).contains("events"));
        assert!(table(&[gone]).contains("retired"));
    }
}
