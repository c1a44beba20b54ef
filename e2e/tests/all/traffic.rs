//! Simulated playbacks as clients send them: every fact in one of the shapes a body may have, in any order, some requests
//! repeated.

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

/// Requests under way at once.
const IN_FLIGHT: usize = 8;
/// Of a hundred requests, how many are sent once more.
const REPEATED_PERCENT: usize = 10;
/// Of a hundred requests, how many carry a single item.
const SINGLE_PERCENT: u32 = 40;
const LARGEST: usize = 60;

const MINUTE_MS: i64 = 60 * 1_000;

/// What all chance of a test comes from: `ESS_TEST_SEED` repeats a run.
#[expect(
    clippy::disallowed_methods,
    reason = "a test has no other way to be told"
)]
#[expect(
    clippy::print_stdout,
    reason = "the test harness shows it with a failure"
)]
pub(crate) fn seed() -> u64 {
    let given = env::var("ESS_TEST_SEED").ok();
    let seed = given.map_or_else(rand::random, |seed| seed.parse().unwrap());
    println!("ESS_TEST_SEED={seed}");
    seed
}

/// The facts of some playbacks: half of them long over, half of them of a test run and so new that a silent one may still
/// go on; of every playback all facts from one source, not always the same.
pub(crate) fn simulated(seed: u64, playbacks: u64) -> Vec<Event> {
    let begun = |minutes_ago: i64| now().plus_millis(-minutes_ago * MINUTE_MS);
    let old = SimulatorConfig::new(seed, playbacks / 2, begun(180));
    let mut new = SimulatorConfig::new(seed, playbacks - playbacks / 2, begun(22));
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

/// Facts, and the requests that tell them.
pub(crate) struct Traffic {
    pub(crate) events: Vec<Event>,
    pub(crate) requests: Vec<Body>,
}

impl Traffic {
    /// Requests for all of `events`, in random order, a tenth of them twice; the same seed makes the same.
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
                random.random_range(2..=LARGEST).min(rest.len())
            };
            let (chunk, after) = rest.split_at(count);
            rest = after;
            requests.push(Body::of(chunk, &mut random));
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

    /// Sends every request; each item of each must end as a position in the log.
    pub(crate) async fn send(&self, app: &TestApp) -> Vec<Position> {
        self.send_some(app, ..).await
    }

    /// Sends some of the requests.
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
    let as_the_predecessor = request.forms == [Form::Untyped] && request.is_single;
    let status = if as_the_predecessor { 200 } else { 202 };
    let positions = answer.expect_status(status).positions();
    assert_eq!(positions.len(), request.forms.len(), "{}", request.text);
    positions
}
