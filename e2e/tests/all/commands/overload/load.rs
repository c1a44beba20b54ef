//! Clients that go on sending commands, each under an id of its own, alone and in lists, whatever they are answered, and what
//! they were answered. A request without an answer in time ends the test: it hangs.

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

/// More than the time-out that the services are told, for a machine on which everything waits.
const SLACK: Duration = Duration::from_secs(6);

/// Who sends what, how often.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) clients: u64,
    /// Least time between two requests of one client.
    pub(super) every: Duration,
    /// Of a hundred requests, how many are lists.
    pub(super) lists_percent: u32,
    pub(super) longest_list: usize,
    /// Bytes that each command has besides.
    pub(super) padding: usize,
    /// Longest that the service may take to answer.
    pub(super) answers_within: Duration,
}

/// Fates so far, by kind.
#[derive(Debug, Default)]
struct Counts {
    acknowledged: AtomicUsize,
    overloaded: AtomicUsize,
    unavailable: AtomicUsize,
    unknown: AtomicUsize,
}

/// The clients at work.
pub(super) struct Load {
    clients: Vec<JoinHandle<Vec<Exchange>>>,
    counts: Arc<Counts>,
    is_over: Arc<AtomicBool>,
}

impl Load {
    pub(super) fn begin(app: &TestApp, plan: Plan, seed: u64) -> Self {
        let (counts, is_over) = (Arc::<Counts>::default(), Arc::<AtomicBool>::default());
        let http = reqwest::Client::builder()
            .timeout(plan.answers_within + SLACK)
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
            tokio::spawn(client.work(Arc::clone(&counts), Arc::clone(&is_over)))
        });
        Self {
            clients: clients.collect(),
            counts,
            is_over,
        }
    }

    /// Waits until so many more events have been acknowledged.
    pub(super) async fn until_acknowledged(&self, more: usize) {
        let counted = || self.counts.acknowledged.load(Ordering::Relaxed);
        self.until_more(counted, more).await;
    }

    /// Waits until so many more events have been refused because the log is away.
    pub(super) async fn until_unavailable(&self, more: usize) {
        let counted = || self.counts.unavailable.load(Ordering::Relaxed);
        self.until_more(counted, more).await;
    }

    /// Waits until so many more events have been refused because too much is under way.
    pub(super) async fn until_overloaded(&self, more: usize) {
        let counted = || self.counts.overloaded.load(Ordering::Relaxed);
        self.until_more(counted, more).await;
    }

    /// Waits until the fate of so many more events is unknown.
    pub(super) async fn until_unknown(&self, more: usize) {
        let counted = || self.counts.unknown.load(Ordering::Relaxed);
        self.until_more(counted, more).await;
    }

    async fn until_more(&self, counted: impl Fn() -> usize, more: usize) {
        let goal = counted() + more;
        eventually("the clients are answered so", async || {
            let hangs = self.clients.iter().any(JoinHandle::is_finished);
            assert!(!hangs, "a client has ended: see its panic above");
            let enough = counted() >= goal;
            enough
                .then_some(())
                .ok_or_else(|| format!("{:?}", self.counts))
        })
        .await;
    }

    /// Lets every request under way be answered, and sends no more.
    pub(super) async fn end(self) -> Vec<Exchange> {
        self.is_over.store(true, Ordering::Relaxed);
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
    async fn work(mut self, counts: Arc<Counts>, is_over: Arc<AtomicBool>) -> Vec<Exchange> {
        let mut ticks = interval(self.plan.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut exchanges = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
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
            self.random.random_range(1..=self.plan.longest_list)
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
        let answer = answer.unwrap_or_else(|error| panic!("no answer to {ids:?}: {error:?}"));
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
