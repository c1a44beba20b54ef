//! GET /stats/user/{id} against the oracle: every metric over the playbacks of one listener.

use std::collections::BTreeSet;

use ess_schema::playback::Playback;
use serde_json::{Value, json};

use super::dataset::{SPECIAL_TEXTS, dataset, instant};
use super::question::different_lists;
use super::track::expected_summary;
use crate::stored::encoded;

const FROM: &str = "2026-10-24T12:00:00Z";
const TO: &str = "2026-10-25T12:00:00Z";

fn is_of(user: &'static str) -> impl Fn(&Playback) -> bool + Copy {
    move |p| {
        p.aggregate
            .dimensions
            .user_id
            .as_ref()
            .is_some_and(|id| id.as_str() == user)
    }
}

/// The distinct tracks of the user's plays: of all, or of those that began from FROM to TO.
fn tracks(playbacks: &[Playback], user: &'static str, all: bool) -> usize {
    let (is_of, period) = (is_of(user), instant(FROM)..instant(TO));
    let plays = playbacks.iter().filter(|p| {
        let began = p.aggregate.first_event_at;
        is_of(p) && p.aggregate.played_ms > 0 && (all || period.contains(&began))
    });
    let tracks = plays.map(|p| &p.aggregate.dimensions.track_id);
    tracks.collect::<BTreeSet<_>>().len()
}

/// Splits the answer into the summary, the user id and the number of tracks.
fn apart(mut answer: Value) -> (Value, Value, Value) {
    let object = answer.as_object_mut().unwrap();
    let id = object.shift_remove("user_id").unwrap();
    let tracks = object.shift_remove("tracks").unwrap();
    (answer, id, tracks)
}

#[tokio::test]
async fn a_listener_summary_is_what_the_fold_says() {
    let dataset = dataset().await;
    for user in ["user-1", "user-2", "user-3", "user-20"]
        .into_iter()
        .chain(SPECIAL_TEXTS)
    {
        let path = format!("/stats/user/{}", encoded(user));
        for (url, expected, all) in [
            (
                path.clone(),
                expected_summary(&dataset.playbacks, is_of(user), |all| all),
                true,
            ),
            (
                format!("{path}?from={FROM}&to={TO}"),
                expected_summary(&dataset.playbacks, is_of(user), |all| all.between(FROM, TO)),
                false,
            ),
        ] {
            let answer = dataset.app.get(&url).await.expect_status(200);
            let (found, id, distinct) = apart(answer.json());
            let differences = different_lists(&[expected], &[found]);
            assert!(differences.is_empty(), "{url}: {differences:#?}");
            assert_eq!(id, user);
            assert_eq!(
                distinct,
                json!(tracks(&dataset.playbacks, user, all)),
                "{url}"
            );
        }
    }
}

#[tokio::test]
async fn an_unknown_user_is_404() {
    let dataset = dataset().await;
    let problem = dataset.app.get("/stats/user/unknown").await;
    assert_eq!(
        problem.expect_status(404).json()["type"],
        "/problems/not-found"
    );
}
