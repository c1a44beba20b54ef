//! The facts that a feed hands out are those that its source makes again afterwards.

use ess_schema::Event;

use super::*;
use crate::facts::source::{SentPlayback, decode};
use crate::simulate::SimulatorConfig;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn source(body: Body) -> FactSource {
    let test_id = TestId::new("t-1").unwrap();
    let config = SimulatorConfig {
        test_id: Some(test_id.clone()),
        ..SimulatorConfig::new(1, 20, at("2026-11-23T10:00:00Z"))
    };
    let kind = match body {
        Body::Untyped => Kind::Untyped(test_id),
        _ => Kind::Simulated(config, body),
    };
    FactSource {
        kind,
        began: at("2026-11-23T11:00:00Z"),
    }
}

#[test]
fn an_untyped_fact_is_made_again_from_its_number_user_and_time() {
    let source = source(Body::Untyped);
    let mut feed = FactFeed::new(source.clone());
    let items = feed.take(2, 7, at("2026-11-23T11:00:01.250Z"));
    assert_eq!(
        items[1].body,
        r#"{"id":"event-t-1-7-1","user_id":"user-7","track_id":"Test-case-t-1","ingest_time":"2026-11-23T11:00:01.250Z","test_id":"t-1"}"#
    );
    feed.set_status(1, FactStatus::Acknowledged);
    let playbacks: Vec<_> = source.playbacks(&feed.take_ledger()).collect();
    assert_eq!(playbacks.len(), 2);
    let (event, status) = &playbacks[1].facts[0];
    assert_eq!(event.id.as_str(), "event-t-1-7-1");
    assert_eq!(event.occurred_at, at("2026-11-23T11:00:01.250Z"));
    assert_eq!(event.test_id.as_ref().map(TestId::as_str), Some("t-1"));
    assert_eq!(*status, FactStatus::Acknowledged);
}

#[test]
fn simulated_facts_are_made_again_completely_playback_by_playback() {
    for body in [Body::Command, Body::Cloudevent, Body::Mixed] {
        let source = source(body);
        let mut feed = FactFeed::new(source.clone());
        let items = feed.take(usize::MAX, 0, source.began);
        assert!(items.len() > 100);
        let mut sent: Vec<_> = items
            .iter()
            .map(|item| decode(&item.body, source.began).unwrap())
            .collect();
        let ledger = feed.take_ledger();
        let mut again: Vec<_> = source
            .playbacks(&ledger)
            .flat_map(|playback| playback.facts)
            .map(|(event, _)| Event {
                ingest_time: source.began,
                ..event
            })
            .collect();
        sent.sort_by(|a, b| a.id.cmp(&b.id));
        again.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(sent, again, "{body:?}");
        assert_eq!(source.playbacks(&ledger).count(), 20);
    }
}

#[test]
fn a_run_that_was_cut_short_expects_only_the_facts_that_were_made() {
    let source = source(Body::Command);
    let mut feed = FactFeed::new(source.clone());
    let made = feed.take(37, 0, source.began).len();
    let facts: usize = source
        .playbacks(&feed.take_ledger())
        .map(|playback| playback.facts.len())
        .sum();
    assert_eq!((made, facts), (37, 37));
}

#[test]
fn by_id_the_facts_of_a_user_are_neighbours_and_the_same_as_by_time() {
    let source = source(Body::Untyped);
    let mut feed = FactFeed::new(source.clone());
    for turn in 0..30 {
        feed.take(1, [3, 11, 2][turn % 3], source.began);
    }
    let ledger = feed.take_ledger();
    let ids = |playbacks: Box<dyn Iterator<Item = SentPlayback> + '_>| {
        let ids: Vec<_> = playbacks.map(|playback| playback.id.to_string()).collect();
        ids
    };
    let (mut by_time, mut by_id) = (
        ids(source.playbacks(&ledger)),
        ids(source.playbacks_by_id(&ledger)),
    );
    let mut users: Vec<_> = by_id.iter().map(|id| id.split('-').nth(3)).collect();
    users.dedup();
    assert_eq!(users, [Some("2"), Some("3"), Some("11")]);
    by_time.sort_unstable();
    by_id.sort_unstable();
    assert_eq!((by_time.len(), by_time), (30, by_id));
}
