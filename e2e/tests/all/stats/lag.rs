//! GET /stats/lag, against exact quantiles computed here.

use std::collections::BTreeMap;

use ess_e2e::{TestApp, unique};
use ess_schema::Timestamp;
use rand::prelude::*;
use rand_chacha::ChaCha12Rng;
use serde_json::{Value, json};

use crate::oracle;
use crate::stored::{Partition, alone, encoded, reader};

/// A stored event.
#[derive(Clone)]
struct Stored {
    id: String,
    test_id: String,
    occurred_at: i64,
    ingest_time: i64,
    store_time: i64,
    offset: u64,
}

impl Stored {
    fn lag(&self) -> i64 {
        self.store_time - self.ingest_time
    }

    fn row(&self, partition: u16) -> String {
        let Self {
            id,
            test_id,
            occurred_at,
            ingest_time,
            store_time,
            offset,
        } = self;
        format!(
            "('{id}', 's', 'PlaybackStarted', 1, '{id}', fromUnixTimestamp64Milli({occurred_at}, 'UTC'), \
             fromUnixTimestamp64Milli({ingest_time}, 'UTC'), fromUnixTimestamp64Milli({store_time}, 'UTC'), '{test_id}', {partition}, {offset})"
        )
    }
}

/// Stores the events in one part.
async fn store(app: &TestApp, partition: u16, events: &[Stored]) {
    let rows: Vec<_> = events.iter().map(|event| event.row(partition)).collect();
    let insert = format!(
        "INSERT INTO events (event_id, source, type, schemaversion, playback_id, occurred_at, ingest_time, store_time, test_id, partition, offset) \
         VALUES {}",
        rows.join(", ")
    );
    app.execute(&insert).await;
}

/// Events ingested from `start` on, one each second, some of them minutes or days after they occurred.
fn run(test_id: &str, start: Timestamp, count: u64) -> Vec<Stored> {
    let mut random = ChaCha12Rng::seed_from_u64(count);
    let mut event = |at: u64| {
        let ingest_time = start.as_millis() + at as i64 * 1_000;
        let late = [0, 0, 0, 90_000, 3 * 86_400_000, -200_000];
        Stored {
            id: unique("e"),
            test_id: test_id.to_owned(),
            occurred_at: ingest_time - late[random.random_range(0..late.len())],
            ingest_time,
            store_time: ingest_time + random.random_range(-5..2_000),
            offset: at,
        }
    };
    (0..count).map(&mut event).collect()
}

/// Method R-7: between the two nearest values, linearly.
fn quantile(sorted: &[i64], level: f64) -> f64 {
    let at = level * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    low as f64 + (at - at.floor()) * (high - low) as f64
}

/// The row of these events.
fn row(test_id: Option<&str>, from: i64, to: i64, events: &[&Stored]) -> Value {
    let mut lags: Vec<_> = events.iter().map(|event| event.lag()).collect();
    lags.sort_unstable();
    let time = |millis| Timestamp::from_millis(millis).unwrap();
    json!({
        "test_id": test_id, "from": time(from), "to": time(to), "count": lags.len(),
        "p50_ms": quantile(&lags, 0.5), "p90_ms": quantile(&lags, 0.9), "p99_ms": quantile(&lags, 0.99),
        "max_ms": lags.last(),
    })
}

fn assert_rows(expected: &[Value], found: &Value, question: &str) {
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{question}: {found:#?}");
    for (expected, found) in expected.iter().zip(found) {
        let differences = oracle::different_fields(expected, found);
        assert!(differences.is_empty(), "{question}: {differences:#?}");
    }
}

/// The start of an hour, some hours ago.
fn an_hour() -> Timestamp {
    let hour = 3_600_000;
    Timestamp::from_millis((oracle::now().as_millis() / hour - 5) * hour).unwrap()
}

/// Events by the bucket of their ingest time.
fn by_bucket(events: &[Stored], bucket_ms: i64) -> BTreeMap<i64, Vec<&Stored>> {
    let mut buckets: BTreeMap<i64, Vec<&Stored>> = BTreeMap::new();
    for event in events {
        let bucket = event.ingest_time / bucket_ms * bucket_ms;
        buckets.entry(bucket).or_default().push(event);
    }
    buckets
}

#[tokio::test]
async fn quantiles_are_exact_however_often_events_are_stored() {
    let app = alone(&[("CACHE_OPEN_TTL_MS", "0")]).await;
    let start = an_hour();
    let (one, other) = (unique("run'\\"), unique("another"));
    let escaped = one.replace('\\', "\\\\").replace('\'', "\\'");
    let mut of_one = run(&escaped, start, 1_000);
    let of_other = run(&other, start, 301);
    let without = run("", start, 50);
    for (partition, events) in [(1, &of_one), (2, &of_other), (3, &without)] {
        store(&app, partition, events).await;
    }
    // The log folded again: the same positions, stored later. Then two messages that repeat an identity: one ingested an hour
    // later, one with another time of occurrence.
    let again = |event: &Stored| Stored {
        store_time: event.store_time + 50_000,
        ..event.clone()
    };
    store(&app, 1, &of_one.iter().map(again).collect::<Vec<_>>()).await;
    let mut repeated = of_one[10].clone();
    (repeated.ingest_time, repeated.store_time) =
        (start.as_millis() + 3_700_000, start.as_millis() + 3_800_000);
    repeated.offset = 5_000;
    let mut moved = of_one[20].clone();
    (moved.occurred_at, moved.store_time) = (moved.occurred_at + 500, moved.store_time + 90_000);
    moved.offset = 5_001;
    store(&app, 1, &[repeated, moved]).await;
    for event in &mut of_one {
        event.test_id.clone_from(&one);
    }

    let (from, to) = (start.as_millis(), start.as_millis() + 2 * 3_600_000);
    let window = format!("from={start}&to={}", start.plus_millis(2 * 3_600_000));
    let all: Vec<_> = of_one.iter().chain(&of_other).chain(&without).collect();
    let get_lag = async |question: String| {
        let answer = app.get(&format!("/stats/lag?{question}")).await;
        answer.expect_status(200).json()
    };
    assert_rows(
        &[row(None, from, to, &all)],
        &get_lag(window.clone()).await,
        "all",
    );
    let only: Vec<_> = of_one.iter().collect();
    let question = format!("{window}&test_id={}", encoded(&one));
    assert_rows(
        &[row(Some(&one), from, to, &only)],
        &get_lag(question.clone()).await,
        "one",
    );
    let minutes: Vec<_> = by_bucket(&of_one, 60_000)
        .iter()
        .map(|(minute, events)| row(Some(&one), *minute, minute + 60_000, events))
        .collect();
    assert_rows(
        &minutes,
        &get_lag(format!("{question}&bucket=minute")).await,
        "minutes",
    );
    let mut runs = BTreeMap::from([
        (Some(one.as_str()), of_one.iter().collect::<Vec<_>>()),
        (Some(other.as_str()), of_other.iter().collect()),
        (None, without.iter().collect()),
    ]);
    let by_run: Vec<_> = runs
        .iter_mut()
        .map(|(run, events)| row(*run, from, to, events))
        .collect();
    assert_rows(
        &by_run,
        &get_lag(format!("{window}&by=test_id")).await,
        "runs",
    );
    // Only the repetition lies in this window. It does not count, because the event was ingested before.
    let later = format!("from={}", start.plus_millis(3_600_000));
    let later = get_lag(format!("{later}&to={}", start.plus_millis(2 * 3_600_000))).await;
    assert_eq!(later[0]["count"], 0, "{later}");
    assert!(later[0]["p50_ms"].is_null());
}

#[tokio::test]
async fn a_generation_without_the_index_answers_the_same() {
    let app = alone(&[("CACHE_OPEN_TTL_MS", "0")]).await;
    let start = an_hour();
    let events = run("r", start, 100);
    app.execute("ALTER TABLE events DROP INDEX by_ingest").await;
    store(&app, 1, &events).await;
    let to = start.plus_millis(50_000);
    let answer = app.get(&format!("/stats/lag?from={start}&to={to}")).await;
    let expected: Vec<_> = events.iter().take(50).collect();
    let expected = row(None, start.as_millis(), to.as_millis(), &expected);
    assert_rows(&[expected], &answer.expect_status(200).json(), "without");
}

#[tokio::test]
async fn the_default_window_is_the_last_fifteen_minutes_and_after_waits() {
    let app = reader().await;
    let (partition, test_id) = (Partition::of(app).await, unique("run"));
    let path = format!("/stats/lag?test_id={test_id}");
    let empty = app.get(&path).await.expect_status(200);
    assert_eq!(empty.json()[0]["count"], 0);
    let event = crate::stored::event(&json!({
        "type": "StartPlayback", "playback_id": unique("p"), "user_id": "u", "track_id": "t", "test_id": test_id
    }));
    let position = partition.store(&[event]).await[0];
    partition.record_progress().await;
    let answer = app
        .get(&format!("{path}&after={position}"))
        .await
        .expect_status(200);
    let rows = answer.json();
    assert_eq!(rows[0]["count"], 1, "{rows}");
    assert_eq!(rows[0]["test_id"], test_id.as_str());
    let time = |name: &str| Timestamp::parse_rfc3339(rows[0][name].as_str().unwrap()).unwrap();
    assert_eq!(time("to").millis_since(time("from")), 15 * 60 * 1_000);
    let etag = answer.header("etag").unwrap();
    let again = app.queries().request(reqwest::Method::GET, &path);
    let again = app
        .queries()
        .send(again.header("if-none-match", etag))
        .await;
    assert_eq!(again.status, 304);
}

#[tokio::test]
async fn invalid_parameters_are_refused_by_name() {
    let app = reader().await;
    for (query, pointer) in [
        ("by=user", "?by"),
        ("bucket=week", "?bucket"),
        ("bucket=", "?bucket"),
        ("from=yesterday", "?from"),
        ("to=1", "?to"),
        ("from=2026-11-23T10:00:00Z&to=2026-11-23T09:00:00Z", "?to"),
        ("from=2261-01-01T00:00:00Z", "?from"),
        (
            "from=2025-11-23T10:00:00Z&to=2026-11-23T09:00:00Z&bucket=second",
            "?bucket",
        ),
        ("test_id=a%20b", "?test_id"),
        ("test_id=%00", "?test_id"),
        ("after=7", "?after"),
        ("limit=1", "?limit"),
    ] {
        let answer = app.get(&format!("/stats/lag?{query}")).await;
        let problem = answer.expect_status(422).json();
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{query}: {problem}"
        );
        assert!(problem["errors"][0]["allowed"].is_string(), "{problem}");
    }
    for special in ["'", "\\", "'; DROP TABLE events; --", "{x:String}", "%41"] {
        let path = format!(
            "/stats/lag?by=test_id&test_id={}",
            encoded(&special.replace(' ', "_"))
        );
        let none = app.get(&path).await.expect_status(200).json();
        assert_eq!(none, json!([]), "{special}");
    }
}
