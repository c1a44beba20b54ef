//! The bodies of answers: values as JSON, and lists of events in every format.

use ess_service::problem::Problem;
use poem_openapi::registry::{MetaMediaType, MetaSchema};
use serde::Serialize;

use super::{
    document,
    wire::{Event, ReportRow},
};
use crate::{question::Format, read::SelectError, sql::StoredEvent, table::WriteError};

/// A list of events as CSV, the example in the document.
const CSV_EVENTS: &str = "\
id,type,playback_id,user_id,track_id,occurred_at,ingest_time,store_time,test_id,source,schemaversion,position,data,datacontenttype,data_base64,extensions\r
0199a4b2-6c1d-7e3f-8a90-1b2c3d4e5f60,PlaybackPaused,playback-42,user-7,track-3,2026-11-23T10:00:10.000Z,2026-11-23T10:00:10.130Z,2026-11-23T10:00:10.217Z,,ess/command-api,1,7:1234,\"{\"\"user_id\"\":\"\"user-7\"\",\"\"track_id\"\":\"\"track-3\"\",\"\"position_ms\"\":10000}\",,,\r
";

/// Rows of a report as CSV, the example in the document.
const CSV_ROWS: &str = "day,country,plays,avg_played_ms\r\n2026-11-23T00:00:00.000Z,DE,1204,98211.5\r\n2026-11-23T00:00:00.000Z,,3,1000.0\r\n";

/// A value as JSON.
///
/// # Errors
/// 500 for a value without a JSON form.
pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    Ok(serde_json::to_vec(value).map_err(WriteError::Json)?)
}

/// Values as a JSON array, or one on each line.
///
/// # Errors
/// 500 for a value without a JSON form.
pub(super) fn json_list<T: Serialize>(values: &[T], format: Format) -> Result<Vec<u8>, Problem> {
    if format != Format::NdJson {
        return json(&values);
    }
    let lines = values.iter().try_fold(Vec::new(), |mut lines, value| {
        serde_json::to_writer(&mut lines, value)?;
        lines.push(b'\n');
        Ok(lines)
    });
    Ok(lines.map_err(WriteError::Json)?)
}

/// Events in a format. JSON omits three fields of events that lack them; tables have every column.
///
/// # Errors
/// 500 for a row that no event can have written.
pub(super) fn events(rows: Vec<StoredEvent>, format: Format) -> Result<Vec<u8>, Problem> {
    let events = rows
        .into_iter()
        .map(Event::try_from)
        .collect::<Result<Vec<_>, _>>()
        .map_err(SelectError::InvalidRow)?;
    match format {
        Format::Csv | Format::Parquet => Ok(Event::table(&events).write(format)?),
        Format::Json | Format::NdJson => json_list(&events, format),
    }
}

/// The bodies of a list of events, for the document.
pub(super) fn documented_events() -> Vec<MetaMediaType> {
    let csv = MetaSchema {
        description: Some(
            "RFC 4180: a line of names, then one line per event; a missing value is an empty field. Values are not escaped for spreadsheets: import columns as text where a program would take a text for a formula",
        ),
        ..document::text(CSV_EVENTS)
    };
    let parquet = MetaSchema {
        description: Some(
            "Apache Parquet, one row per event: times are TIMESTAMP(MILLIS, UTC), data and extensions are JSON of any shape, all columns are optional. ClickHouse reads JSON that is not an object with input_format_parquet_enable_json_parsing = 0",
        ),
        ..MetaSchema::new_with_format("string", "binary")
    };
    document::list::<Event>(&Format::ALL, &csv, &parquet)
}

/// The bodies of a report, for the document.
pub(super) fn documented_rows() -> Vec<MetaMediaType> {
    let csv = MetaSchema {
        description: Some(
            "RFC 4180: a line of names, then one line per row; an unknown value is empty",
        ),
        ..document::text(CSV_ROWS)
    };
    let parquet = MetaSchema {
        description: Some(
            "Apache Parquet: times are TIMESTAMP(MILLIS, UTC), all columns are optional",
        ),
        ..MetaSchema::new_with_format("string", "binary")
    };
    document::list::<ReportRow>(&Format::ALL, &csv, &parquet)
}

#[cfg(test)]
mod tests {
    use ess_schema::Timestamp;

    use super::*;

    fn stored(id: &str) -> StoredEvent {
        StoredEvent {
            event_id: id.to_owned(),
            data: "{\"a\":\n1}".to_owned(),
            ..StoredEvent::default()
        }
    }

    fn text(rows: Vec<StoredEvent>, format: Format) -> String {
        String::from_utf8(super::events(rows, format).unwrap()).unwrap()
    }

    #[test]
    fn a_list_is_one_array_or_one_event_a_line() {
        let events = || vec![stored("e1"), stored("e2")];
        let array: Vec<serde_json::Value> =
            serde_json::from_str(&text(events(), Format::Json)).unwrap();
        let lines: Vec<serde_json::Value> = text(events(), Format::NdJson)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(array.len(), 2);
        assert_eq!(array, lines);
        assert_eq!(text(Vec::new(), Format::Json), "[]");
        assert_eq!(text(Vec::new(), Format::NdJson), "");
    }

    #[test]
    fn the_csv_example_is_what_the_service_writes() {
        let millis = |text: &str| Timestamp::parse_rfc3339(text).unwrap().as_millis();
        let event = StoredEvent {
            event_id: "0199a4b2-6c1d-7e3f-8a90-1b2c3d4e5f60".to_owned(),
            source: "ess/command-api".to_owned(),
            r#type: "PlaybackPaused".to_owned(),
            schemaversion: 1,
            playback_id: "playback-42".to_owned(),
            user_id: "user-7".to_owned(),
            track_id: "track-3".to_owned(),
            occurred_at: millis("2026-11-23T10:00:10.000Z"),
            ingest_time: millis("2026-11-23T10:00:10.130Z"),
            store_time: millis("2026-11-23T10:00:10.217Z"),
            data: r#"{"user_id":"user-7","track_id":"track-3","position_ms":10000}"#.to_owned(),
            partition: 7,
            offset: 1234,
            ..StoredEvent::default()
        };
        assert_eq!(text(vec![event], Format::Csv), CSV_EVENTS);
    }
}
