//! What a crowd played in some days of October, with all that a platform's facts are: repeated, late, lost in part, and in texts
//! that mean something elsewhere. Stored and rolled up once, for every test that asks about many playbacks and changes none.

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
/// One in so many facts is stored twice.
const REPEATED: usize = 12;

/// Visible text, as ids may be, that means something in SQL, in a URL, in a filter or in CSV.
pub(crate) const MEANINGFUL: [&str; 18] = [
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

/// What was told, what it amounts to, and who answers questions about it.
pub(crate) struct Crowd {
    seed: u64,
    pub(crate) app: TestApp,
    pub(crate) events: Vec<Event>,
    pub(crate) playbacks: Vec<Playback>,
}

/// The one that all tests share.
#[expect(
    clippy::print_stdout,
    reason = "the test harness shows it with a failure"
)]
pub(crate) async fn crowd() -> &'static Crowd {
    static CROWD: OnceCell<Crowd> = OnceCell::const_new();
    let crowd = CROWD.get_or_init(stored).await;
    // To every test that asks, not only to the first.
    println!("ESS_TEST_SEED={}", crowd.seed);
    crowd
}

async fn stored() -> Crowd {
    let app = alone(&[]).await;
    let seed = seed();
    let events = told(seed, 1_200);
    let partition = Partition::of(&app).await;
    for (number, batch) in events.chunks(events.len() / 7).enumerate() {
        partition.store(batch).await;
        let again = batch.iter().skip(number).step_by(REPEATED);
        partition.store(&again.cloned().collect::<Vec<_>>()).await;
    }
    partition.tell().await;
    app.roll_up().await;
    let playbacks = playbacks(&events);
    Crowd {
        seed,
        app,
        events,
        playbacks,
    }
}

/// What the oracle makes of these events.
pub(crate) fn playbacks(events: &[Event]) -> Vec<Playback> {
    let playbacks = oracle::playbacks(events).into_iter();
    playbacks.map(|(_, playback)| playback).collect()
}

pub(crate) fn instant(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// The facts of about so many playbacks, in no order.
pub(crate) fn told(seed: u64, playbacks: u64) -> Vec<Event> {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let days = run(seed, playbacks / 2, "2026-10-23T20:00:00Z", 72, None);
    // Where it is midnight in Berlin, on the night in which its clocks go back; then where a month ends.
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
    let mut facts: Vec<_> = days
        .chain(night)
        .chain(month)
        .flat_map(|playback| altered(playback.facts, &mut random))
        .collect();
    facts.extend(MEANINGFUL.into_iter().flat_map(meaningful));
    facts.extend((0..10).flat_map(unnamed));
    facts.shuffle(&mut random);
    facts
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

/// What became of a playback's facts on their way.
fn altered(mut facts: Vec<Event>, random: &mut impl Rng) -> Vec<Event> {
    let (first, last) = (facts[0].clone(), facts[facts.len() - 1].clone());
    match random.random_range(0..20) {
        // Its beginning was lost, and its attributes with it.
        0 | 1 if facts.len() > 1 => {
            facts.remove(0);
        }
        // Nothing is known but that it began.
        2 => facts.truncate(1),
        // An app tells late of what happened before, perhaps the day before.
        3 => facts.push(aside(&first, -random.random_range(1..26 * HOUR_MS))),
        4 => facts.push(aside(&last, random.random_range(1..300 * MINUTE_MS))),
        // It went on for days.
        5 if random.random_bool(0.1) => facts.push(aside(&last, 40 * HOUR_MS)),
        // The end was told without a stretch, and the listening time was not that of the media.
        6 => halve(&mut facts),
        _ => {}
    }
    facts
}

/// An event of the same playback that names nobody, so much later.
fn aside(fact: &Event, later_ms: i64) -> Event {
    Event {
        id: EventId::new(format!("{}-aside", fact.id)).unwrap(),
        occurred_at: fact.occurred_at.plus_millis(later_ms),
        data: EventData::Custom(CustomEvent {
            name: EventType::new("AppOpened").unwrap(),
            user_id: None,
            track_id: None,
        }),
        ..fact.clone()
    }
}

/// At half speed: what was listened to is not what was covered.
fn halve(facts: &mut [Event]) {
    for fact in facts {
        if let EventData::Progressed(progressed) = &mut fact.data {
            progressed.played_ms = Some((progressed.to_ms - progressed.from_ms) / 2);
        }
    }
}

/// A playback all of whose texts are this one, heard past the length that was told of its track, and twice at its beginning.
fn meaningful(text: &str) -> Vec<Event> {
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
    let told = commands
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
    told.collect()
}

/// A playback of which only custom events are known, of some of them the user.
fn unnamed(number: u8) -> Vec<Event> {
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
