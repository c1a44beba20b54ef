//! The canonical message of an identity: the one at the lowest log position. Two messages with one identity may differ in time. Then
//! they are two rows of `events`, and only this position decides between them.

use clickhouse::Row;
use serde::Deserialize;

use super::{Select, Sql, StoredEvent};

/// Selects the canonical position of every identity with one of these event ids.
#[derive(Debug)]
pub(crate) struct CanonicalPositions(Vec<String>);

impl CanonicalPositions {
    /// The positions of the identities of these events.
    pub(crate) fn of(events: &[StoredEvent]) -> Self {
        Self(events.iter().map(|event| event.event_id.clone()).collect())
    }
}

/// An identity and its lowest log position.
#[derive(Debug, Row, Deserialize)]
pub(crate) struct CanonicalPosition {
    pub(crate) event_id: String,
    pub(crate) source: String,
    pub(crate) partition: u16,
    pub(crate) offset: u64,
}

impl Select for CanonicalPositions {
    type Row = CanonicalPosition;
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
        insta::assert_snapshot!(shown(&CanonicalPositions::of(&[event]).to_sql()));
    }
}
