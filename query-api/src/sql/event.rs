//! The events with one id, newest first: of each source the canonical one.

use ess_schema::EventId;

use super::{Select, Sql, StoredEvent, stored_event::COLUMNS};

/// The maximum number of events in the answer.
const MAX_EVENTS: i64 = 1_000;

/// The events with this id.
#[derive(Debug)]
pub(crate) struct EventById(pub(crate) EventId);

impl Select for EventById {
    type Row = StoredEvent;
    const NAME: &'static str = "event_by_id";
    const UNBOUNDED: bool = false;

    fn to_sql(&self) -> Sql {
        let text = format!(
            "{COLUMNS}\
WHERE (occurred_at, source, event_id, partition, offset) IN (
    SELECT tupleElement(min(i.first), 3), i.source, i.event_id, tupleElement(min(i.first), 1), tupleElement(min(i.first), 2)
    FROM event_identities AS i
    WHERE i.event_id = {{event_id:String}}
    GROUP BY i.event_id, i.source
)
ORDER BY occurred_at DESC, source DESC, log_rank DESC
LIMIT 1 BY source
LIMIT {{most:UInt32}}"
        );
        Sql::new(text)
            .bind("event_id", self.0.as_str())
            .bind("most", MAX_EVENTS)
            .with(&[("max_threads", "1")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::shown;

    #[test]
    fn an_event_is_found_by_its_identity() {
        let id = EventId::new(r"e'\1").unwrap();
        insta::assert_snapshot!(shown(&EventById(id).to_sql()));
    }
}
