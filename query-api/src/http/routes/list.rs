//! Lists as answers: their bodies in each form, documented, and where the next page is.

use ess_service::problem::Problem;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use poem::Request;
use poem_openapi::registry::{MetaMediaType, MetaSchema, MetaSchemaRef};
use serde::Serialize;

use crate::{
    http::wire,
    question::{Cursor, Format},
    read::SelectError,
    sql::StoredEvent,
    table::WriteError,
};

/// What stands for itself in a query (RFC 3986, unreserved).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A list of events as CSV, for the document.
const CSV_EXAMPLE: &str = "\
id,type,playback_id,user_id,track_id,occurred_at,ingest_time,store_time,test_id,source,schemaversion,position,data,datacontenttype,data_base64,extensions\r
0199a4b2-6c1d-7e3f-8a90-1b2c3d4e5f60,PlaybackPaused,playback-42,user-7,track-3,2026-11-23T10:00:10.000Z,2026-11-23T10:00:10.130Z,2026-11-23T10:00:10.217Z,,ess/command-api,1,7:1234,\"{\"\"user_id\"\":\"\"user-7\"\",\"\"track_id\"\":\"\"track-3\"\",\"\"position_ms\"\":10000}\",,,\r
";

/// The bodies of a list of events.
pub(super) fn list_of_events() -> Vec<MetaMediaType> {
    let array = MetaSchema {
        items: Some(Box::new(wire::reference::<wire::Event>())),
        ..MetaSchema::new("array")
    };
    let csv = MetaSchema {
        description: Some(
            "RFC 4180: a line of names, then a line an event; a field without a value is empty. Values are told as they are: import columns as text where a program takes a text for a formula",
        ),
        example: Some(CSV_EXAMPLE.into()),
        ..MetaSchema::new("string")
    };
    let parquet = MetaSchema {
        description: Some(
            "Apache Parquet with a row an event: times are TIMESTAMP(MILLIS, UTC), data and extensions are JSON of any shape, all columns optional. ClickHouse reads JSON that is no object with input_format_parquet_enable_json_parsing = 0",
        ),
        ..MetaSchema::new_with_format("string", "binary")
    };
    let inline = |schema| MetaSchemaRef::Inline(Box::new(schema));
    Format::ALL
        .into_iter()
        .map(|format| MetaMediaType {
            content_type: format.media_type(),
            schema: match format {
                Format::Json => inline(array.clone()),
                Format::NdJson => wire::reference::<wire::Event>(),
                Format::Csv => inline(csv.clone()),
                Format::Parquet => inline(parquet.clone()),
            },
        })
        .collect()
}

/// The events in the form asked for. JSON leaves out three fields of events that do not have them; a table has every column.
pub(super) fn body(events: Vec<StoredEvent>, format: Format) -> Result<Vec<u8>, Problem> {
    let events = events
        .into_iter()
        .map(wire::Event::try_from)
        .collect::<Result<Vec<_>, _>>()
        .map_err(SelectError::InvalidRow)?;
    let written = match format {
        Format::Csv | Format::Parquet => wire::Event::table(&events).write(format),
        Format::Json | Format::NdJson => return json(&events, format),
    };
    Ok(written?)
}

/// Objects as one array of JSON, or one a line.
pub(super) fn json<T: Serialize>(objects: &[T], format: Format) -> Result<Vec<u8>, Problem> {
    let written = match format {
        Format::NdJson => objects.iter().try_fold(Vec::new(), |mut lines, object| {
            serde_json::to_writer(&mut lines, object)?;
            lines.push(b'\n');
            Ok(lines)
        }),
        _ => serde_json::to_vec(objects),
    };
    Ok(written.map_err(WriteError::Json)?)
}

/// This request's path and parameters, but beginning after `cursor`.
pub(super) fn next_page(request: &Request, cursor: &Cursor) -> String {
    let given: Vec<(String, String)> = request.params().unwrap_or_default();
    url(request.original_uri().path(), given, cursor)
}

fn url(path: &str, given: Vec<(String, String)>, cursor: &Cursor) -> String {
    let kept = given
        .into_iter()
        .filter(|(name, _)| name != "offset" && name != "cursor");
    let all = kept.chain([("cursor".to_owned(), cursor.to_string())]);
    let pairs: Vec<_> = all
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(&value, QUERY)))
        .collect();
    format!("{}?{}", path.trim_end_matches('/'), pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use ess_schema::{EventId, Source, Timestamp};

    use super::*;
    use crate::question::{EventFilter, EventKey};

    fn stored(id: &str) -> StoredEvent {
        StoredEvent {
            event_id: id.to_owned(),
            data: "{\"a\":\n1}".to_owned(),
            ..StoredEvent::default()
        }
    }

    fn text(events: Vec<StoredEvent>, format: Format) -> String {
        String::from_utf8(body(events, format).unwrap()).unwrap()
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
    fn the_documented_csv_is_a_real_answer() {
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
        assert_eq!(text(vec![event], Format::Csv), CSV_EXAMPLE);
    }

    #[test]
    fn the_next_page_keeps_the_question_and_begins_elsewhere() {
        let key = EventKey {
            occurred_at: Timestamp::parse_rfc3339("2026-11-23T10:00:00Z").unwrap(),
            source: Source::command_api(),
            event_id: EventId::new("e1").unwrap(),
        };
        let given = [
            ("limit", "2"),
            ("offset", "4"),
            ("user_id", "я \""),
            ("after", "7:1"),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let cursor = Cursor::new(EventFilter::default().list(), &key);
        let expected = format!("/events?limit=2&user_id=%D1%8F%20%22&after=7%3A1&cursor={cursor}");
        assert_eq!(url("/events/", given.into(), &cursor), expected);
    }
}
