//! Whether two generations make the same aggregates of the same playbacks: every column that both have, merged, for a sample
//! of playbacks chosen by hash. It knows no column by its meaning, so that it holds for those to come. It only reads.

use std::collections::{BTreeMap, BTreeSet};

use clickhouse::{Client, Row, error::Error};
use serde::Deserialize;

use super::merged::merged;

/// Playbacks in a sample, about.
const PLAYBACKS: u64 = 1_000;
/// It tells when something was stored, which is another time in every generation.
const OF_THE_STORE: &str = "last_ingested";
/// Characters of a value that are told.
const TOLD: usize = 160;

/// The playbacks that are compared, and in what.
pub(super) struct Sample<'c> {
    generations: [&'c Client; 2],
    columns: Vec<String>,
    /// The merged value of each column in each generation, as SQL.
    values: [Vec<String>; 2],
    /// Of so many playbacks one is in it.
    one_in: u64,
}

/// One value that differs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Deviation {
    pub(super) playback: String,
    pub(super) column: String,
    /// In the active and in the rebuilt generation.
    pub(super) values: [String; 2],
}

/// The values of one playback, by column.
#[derive(Debug, Clone, Row, Deserialize)]
struct Values {
    playback_id: String,
    sums: Vec<u64>,
    texts: Vec<String>,
}

type Playbacks = BTreeMap<String, Values>;

impl<'c> Sample<'c> {
    /// Chooses from what both have. `generations`: the active and the rebuilt one.
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
            one_in: (playbacks / PLAYBACKS).max(1),
        })
    }

    /// Compares the whole sample; tells how many playbacks that were, and what differs.
    pub(super) async fn compare(&self) -> Result<(usize, Vec<Deviation>), Error> {
        let chosen = format!("cityHash64(playback_id) % {} = 0", self.one_in);
        let read = |which| self.read(which, &chosen, &[]);
        let (active, rebuilt) = (read(0).await?, read(1).await?);
        Ok((active.len(), self.judge(&active, &rebuilt)))
    }

    /// Compares those that differed, with fresh reads.
    pub(super) async fn compare_again(&self, known: &[Deviation]) -> Result<Vec<Deviation>, Error> {
        let suspects: BTreeSet<&str> = known.iter().map(|known| &*known.playback).collect();
        let suspects: Vec<&str> = suspects.into_iter().collect();
        let read = |which| self.read(which, "playback_id IN ?", &suspects);
        let (active, rebuilt) = (read(0).await?, read(1).await?);
        Ok(self.judge(&active, &rebuilt))
    }

    async fn read(
        &self,
        which: usize,
        chosen: &str,
        suspects: &[&str],
    ) -> Result<Playbacks, Error> {
        let texts = self.values[which].iter();
        let (sums, told): (Vec<_>, Vec<_>) = texts
            .map(|value| {
                let text = format!("ifNull(toString({value}), 'none')");
                let told = format!("leftUTF8(toValidUTF8({text}), {TOLD})");
                (format!("cityHash64({text})"), told)
            })
            .unzip();
        let query = format!(
            "SELECT playback_id, [{}] AS sums, [{}] AS texts FROM playbacks_state WHERE {chosen} GROUP BY playback_id",
            sums.join(", "),
            told.join(", ")
        );
        let mut query = self.generations[which].query(&query);
        if !suspects.is_empty() {
            query = query.bind(suspects);
        }
        let rows = query.fetch_all::<Values>().await?.into_iter();
        Ok(rows.map(|row| (row.playback_id.clone(), row)).collect())
    }

    fn judge(&self, active: &Playbacks, rebuilt: &Playbacks) -> Vec<Deviation> {
        let playbacks: BTreeSet<&String> = active.keys().chain(rebuilt.keys()).collect();
        let mut deviations = Vec::new();
        for playback in playbacks {
            let both = [active.get(playback), rebuilt.get(playback)];
            for (column, name) in self.columns.iter().enumerate() {
                let [one, other] = both.map(|values| values.map(|values| values.sums[column]));
                if one != other {
                    deviations.push(Deviation {
                        playback: playback.clone(),
                        column: name.clone(),
                        values: both.map(|values| text(values, column)),
                    });
                }
            }
        }
        deviations
    }
}

fn text(values: Option<&Values>, column: usize) -> String {
    values.map_or_else(
        || "no such playback".to_owned(),
        |values| values.texts[column].clone(),
    )
}

/// The columns of a generation's aggregates that the log alone determines, with their merged values as SQL.
async fn columns(generation: &Client) -> Result<BTreeMap<String, String>, Error> {
    let query = "SELECT name, type FROM system.columns \
                 WHERE database = currentDatabase() AND table = 'playbacks_state' AND name != ?";
    let columns = generation.query(query).bind(OF_THE_STORE);
    let columns = columns.fetch_all::<(String, String)>().await?.into_iter();
    Ok(columns
        .filter_map(|(name, kind)| {
            let value = merged(&name, &kind)?;
            Some((name, value))
        })
        .collect())
}
