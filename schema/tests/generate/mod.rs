//! Random events of a few playbacks, with few ids, so that conflicts and equal times happen.

use ess_schema::event::{
    Content, CustomEvent, EndReason, Event, EventData, Play, PlaybackFailed, PlaybackFinished,
    PlaybackPaused, PlaybackProgressed, PlaybackRecorded, PlaybackResumed, PlaybackSeeked,
    PlaybackStalled, PlaybackStarted,
};
use ess_schema::json::MAX_MS;
use ess_schema::{EventId, EventType, PlaybackId, Source, TestId, Timestamp, TrackId, UserId};
use proptest::option;
use proptest::prelude::*;

fn ms() -> impl Strategy<Value = u64> {
    prop_oneof![0..100_000_u64, Just(0), Just(MAX_MS)]
}

fn stretch() -> impl Strategy<Value = (u64, u64)> {
    (ms(), ms()).prop_map(|(a, b)| (a.min(b), a.max(b)))
}

fn text() -> impl Strategy<Value = Option<String>> {
    option::of("[a-z\u{e9}\"\\\\]{1,3}")
}

fn play() -> impl Strategy<Value = Play> {
    ("[a-c]", "[x-z]", option::of(0..20_u32)).prop_map(|(user, track, seq)| Play {
        user_id: UserId::new(user).unwrap(),
        track_id: TrackId::new(track).unwrap(),
        seq,
    })
}

fn reason() -> impl Strategy<Value = EndReason> {
    prop_oneof![
        Just(EndReason::Completed),
        Just(EndReason::Skipped),
        Just(EndReason::Stopped)
    ]
}

fn started() -> impl Strategy<Value = EventData> {
    let texts = (text(), text(), text(), text(), text());
    let country = option::of("[A-Z]{2}");
    (play(), option::of(ms()), option::of(ms()), texts, country).prop_map(
        |(play, track_duration_ms, startup_ms, texts, country)| {
            let (device, platform, app_version, plan, context) = texts;
            EventData::Started(PlaybackStarted {
                play,
                track_duration_ms,
                startup_ms,
                device,
                platform,
                app_version,
                country,
                plan,
                context,
            })
        },
    )
}

fn finished() -> impl Strategy<Value = EventData> {
    let measures = (option::of(ms()), option::of(ms()), option::of(ms()));
    (play(), reason(), option::of(stretch()), measures).prop_map(|(play, reason, stretch, m)| {
        EventData::Finished(PlaybackFinished {
            play,
            position_ms: m.0,
            reason,
            from_ms: stretch.map(|s| s.0),
            to_ms: stretch.map(|s| s.1),
            played_ms: m.1,
            track_duration_ms: m.2,
        })
    })
}

fn custom() -> impl Strategy<Value = EventData> {
    ("Ad[a-z]{1,4}", option::of("[a-c]"), option::of("[x-z]")).prop_map(|(name, user, track)| {
        EventData::Custom(CustomEvent {
            name: EventType::new(&name).unwrap(),
            user_id: user.map(|id| UserId::new(id).unwrap()),
            track_id: track.map(|id| TrackId::new(id).unwrap()),
        })
    })
}

fn data() -> impl Strategy<Value = EventData> {
    prop_oneof![
        started(),
        finished(),
        custom(),
        (play(), stretch(), option::of(ms())).prop_map(|(play, (from_ms, to_ms), played_ms)| {
            EventData::Progressed(PlaybackProgressed {
                play,
                from_ms,
                to_ms,
                played_ms,
            })
        }),
        (play(), ms()).prop_map(|(play, position_ms)| {
            EventData::Paused(PlaybackPaused { play, position_ms })
        }),
        (play(), ms(), option::of(ms())).prop_map(|(play, position_ms, paused_ms)| {
            EventData::Resumed(PlaybackResumed {
                play,
                position_ms,
                paused_ms,
            })
        }),
        (play(), ms(), ms()).prop_map(|(play, from_ms, to_ms)| {
            EventData::Seeked(PlaybackSeeked {
                play,
                from_ms,
                to_ms,
            })
        }),
        (play(), ms(), ms()).prop_map(|(play, position_ms, stalled_ms)| {
            EventData::Stalled(PlaybackStalled {
                play,
                position_ms,
                stalled_ms,
            })
        }),
        (play(), any::<bool>(), option::of(ms())).prop_map(|(play, fatal, position_ms)| {
            let code = "E\"1".to_owned();
            EventData::Failed(PlaybackFailed {
                play,
                code,
                message: None,
                fatal,
                position_ms,
            })
        }),
        (play(), option::of(ms()), option::of(ms())).prop_map(|(play, played_ms, duration)| {
            EventData::Recorded(PlaybackRecorded {
                play,
                played_ms,
                track_duration_ms: duration,
            })
        }),
    ]
}

/// Any event of playback `p`; custom ones too.
pub(crate) fn event() -> impl Strategy<Value = Event> {
    let ids = ("[a-f]", "[st]", option::of("run[12]"));
    (ids, 0..5_i64, data()).prop_map(|((id, source, test), second, data)| {
        let time = Timestamp::from_millis(1_795_428_000_000 + second * 1_000).unwrap();
        Event {
            id: EventId::new(id).unwrap(),
            source: Source::new(source).unwrap(),
            playback_id: Some(PlaybackId::new("p").unwrap()),
            occurred_at: time,
            ingest_time: time,
            schemaversion: 1,
            test_id: test.map(|id| TestId::new(id).unwrap()),
            content: content(&data),
            data,
            extensions: Vec::new(),
        }
    })
}

fn content(data: &EventData) -> Content {
    match data {
        EventData::Custom(_) => Content::default(),
        typed => Content::json(serde_json::to_string(typed).unwrap()),
    }
}
