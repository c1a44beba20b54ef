//! The proof: every acknowledged fact is in the read model exactly once, every playback is what the oracle makes of its facts, and
//! the read model contains nothing else of the run. Queries ClickHouse in chunks, so that its memory does not grow with the run.

mod expected;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::iter;

use ess_schema::fold::PlaybackFold;
use ess_schema::{TestId, merged};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::facts::ledger::{FactStatus, Ledger};
use crate::facts::source::{FactSource, SentPlayback};
use crate::read_model::{OF_RUN, ReadModel, ReadModelError, TimeRange, parameters};

/// Facts per query: their ids take some 100 KB.
const CHUNK: usize = 2_000;
/// Ids of one kind that are reported; further ones are counted.
const MAX_REPORTED: usize = 1_000;

/// The result of the proof.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Facts that were compared with the read model.
    pub facts: u64,
    /// Playbacks that were compared with the oracle.
    pub playbacks: u64,
    /// Facts whose outcome is unknown, and that are stored.
    pub unknown_stored: u64,
    /// Facts whose outcome is unknown, and that are not stored.
    pub unknown_absent: u64,
    /// Acknowledged, and not stored.
    pub lost: Differences,
    /// Stored more than once.
    pub twice: Differences,
    /// Stored, although refused, never sent, or never made by the run.
    pub claimed: Differences,
    /// Playbacks that differ from the oracle, each with the fields.
    pub different: Differences,
}

/// The ids of one kind of difference.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Differences {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub ids: Vec<String>,
}

impl Differences {
    fn add(&mut self, id: impl Into<String>) {
        self.count += 1;
        if self.ids.len() < MAX_REPORTED {
            self.ids.push(id.into());
        }
    }
}

impl Check {
    /// Whether there is no difference.
    pub fn is_green(&self) -> bool {
        let all = [&self.lost, &self.twice, &self.claimed, &self.different];
        all.iter().all(|found| found.count == 0)
    }
}

/// A run, and the read model to compare it with.
#[derive(Clone, Copy)]
pub(crate) struct Checker<'a> {
    pub(crate) read_model: &'a ReadModel,
    pub(crate) database: &'a str,
    pub(crate) test_id: &'a TestId,
    pub(crate) source: &'a FactSource,
    pub(crate) range: TimeRange,
}

/// The comparison so far.
#[derive(Default)]
struct Findings {
    check: Check,
    /// Ids of facts that are stored and were not acknowledged.
    unacknowledged: HashSet<String>,
}

#[derive(Debug, Deserialize)]
struct Stored {
    event_id: String,
    rows: u64,
}

impl Checker<'_> {
    /// Compares everything, and reports to `progress` after each chunk. Facts are queried in the order of their times and untyped
    /// playbacks in that of their ids, as the tables are sorted: in any other order a chunk touches the whole table.
    ///
    /// # Errors
    /// When the read model cannot be read.
    pub(crate) async fn run(
        &self,
        ledger: &Ledger,
        progress: impl Fn(&Check),
    ) -> Result<Check, ReadModelError> {
        let (mut findings, mut stored) = (Findings::default(), 0);
        for chunk in chunks(self.source.playbacks(ledger)) {
            let rows = self.stored_events(&chunk).await?;
            stored += rows.len() as u64;
            findings.compare_events(&chunk, &rows);
            progress(&findings.check);
        }
        for chunk in chunks(self.source.playbacks_by_id(ledger)) {
            let rows = self.stored_playbacks(&chunk).await?;
            findings.compare_playbacks(&chunk, rows);
            progress(&findings.check);
        }
        let Findings { mut check, .. } = findings;
        self.find_duplicates(&mut check).await?;
        self.find_strangers(ledger, stored, &mut check).await?;
        Ok(check)
    }

    /// The ids of the events of these playbacks that are stored.
    async fn stored_events(
        &self,
        playbacks: &[SentPlayback],
    ) -> Result<BTreeSet<String>, ReadModelError> {
        let events = || playbacks.iter().flat_map(|playback| &playback.facts);
        let times = events().map(|(event, _)| event.occurred_at.as_millis());
        let range = TimeRange {
            from: times.clone().min().unwrap_or(self.range.from),
            to: times.max().unwrap_or(self.range.to),
        };
        let ids = quoted(events().map(|(event, _)| event.id.as_str()));
        let sql = format!(
            "SELECT event_id, count() AS rows FROM events WHERE {OF_RUN} AND event_id IN ({ids}) GROUP BY event_id"
        );
        let bind = parameters(self.test_id, range);
        let stored: Vec<Stored> = self.read_model.rows(self.database, &sql, &bind).await?;
        Ok(stored.into_iter().map(|row| row.event_id).collect())
    }

    /// The stored rows of these playbacks, by id.
    async fn stored_playbacks(
        &self,
        playbacks: &[SentPlayback],
    ) -> Result<BTreeMap<String, Map<String, Value>>, ReadModelError> {
        let ids = quoted(playbacks.iter().map(|playback| playback.id.as_str()));
        let sql = merged::select_playbacks(&format!("p.playback_id IN ({ids})"));
        let rows: Vec<Map<String, Value>> = self.read_model.rows(self.database, &sql, &[]).await?;
        let id = |row: &Map<String, Value>| Some(row.get("playback_id")?.as_str()?.to_owned());
        let by_id = rows
            .into_iter()
            .map(|row| (id(&row).unwrap_or_default(), row));
        Ok(by_id.collect())
    }

    /// Finds ids with more than one row. Searches the whole run, because a second row may have another time. Rows with the same
    /// time are the same record stored again, which the table merges.
    async fn find_duplicates(&self, check: &mut Check) -> Result<(), ReadModelError> {
        let sql = "SELECT event_id, uniqExact(occurred_at) AS rows FROM events WHERE test_id = {test_id:String} \
GROUP BY event_id, source HAVING rows > 1 ORDER BY event_id";
        let bind = [("test_id", self.test_id.to_string())];
        let stored: Vec<Stored> = self.read_model.rows(self.database, sql, &bind).await?;
        for row in stored {
            let text = format!("{} ({} times)", row.event_id, row.rows);
            check.twice.add(text);
        }
        Ok(())
    }

    /// Finds events with the test id of the run that the run never made.
    async fn find_strangers(
        &self,
        ledger: &Ledger,
        known: u64,
        check: &mut Check,
    ) -> Result<(), ReadModelError> {
        let of_run = "test_id = {test_id:String}";
        let bind = [("test_id", self.test_id.to_string())];
        let count = format!(
            "SELECT '' AS event_id, uniqExact(event_id) AS rows FROM events WHERE {of_run}"
        );
        let counted: Vec<Stored> = self.read_model.rows(self.database, &count, &bind).await?;
        if counted.first().is_none_or(|row| row.rows == known) {
            return Ok(());
        }
        let playbacks = self.source.playbacks(ledger);
        let facts = playbacks.flat_map(|playback| playback.facts);
        let made: HashSet<String> = facts.map(|(event, _)| event.id.to_string()).collect();
        let all = format!(
            "SELECT event_id, count() AS rows FROM events WHERE {of_run} GROUP BY event_id ORDER BY event_id"
        );
        let stored: Vec<Stored> = self.read_model.rows(self.database, &all, &bind).await?;
        for row in stored {
            if !made.contains(&row.event_id) {
                check.claimed.add(row.event_id);
            }
        }
        Ok(())
    }
}

impl Findings {
    fn compare_events(&mut self, playbacks: &[SentPlayback], stored: &BTreeSet<String>) {
        for (event, status) in playbacks.iter().flat_map(|playback| &playback.facts) {
            let id = event.id.as_str();
            let is_stored = stored.contains(id);
            let check = &mut self.check;
            check.facts += 1;
            match (status, is_stored) {
                (FactStatus::Acknowledged, false) => check.lost.add(id),
                (FactStatus::Unknown, true) => check.unknown_stored += 1,
                (FactStatus::Unknown, false) => check.unknown_absent += 1,
                (FactStatus::Refused | FactStatus::Unsent, true) => check.claimed.add(id),
                (FactStatus::Acknowledged, true)
                | (FactStatus::Refused | FactStatus::Unsent, false) => {}
            }
            if is_stored && *status != FactStatus::Acknowledged {
                self.unacknowledged.insert(id.to_owned());
            }
        }
    }

    /// The oracle folds the acknowledged facts, and those of the others that are stored: `compare_events` has reported these.
    fn compare_playbacks(
        &mut self,
        playbacks: &[SentPlayback],
        mut stored: BTreeMap<String, Map<String, Value>>,
    ) {
        for playback in playbacks {
            let mut fold = PlaybackFold::default();
            for (event, status) in &playback.facts {
                let id = event.id.as_str();
                if *status == FactStatus::Acknowledged || self.unacknowledged.contains(id) {
                    fold.apply(event);
                }
            }
            let expected = fold.aggregate(&playback.id);
            let row = stored.remove(playback.id.as_str());
            self.check.playbacks += u64::from(expected.is_some());
            if let Some(difference) = expected::difference(expected.as_ref(), row.as_ref()) {
                let id = &playback.id;
                self.check.different.add(format!("{id}: {difference}"));
            }
        }
    }
}

/// Playbacks in groups of about [`CHUNK`] facts.
fn chunks(
    mut playbacks: impl Iterator<Item = SentPlayback>,
) -> impl Iterator<Item = Vec<SentPlayback>> {
    iter::from_fn(move || {
        let (mut chunk, mut facts) = (Vec::new(), 0);
        while facts < CHUNK
            && let Some(playback) = playbacks.next()
        {
            facts += playback.facts.len();
            chunk.push(playback);
        }
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// SQL strings, separated by commas. Ids are visible characters; two of these have a meaning in an SQL string.
fn quoted<'i>(ids: impl Iterator<Item = &'i str>) -> String {
    let quoted = ids.map(|id| format!("'{}'", id.replace('\\', "\\\\").replace('\'', "\\'")));
    quoted.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_escaped_in_sql() {
        let ids = ["a", "b'c", "d\\"];
        assert_eq!(quoted(ids.into_iter()), r"'a','b\'c','d\\'");
    }

    #[test]
    fn all_differences_are_counted_and_the_first_are_reported() {
        let mut found = Check::default();
        assert!(found.is_green());
        for number in 0..2_000 {
            found.lost.add(format!("e{number}"));
        }
        assert!(!found.is_green());
        assert_eq!(found.lost.count, 2_000);
        assert_eq!(found.lost.ids.len(), MAX_REPORTED);
    }
}
