//! GET /stats/live against the oracle.

mod stream;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use ess_e2e::{TestApp, unique};
use ess_schema::playback::Playback;
use ess_schema::{Event, Position, TrackId};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::oracle;
use crate::stored::{Partition, alone, encoded, event, reader};

/// Stores events and rolls up their playbacks, as a projector does.
pub(crate) async fn store(app: &TestApp, partition: &Partition, events: &[Event]) -> Position {
    let positions = partition.store(events).await;
    partition.record_progress().await;
    let mut command = app.projector.command();
    command.arg("rollup").stdin(Stdio::null());
    let output = spawn_blocking(move || command.output()).await.unwrap();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    *positions.last().unwrap()
}

/// The start of a playback this long ago.
pub(crate) fn started(
    playback: &str,
    user: &str,
    track: &str,
    country: Option<&str>,
    ago_ms: i64,
) -> Event {
    let mut event = event(&json!({
        "type": "StartPlayback", "playback_id": playback, "user_id": user, "track_id": track, "country": country
    }));
    event.occurred_at = event.occurred_at.plus_millis(-ago_ms);
    event
}

fn then(kind: &str, of: &Event, more: &Value) -> Event {
    let mut command = json!({
        "type": kind, "playback_id": of.playback_id.as_ref().unwrap().as_str(), "user_id": "u", "track_id": "t"
    });
    command
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    event(&command)
}

/// The expected answer for the playbacks that meet a condition, with at most `limit` entries a list.
fn expected(events: &[Event], limit: usize, meets: impl Fn(&Playback) -> bool) -> Value {
    let playbacks = oracle::playbacks(events);
    let playing: Vec<_> = playbacks
        .iter()
        .map(|(_, playback)| playback)
        .filter(|playback| playback.state == Some("playing") && meets(playback))
        .collect();
    let dimensions = || {
        playing
            .iter()
            .map(|playback| &playback.aggregate.dimensions)
    };
    let users: BTreeSet<_> = dimensions().filter_map(|of| of.user_id.clone()).collect();
    let top = |names: Vec<Option<String>>, key: &str| -> Vec<Value> {
        let mut counts: BTreeMap<Option<String>, i64> = BTreeMap::new();
        for name in names {
            *counts.entry(name).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| -count);
        let counts = counts.into_iter().take(limit);
        counts
            .map(|(name, count)| json!({key: name, "playing": count}))
            .collect()
    };
    let tracks = dimensions().map(|of| of.track_id.as_ref().map(ToString::to_string));
    json!({
        "playing": playing.len(), "listeners": users.len(),
        "tracks": top(tracks.collect(), "track_id"),
        "countries": top(dimensions().map(|of| of.country.clone()).collect(), "country"),
    })
}

#[tokio::test]
async fn playing_playbacks_are_counted_in_total_by_track_and_by_country() {
    let app = alone(&[("CACHE_OPEN_TTL_MS", "0")]).await;
    let partition = Partition::of(&app).await;
    let countries = [None, Some("DE"), Some("FR"), Some("DE")];
    let minute = 60_000;
    let mut events: Vec<_> = (0..60)
        .map(|n: usize| {
            let (user, track) = (format!("u{}", n % 23), format!("t'\\{}", n % 7));
            // The last few have been silent for too long and are abandoned.
            let ago = if n < 55 {
                n as i64 * 10_000
            } else {
                31 * minute
            };
            started(&format!("p{n}"), &user, &track, countries[n % 4], ago)
        })
        .collect();
    // One that began two days ago and progressed just now.
    let long = started("long", "u-long", "t'\\1", Some("FR"), 2 * 24 * 60 * minute);
    events.push(then(
        "ReportProgress",
        &long,
        &json!({"from_ms": 0, "to_ms": 1000}),
    ));
    events.push(long);
    events.push(then(
        "FinishPlayback",
        &events[0],
        &json!({"reason": "stopped"}),
    ));
    events.push(then(
        "PausePlayback",
        &events[1],
        &json!({"position_ms": 1}),
    ));
    events.push(then(
        "PausePlayback",
        &events[2],
        &json!({"position_ms": 1}),
    ));
    events.push(then(
        "ResumePlayback",
        &events[2],
        &json!({"position_ms": 1}),
    ));
    events.push(then(
        "ReportFailure",
        &events[3],
        &json!({"code": "x", "fatal": true}),
    ));
    events.push(then(
        "ReportStall",
        &events[4],
        &json!({"position_ms": 1, "stalled_ms": 9}),
    ));
    let middle = events.len() / 2;
    store(&app, &partition, &events[..middle]).await;
    let after = store(&app, &partition, &events[middle..]).await;
    // An earlier start, which moves a playing playback to another day.
    let earlier = started("p10", "u-earlier", "t'\\3", Some("DE"), 24 * 60 * minute);
    let after = [
        after,
        store(&app, &partition, std::slice::from_ref(&earlier)).await,
    ][1];
    events.push(earlier);

    let (track, of_track) = (encoded("t'\\3"), |playback: &Playback| {
        playback
            .aggregate
            .dimensions
            .track_id
            .as_ref()
            .map(TrackId::as_str)
            == Some("t'\\3")
    });
    let in_germany =
        |playback: &Playback| playback.aggregate.dimensions.country.as_deref() == Some("DE");
    for (query, expected) in [
        (String::new(), expected(&events, 10, |_| true)),
        ("&limit=2".to_owned(), expected(&events, 2, |_| true)),
        (
            format!("&track_id={track}"),
            expected(&events, 10, of_track),
        ),
        ("&country=de".to_owned(), expected(&events, 10, in_germany)),
        (
            format!("&country=DE&track_id={track}"),
            expected(&events, 10, |playback| {
                of_track(playback) && in_germany(playback)
            }),
        ),
    ] {
        let answer = app.get(&format!("/stats/live?after={after}{query}")).await;
        let mut found = answer.expect_status(200).json();
        assert!(
            found
                .as_object_mut()
                .unwrap()
                .shift_remove("as_of")
                .is_some()
        );
        assert!(expected["playing"].as_u64() > Some(0), "{expected}");
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn an_unknown_track_is_not_playing_and_values_never_become_part_of_the_sql() {
    let app = reader().await;
    let unknown = unique("t");
    for special in ["", "'", "\\", "';--", "{x:String}", "%41", "曲"] {
        let track = encoded(&format!("{unknown}{special}"));
        let answer = app.get(&format!("/stats/live?track_id={track}")).await;
        let found = answer.expect_status(200).json();
        assert_eq!(found["playing"], 0, "{special}: {found}");
        assert_eq!(
            (&found["tracks"], &found["countries"]),
            (&json!([]), &json!([]))
        );
    }
}

#[tokio::test]
async fn invalid_parameters_are_refused_by_name() {
    let app = reader().await;
    for (query, pointer) in [
        ("country=Germany", "?country"),
        ("country=D1", "?country"),
        ("country=", "?country"),
        ("track_id=a%20b", "?track_id"),
        ("track_id=%00", "?track_id"),
        ("limit=0", "?limit"),
        ("limit=1001", "?limit"),
        ("after=x", "?after"),
        ("user_id=u", "?user_id"),
    ] {
        for accept in ["application/json", "text/event-stream"] {
            let request = app
                .queries()
                .request(reqwest::Method::GET, &format!("/stats/live?{query}"));
            let answer = app.queries().send(request.header("accept", accept)).await;
            let problem = answer.expect_status(422).json();
            assert_eq!(
                problem["errors"][0]["pointer"], pointer,
                "{query}: {problem}"
            );
        }
    }
    let request = app.queries().request(reqwest::Method::GET, "/stats/live");
    let answer = app
        .queries()
        .send(request.header("accept", "text/csv"))
        .await;
    let problem = answer.expect_status(406).json();
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("application/json") && detail.contains("text/event-stream"),
        "{detail}"
    );
}
