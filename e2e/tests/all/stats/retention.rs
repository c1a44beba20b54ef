//! GET /stats/track/{id}/retention against the oracle.

use ess_e2e::Answer;
use ess_schema::TrackId;
use ess_schema::rollup::{Period, Retention, RetentionBucket, played_stretches, retention};
use serde_json::{Value, json};

use super::dataset::{Crowd, MEANINGFUL, crowd, instant};
use super::track::hottest;
use crate::stored::encoded;

const FROM: &str = "2026-10-24T12:00:00Z";
const TO: &str = "2026-10-25T12:00:00Z";

fn expected(crowd: &Crowd, track: &str, period: &Period) -> Retention {
    let playbacks: Vec<_> = crowd
        .playbacks
        .iter()
        .filter(|p| period.contains_playback(p))
        .collect();
    let track = TrackId::new(track).unwrap();
    retention(&track, &playbacks, &played_stretches(&crowd.events))
}

/// A share that is a difference of shares may be off by what these are rounded by.
fn is_near(expected: f64, found: &Value) -> bool {
    found
        .as_f64()
        .is_some_and(|found| (expected - found).abs() < 1e-12 * expected.abs().max(1.0))
}

/// In what an answer is not this curve; nothing when it is.
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
    let mut told = Vec::new();
    if found["plays"] != json!(plays) || found["track_duration_ms"] != json!(track_duration_ms) {
        told.push(format!(
            "expected {plays} plays of {track_duration_ms:?} ms"
        ));
    }
    for (percent, share) in quartiles {
        let found = &found["quartiles"][format!("reached_{percent}")];
        if !share.map_or(found.is_null(), |share| is_near(share, found)) {
            told.push(format!("{percent} %: expected {share:?}, found {found}"));
        }
    }
    let found = found["buckets"].as_array().unwrap();
    if found.len() != buckets.len() {
        told.push(format!(
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
            told.push(format!("expected {bucket:?}, found {found}"));
        }
    }
    told.truncate(12);
    told
}

#[tokio::test]
async fn a_curve_is_what_the_fold_says() {
    let crowd = crowd().await;
    let day = Period {
        from: Some(instant(FROM)),
        to: Some(instant(TO)),
    };
    for track in hottest(&crowd.playbacks, 6) {
        let whole = expected(crowd, &track, &Period::default());
        let answer = crowd
            .app
            .get(&format!("/stats/track/{track}/retention"))
            .await;
        let wrong = differences(&whole, &answer);
        assert!(wrong.is_empty(), "{track}: {wrong:#?}");
        assert_eq!(answer.json()["track_id"], track);
        let url = format!("/stats/track/{track}/retention?from={FROM}&to={TO}");
        let wrong = differences(&expected(crowd, &track, &day), &crowd.app.get(&url).await);
        assert!(wrong.is_empty(), "{url}: {wrong:#?}");
        // The curve of a crowd falls, and parts of it are heard again.
        let (first, last) = (&whole.buckets[0], &whole.buckets[whole.buckets.len() - 1]);
        assert!(first.retention > last.retention, "{whole:?}");
        let is_heard_again = |bucket: &RetentionBucket| bucket.replays > bucket.retention;
        assert!(whole.buckets.iter().any(is_heard_again), "{whole:?}");
    }
}

#[tokio::test]
async fn a_track_has_its_own_curve_whatever_its_name_means_elsewhere() {
    let crowd = crowd().await;
    for track in MEANINGFUL {
        let expected = expected(crowd, track, &Period::default());
        let url = format!("/stats/track/{}/retention", encoded(track));
        let wrong = differences(&expected, &crowd.app.get(&url).await);
        assert!(wrong.is_empty(), "{track}: {wrong:#?}");
        assert_eq!((expected.plays, expected.buckets.len()), (1, 9));
    }
}

#[tokio::test]
async fn a_track_without_plays_has_no_curve() {
    let crowd = crowd().await;
    let hottest = hottest(&crowd.playbacks, 1).remove(0);
    for url in [
        "/stats/track/no-such-track/retention".to_owned(),
        format!("/stats/track/{hottest}/retention?to=2020-01-01T00:00:00Z"),
    ] {
        let problem = crowd.app.get(&url).await.expect_status(404).json();
        assert_eq!(problem["type"], "/problems/not-found");
    }
}
