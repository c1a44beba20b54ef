//! The row of the table `events`: an event's envelope and contributions, typed as ClickHouse wants them.
//! Column meanings are in sql/generation/0001_events.sql and docs/SCHEMA.md.

use serde::Serialize;

use crate::columns::Value;
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
    pub fn values(&self) -> [(&'static str, Value<'_>); 35] {
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
            ("event_id", Value::Text(event_id)),
            ("source", Value::Text(source)),
            ("type", Value::Text(r#type)),
            ("schemaversion", Value::U16(*schemaversion)),
            ("playback_id", Value::Text(playback_id)),
            ("user_id", Value::Text(user_id)),
            ("track_id", Value::Text(track_id)),
            ("occurred_at", Value::Time(*occurred_at)),
            ("ingest_time", Value::Time(*ingest_time)),
            ("test_id", Value::Text(test_id)),
            ("seq", Value::OptionalU32(*seq)),
            ("state", Value::Text(state)),
            ("from_ms", Value::OptionalU64(*from_ms)),
            ("to_ms", Value::OptionalU64(*to_ms)),
            ("played_ms", Value::U64(*played_ms)),
            ("position_ms", Value::OptionalU64(*position_ms)),
            ("paused_ms", Value::U64(*paused_ms)),
            ("stalled_ms", Value::U64(*stalled_ms)),
            ("startup_ms", Value::OptionalU64(*startup_ms)),
            ("track_duration_ms", Value::OptionalU64(*track_duration_ms)),
            ("end_reason", Value::Text(end_reason)),
            ("failure_code", Value::Text(failure_code)),
            ("fatal", Value::Bool(*fatal)),
            ("device", Value::Text(device)),
            ("platform", Value::Text(platform)),
            ("app_version", Value::Text(app_version)),
            ("country", Value::Text(country)),
            ("plan", Value::Text(plan)),
            ("context", Value::Text(context)),
            ("datacontenttype", Value::Text(datacontenttype)),
            ("data", Value::Text(data)),
            ("data_base64", Value::Text(data_base64)),
            ("extensions", Value::Text(extensions)),
            ("partition", Value::U16(*partition)),
            ("offset", Value::U64(*offset)),
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
