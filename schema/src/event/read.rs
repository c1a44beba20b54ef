//! Reads the data object of a playback event into its type, one pure function for each kind. Collects every violation.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::kind::EventKind;
use super::{
    Content, EndReason, EventData, Play, PlaybackFailed, PlaybackFinished, PlaybackPaused,
    PlaybackProgressed, PlaybackRecorded, PlaybackResumed, PlaybackSeeked, PlaybackStalled,
    PlaybackStarted,
};
use crate::id::{TrackId, UserId};
use crate::json::Reader;
use crate::violation::Violation;

/// Maximum size of the data of a custom event, in bytes (DESIGN §3).
pub const MAX_CONTENT_BYTES: usize = 32 * 1024;

/// Reads the data of a playback event of `kind`; `None` if that adds a violation.
pub(crate) fn read_data(kind: EventKind, reader: &mut Reader<'_, '_>) -> Option<EventData> {
    let play = read_play(reader);
    // Every field is read before any `?`, so that all violations of an item are reported together.
    match kind {
        EventKind::Started => started(play, reader).map(EventData::Started),
        EventKind::Progressed => progressed(play, reader).map(EventData::Progressed),
        EventKind::Paused => {
            let position_ms = reader.required_millis("position_ms");
            Some(EventData::Paused(PlaybackPaused {
                play: play?,
                position_ms: position_ms?,
            }))
        }
        EventKind::Resumed => {
            let position_ms = reader.required_millis("position_ms");
            let paused_ms = reader.millis("paused_ms");
            Some(EventData::Resumed(PlaybackResumed {
                play: play?,
                position_ms: position_ms?,
                paused_ms,
            }))
        }
        EventKind::Seeked => {
            let from_ms = reader.required_millis("from_ms");
            let to_ms = reader.required_millis("to_ms");
            Some(EventData::Seeked(PlaybackSeeked {
                play: play?,
                from_ms: from_ms?,
                to_ms: to_ms?,
            }))
        }
        EventKind::Stalled => {
            let position_ms = reader.required_millis("position_ms");
            let stalled_ms = reader.required_millis("stalled_ms");
            Some(EventData::Stalled(PlaybackStalled {
                play: play?,
                position_ms: position_ms?,
                stalled_ms: stalled_ms?,
            }))
        }
        EventKind::Finished => finished(play, reader).map(EventData::Finished),
        EventKind::Failed => failed(play, reader).map(EventData::Failed),
        EventKind::Recorded => {
            let played_ms = reader.millis("played_ms");
            let track_duration_ms = reader.millis("track_duration_ms");
            Some(EventData::Recorded(PlaybackRecorded {
                play: play?,
                played_ms,
                track_duration_ms,
            }))
        }
    }
}

fn read_play(reader: &mut Reader<'_, '_>) -> Option<Play> {
    let user_id = reader.required("user_id", UserId::ALLOWED, |r, n| r.id(n, UserId::ALLOWED));
    let track_id = reader.required("track_id", TrackId::ALLOWED, |r, n| {
        r.id(n, TrackId::ALLOWED)
    });
    // The maximum leaves room for `max seq + 1`.
    let seq = reader.integer("seq", u64::from(u32::MAX) - 1);
    Some(Play {
        user_id: user_id?,
        track_id: track_id?,
        seq: seq.and_then(|n| u32::try_from(n).ok()),
    })
}

fn started(play: Option<Play>, reader: &mut Reader<'_, '_>) -> Option<PlaybackStarted> {
    let track_duration_ms = reader.millis("track_duration_ms");
    let startup_ms = reader.millis("startup_ms");
    let [device, platform, app_version, listener_plan, context] =
        ["device", "platform", "app_version", "plan", "context"].map(|name| reader.text(name));
    let country = country(reader);
    Some(PlaybackStarted {
        play: play?,
        track_duration_ms,
        startup_ms,
        device,
        platform,
        app_version,
        country,
        plan: listener_plan,
        context,
    })
}

/// Two letters, stored in upper case.
fn country(reader: &mut Reader<'_, '_>) -> Option<String> {
    let code = reader.text("country")?;
    if code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Some(code.to_ascii_uppercase());
    }
    let detail = format!("is \"{}\"", crate::violation::shortened(&code));
    reader.reject(
        "country",
        detail,
        "an ISO 3166-1 alpha-2 code, for example DE",
    );
    None
}

fn progressed(play: Option<Play>, reader: &mut Reader<'_, '_>) -> Option<PlaybackProgressed> {
    let from_ms = reader.required_millis("from_ms");
    let to_ms = reader.required_millis("to_ms");
    let played_ms = reader.millis("played_ms");
    let (from_ms, to_ms) = forward(from_ms, to_ms, reader)?;
    Some(PlaybackProgressed {
        play: play?,
        from_ms,
        to_ms,
        played_ms,
    })
}

/// Checks that a stretch does not run backwards.
fn forward(from: Option<u64>, to: Option<u64>, reader: &mut Reader<'_, '_>) -> Option<(u64, u64)> {
    let (from, to) = from.zip(to)?;
    if to < from {
        let detail = format!("is {to}, before from_ms ({from})");
        reader.reject("to_ms", detail, "an integer not below from_ms");
        return None;
    }
    Some((from, to))
}

fn finished(play: Option<Play>, reader: &mut Reader<'_, '_>) -> Option<PlaybackFinished> {
    const REASONS: &str = "completed, skipped or stopped";
    let position_ms = reader.millis("position_ms");
    let reason = reader
        .required("reason", REASONS, |r, n| r.string(n, REASONS))
        .and_then(|name| {
            let reason = EndReason::from_name(&name);
            if reason.is_none() {
                let detail = format!("is \"{}\"", crate::violation::shortened(&name));
                reader.reject("reason", detail, REASONS);
            }
            reason
        });
    let from_ms = reader.millis("from_ms");
    let to_ms = reader.millis("to_ms");
    let missing = match (reader.raw("from_ms"), reader.raw("to_ms")) {
        (Some(_), None) => Some("to_ms"),
        (None, Some(_)) => Some("from_ms"),
        _ => None,
    };
    if let Some(name) = missing {
        reader.reject(name, "is missing", "from_ms and to_ms together, or neither");
    }
    forward(from_ms, to_ms, reader);
    let played_ms = reader.millis("played_ms");
    let track_duration_ms = reader.millis("track_duration_ms");
    Some(PlaybackFinished {
        play: play?,
        position_ms,
        reason: reason?,
        from_ms,
        to_ms,
        played_ms,
        track_duration_ms,
    })
}

fn failed(play: Option<Play>, reader: &mut Reader<'_, '_>) -> Option<PlaybackFailed> {
    const CODE: &str = "text of 1 to 256 characters";
    let code = reader.required("code", CODE, Reader::text);
    if code.is_none() && reader.raw("code").is_some_and(|raw| raw.get() == r#""""#) {
        reader.reject("code", "is empty", CODE);
    }
    let message = reader.string("message", "text");
    let fatal = reader.required("fatal", "true or false", Reader::boolean);
    let position_ms = reader.millis("position_ms");
    Some(PlaybackFailed {
        play: play?,
        code: code?,
        message,
        fatal: fatal?,
        position_ms,
    })
}

/// Checks a custom event's content: at most 32 KiB, and valid base64.
pub(crate) fn check_content(content: &Content, violations: &mut Vec<Violation>) {
    let allowed = "at most 32 KiB of data in a custom event";
    if let Some(text) = &content.json
        && text.len() > MAX_CONTENT_BYTES
    {
        let detail = format!("has {} bytes", text.len());
        violations.push(Violation::new("/data", detail, allowed));
    }
    if let Some(text) = &content.base64 {
        match STANDARD.decode(text) {
            Ok(bytes) if bytes.len() > MAX_CONTENT_BYTES => {
                let detail = format!("has {} bytes", bytes.len());
                violations.push(Violation::new("/data_base64", detail, allowed));
            }
            Ok(_) => {}
            Err(e) => violations.push(Violation::new(
                "/data_base64",
                format!("is not base64 ({e})"),
                "standard base64 with padding (RFC 4648 §4)",
            )),
        }
    }
}
