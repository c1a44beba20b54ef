//! GET /stats/track/{id} against the oracle: every metric over the playbacks of one track.

use ess_schema::playback::Playback;
use serde_json::{Value, json};

use super::dataset::{SPECIAL_TEXTS, dataset};
use super::question::{METRICS, Question, different_lists};
use crate::stored::encoded;

const FROM: &str = "2026-10-24T18:30:15.250Z";
const TO: &str = "2026-10-25T06:10:00Z";

/// The expected summary of the playbacks that meet a condition: first and last event, and every metric in the period.
pub(crate) fn expected_summary(
    playbacks: &[Playback],
    meets: impl Fn(&Playback) -> bool + Copy + 'static,
    question: impl Fn(Question) -> Question,
) -> Value {
    let times = || playbacks.iter().filter(|p| meets(p)).map(|p| &p.aggregate);
    let mut summary = json!({
        "first_event_at": times().map(|a| a.first_event_at).min(),
        "last_event_at": times().map(|a| a.last_event_at).max(),
    });
    let metrics = question(Question::of(&METRICS).only("", meets)).totals(playbacks);
    let metrics = metrics.as_object().unwrap().clone();
    summary.as_object_mut().unwrap().extend(metrics);
    summary
}

/// The tracks with the most playbacks, most first.
pub(crate) fn top_tracks(playbacks: &[Playback], count: usize) -> Vec<String> {
    let rows = Question::of(&["attempts"])
        .by(&[ess_schema::rollup::Dimension::Track])
        .rows(playbacks);
    let mut rows: Vec<_> = rows
        .into_iter()
        .filter(|row| !row["track"].is_null())
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row["attempts"].as_u64()));
    let ids = rows
        .iter()
        .map(|row| row["track"].as_str().unwrap().to_owned());
    ids.take(count).collect()
}

fn is_of(track: &'static str) -> impl Fn(&Playback) -> bool + Copy {
    move |p| {
        p.aggregate
            .dimensions
            .track_id
            .as_ref()
            .is_some_and(|id| id.as_str() == track)
    }
}

/// The answer for a track without the name, and the name.
fn without_id(mut answer: Value) -> (Value, Value) {
    let id = answer.as_object_mut().unwrap().shift_remove("track_id");
    (answer, id.unwrap())
}

#[tokio::test]
async fn a_track_summary_is_what_the_fold_says() {
    let dataset = dataset().await;
    let tracks = top_tracks(&dataset.playbacks, 5).into_iter();
    let tracks = tracks.chain(SPECIAL_TEXTS.map(str::to_owned));
    for track in tracks {
        let track: &'static str = track.leak();
        let path = format!("/stats/track/{}", encoded(track));
        for (url, expected) in [
            (
                path.clone(),
                expected_summary(&dataset.playbacks, is_of(track), |all| all),
            ),
            (
                format!("{path}?from={FROM}&to={TO}"),
                expected_summary(&dataset.playbacks, is_of(track), |all| {
                    all.between(FROM, TO)
                }),
            ),
        ] {
            let answer = dataset.app.get(&url).await.expect_status(200);
            let (found, id) = without_id(answer.json());
            let differences = different_lists(&[expected], &[found]);
            assert!(differences.is_empty(), "{url}: {differences:#?}");
            assert_eq!(id, track);
        }
    }
}

#[tokio::test]
async fn a_track_without_playbacks_is_404_and_a_period_without_playbacks_is_200() {
    let dataset = dataset().await;
    let problem = dataset.app.get("/stats/track/no-such-track").await;
    let problem = problem.expect_status(404).json();
    assert_eq!(problem["type"], "/problems/not-found");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("no-such-track")
    );
    let track = top_tracks(&dataset.playbacks, 1).remove(0);
    let quiet = format!("/stats/track/{track}?to=2020-01-01T00:00:00Z");
    let quiet = dataset.app.get(&quiet).await.expect_status(200).json();
    assert_eq!(
        (&quiet["attempts"], &quiet["skip_rate"]),
        (&json!(0), &Value::Null)
    );
}
