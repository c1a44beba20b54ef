//! A generated dataset: playbacks of some days in October, with repeated, late and missing events, and with texts that are special
//! in SQL, URLs and CSV. Stored and rolled up once, and shared by all tests of questions about many playbacks. No test changes it.

use ess_e2e::TestApp;
use ess_load::simulate::{Simulator, SimulatorConfig};
use ess_schema::event::CustomEvent;
use ess_schema::playback::Playback;
use ess_schema::{Event, EventData, EventId, EventType, TestId, Timestamp};
use rand::prelude::*;
use rand_chacha::ChaCha12Rng;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::oracle;
use crate::stored::{Partition, alone, event_at};
use crate::traffic::seed;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// One in this many events is stored twice.
const REPEATED: usize = 12;

/// Valid ids whose text is special in SQL, in a URL, in a filter or in CSV.
pub(crate) const SPECIAL_TEXTS: [&str; 18] = [
    "'",
    "\"",
    "`",
    "\\",
    "\\'",
    "%27",
    "%00",
    "{track_id:String}",
    "?",
    "#&limit=1",
    "a,b;c==d",
    "null",
    "in",
    "=1+1",
    "x'/**/OR/**/1=1--",
    "x\\'/**/OR/**/1=1--",
    "';DROP/**/TABLE/**/playbacks;--",
    "曲-ñ-🎵",
];

/// The events, the playbacks that the oracle folds them to, and the app that holds them.
pub(crate) struct Dataset {
    seed: u64,
    pub(crate) app: TestApp,
    pub(crate) events: Vec<Event>,
    pub(crate) playbacks: Vec<Playback>,
}

/// The dataset that all tests share.
#[expect(
    clippy::print_stdout,
    reason = "the test harness prints it with a failure"
)]
pub(crate) async fn dataset() -> &'static Dataset {
    static DATASET: OnceCell<Dataset> = OnceCell::const_new();
    let dataset = DATASET.get_or_init(stored).await;
    // Printed by every test, so that each failure names its seed.
    println!("ESS_TEST_SEED={}", dataset.seed);
    dataset
}

async fn stored() -> Dataset {
    let app = alone(&[]).await;
    let seed = seed();
    let events = generate(seed, 1_200);
    let partition = Partition::of(&app).await;
    for (number, batch) in events.chunks(events.len() / 7).enumerate() {
        partition.store(batch).await;
        let again = batch.iter().skip(number).step_by(REPEATED);
        partition.store(&again.cloned().collect::<Vec<_>>()).await;
    }
    partition.record_progress().await;
    app.roll_up().await;
    let playbacks = playbacks(&events);
    Dataset {
        seed,
        app,
        events,
        playbacks,
    }
}

/// The playbacks that the oracle folds these events to.
pub(crate) fn playbacks(events: &[Event]) -> Vec<Playback> {
    let playbacks = oracle::playbacks(events).into_iter();
    playbacks.map(|(_, playback)| playback).collect()
}

pub(crate) fn instant(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// Events of about this many playbacks, shuffled.
pub(crate) fn generate(seed: u64, playbacks: u64) -> Vec<Event> {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let days = run(seed, playbacks / 2, "2026-10-23T20:00:00Z", 72, None);
    // Midnight in Berlin in the night when its clocks go back, then the end of a month.
    let night = run(
        seed ^ 1,
        playbacks / 4,
        "2026-10-24T21:30:00Z",
        1,
        Some("night"),
    );
    let month = run(
        seed ^ 2,
        playbacks / 4,
        "2026-10-31T21:00:00Z",
        4,
        Some("run-2"),
    );
    let mut events: Vec<_> = days
        .chain(night)
        .chain(month)
        .flat_map(|playback| altered(playback.facts, &mut random))
        .collect();
    events.extend(SPECIAL_TEXTS.into_iter().flat_map(with_text));
    events.extend((0..10).flat_map(custom_events_only));
    events.shuffle(&mut random);
    events
}

fn run(seed: u64, playbacks: u64, start: &str, hours: i64, test_id: Option<&str>) -> Simulator {
    Simulator::new(SimulatorConfig {
        users: 150,
        tracks: 40,
        spread_ms: (hours * HOUR_MS).unsigned_abs(),
        test_id: test_id.map(|id| TestId::new(id).unwrap()),
        ..SimulatorConfig::new(seed, playbacks, instant(start))
    })
}

/// A playback's events as they arrive: some are lost, added or changed.
fn altered(mut events: Vec<Event>, random: &mut impl Rng) -> Vec<Event> {
    let (first, last) = (events[0].clone(), events[events.len() - 1].clone());
    match random.random_range(0..20) {
        // The start is lost, and the attributes with it.
        0 | 1 if events.len() > 1 => {
            events.remove(0);
        }
        // Only the start arrives.
        2 => events.truncate(1),
        // A custom event before the start, perhaps on the day before.
        3 => events.push(custom_event(&first, -random.random_range(1..26 * HOUR_MS))),
        4 => events.push(custom_event(&last, random.random_range(1..300 * MINUTE_MS))),
        // The playback lasts for days.
        5 if random.random_bool(0.1) => events.push(custom_event(&last, 40 * HOUR_MS)),
        6 => halve_played_ms(&mut events),
        _ => {}
    }
    events
}

/// A custom event of the same playback without user and track, this much later.
fn custom_event(of: &Event, later_ms: i64) -> Event {
    Event {
        id: EventId::new(format!("{}-custom", of.id)).unwrap(),
        occurred_at: of.occurred_at.plus_millis(later_ms),
        data: EventData::Custom(CustomEvent {
            name: EventType::new("AppOpened").unwrap(),
            user_id: None,
            track_id: None,
        }),
        ..of.clone()
    }
}

/// Halves the listening time, so that played_ms differs from unique_ms.
fn halve_played_ms(events: &mut [Event]) {
    for event in events {
        if let EventData::Progressed(progressed) = &mut event.data {
            progressed.played_ms = Some((progressed.to_ms - progressed.from_ms) / 2);
        }
    }
}

/// A playback whose ids and attributes are all this text. It is played past the track's duration, and its first seconds twice.
fn with_text(text: &str) -> Vec<Event> {
    let begins = instant("2026-10-24T12:00:00Z");
    let common = json!({
        "playback_id": format!("p-{text}"), "user_id": text, "track_id": text, "test_id": text, "device": text, "platform": text,
        "app_version": text, "plan": text, "context": text, "country": "DE"
    });
    let commands = [
        json!({"type": "StartPlayback", "track_duration_ms": 38_000, "startup_ms": 250}),
        json!({"type": "ReportProgress", "from_ms": 0, "to_ms": 20_000}),
        json!({"type": "ReportProgress", "from_ms": 3_000, "to_ms": 41_000}),
        json!({"type": "FinishPlayback", "reason": "completed"}),
    ];
    let events = commands
        .into_iter()
        .enumerate()
        .map(|(number, mut command)| {
            let command = command.as_object_mut().unwrap();
            command.extend(common.as_object().unwrap().clone());
            command.insert("event_id".to_owned(), format!("{text}-{number}").into());
            let at = begins.plus_millis(20_000 * number as i64);
            command.insert("time".to_owned(), at.to_string().into());
            event_at(&json!(command), at)
        });
    events.collect()
}

/// A playback with custom events only; every third names a user.
fn custom_events_only(number: u8) -> Vec<Event> {
    let at = instant("2026-10-25T08:00:00Z").plus_millis(i64::from(number) * 7 * MINUTE_MS);
    let mut command = json!({
        "type": "RecordEvent", "event_type": "AdShown", "event_id": format!("ad-{number}"), "playback_id": format!("ad-{number}"),
        "time": at.to_string()
    });
    if number.is_multiple_of(3) {
        command["user_id"] = "user-1".into();
    }
    vec![event_at(&command, at)]
}
