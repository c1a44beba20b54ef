//! The row of the table `events`: an event's envelope and contributions, typed as ClickHouse wants them.
//! Column meanings are in sql/generation/0001_events.sql and docs/SCHEMA.md.

use serde::Serialize;

use crate::event::{Event, EventData};
use crate::position::Position;

/// One row of `events`, borrowed from its event. `store_time` is not here: ClickHouse sets it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "named and documented as the columns are")]
pub struct EventRow<'e> {
    pub event_id: &'e str,
    pub source: &'e str,
    pub r#type: &'e str,
    pub schemaversion: u16,
    pub playback_id: &'e str,
    pub user_id: &'e str,
    pub track_id: &'e str,
    pub occurred_at: i64,
    pub ingest_time: i64,
    pub test_id: &'e str,
    pub seq: Option<u32>,
    pub state: &'e str,
    pub from_ms: Option<u64>,
    pub to_ms: Option<u64>,
    pub played_ms: u64,
    pub position_ms: Option<u64>,
    pub paused_ms: u64,
    pub stalled_ms: u64,
    pub startup_ms: Option<u64>,
    pub track_duration_ms: Option<u64>,
    pub end_reason: &'e str,
    pub failure_code: &'e str,
    pub fatal: bool,
    pub device: &'e str,
    pub platform: &'e str,
    pub app_version: &'e str,
    pub country: &'e str,
    pub plan: &'e str,
    pub context: &'e str,
    pub datacontenttype: &'e str,
    pub data: &'e str,
    pub data_base64: &'e str,
    pub extensions: String,
    pub partition: u16,
    pub offset: u64,
}

impl<'e> EventRow<'e> {
    /// The row of `event`, found in the log at `position`.
    pub fn new(event: &'e Event, position: Position) -> Self {
        let data = &event.data;
        let (from_ms, to_ms) = bounds(data);
        let mut row = Self {
            event_id: event.id.as_str(),
            source: event.source.as_str(),
            r#type: data.type_name(),
            schemaversion: event.schemaversion,
            playback_id: event.playback_id.as_ref().map_or("", |id| id.as_str()),
            user_id: "",
            track_id: "",
            occurred_at: event.occurred_at.as_millis(),
            ingest_time: event.ingest_time.as_millis(),
            test_id: event.test_id.as_ref().map_or("", |id| id.as_str()),
            seq: None,
            state: data.state().map_or("", super::event::PlayState::as_str),
            from_ms,
            to_ms,
            played_ms: data.played_ms(),
            position_ms: data.position_ms(),
            paused_ms: 0,
            stalled_ms: 0,
            startup_ms: None,
            track_duration_ms: data.track_duration_ms(),
            end_reason: "",
            failure_code: "",
            fatal: false,
            device: "",
            platform: "",
            app_version: "",
            country: "",
            plan: "",
            context: "",
            datacontenttype: event.content.datacontenttype.as_deref().unwrap_or_default(),
            data: event.content.json.as_deref().unwrap_or_default(),
            data_base64: event.content.base64.as_deref().unwrap_or_default(),
            extensions: extensions(&event.extensions),
            partition: position.partition,
            offset: position.offset,
        };
        row.fill(data);
        row
    }

    /// Its values under the columns' names, in the columns' order.
    pub fn values(&self) -> [(&'static str, ColumnValue<'_>); 35] {
        let Self {
            event_id,
            source,
            r#type,
            schemaversion,
            playback_id,
            user_id,
            track_id,
            occurred_at,
            ingest_time,
            test_id,
            seq,
            state,
            from_ms,
            to_ms,
            played_ms,
            position_ms,
            paused_ms,
            stalled_ms,
            startup_ms,
            track_duration_ms,
            end_reason,
            failure_code,
            fatal,
            device,
            platform,
            app_version,
            country,
            plan,
            context,
            datacontenttype,
            data,
            data_base64,
            extensions,
            partition,
            offset,
        } = self;
        [
            ("event_id", ColumnValue::Text(event_id)),
            ("source", ColumnValue::Text(source)),
            ("type", ColumnValue::Text(r#type)),
            ("schemaversion", ColumnValue::U16(*schemaversion)),
            ("playback_id", ColumnValue::Text(playback_id)),
            ("user_id", ColumnValue::Text(user_id)),
            ("track_id", ColumnValue::Text(track_id)),
            ("occurred_at", ColumnValue::Time(*occurred_at)),
            ("ingest_time", ColumnValue::Time(*ingest_time)),
            ("test_id", ColumnValue::Text(test_id)),
            ("seq", ColumnValue::OptionalU32(*seq)),
            ("state", ColumnValue::Text(state)),
            ("from_ms", ColumnValue::OptionalU64(*from_ms)),
            ("to_ms", ColumnValue::OptionalU64(*to_ms)),
            ("played_ms", ColumnValue::U64(*played_ms)),
            ("position_ms", ColumnValue::OptionalU64(*position_ms)),
            ("paused_ms", ColumnValue::U64(*paused_ms)),
            ("stalled_ms", ColumnValue::U64(*stalled_ms)),
            ("startup_ms", ColumnValue::OptionalU64(*startup_ms)),
            (
                "track_duration_ms",
                ColumnValue::OptionalU64(*track_duration_ms),
            ),
            ("end_reason", ColumnValue::Text(end_reason)),
            ("failure_code", ColumnValue::Text(failure_code)),
            ("fatal", ColumnValue::Bool(*fatal)),
            ("device", ColumnValue::Text(device)),
            ("platform", ColumnValue::Text(platform)),
            ("app_version", ColumnValue::Text(app_version)),
            ("country", ColumnValue::Text(country)),
            ("plan", ColumnValue::Text(plan)),
            ("context", ColumnValue::Text(context)),
            ("datacontenttype", ColumnValue::Text(datacontenttype)),
            ("data", ColumnValue::Text(data)),
            ("data_base64", ColumnValue::Text(data_base64)),
            ("extensions", ColumnValue::Text(extensions)),
            ("partition", ColumnValue::U16(*partition)),
            ("offset", ColumnValue::U64(*offset)),
        ]
    }

    fn fill(&mut self, data: &'e EventData) {
        if let Some(play) = data.play() {
            self.user_id = play.user_id.as_str();
            self.track_id = play.track_id.as_str();
            self.seq = play.seq;
        }
        match data {
            EventData::Started(e) => {
                self.startup_ms = e.startup_ms;
                self.device = e.device.as_deref().unwrap_or_default();
                self.platform = e.platform.as_deref().unwrap_or_default();
                self.app_version = e.app_version.as_deref().unwrap_or_default();
                self.country = e.country.as_deref().unwrap_or_default();
                self.plan = e.plan.as_deref().unwrap_or_default();
                self.context = e.context.as_deref().unwrap_or_default();
            }
            EventData::Resumed(e) => self.paused_ms = e.paused_ms.unwrap_or(0),
            EventData::Stalled(e) => self.stalled_ms = e.stalled_ms,
            EventData::Finished(e) => self.end_reason = e.reason.as_str(),
            EventData::Failed(e) => {
                self.failure_code = &e.code;
                self.fatal = e.fatal;
            }
            EventData::Custom(e) => {
                self.user_id = e.user_id.as_ref().map_or("", |id| id.as_str());
                self.track_id = e.track_id.as_ref().map_or("", |id| id.as_str());
            }
            EventData::Progressed(_)
            | EventData::Paused(_)
            | EventData::Seeked(_)
            | EventData::Recorded(_) => {}
        }
    }
}

/// One value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnValue<'v> {
    /// `String`.
    Text(&'v str),
    /// `UInt16`.
    U16(u16),
    /// `UInt64`.
    U64(u64),
    /// `Nullable(UInt32)`.
    OptionalU32(Option<u32>),
    /// `Nullable(UInt64)`.
    OptionalU64(Option<u64>),
    /// `DateTime64(3, 'UTC')`: ms since the epoch.
    Time(i64),
    /// `Bool`.
    Bool(bool),
}

impl ColumnValue<'_> {
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Text(_) => "String",
            Self::U16(_) => "UInt16",
            Self::U64(_) => "UInt64",
            Self::OptionalU32(_) => "Nullable(UInt32)",
            Self::OptionalU64(_) => "Nullable(UInt64)",
            Self::Time(_) => "DateTime64(3, 'UTC')",
            Self::Bool(_) => "Bool",
        }
    }
}

/// `from_ms` and `to_ms` as sent: of a played stretch, or of a seek.
fn bounds(data: &EventData) -> (Option<u64>, Option<u64>) {
    match data {
        EventData::Seeked(e) => (Some(e.from_ms), Some(e.to_ms)),
        other => other.stretch().unzip(),
    }
}

/// Extension attributes as one JSON object; empty when there are none.
fn extensions(extensions: &[(String, String)]) -> String {
    if extensions.is_empty() {
        return String::new();
    }
    let mut text = String::from("{");
    for (name, raw) in extensions {
        if text.len() > 1 {
            text.push(',');
        }
        crate::json::push_string(&mut text, name);
        text.push(':');
        text.push_str(raw);
    }
    text.push('}');
    text
}
