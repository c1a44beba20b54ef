//! Simulated playbacks as requests: every fact in one of the shapes of a body, in random order, with some requests repeated.

use std::collections::BTreeSet;
use std::env;
use std::slice::SliceIndex;

use ess_e2e::{Answer, TestApp};
use ess_load::simulate::{Simulator, SimulatorConfig};
use ess_schema::{Event, PlaybackId, Position, Source, TestId};
use futures::{StreamExt, stream};
use rand::prelude::*;
use rand_chacha::ChaCha12Rng;

use crate::oracle::now;
use crate::shapes::{Body, Form};

/// The number of concurrent requests.
const IN_FLIGHT: usize = 8;
/// Percentage of requests that are sent twice.
const REPEATED_PERCENT: usize = 10;
/// Percentage of requests with a single item.
const SINGLE_PERCENT: u32 = 40;
/// The maximum number of items in a request.
const MAX_ITEMS: usize = 60;

const MINUTE_MS: i64 = 60 * 1_000;

/// The seed of a test's randomness. Printed; `ESS_TEST_SEED` sets it, to repeat a run.
#[expect(
    clippy::disallowed_methods,
    reason = "tests take settings from the environment"
)]
#[expect(
    clippy::print_stdout,
    reason = "the test harness shows it with the failure"
)]
pub(crate) fn seed() -> u64 {
    let given = env::var("ESS_TEST_SEED").ok();
    let seed = given.map_or_else(rand::random, |seed| seed.parse().unwrap());
    println!("ESS_TEST_SEED={seed}");
    seed
}

/// The facts of simulated playbacks. Half of the playbacks ended long ago; the other half belong to a test run, and are so recent that a
/// silent one may continue. All facts of a playback have the same source, which differs between playbacks.
pub(crate) fn simulated(seed: u64, playbacks: u64) -> Vec<Event> {
    let started = |minutes_ago: i64| now().plus_millis(-minutes_ago * MINUTE_MS);
    let old = SimulatorConfig::new(seed, playbacks / 2, started(180));
    let mut new = SimulatorConfig::new(seed, playbacks - playbacks / 2, started(22));
    new.spread_ms = MINUTE_MS.unsigned_abs();
    new.test_id = TestId::new(format!("run-{seed}")).ok();
    let playbacks = Simulator::new(old).chain(Simulator::new(new));
    let facts = playbacks.enumerate().flat_map(|(number, playback)| {
        let player = (number % 3 == 0).then(|| Source::new("urn:player:7").unwrap());
        playback.facts.into_iter().map(move |fact| Event {
            source: player.clone().unwrap_or(fact.source),
            ..fact
        })
    });
    facts.collect()
}

/// Facts, and the requests that append them.
pub(crate) struct Traffic {
    pub(crate) events: Vec<Event>,
    pub(crate) requests: Vec<Body>,
}

impl Traffic {
    /// Requests for all of `events`, in random order, a tenth of them twice. The same seed gives the same requests.
    pub(crate) fn new(events: Vec<Event>, seed: u64) -> Self {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let mut order: Vec<&Event> = events.iter().collect();
        order.shuffle(&mut random);
        let mut requests = Vec::new();
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let count = if random.random_ratio(SINGLE_PERCENT, 100) {
                1
            } else {
                random.random_range(2..=MAX_ITEMS).min(rest.len())
            };
            let (chunk, after) = rest.split_at(count);
            rest = after;
            requests.push(Body::random(chunk, &mut random));
        }
        let repeated = requests.len().div_ceil(100 / REPEATED_PERCENT);
        let again: Vec<_> = requests.sample(&mut random, repeated).cloned().collect();
        requests.extend(again);
        requests.shuffle(&mut random);
        Self { events, requests }
    }

    /// The playbacks that its events are of.
    pub(crate) fn playbacks(&self) -> Vec<PlaybackId> {
        let ids = self.events.iter().filter_map(|e| e.playback_id.clone());
        ids.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Sends every request. Returns the position of each item, and fails if an item has none.
    pub(crate) async fn send(&self, app: &TestApp) -> Vec<Position> {
        self.send_some(app, ..).await
    }

    /// Sends some of the requests: see [`Traffic::send`].
    pub(crate) async fn send_some(
        &self,
        app: &TestApp,
        which: impl SliceIndex<[Body], Output = [Body]>,
    ) -> Vec<Position> {
        let requests = stream::iter(&self.requests[which]);
        let sent = requests.map(|request| send(app, request));
        let positions: Vec<Vec<Position>> = sent.buffer_unordered(IN_FLIGHT).collect().await;
        positions.concat()
    }
}

async fn send(app: &TestApp, request: &Body) -> Vec<Position> {
    let answer: Answer = app
        .post(request.path, request.content_type, request.text.as_str())
        .await;
    let is_legacy = request.forms == [Form::Untyped] && request.is_single;
    let status = if is_legacy { 200 } else { 202 };
    let positions = answer.expect_status(status).positions();
    assert_eq!(positions.len(), request.forms.len(), "{}", request.text);
    positions
}
