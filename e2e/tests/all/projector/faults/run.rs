//! A run under faults: rounds of load, each with a fault at a random moment, and the checks at the end. A request with an unknown
//! outcome is sent again with the same ids, as the documentation requires of clients.

use std::collections::BTreeMap;
use std::io::{Write as _, stdout};

use ess_e2e::{TestApp, eventually};
use ess_load::simulate::{Simulator, SimulatorConfig};
use ess_schema::{Event, Position};
use futures::{StreamExt, stream};
use rand::prelude::*;
use rand_chacha::ChaCha12Rng;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use crate::accounted;
use crate::oracle;
use crate::projector::stored;
use crate::rows::assert_rows_are_the_states;
use crate::shapes::Body;
use crate::traffic::{Traffic, seed};
use crate::whole_path::assert_answers_equal_oracle;

/// Playbacks per round.
const PLAYBACKS: u64 = 40;
/// Concurrent requests.
const IN_FLIGHT: usize = 8;
/// Long enough ago that no playback settles during the run.
const BEGAN_MS_AGO: i64 = 3 * 60 * 60 * 1_000;

/// The events sent so far, and the number of faults.
pub(super) struct Run {
    pub(super) app: TestApp,
    pub(super) random: ChaCha12Rng,
    seed: u64,
    faults: usize,
    sent: Vec<Event>,
    /// The event id of each acknowledged position; several requests may have the same one.
    acknowledged: BTreeMap<Position, String>,
}

impl Run {
    pub(super) fn on(app: TestApp) -> Self {
        let seed = seed();
        Self {
            app,
            random: ChaCha12Rng::seed_from_u64(seed),
            seed,
            faults: 0,
            sent: Vec::new(),
            acknowledged: BTreeMap::new(),
        }
    }

    /// Runs a round of load, and `fault` once a random part of it is stored.
    pub(super) async fn round(&mut self, fault: impl AsyncFnOnce(&TestApp)) {
        let seed = self.seed.wrapping_add(self.faults as u64);
        let begun = oracle::now().plus_millis(-BEGAN_MS_AGO);
        let simulated = Simulator::new(SimulatorConfig::new(seed, PLAYBACKS, begun));
        let facts = simulated.flat_map(|playback| playback.facts).collect();
        let traffic = Traffic::new(facts, seed);
        let further = self
            .random
            .random_range(1..=traffic.events.len() as u64 / 2);
        let app = &self.app;
        let faulting = async {
            wait_until_stored(app, stored(app).await + further).await;
            fault(app).await;
        };
        let (acknowledged, ()) = tokio::join!(send_all(app, &traffic.requests), faulting);
        self.acknowledged.extend(acknowledged);
        self.sent.extend(traffic.events);
        self.faults += 1;
    }

    /// Every committed record is a row or a dead letter (I4).
    pub(super) async fn assert_commits_follow_rows(&self) {
        let committed = self.app.committed_offsets().await;
        let unaccounted = accounted::unaccounted(&self.app, &committed).await;
        let (fault, seed) = (self.faults, self.seed);
        assert_eq!(
            unaccounted,
            [],
            "committed before it was stored; fault {fault}, seed {seed}"
        );
    }

    /// Every acknowledged record is in Kafka, every record is stored, and every answer equals the oracle's.
    pub(super) async fn assert_nothing_is_lost_or_counted_twice(self) {
        let (app, sent) = (&self.app, self.sent.len());
        app.wait_until_everything_is_projected().await;
        let records = app.topic.records().await;
        let held: BTreeMap<_, _> = records
            .iter()
            .map(|record| (record.position, accounted::identity(record)))
            .collect();
        for (position, id) in &self.acknowledged {
            let found = held.get(position).and_then(Option::as_ref);
            assert_eq!(
                found.map(|(_, id)| id),
                Some(id),
                "acknowledged at {position}"
            );
        }
        assert_eq!(accounted::all_unaccounted(app).await, []);
        assert_eq!(stored(app).await, sent as u64);
        assert!(records.len() > sent, "nothing was repeated");
        assert_answers_equal_oracle(app, &self.sent).await;
        assert_rows_are_the_states(app).await;
        assert_eq!(app.dead_letters.records().await, []);
        // Written to standard output directly, because the harness captures `println!` unless the test fails.
        let _ = writeln!(
            stdout(),
            "kills and other faults={} events={sent} duplicates offered={} differences=0 seed={}",
            self.faults,
            records.len() - sent,
            self.seed
        );
    }
}

async fn wait_until_stored(app: &TestApp, expected: u64) {
    eventually("a part of the round is stored", async || {
        let now = stored(app).await;
        if now >= expected {
            Ok(())
        } else {
            Err(format!("{now} of {expected}\n{}", app.projector.log_tail()))
        }
    })
    .await;
}

async fn send_all(app: &TestApp, requests: &[Body]) -> Vec<(Position, String)> {
    let sent = stream::iter(requests).map(|request| acknowledged(app, request));
    let each: Vec<_> = sent.buffer_unordered(IN_FLIGHT).collect().await;
    each.concat()
}

/// Repeats a request until each of its items is acknowledged. Returns the acknowledged positions of all attempts.
async fn acknowledged(app: &TestApp, body: &Body) -> Vec<(Position, String)> {
    let mut acknowledged = Vec::new();
    eventually("everything is acknowledged", async || {
        let request = app.commands().request(Method::POST, body.path);
        let request = request
            .header(CONTENT_TYPE, body.content_type)
            .body(body.text.clone());
        let answer = app.commands().try_send(request).await?;
        let positions = answer.positions();
        acknowledged.extend(positions.iter().copied().zip(ids(&answer.json())));
        if positions.len() == body.forms.len() {
            Ok(())
        } else {
            Err(format!("{answer:?}"))
        }
    })
    .await;
    acknowledged
}

/// The event ids of the items with a position, in the order of `Answer::positions`.
fn ids(answer: &serde_json::Value) -> Vec<String> {
    let items = answer["items"].as_array().cloned().unwrap_or_default();
    let each = items.iter().chain([answer]);
    each.filter(|item| item["position"].is_string())
        .map(|item| item["event_id"].as_str().unwrap().to_owned())
        .collect()
}
