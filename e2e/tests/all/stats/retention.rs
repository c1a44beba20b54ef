//! GET /stats/track/{id}/retention against the oracle.

use ess_e2e::Answer;
use ess_schema::TrackId;
use ess_schema::rollup::{Period, Retention, RetentionBucket, played_stretches, retention};
use serde_json::{Value, json};

use super::dataset::{Dataset, SPECIAL_TEXTS, dataset, instant};
use super::track::top_tracks;
use crate::stored::encoded;

const FROM: &str = "2026-10-24T12:00:00Z";
const TO: &str = "2026-10-25T12:00:00Z";

fn expected(dataset: &Dataset, track: &str, period: &Period) -> Retention {
    let playbacks: Vec<_> = dataset
        .playbacks
        .iter()
        .filter(|p| period.contains_playback(p))
        .collect();
    let track = TrackId::new(track).unwrap();
    retention(&track, &playbacks, &played_stretches(&dataset.events))
}

/// Equal up to rounding; the difference of two shares rounds more than its own digits.
fn is_near(expected: f64, found: &Value) -> bool {
    found
        .as_f64()
        .is_some_and(|found| (expected - found).abs() < 1e-12 * expected.abs().max(1.0))
}

/// The differences between an answer and this curve; empty when there are none.
fn differences(expected: &Retention, answer: &Answer) -> Vec<String> {
    if answer.status != 200 {
        return vec![format!("{answer:?}")];
    }
    let found = answer.json();
    let Retention {
        plays,
        track_duration_ms,
        quartiles,
        buckets,
    } = expected;
    let mut differences = Vec::new();
    if found["plays"] != json!(plays) || found["track_duration_ms"] != json!(track_duration_ms) {
        differences.push(format!(
            "expected {plays} plays of {track_duration_ms:?} ms"
        ));
    }
    for (percent, share) in quartiles {
        let found = &found["quartiles"][format!("reached_{percent}")];
        if !share.map_or(found.is_null(), |share| is_near(share, found)) {
            differences.push(format!("{percent} %: expected {share:?}, found {found}"));
        }
    }
    let found = found["buckets"].as_array().unwrap();
    if found.len() != buckets.len() {
        differences.push(format!(
            "expected {} buckets, found {}",
            buckets.len(),
            found.len()
        ));
    }
    for (bucket, found) in buckets.iter().zip(found) {
        let RetentionBucket {
            from_ms,
            retention,
            replays,
            drop_off,
        } = bucket;
        let is_right = found["from_ms"] == json!(from_ms)
            && is_near(*retention, &found["retention"])
            && is_near(*replays, &found["replays"])
            && is_near(*drop_off, &found["drop_off"]);
        if !is_right {
            differences.push(format!("expected {bucket:?}, found {found}"));
        }
    }
    differences.truncate(12);
    differences
}

#[tokio::test]
async fn a_curve_is_what_the_fold_says() {
    let dataset = dataset().await;
    let day = Period {
        from: Some(instant(FROM)),
        to: Some(instant(TO)),
    };
    for track in top_tracks(&dataset.playbacks, 6) {
        let curve = expected(dataset, &track, &Period::default());
        let answer = dataset
            .app
            .get(&format!("/stats/track/{track}/retention"))
            .await;
        let wrong = differences(&curve, &answer);
        assert!(wrong.is_empty(), "{track}: {wrong:#?}");
        assert_eq!(answer.json()["track_id"], track);
        let url = format!("/stats/track/{track}/retention?from={FROM}&to={TO}");
        let wrong = differences(
            &expected(dataset, &track, &day),
            &dataset.app.get(&url).await,
        );
        assert!(wrong.is_empty(), "{url}: {wrong:#?}");
        // The curve of many plays falls, and some buckets are replayed.
        let (first, last) = (&curve.buckets[0], &curve.buckets[curve.buckets.len() - 1]);
        assert!(first.retention > last.retention, "{curve:?}");
        let is_replayed = |bucket: &RetentionBucket| bucket.replays > bucket.retention;
        assert!(curve.buckets.iter().any(is_replayed), "{curve:?}");
    }
}

#[tokio::test]
async fn a_track_with_a_special_id_has_its_own_curve() {
    let dataset = dataset().await;
    for track in SPECIAL_TEXTS {
        let expected = expected(dataset, track, &Period::default());
        let url = format!("/stats/track/{}/retention", encoded(track));
        let wrong = differences(&expected, &dataset.app.get(&url).await);
        assert!(wrong.is_empty(), "{track}: {wrong:#?}");
        assert_eq!((expected.plays, expected.buckets.len()), (1, 9));
    }
}

#[tokio::test]
async fn a_track_without_plays_has_no_curve() {
    let dataset = dataset().await;
    let track = top_tracks(&dataset.playbacks, 1).remove(0);
    for url in [
        "/stats/track/no-such-track/retention".to_owned(),
        format!("/stats/track/{track}/retention?to=2020-01-01T00:00:00Z"),
    ] {
        let problem = dataset.app.get(&url).await.expect_status(404).json();
        assert_eq!(problem["type"], "/problems/not-found");
    }
}
