//! Compares the aggregates of ClickHouse with the fold in Rust: random events of one playback, with conflicting ids and equal times,
//! in any order, batching and repetition, inserted as the projector inserts them and read through the query-api.

mod random;

use ess_e2e::{TestApp, insert_events, unique};
use ess_schema::{PlaybackId, Position};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokio::runtime::Runtime;

use self::random::{Delivery, delivery, large_delivery};
use crate::oracle;
use crate::traffic::seed;

const CASES: u32 = 100;
const LARGE: usize = 10_000;

#[test]
fn events_in_any_order_batching_and_repetition_give_the_aggregates_of_the_fold() {
    assert_equals_fold(CASES, &delivery());
}

#[test]
fn ten_thousand_events_of_one_playback_give_the_aggregates_of_the_fold() {
    assert_equals_fold(1, &large_delivery(LARGE));
}

fn assert_equals_fold(cases: u32, deliveries: &impl Strategy<Value = Delivery>) {
    let runtime = Runtime::new().unwrap();
    let app = runtime.block_on(
        TestApp::builder()
            .without_command_api()
            .without_projector()
            .start(),
    );
    let config = Config {
        cases,
        max_shrink_iters: 100,
        failure_persistence: None,
        ..Config::default()
    };
    let mut seeded = [0; 32];
    seeded[..8].copy_from_slice(&seed().to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seeded);
    let checked = TestRunner::new_with_rng(config, random).run(deliveries, |delivery| {
        let differences = runtime.block_on(store_and_compare(&app, &delivery));
        prop_assert!(differences.is_empty(), "{differences:#?}");
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn store_and_compare(app: &TestApp, delivery: &Delivery) -> Vec<String> {
    let playback_id = PlaybackId::new(unique("p")).unwrap();
    let (now, messages) = (oracle::now(), delivery.messages.iter());
    let events: Vec<_> = messages.map(|m| m.event(&playback_id, now)).collect();
    let client = app.clickhouse().with_database(app.database().await);
    for batch in &delivery.batches {
        let position = |offset| Position {
            partition: 0,
            offset,
        };
        let rows = batch.iter().map(|&at| (&events[at], position(at as u64)));
        insert_events(&client, rows).await;
    }
    let answer = app.get(&format!("/stats/playback/{playback_id}")).await;
    let (_, expected) = oracle::playbacks(&events).remove(0);
    oracle::differences(&expected, &answer)
}
