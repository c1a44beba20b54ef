//! Compares the aggregates of two generations: the merged value of every column that both have, for a sample of playbacks selected
//! by hash. It must never depend on the meaning of a column, so that new columns are compared too, and must never write.

use std::collections::{BTreeMap, BTreeSet};

use clickhouse::{Client, Row, error::Error};
use serde::Deserialize;

use super::merged::merged;

/// Approximate number of playbacks in a sample.
const SAMPLE_SIZE: u64 = 1_000;
/// Depends on when an event was stored, so it differs between generations.
const STORE_TIME_COLUMN: &str = "last_ingested";
/// Characters of a value in the report.
const MAX_VALUE_CHARS: usize = 160;

/// The sampled playbacks and the compared columns.
pub(super) struct Sample<'c> {
    generations: [&'c Client; 2],
    columns: Vec<String>,
    /// The merged value of each column in each generation, as SQL.
    values: [Vec<String>; 2],
    /// One of so many playbacks is in the sample.
    one_in: u64,
}

/// A value that differs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) playback: String,
    pub(super) column: String,
    /// Of the active and of the rebuilt generation.
    pub(super) values: [String; 2],
}

/// The values of one playback, by column: their hashes, and their texts up to [`MAX_VALUE_CHARS`].
#[derive(Debug, Clone, Row, Deserialize)]
struct PlaybackValues {
    playback_id: String,
    hashes: Vec<u64>,
    texts: Vec<String>,
}

type ValuesById = BTreeMap<String, PlaybackValues>;

impl<'c> Sample<'c> {
    /// Selects the columns that both generations have. `generations`: the active and the rebuilt one.
    pub(super) async fn choose(generations: [&'c Client; 2]) -> Result<Self, Error> {
        let [active, mut rebuilt] = [
            columns(generations[0]).await?,
            columns(generations[1]).await?,
        ];
        let common = active.into_iter().filter_map(|(name, value)| {
            let other = rebuilt.remove(&name)?;
            Some((name, value, other))
        });
        let (mut names, mut values) = (Vec::new(), [Vec::new(), Vec::new()]);
        for (name, active, rebuilt) in common {
            names.push(name);
            values[0].push(active);
            values[1].push(rebuilt);
        }
        let count = "SELECT uniq(playback_id) FROM playbacks_state";
        let playbacks: u64 = generations[0].query(count).fetch_one().await?;
        Ok(Self {
            generations,
            columns: names,
            values,
            one_in: (playbacks / SAMPLE_SIZE).max(1),
        })
    }

    /// Compares the complete sample. Returns the number of playbacks and the differences.
    pub(super) async fn compare(&self) -> Result<(usize, Vec<Difference>), Error> {
        let condition = format!("cityHash64(playback_id) % {} = 0", self.one_in);
        let read = |which| self.read(which, &condition, &[]);
        let (active, rebuilt) = (read(0).await?, read(1).await?);
        Ok((active.len(), self.diff(&active, &rebuilt)))
    }

    /// Reads and compares the playbacks of these differences again.
    pub(super) async fn compare_again(
        &self,
        differences: &[Difference],
    ) -> Result<Vec<Difference>, Error> {
        let ids: BTreeSet<&str> = differences.iter().map(|d| &*d.playback).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let read = |which| self.read(which, "playback_id IN ?", &ids);
        let (active, rebuilt) = (read(0).await?, read(1).await?);
        Ok(self.diff(&active, &rebuilt))
    }

    async fn read(&self, which: usize, condition: &str, ids: &[&str]) -> Result<ValuesById, Error> {
        let values = self.values[which].iter();
        let (hashes, texts): (Vec<_>, Vec<_>) = values
            .map(|value| {
                let text = format!("ifNull(toString({value}), 'none')");
                let start = format!("leftUTF8(toValidUTF8({text}), {MAX_VALUE_CHARS})");
                (format!("cityHash64({text})"), start)
            })
            .unzip();
        let query = format!(
            "SELECT playback_id, [{}] AS hashes, [{}] AS texts FROM playbacks_state WHERE {condition} GROUP BY playback_id",
            hashes.join(", "),
            texts.join(", ")
        );
        let mut query = self.generations[which].query(&query);
        if !ids.is_empty() {
            query = query.bind(ids);
        }
        let rows = query.fetch_all::<PlaybackValues>().await?.into_iter();
        Ok(rows.map(|row| (row.playback_id.clone(), row)).collect())
    }

    fn diff(&self, active: &ValuesById, rebuilt: &ValuesById) -> Vec<Difference> {
        let playbacks: BTreeSet<&String> = active.keys().chain(rebuilt.keys()).collect();
        let mut differences = Vec::new();
        for playback in playbacks {
            let both = [active.get(playback), rebuilt.get(playback)];
            for (column, name) in self.columns.iter().enumerate() {
                let [one, other] = both.map(|values| values.map(|values| values.hashes[column]));
                if one != other {
                    differences.push(Difference {
                        playback: playback.clone(),
                        column: name.clone(),
                        values: both.map(|values| text(values, column)),
                    });
                }
            }
        }
        differences
    }
}

fn text(values: Option<&PlaybackValues>, column: usize) -> String {
    values.map_or_else(
        || "no such playback".to_owned(),
        |values| values.texts[column].clone(),
    )
}

/// The SQL of the merged value of each aggregate column that depends on the log alone.
async fn columns(generation: &Client) -> Result<BTreeMap<String, String>, Error> {
    let query = "SELECT name, type FROM system.columns \
                 WHERE database = currentDatabase() AND table = 'playbacks_state' AND name != ?";
    let columns = generation.query(query).bind(STORE_TIME_COLUMN);
    let columns = columns.fetch_all::<(String, String)>().await?.into_iter();
    Ok(columns
        .filter_map(|(name, kind)| {
            let value = merged(&name, &kind)?;
            Some((name, value))
        })
        .collect())
}
