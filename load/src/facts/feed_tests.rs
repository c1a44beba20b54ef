//! What was sent is what is made again afterwards.

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn origin(body: &str) -> Origin {
    let overrides = [format!("body={body}"), "playbacks=20".to_owned()];
    let scenario = Scenario::open("steady", &overrides).unwrap();
    let began = at("2026-11-23T11:00:00Z");
    let simulation_begins = at("2026-11-23T10:00:00Z");
    Origin::new(
        &scenario,
        TestId::new("t-1").unwrap(),
        began,
        simulation_begins,
    )
}

#[test]
fn an_untyped_fact_is_made_again_from_its_number_user_and_time() {
    let origin = origin("untyped");
    let mut feed = Feed::new(origin.clone());
    let items = feed.take(2, 7, at("2026-11-23T11:00:01.250Z"));
    assert_eq!(
        items[1].body,
        r#"{"id":"event-t-1-7-1","user_id":"user-7","track_id":"Test-case-t-1","ingest_time":"2026-11-23T11:00:01.250Z","test_id":"t-1"}"#
    );
    feed.ledger.set(1, Fate::Acknowledged);
    let playbacks: Vec<_> = origin.playbacks(&feed.ledger).collect();
    assert_eq!(playbacks.len(), 2);
    let (event, fate) = &playbacks[1].facts[0];
    assert_eq!(event.id.as_str(), "event-t-1-7-1");
    assert_eq!(event.occurred_at, at("2026-11-23T11:00:01.250Z"));
    assert_eq!(event.test_id.as_ref().map(TestId::as_str), Some("t-1"));
    assert_eq!(*fate, Fate::Acknowledged);
}

#[test]
fn simulated_facts_are_made_again_whole_playback_by_playback() {
    for body in ["command", "cloudevent", "mixed"] {
        let origin = origin(body);
        let mut feed = Feed::new(origin.clone());
        let items = feed.take(usize::MAX, 0, origin.began);
        assert!(items.len() > 100);
        let mut sent: Vec<_> = items
            .iter()
            .map(|item| read(&item.body, origin.began).unwrap())
            .collect();
        let mut again: Vec<_> = origin
            .playbacks(&feed.ledger)
            .flat_map(|playback| playback.facts)
            .map(|(event, _)| Event {
                ingest_time: origin.began,
                ..event
            })
            .collect();
        sent.sort_by(|a, b| a.id.cmp(&b.id));
        again.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(sent, again, "{body}");
        assert_eq!(origin.playbacks(&feed.ledger).count(), 20);
    }
}

#[test]
fn of_a_run_that_was_cut_short_only_what_was_made_is_expected() {
    let origin = origin("command");
    let mut feed = Feed::new(origin.clone());
    let made = feed.take(37, 0, origin.began).len();
    let facts: usize = origin
        .playbacks(&feed.ledger)
        .map(|playback| playback.facts.len())
        .sum();
    assert_eq!((made, facts), (37, 37));
}

#[test]
fn by_id_the_facts_of_a_user_are_neighbours_and_the_same_as_by_time() {
    let origin = origin("untyped");
    let mut feed = Feed::new(origin.clone());
    for turn in 0..30 {
        feed.take(1, [3, 11, 2][turn % 3], origin.began);
    }
    let ids = |playbacks: Box<dyn Iterator<Item = Sent> + '_>| {
        let ids: Vec<_> = playbacks.map(|playback| playback.id.to_string()).collect();
        ids
    };
    let (mut by_time, by_id) = (
        ids(origin.playbacks(&feed.ledger)),
        ids(origin.playbacks_by_id(&feed.ledger)),
    );
    let mut users: Vec<_> = by_id.iter().map(|id| id.split('-').nth(3)).collect();
    users.dedup();
    assert_eq!(users, [Some("2"), Some("3"), Some("11")]);
    by_time.sort_unstable();
    let mut by_id = by_id;
    by_id.sort_unstable();
    assert_eq!((by_time.len(), by_time), (30, by_id));
}
