//! The row of the table `events`: an event's envelope and data, typed as its columns are.
//! Column meanings are in sql/generation/0001_events.sql and docs/SCHEMA.md.

use serde::Serialize;

use crate::event::{Event, EventData};
use crate::position::Position;

/// Declares [`EventRow`]: one line is one column, its name and type.
macro_rules! event_row {
    ($($column:ident: $type:ty,)+) => {
        /// One row of `events`, borrowed from its event. ClickHouse sets `store_time`.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[expect(missing_docs, reason = "named and documented as the columns are")]
        pub struct EventRow<'e> {
            $(pub $column: $type,)+
        }

        /// The column names, in the order of the columns.
        pub const COLUMNS: [&str; [$(stringify!($column)),+].len()] = [$(unescaped(stringify!($column))),+];

        impl EventRow<'_> {
            /// The values of [`COLUMNS`].
            pub fn values(&self) -> [ColumnValue<'_>; COLUMNS.len()] {
                [$(ColumnValue::from(&self.$column)),+]
            }
        }
    };
}

event_row! {
    event_id: &'e str,
    source: &'e str,
    r#type: &'e str,
    schemaversion: u16,
    playback_id: &'e str,
    user_id: &'e str,
    track_id: &'e str,
    occurred_at: i64,
    ingest_time: i64,
    test_id: &'e str,
    seq: Option<u32>,
    state: &'e str,
    from_ms: Option<u64>,
    to_ms: Option<u64>,
    played_ms: u64,
    position_ms: Option<u64>,
    paused_ms: u64,
    stalled_ms: u64,
    startup_ms: Option<u64>,
    track_duration_ms: Option<u64>,
    end_reason: &'e str,
    failure_code: &'e str,
    fatal: bool,
    device: &'e str,
    platform: &'e str,
    app_version: &'e str,
    country: &'e str,
    plan: &'e str,
    context: &'e str,
    datacontenttype: &'e str,
    data: &'e str,
    data_base64: &'e str,
    extensions: String,
    partition: u16,
    offset: u64,
}

/// `type` of `r#type`.
const fn unescaped(name: &str) -> &str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

impl<'e> EventRow<'e> {
    /// The row of `event`, whose record is at `position`.
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

/// Converts a reference to a field of a row to its column value.
macro_rules! column_values {
    ($($type:ty => $variant:ident,)+) => {
        $(impl<'v> From<&'v $type> for ColumnValue<'v> {
            fn from(value: &'v $type) -> Self {
                Self::$variant((*value).into())
            }
        })+
    };
}

column_values! {
    &'v str => Text,
    u16 => U16,
    u64 => U64,
    Option<u32> => OptionalU32,
    Option<u64> => OptionalU64,
    i64 => Time,
    bool => Bool,
}

impl<'v> From<&'v String> for ColumnValue<'v> {
    fn from(value: &'v String) -> Self {
        Self::Text(value)
    }
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

/// `from_ms` and `to_ms` as sent, of a played stretch or a seek.
fn bounds(data: &EventData) -> (Option<u64>, Option<u64>) {
    match data {
        EventData::Seeked(e) => (Some(e.from_ms), Some(e.to_ms)),
        other => other.stretch().unzip(),
    }
}

/// Extension attributes as one JSON object; empty text without attributes.
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
