//! Which message stands for an identity: the one at the lowest log position. Two messages under one identity may differ in time
//! and then lie in different places of `events`, where only this tells them apart.

use clickhouse::Row;
use serde::Deserialize;

use super::{Select, Sql, StoredEvent};

/// The lowest log position of every identity with one of these event ids.
#[derive(Debug)]
pub(crate) struct StandingPositions(Vec<String>);

impl StandingPositions {
    /// Of the ids of these events.
    pub(crate) fn of(events: &[StoredEvent]) -> Self {
        Self(events.iter().map(|event| event.event_id.clone()).collect())
    }
}

/// An identity and where it stands first.
#[derive(Debug, Row, Deserialize)]
pub(crate) struct Standing {
    pub(crate) event_id: String,
    pub(crate) source: String,
    pub(crate) partition: u16,
    pub(crate) offset: u64,
}

impl Select for StandingPositions {
    type Row = Standing;
    const NAME: &'static str = "standing_positions";
    const UNBOUNDED: bool = false;

    fn to_sql(&self) -> Sql {
        let text = "\
SELECT i.event_id AS event_id, i.source AS source,
    tupleElement(min(i.first), 1) AS partition, tupleElement(min(i.first), 2) AS offset
FROM event_identities AS i
WHERE i.event_id IN {event_ids:Array(String)}
GROUP BY i.event_id, i.source";
        Sql::new(text)
            .bind("event_ids", self.0.clone())
            .with(&[("max_threads", "1")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::shown;

    #[test]
    fn ids_are_bound() {
        let event = StoredEvent {
            event_id: "e'1".to_owned(),
            source: "ess/command-api".to_owned(),
            ..StoredEvent::default()
        };
        insta::assert_snapshot!(shown(&StandingPositions::of(&[event]).to_sql()));
    }
}
