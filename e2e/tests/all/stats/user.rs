//! GET /stats/user/{id} against the oracle: every metric over the playbacks of one listener.

use std::collections::BTreeSet;

use ess_schema::playback::Playback;
use serde_json::{Value, json};

use super::dataset::{MEANINGFUL, crowd, instant};
use super::question::different_lists;
use super::track::told_of;
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

/// Distinct tracks of the plays that began in the period: all of them, or those from FROM to TO.
fn tracks(playbacks: &[Playback], user: &'static str, all: bool) -> usize {
    let (is_of, period) = (is_of(user), instant(FROM)..instant(TO));
    let plays = playbacks.iter().filter(|p| {
        let began = p.aggregate.first_event_at;
        is_of(p) && p.aggregate.played_ms > 0 && (all || period.contains(&began))
    });
    let tracks = plays.map(|p| &p.aggregate.dimensions.track_id);
    tracks.collect::<BTreeSet<_>>().len()
}

/// The answer without the name and the number of tracks, and these.
fn apart(mut answer: Value) -> (Value, Value, Value) {
    let object = answer.as_object_mut().unwrap();
    let id = object.shift_remove("user_id").unwrap();
    let tracks = object.shift_remove("tracks").unwrap();
    (answer, id, tracks)
}

#[tokio::test]
async fn a_listener_is_told_of_as_the_fold_says() {
    let crowd = crowd().await;
    for user in ["user-1", "user-2", "user-3", "user-20"]
        .into_iter()
        .chain(MEANINGFUL)
    {
        let path = format!("/stats/user/{}", encoded(user));
        for (url, expected, all) in [
            (
                path.clone(),
                told_of(&crowd.playbacks, is_of(user), |all| all),
                true,
            ),
            (
                format!("{path}?from={FROM}&to={TO}"),
                told_of(&crowd.playbacks, is_of(user), |all| all.between(FROM, TO)),
                false,
            ),
        ] {
            let answer = crowd.app.get(&url).await.expect_status(200);
            let (found, id, distinct) = apart(answer.json());
            let differences = different_lists(&[expected], &[found]);
            assert!(differences.is_empty(), "{url}: {differences:#?}");
            assert_eq!(id, user);
            assert_eq!(
                distinct,
                json!(tracks(&crowd.playbacks, user, all)),
                "{url}"
            );
        }
    }
}

#[tokio::test]
async fn a_user_who_never_listened_is_not_known() {
    let crowd = crowd().await;
    let problem = crowd.app.get("/stats/user/nobody").await;
    assert_eq!(
        problem.expect_status(404).json()["type"],
        "/problems/not-found"
    );
}
