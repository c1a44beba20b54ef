//! Events as a table: the fields of their JSON as columns, all always present.

use super::Event;
use crate::table::{Column, Table, Values};

impl Event {
    /// One row per event.
    pub(crate) fn table(events: &[Self]) -> Table {
        let text = |name, value: fn(&Self) -> Option<&str>| {
            let values = events.iter().map(|event| value(event).map(str::to_owned));
            column(name, Values::Text(values.collect()))
        };
        let time = |name, value: fn(&Self) -> _| {
            let values = events.iter().map(|event| Some(value(event)));
            column(name, Values::Time(values.collect()))
        };
        let json = |name, value: fn(&Self) -> Option<_>| {
            column(name, Values::Json(events.iter().map(value).collect()))
        };
        let versions = events.iter().map(|event| Some(event.schemaversion.into()));
        Table::new(vec![
            text("id", |event| Some(&event.id)),
            text("type", |event| Some(&event.r#type)),
            text("playback_id", |event| event.playback_id.as_deref()),
            text("user_id", |event| event.user_id.as_deref()),
            text("track_id", |event| event.track_id.as_deref()),
            time("occurred_at", |event| event.occurred_at),
            time("ingest_time", |event| event.ingest_time),
            time("store_time", |event| event.store_time),
            text("test_id", |event| event.test_id.as_deref()),
            text("source", |event| Some(&event.source)),
            column("schemaversion", Values::Integer(versions.collect())),
            text("position", |event| Some(&event.position)),
            json("data", |event| event.data.clone()),
            text("datacontenttype", |event| event.datacontenttype.as_deref()),
            text("data_base64", |event| event.data_base64.as_deref()),
            json("extensions", |event| event.extensions.clone()),
        ])
    }
}

fn column(name: &str, values: Values) -> Column {
    Column {
        name: name.to_owned(),
        values,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{http::wire::Described, question::Format, sql::StoredEvent};

    #[test]
    fn the_columns_are_the_fields_of_the_json() {
        let fields = Event::schema().properties;
        let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
        let header = Event::table(&[]).write(Format::Csv).unwrap();
        assert_eq!(
            String::from_utf8(header).unwrap().trim_end(),
            names.join(",")
        );
    }

    #[test]
    fn a_row_holds_what_the_json_holds() {
        let event = Event::try_from(StoredEvent {
            event_id: "e1".to_owned(),
            source: "s".to_owned(),
            r#type: "Note".to_owned(),
            schemaversion: 2,
            playback_id: "p".to_owned(),
            user_id: "u".to_owned(),
            track_id: "t".to_owned(),
            occurred_at: 1,
            ingest_time: 2,
            store_time: 3,
            test_id: "run".to_owned(),
            datacontenttype: "image/png".to_owned(),
            data: r#"{"a": 1}"#.to_owned(),
            data_base64: "AAEC".to_owned(),
            extensions: r#"{"b": 2}"#.to_owned(),
            partition: 7,
            offset: 12,
        });
        let event = event.unwrap();
        let rows = Event::table(std::slice::from_ref(&event))
            .write(Format::NdJson)
            .unwrap();
        assert_eq!(
            String::from_utf8(rows).unwrap().trim_end(),
            serde_json::to_string(&event).unwrap()
        );
    }
}
