//! An event as the Kafka record that ESS writes: CloudEvents 1.0, JSON, structured mode.

use crate::event::{Event, EventData};
use crate::json::push_string;

/// The content type of every record that ESS writes.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

impl Event {
    /// The record's key: the playback id, so that one playback is in one partition; for a custom event without a playback,
    /// its user id, else its event id.
    pub fn key(&self) -> &str {
        if let Some(playback_id) = &self.playback_id {
            return playback_id.as_str();
        }
        match &self.data {
            EventData::Custom(custom) => custom
                .user_id
                .as_ref()
                .map_or(self.id.as_str(), crate::id::UserId::as_str),
            _ => self.id.as_str(),
        }
    }

    /// The record's value, UTF-8 JSON.
    pub fn to_cloudevent(&self) -> String {
        let mut text = String::with_capacity(384);
        text.push_str(r#"{"specversion":"1.0","id":"#);
        push_string(&mut text, self.id.as_str());
        let mut string = |name: &str, value: &str| {
            text.push_str(",\"");
            text.push_str(name);
            text.push_str("\":");
            push_string(&mut text, value);
        };
        string("source", self.source.as_str());
        string("type", self.data.type_name());
        let has_own_subject = self.extensions.iter().any(|(name, _)| name == "subject");
        if let Some(playback_id) = &self.playback_id
            && !has_own_subject
        {
            string("subject", playback_id.as_str());
        }
        string("time", &self.occurred_at.to_string());
        let content_type = self.content.datacontenttype.as_deref();
        if content_type.is_some() || self.content.json.is_some() {
            string(
                "datacontenttype",
                content_type.unwrap_or("application/json"),
            );
        }
        string("ingesttime", &self.ingest_time.to_string());
        if let Some(test_id) = &self.test_id {
            string("testid", test_id.as_str());
        }
        if let EventData::Custom(custom) = &self.data {
            if let Some(user_id) = &custom.user_id {
                string("userid", user_id.as_str());
            }
            if let Some(track_id) = &custom.track_id {
                string("trackid", track_id.as_str());
            }
        }
        if let Some(base64) = &self.content.base64 {
            string("data_base64", base64);
        }
        self.push_data(&mut text);
        text
    }

    fn push_data(&self, text: &mut String) {
        text.push_str(",\"schemaversion\":");
        text.push_str(&self.schemaversion.to_string());
        for (name, raw) in &self.extensions {
            text.push(',');
            push_string(text, name);
            text.push(':');
            text.push_str(raw);
        }
        if let Some(json) = &self.content.json {
            text.push_str(",\"data\":");
            text.push_str(json);
        }
        text.push('}');
    }
}
