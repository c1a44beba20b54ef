//! Clients that keep sending commands with unique ids, alone and in lists, regardless of the responses, and record the responses. A
//! request without a response in time fails the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ess_e2e::{Answer, TestApp, eventually};
use rand::prelude::*;
use rand_chacha::ChaCha12Rng;
use reqwest::header::CONTENT_TYPE;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::exchange::{Exchange, Fate, fates};
use crate::commands::progress;

/// Added to the configured timeout, for a slow machine.
const RESPONSE_MARGIN: Duration = Duration::from_secs(6);

/// What the clients send, and how often.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) clients: u64,
    /// Minimum time between two requests of one client.
    pub(super) every: Duration,
    /// Percentage of requests that are lists.
    pub(super) lists_percent: u32,
    pub(super) max_list: usize,
    /// Additional bytes of each command.
    pub(super) padding: usize,
    /// Maximum time for a response.
    pub(super) answers_within: Duration,
}

/// The number of events with each fate so far.
#[derive(Debug, Default)]
struct Counts {
    acknowledged: AtomicUsize,
    overloaded: AtomicUsize,
    unavailable: AtomicUsize,
    unknown: AtomicUsize,
}

/// The running clients.
pub(super) struct Load {
    clients: Vec<JoinHandle<Vec<Exchange>>>,
    counts: Arc<Counts>,
    stopped: Arc<AtomicBool>,
}

impl Load {
    pub(super) fn start(app: &TestApp, plan: Plan, seed: u64) -> Self {
        let (counts, stopped) = (Arc::<Counts>::default(), Arc::<AtomicBool>::default());
        let http = reqwest::Client::builder()
            .timeout(plan.answers_within + RESPONSE_MARGIN)
            .build()
            .unwrap();
        let clients = (0..plan.clients).map(|number| {
            let client = Client {
                plan,
                number,
                http: http.clone(),
                url: format!("{}/commands", app.commands().base()),
                random: ChaCha12Rng::seed_from_u64(seed.wrapping_add(number)),
                sent: 0,
            };
            tokio::spawn(client.run(Arc::clone(&counts), Arc::clone(&stopped)))
        });
        Self {
            clients: clients.collect(),
            counts,
            stopped,
        }
    }

    /// Waits until this many more events are acknowledged.
    pub(super) async fn until_acknowledged(&self, more: usize) {
        let counted = || self.counts.acknowledged.load(Ordering::Relaxed);
        self.until_more(counted, more).await;
    }

    /// Waits until this many more events are rejected because Kafka is unavailable.
    pub(super) async fn until_unavailable(&self, more: usize) {
        let counted = || self.counts.unavailable.load(Ordering::Relaxed);
        self.until_more(counted, more).await;
    }

    /// Waits until this many more events are rejected because too much is in flight.
    pub(super) async fn until_overloaded(&self, more: usize) {
        let counted = || self.counts.overloaded.load(Ordering::Relaxed);
        self.until_more(counted, more).await;
    }

    /// Waits until the fate of this many more events is unknown.
    pub(super) async fn until_unknown(&self, more: usize) {
        let counted = || self.counts.unknown.load(Ordering::Relaxed);
        self.until_more(counted, more).await;
    }

    async fn until_more(&self, counted: impl Fn() -> usize, more: usize) {
        let goal = counted() + more;
        eventually("enough events have this fate", async || {
            let failed = self.clients.iter().any(JoinHandle::is_finished);
            assert!(!failed, "a client failed: see its panic above");
            let enough = counted() >= goal;
            enough
                .then_some(())
                .ok_or_else(|| format!("{:?}", self.counts))
        })
        .await;
    }

    /// Stops sending, and waits for the pending responses.
    pub(super) async fn stop(self) -> Vec<Exchange> {
        self.stopped.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for client in self.clients {
            all.extend(client.await.unwrap());
        }
        all
    }
}

struct Client {
    plan: Plan,
    number: u64,
    http: reqwest::Client,
    url: String,
    random: ChaCha12Rng,
    sent: usize,
}

impl Client {
    async fn run(mut self, counts: Arc<Counts>, stopped: Arc<AtomicBool>) -> Vec<Exchange> {
        let mut ticks = interval(self.plan.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut exchanges = Vec::new();
        while !stopped.load(Ordering::Relaxed) {
            ticks.tick().await;
            let exchange = self.exchange().await;
            for (_, fate) in &exchange.events {
                let counter = match fate {
                    Fate::Acknowledged(_) => &counts.acknowledged,
                    Fate::Overloaded => &counts.overloaded,
                    Fate::Unavailable => &counts.unavailable,
                    Fate::Unknown => &counts.unknown,
                };
                counter.fetch_add(1, Ordering::Relaxed);
            }
            exchanges.push(exchange);
        }
        exchanges
    }

    async fn exchange(&mut self) -> Exchange {
        let is_list = self.random.random_ratio(self.plan.lists_percent, 100);
        let count = if is_list {
            self.random.random_range(1..=self.plan.max_list)
        } else {
            1
        };
        let ids: Vec<String> = (0..count)
            .map(|n| format!("c{}-{}", self.number, self.sent + n))
            .collect();
        self.sent += count;
        let commands: Vec<String> = ids.iter().map(|id| self.command(id)).collect();
        let (content_type, body) = match is_list {
            false => ("application/json", commands.concat()),
            true if self.random.random() => ("application/x-ndjson", commands.join("\n")),
            true => ("application/json", format!("[{}]", commands.join(","))),
        };
        let sent = Instant::now();
        let answer = self.post(content_type, body).await;
        let answer = answer.unwrap_or_else(|error| panic!("no response to {ids:?}: {error:?}"));
        Exchange {
            sent,
            answered: Instant::now(),
            events: fates(ids, is_list, &answer),
        }
    }

    fn command(&self, id: &str) -> String {
        let mut command = progress(id);
        if self.plan.padding > 0 {
            command["padding"] = "x".repeat(self.plan.padding).into();
        }
        command.to_string()
    }

    async fn post(&self, content_type: &str, body: String) -> reqwest::Result<Answer> {
        let request = self.http.post(&self.url).header(CONTENT_TYPE, content_type);
        let response = request.body(body).send().await?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    }
}
