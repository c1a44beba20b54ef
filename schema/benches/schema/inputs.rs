//! Inputs of the benchmarks: the golden records in every shape, and playbacks as players send them.

use std::fmt;

use ess_schema::decode::{AcceptedShapes, ReceiveContext, decode_item};
use ess_schema::{Event, EventId, Timestamp};

/// The ingest time of every input.
pub(crate) fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-23T10:00:20.456Z").unwrap()
}

/// A Kafka record of one shape.
pub(crate) struct Record {
    shape: &'static str,
    pub(crate) payload: &'static str,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shape)
    }
}

/// One record of each shape. The first is the most frequent event, the second the largest.
pub(crate) fn records() -> Vec<Record> {
    const PROGRESS: &str = r#"{"user_id":"user-17","track_id":"track-204","seq":1,"from_ms":0,"to_ms":10000,"played_ms":9800}"#;
    let ce = [
        ("ce_specversion", "1.0"),
        ("ce_id", "0199f3c2-0000-7000-8000-000000000001"),
        ("ce_source", "ess/command-api"),
        ("ce_type", "PlaybackProgressed"),
        ("ce_subject", "playback-1"),
        ("ce_time", "2026-11-23T10:00:11.123Z"),
        ("content-type", "application/json"),
    ];
    let record = |shape, payload, headers: &[(&str, &str)]| Record {
        shape,
        payload,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect(),
    };
    vec![
        record(
            "structured, Progressed",
            concat!(
                r#"{"specversion":"1.0","id":"0199f3c2-0000-7000-8000-000000000001","source":"ess/command-api","#,
                r#""type":"PlaybackProgressed","subject":"playback-1","time":"2026-11-23T10:00:11.123Z","#,
                r#""datacontenttype":"application/json","ingesttime":"2026-11-23T10:00:11.456Z","schemaversion":1,"#,
                r#""data":{"user_id":"user-17","track_id":"track-204","seq":1,"from_ms":0,"to_ms":10000,"played_ms":9800}}"#
            ),
            &[],
        ),
        record(
            "structured, Started",
            include_str!("../../golden/PlaybackStarted.v1.json"),
            &[],
        ),
        record("binary, Progressed", PROGRESS, &ce),
        record(
            "flat, Progressed",
            concat!(
                r#"{"event_type":"PlaybackProgressed","schema_version":1,"event_id":"0199f3c2-0000-7000-8000-000000000001","#,
                r#""playback_id":"playback-1","occurred_at":"2026-11-23T10:00:11.123Z","user_id":"user-17","#,
                r#""track_id":"track-204","seq":1,"from_ms":0,"to_ms":10000,"played_ms":9800}"#
            ),
            &[],
        ),
        record(
            "untyped",
            r#"{"id":"event-12-7","user_id":"user-17","track_id":"track-204","ingest_time":"2026-11-23 10:00:11"}"#,
            &[],
        ),
    ]
}

/// A command by name.
pub(crate) struct Command {
    name: &'static str,
    pub(crate) text: &'static str,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The most frequent command and the largest.
pub(crate) fn commands() -> [Command; 2] {
    [
        Command {
            name: "ReportProgress",
            text: concat!(
                r#"{"type":"ReportProgress","playback_id":"playback-1","user_id":"user-17","track_id":"track-204","#,
                r#""time":"2026-11-23T10:00:11.123Z","seq":1,"from_ms":0,"to_ms":10000,"played_ms":9800}"#
            ),
        },
        Command {
            name: "StartPlayback",
            text: concat!(
                r#"{"type":"StartPlayback","playback_id":"playback-1","user_id":"user-17","track_id":"track-204","#,
                r#""time":"2026-11-23T10:00:10.123Z","seq":0,"track_duration_ms":215000,"startup_ms":340,"#,
                r#""device":"iPhone 15","platform":"ios","app_version":"8.4.1","country":"DE","plan":"premium","#,
                r#""context":"playlist:morning"}"#
            ),
        },
    ]
}

/// The first `count` events of a playback: a start, then a report of progress every ten seconds and a pause now and then.
pub(crate) fn playback(count: usize) -> Vec<Event> {
    let start = commands()[1].text;
    let mut texts = vec![start.to_owned()];
    texts.extend((1..count.max(2)).map(|seq| {
        let (from, to) = ((seq - 1) * 10_000, seq * 10_000);
        let fields = match seq % 20 {
            18 => format!(r#""type":"PausePlayback","position_ms":{to}"#),
            19 => format!(r#""type":"ResumePlayback","position_ms":{to},"paused_ms":2500"#),
            _ => format!(r#""type":"ReportProgress","from_ms":{from},"to_ms":{to},"played_ms":9800"#),
        };
        format!(r#"{{{fields},"playback_id":"playback-1","user_id":"user-17","track_id":"track-204","seq":{seq}}}"#)
    }));
    let events = texts.iter().zip(0_i64..).map(|(text, seq)| {
        let mut context = ReceiveContext::Request {
            received_at: now().plus_millis(seq * 10_000),
            generate_id: &mut || {
                EventId::new(format!("0199f3c2-0000-7000-8000-{seq:012}")).unwrap()
            },
        };
        decode_item(text, AcceptedShapes::Commands, &mut context)
            .unwrap()
            .event
    });
    events.collect()
}
