//! The proof: every acknowledged fact is in the read model exactly once, every playback is what the oracle makes of its facts, and
//! nothing is there that was never acknowledged. Asks ClickHouse in chunks, so that its own memory does not grow with the run.

mod expected;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::iter;

use ess_schema::fold::PlaybackFold;
use ess_schema::merged;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::facts::feed::{Origin, Sent};
use crate::facts::ledger::{Fate, Ledger};
use crate::read_model::{OF_RUN, Store, StoreError, Window, parameters};

/// Facts that are asked for at once, or whose playbacks are: their ids are some 100 KB.
const CHUNK: usize = 2_000;
/// Ids of one kind that are told; beyond it they are counted.
const MOST_TOLD: usize = 1_000;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Facts held against the read model.
    pub facts: u64,
    /// Playbacks held against the oracle.
    pub playbacks: u64,
    /// Of unknown fate, and there.
    pub unknown_stored: u64,
    /// Of unknown fate, and not there.
    pub unknown_absent: u64,
    /// Acknowledged, and not there.
    pub lost: Differences,
    /// There more than once.
    pub twice: Differences,
    /// There, and never acknowledged nor of unknown fate.
    pub claimed: Differences,
    /// Playbacks that are not what the oracle says, each with what differs.
    pub different: Differences,
}

/// Ids in which the read model differs, the first of them by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Differences {
    /// How many.
    pub count: u64,
    /// Which.
    pub ids: Vec<String>,
}

impl Differences {
    fn add(&mut self, id: impl Into<String>) {
        self.count += 1;
        if self.ids.len() < MOST_TOLD {
            self.ids.push(id.into());
        }
    }
}

impl Check {
    /// Whether nothing differs.
    pub fn is_green(&self) -> bool {
        let all = [&self.lost, &self.twice, &self.claimed, &self.different];
        all.iter().all(|found| found.count == 0)
    }
}

/// Holds everything a run sent against the read model.
pub(crate) struct Checker<'a> {
    store: &'a Store,
    database: &'a str,
    origin: &'a Origin,
    window: Window,
    found: Check,
    /// Ids of facts that are there though nobody acknowledged them.
    unacknowledged: HashSet<String>,
}

#[derive(Debug, Deserialize)]
struct Stored {
    event_id: String,
    rows: u64,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(
        store: &'a Store,
        database: &'a str,
        origin: &'a Origin,
        window: Window,
    ) -> Self {
        Self {
            store,
            database,
            origin,
            window,
            found: Check::default(),
            unacknowledged: HashSet::new(),
        }
    }

    /// Compares; `progress` is told what has been found so far. Facts are asked for in the order of their times, untyped playbacks
    /// in that of their ids, as the tables are sorted: in any other a chunk of thousands lies all over the table.
    ///
    /// # Errors
    /// A read model that does not answer.
    pub(crate) async fn run(
        mut self,
        ledger: &Ledger,
        progress: impl Fn(&Check),
    ) -> Result<Check, StoreError> {
        let mut stored = 0;
        for chunk in chunks(self.origin.playbacks(ledger)) {
            stored += self.events(&chunk).await?;
            progress(&self.found);
        }
        for chunk in chunks(self.origin.playbacks_by_id(ledger)) {
            self.playbacks(&chunk).await?;
            progress(&self.found);
        }
        self.twice().await?;
        self.strangers(ledger, stored).await?;
        Ok(self.found)
    }

    /// Holds the facts of some playbacks against the read model; returns how many distinct events of theirs it holds.
    async fn events(&mut self, playbacks: &[Sent]) -> Result<u64, StoreError> {
        let rows = self.events_of(playbacks).await?;
        for (event, fate) in playbacks.iter().flat_map(|playback| &playback.facts) {
            let id = event.id.as_str();
            let is_there = rows.contains(id);
            self.found.facts += 1;
            match (fate, is_there) {
                (Fate::Acknowledged, false) => self.found.lost.add(id),
                (Fate::Unknown, true) => self.found.unknown_stored += 1,
                (Fate::Unknown, false) => self.found.unknown_absent += 1,
                (Fate::Refused | Fate::Unsent, true) => self.found.claimed.add(id),
                (Fate::Acknowledged, true) | (Fate::Refused | Fate::Unsent, false) => {}
            }
            if is_there && *fate != Fate::Acknowledged {
                self.unacknowledged.insert(id.to_owned());
            }
        }
        Ok(rows.len() as u64)
    }

    async fn events_of(&self, playbacks: &[Sent]) -> Result<BTreeSet<String>, StoreError> {
        let events = || {
            playbacks
                .iter()
                .flat_map(|p| p.facts.iter().map(|(event, _)| event))
        };
        let times = events().map(|event| event.occurred_at.as_millis());
        let window = Window {
            from: times.clone().min().unwrap_or(self.window.from),
            to: times.max().unwrap_or(self.window.to),
        };
        let ids = quoted(events().map(|event| event.id.as_str()));
        let sql = format!(
            "SELECT event_id, count() AS rows FROM events WHERE {OF_RUN} AND event_id IN ({ids}) GROUP BY event_id"
        );
        let bind = parameters(&self.origin.test_id, window);
        let stored: Vec<Stored> = self.store.rows(self.database, &sql, &bind).await?;
        Ok(stored.into_iter().map(|row| row.event_id).collect())
    }

    /// The oracle folds what is acknowledged, and of the rest what is there: whether that may be is told by id already.
    async fn playbacks(&mut self, playbacks: &[Sent]) -> Result<(), StoreError> {
        let condition = format!(
            "p.playback_id IN ({})",
            quoted(playbacks.iter().map(|playback| playback.id.as_str()))
        );
        let sql = merged::select_playbacks(&condition);
        let rows: Vec<Map<String, Value>> = self.store.rows(self.database, &sql, &[]).await?;
        let mut found: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        for row in rows {
            let id = row
                .get("playback_id")
                .and_then(Value::as_str)
                .unwrap_or_default();
            found.insert(id.to_owned(), row);
        }
        for playback in playbacks {
            let mut fold = PlaybackFold::default();
            for (event, fate) in &playback.facts {
                let id = event.id.as_str();
                if *fate == Fate::Acknowledged || self.unacknowledged.contains(id) {
                    fold.apply(event);
                }
            }
            let expected = fold.aggregate(&playback.id);
            let row = found.remove(playback.id.as_str());
            self.found.playbacks += u64::from(expected.is_some());
            if let Some(difference) = expected::difference(expected.as_ref(), row.as_ref()) {
                let id = &playback.id;
                self.found.different.add(format!("{id}: {difference}"));
            }
        }
        Ok(())
    }

    /// Of the whole run, because a second row may say that it happened at another time. Rows of one time are repeated storings of
    /// one record, which the table merges.
    async fn twice(&mut self) -> Result<(), StoreError> {
        let sql = "SELECT event_id, uniqExact(occurred_at) AS rows FROM events WHERE test_id = {test_id:String} \
GROUP BY event_id, source HAVING rows > 1 ORDER BY event_id";
        let bind = [("test_id", self.origin.test_id.to_string())];
        let stored: Vec<Stored> = self.store.rows(self.database, sql, &bind).await?;
        for row in stored {
            let told = format!("{} ({} times)", row.event_id, row.rows);
            self.found.twice.add(told);
        }
        Ok(())
    }

    /// Events under the run's test id that it never made.
    async fn strangers(&mut self, ledger: &Ledger, known: u64) -> Result<(), StoreError> {
        let of_run = "test_id = {test_id:String}";
        let bind = [("test_id", self.origin.test_id.to_string())];
        let count = format!(
            "SELECT '' AS event_id, uniqExact(event_id) AS rows FROM events WHERE {of_run}"
        );
        let counted: Vec<Stored> = self.store.rows(self.database, &count, &bind).await?;
        if counted.first().is_none_or(|row| row.rows == known) {
            return Ok(());
        }
        let made: HashSet<String> = self
            .origin
            .playbacks(ledger)
            .flat_map(|playback| playback.facts)
            .map(|(event, _)| event.id.to_string())
            .collect();
        let all = format!(
            "SELECT event_id, count() AS rows FROM events WHERE {of_run} GROUP BY event_id ORDER BY event_id"
        );
        let stored: Vec<Stored> = self.store.rows(self.database, &all, &bind).await?;
        for row in stored
            .into_iter()
            .filter(|row| !made.contains(&row.event_id))
        {
            self.found.claimed.add(row.event_id);
        }
        Ok(())
    }
}

/// Playbacks in groups of about [`CHUNK`] facts.
fn chunks(mut playbacks: impl Iterator<Item = Sent>) -> impl Iterator<Item = Vec<Sent>> {
    iter::from_fn(move || {
        let mut chunk = Vec::new();
        let mut held = 0;
        while held < CHUNK
            && let Some(playback) = playbacks.next()
        {
            held += playback.facts.len();
            chunk.push(playback);
        }
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// SQL strings, separated by commas. Ids are visible characters, of which two mean something in such a string.
fn quoted<'i>(ids: impl Iterator<Item = &'i str>) -> String {
    let quoted = ids.map(|id| format!("'{}'", id.replace('\\', "\\\\").replace('\'', "\\'")));
    quoted.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_cannot_leave_their_quotes() {
        let ids = ["a", "b'c", "d\\"];
        assert_eq!(quoted(ids.into_iter()), r"'a','b\'c','d\\'");
    }

    #[test]
    fn all_differences_are_counted_and_the_first_are_told() {
        let mut found = Check::default();
        assert!(found.is_green());
        for number in 0..2_000 {
            found.lost.add(format!("e{number}"));
        }
        assert!(!found.is_green());
        assert_eq!(found.lost.count, 2_000);
        assert_eq!(found.lost.ids.len(), MOST_TOLD);
    }
}
