//! Random events of one playback, and random orders and batches to store them in.

use ess_schema::event::{
    Content, CustomEvent, EndReason, Play, PlaybackFailed, PlaybackFinished, PlaybackPaused,
    PlaybackProgressed, PlaybackRecorded, PlaybackResumed, PlaybackSeeked, PlaybackStalled,
    PlaybackStarted,
};
use ess_schema::json::MAX_MS;
use ess_schema::{
    Event, EventData, EventId, EventType, PlaybackId, Source, TestId, Timestamp, TrackId, UserId,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

const KINDS: [&str; 10] = [
    "started",
    "progressed",
    "paused",
    "resumed",
    "seeked",
    "stalled",
    "finished",
    "failed",
    "recorded",
    "custom",
];

/// Messages, and the batches that store them: indices of the messages, each at least once.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) messages: Vec<Message>,
    pub(crate) batches: Vec<Vec<usize>>,
}

/// An event without its playback and time, which are set when it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    id: String,
    source: &'static str,
    ago_ms: i64,
    test_id: Option<&'static str>,
    data: EventData,
}

impl Message {
    /// The event in this playback, received at `now`.
    pub(crate) fn event(&self, playback_id: &PlaybackId, now: Timestamp) -> Event {
        Event {
            id: EventId::new(self.id.as_str()).unwrap(),
            source: Source::new(self.source).unwrap(),
            playback_id: Some(playback_id.clone()),
            occurred_at: now.plus_millis(-self.ago_ms),
            ingest_time: now,
            schemaversion: 1,
            test_id: self.test_id.map(|id| TestId::new(id).unwrap()),
            data: self.data.clone(),
            content: Content::default(),
            extensions: Vec::new(),
        }
    }
}

pub(crate) fn delivery() -> impl Strategy<Value = Delivery> {
    // Few kinds at a time, so that several events of one kind have the same id or time.
    let messages =
        subsequence(KINDS.to_vec(), 1..=4).prop_flat_map(|kinds| vec(message(kinds), 1..14));
    (messages, vec(any::<Index>(), 0..8), 1..6_usize)
        .prop_flat_map(|(messages, repeated, batch)| {
            let count = messages.len();
            let repeated = repeated.iter().map(|index| index.index(count));
            let order: Vec<_> = (0..count).chain(repeated).collect();
            (Just(messages), Just(order).prop_shuffle(), Just(batch))
        })
        .prop_map(|(messages, order, batch)| Delivery {
            messages,
            batches: order.chunks(batch).map(<[usize]>::to_vec).collect(),
        })
}

/// `count` messages of one playback under fewer ids, a tenth of them stored twice, in batches of any size.
pub(crate) fn large_delivery(count: usize) -> impl Strategy<Value = Delivery> {
    let messages = vec(message(KINDS.to_vec()), count).prop_map(move |mut messages| {
        for (at, message) in messages.iter_mut().enumerate() {
            message.id = format!("e-{}", at % (count * 9 / 10));
        }
        messages
    });
    let order: Vec<usize> = (0..count).chain(0..count / 10).collect();
    let cuts = vec(any::<Index>(), 20);
    (messages, Just(order).prop_shuffle(), cuts).prop_map(|(messages, order, cuts)| {
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(order.len())).collect();
        ends.extend([0, order.len()]);
        ends.sort_unstable();
        ends.dedup();
        let batches = ends.windows(2).map(|cut| order[cut[0]..cut[1]].to_vec());
        Delivery {
            batches: batches.collect(),
            messages,
        }
    })
}

fn message(kinds: Vec<&'static str>) -> impl Strategy<Value = Message> {
    // One value is far beyond the settle time and the others are far below it, so that a small clock difference does not matter.
    let hours = 3 * 60 * 60 * 1_000;
    (
        select(vec!["a", "é"]),
        select(vec!["ess/command-api", "player"]),
        prop_oneof![3 => Just(0), 1 => 0..5_i64, 1 => Just(60_000), 1 => Just(hours)],
        option::of(select(vec!["run-1", "run-2"])),
        select(kinds).prop_flat_map(data),
    )
        .prop_map(|(id, source, ago_ms, test_id, data)| Message {
            id: id.to_owned(),
            source,
            ago_ms,
            test_id,
            data,
        })
}

fn ms() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..20_u64,
        4 => 0..200_000_u64,
        1 => Just(MAX_MS),
    ]
}

/// A media position. Positions are compared and never summed, so values may exceed the decoder's limit, up to the type's maximum.
fn media_position() -> impl Strategy<Value = u64> {
    prop_oneof![6 => ms(), 1 => Just(u64::MAX - 1), 1 => Just(u64::MAX)]
}

fn play() -> impl Strategy<Value = Play> {
    let seq = option::of(prop_oneof![5 => 0..6_u32, 1 => Just(u32::MAX)]);
    (select(vec!["u1", "u2"]), select(vec!["t1", "t2"]), seq).prop_map(|(user, track, seq)| Play {
        user_id: UserId::new(user).unwrap(),
        track_id: TrackId::new(track).unwrap(),
        seq,
    })
}

fn stretch() -> impl Strategy<Value = (u64, u64)> {
    prop_oneof![
        7 => (ms(), ms()).prop_map(|(a, b)| (a.min(b), a.max(b))),
        1 => ms().prop_map(|at| (at, at)),
        1 => (0..20_u64, 0..20_u64).prop_map(|(a, b)| (u64::MAX - a.max(b), u64::MAX - a.min(b))),
    ]
}

fn text() -> impl Strategy<Value = Option<String>> {
    option::of(select(vec!["x", "y", "ü z"]).prop_map(str::to_owned))
}

fn data(kind: &'static str) -> BoxedStrategy<EventData> {
    match kind {
        "started" => started().boxed(),
        "progressed" => progressed().boxed(),
        "finished" => finished().boxed(),
        "failed" => failed().boxed(),
        "custom" => custom().boxed(),
        other => position_only(other).boxed(),
    }
}

fn started() -> impl Strategy<Value = EventData> {
    let texts = (text(), text(), text(), text(), text(), text());
    (
        play(),
        option::of(media_position()),
        option::of(media_position()),
        texts,
    )
        .prop_map(|(play, track_duration_ms, startup_ms, texts)| {
            let (device, platform, app_version, country, plan, context) = texts;
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
        })
}

fn progressed() -> impl Strategy<Value = EventData> {
    (play(), stretch(), option::of(ms())).prop_map(|(play, (from_ms, to_ms), played_ms)| {
        EventData::Progressed(PlaybackProgressed {
            play,
            from_ms,
            to_ms,
            played_ms,
        })
    })
}

fn finished() -> impl Strategy<Value = EventData> {
    let reason = select(vec![
        EndReason::Completed,
        EndReason::Skipped,
        EndReason::Stopped,
    ]);
    let lengths = (
        option::of(media_position()),
        option::of(ms()),
        option::of(media_position()),
    );
    (play(), reason, option::of(stretch()), lengths).prop_map(|(play, reason, stretch, lengths)| {
        let (position_ms, played_ms, track_duration_ms) = lengths;
        let (from_ms, to_ms) = stretch.unzip();
        EventData::Finished(PlaybackFinished {
            play,
            position_ms,
            reason,
            from_ms,
            to_ms,
            played_ms,
            track_duration_ms,
        })
    })
}

fn failed() -> impl Strategy<Value = EventData> {
    (play(), any::<bool>(), option::of(media_position())).prop_map(|(play, fatal, position_ms)| {
        EventData::Failed(PlaybackFailed {
            play,
            code: "decoder".to_owned(),
            message: None,
            fatal,
            position_ms,
        })
    })
}

fn custom() -> impl Strategy<Value = EventData> {
    let user = option::of(select(vec!["u1", "u3"]));
    let track = option::of(select(vec!["t1", "t3"]));
    (user, track).prop_map(|(user, track)| {
        EventData::Custom(CustomEvent {
            name: EventType::new("AdShown").unwrap(),
            user_id: user.map(|id| UserId::new(id).unwrap()),
            track_id: track.map(|id| TrackId::new(id).unwrap()),
        })
    })
}

/// The kinds with a position, an optional length, and no other field.
fn position_only(kind: &'static str) -> impl Strategy<Value = EventData> {
    let values = (play(), media_position(), ms(), option::of(ms()));
    values.prop_map(move |(play, one, two, maybe)| match kind {
        "paused" => EventData::Paused(PlaybackPaused {
            play,
            position_ms: one,
        }),
        "resumed" => EventData::Resumed(PlaybackResumed {
            play,
            position_ms: one,
            paused_ms: maybe,
        }),
        "seeked" => EventData::Seeked(PlaybackSeeked {
            play,
            from_ms: one,
            to_ms: two,
        }),
        "stalled" => EventData::Stalled(PlaybackStalled {
            play,
            position_ms: one,
            stalled_ms: two,
        }),
        _ => EventData::Recorded(PlaybackRecorded {
            play,
            played_ms: maybe,
            track_duration_ms: Some(one),
        }),
    })
}
