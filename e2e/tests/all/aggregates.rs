//! The fold against the SQL that does the same: random events of one playback, conflicting ids and equal times among
//! them, stored in any order, batching and repetition straight through the columns that the projector sends, answered by the query-api.

mod random;

use ess_e2e::{TestApp, insert_events, unique};
use ess_schema::{PlaybackId, Position};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use self::random::{Delivery, delivery};
use crate::oracle;

const CASES: u32 = 100;

#[test]
fn any_events_in_any_order_batching_and_repetition_answer_as_the_fold_says() {
    let runtime = Runtime::new().unwrap();
    let app = runtime.block_on(
        TestApp::builder()
            .without_command_api()
            .without_projector()
            .start(),
    );
    let config = Config {
        cases: CASES,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let checked = TestRunner::new(config).run(&delivery(), |delivery| {
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
