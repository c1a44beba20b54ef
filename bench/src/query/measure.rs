//! The rounds: each thing and its yardstick right after each other, so that what disturbs the machine for a while disturbs both.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ess_parts::progress::note;
use hyper::Method;

use super::bare::{Bare, exchange};
use super::results::Results;
use super::scan::{Scan, Subject};
use crate::error::{Error, Result};
use crate::http::client::{Ask, Connection, Target, load};
use crate::http::latencies::Latencies;
use crate::metrics;

pub(super) const SELECT_ONE: &str = "SELECT 1";
pub(super) const READ: &str = "GET /stats/playback/{id}, uncached";
pub(super) const READ_SQL: &str = "its SQL, one query a read";
pub(super) const CACHED: &str = "GET /stats/playback/{id}, cached";
pub(super) const NOOP: &str = "no-op route";
/// Clients of reads one at a time, of a few at once, of many at once, and of cached reads.
pub(super) const ONE: u64 = 1;
pub(super) const FEW: u64 = 8;
pub(super) const MANY: u64 = 256;
pub(super) const CACHED_CLIENTS: u64 = 64;

const QUERIES: &str = "ess_query_duration_seconds_count";

/// The name under which the bare SQL of a scan is kept.
pub(super) fn sql_of(title: &str) -> String {
    format!("{title}: its SQL")
}

/// Where everything is.
pub(super) struct Bench {
    pub(super) clickhouse: Target,
    /// A query-api that remembers nothing.
    pub(super) api: Target,
    /// A query-api that remembers as it does by default.
    pub(super) cached: Target,
    pub(super) noop: Target,
    /// Playbacks in no order.
    pub(super) ids: Arc<[String]>,
    /// How many of them were asked for.
    pub(super) next_id: AtomicU64,
    /// Settled playbacks.
    pub(super) settled: Arc<[String]>,
    /// The SQL of the read of the first of `ids`.
    pub(super) read: Bare,
    pub(super) scans: Vec<(Scan, Bare)>,
    /// How long each load of reads lasts.
    pub(super) lasting: Duration,
    /// How often each scan is asked in a round.
    pub(super) repeats: i64,
    pub(super) subjects: Vec<Subject>,
}

impl Bench {
    /// One round of everything.
    ///
    /// # Errors
    /// A request that fails.
    pub(super) async fn round(&self, round: u32, results: &mut Results) -> Result<()> {
        if self.subjects.contains(&Subject::Reads) {
            for clients in [ONE, FEW] {
                self.select_one(clients, results).await?;
                self.reads(clients, results).await?;
                self.read_sql(clients, results).await?;
            }
            self.reads(MANY, results).await?;
        }
        if self.subjects.contains(&Subject::Cached) {
            self.noop(results).await?;
            self.cached(results).await?;
        }
        for (number, (scan, bare)) in self.scans.iter().enumerate() {
            note(&format!("round {round}: {}", scan.title));
            // No number of any scan or round comes twice, nor does 0, which was asked when it was recorded.
            let first =
                1 + (i64::from(round) * self.scans.len() as i64 + number as i64) * 2 * self.repeats;
            self.scan(first, scan, bare, results).await?;
        }
        Ok(())
    }

    async fn select_one(&self, clients: u64, results: &mut Results) -> Result<()> {
        let ask = |_| Ask {
            method: Method::POST,
            path: "/".to_owned(),
            body: Bytes::from_static(b"SELECT 1"),
            ..Ask::default()
        };
        let measured = load(&self.clickhouse, clients, self.lasting, ask).await?;
        add(results, SELECT_ONE, clients, measured);
        Ok(())
    }

    async fn reads(&self, clients: u64, results: &mut Results) -> Result<()> {
        let id = self.unread();
        let ask = move |number| Ask::get(path(&id(number)));
        let measured = load(&self.api, clients, self.lasting, ask).await?;
        self.read_on(measured.requests);
        add(results, READ, clients, measured);
        Ok(())
    }

    async fn read_sql(&self, clients: u64, results: &mut Results) -> Result<()> {
        let (id, first) = (self.unread(), self.ids[0].clone());
        let [ask] = &self.read.asks(&[])?[..] else {
            return Err(Error::message("a read of one playback is not one query"));
        };
        // It must name the playback.
        self.read.asks(&[(first.clone(), String::new())])?;
        let recorded = ask.clone();
        let ask = move |number| {
            let mut ask = recorded.clone();
            exchange(&mut ask, &first, &id(number));
            ask
        };
        let measured = load(&self.clickhouse, clients, self.lasting, ask).await?;
        self.read_on(measured.requests);
        add(results, READ_SQL, clients, measured);
        Ok(())
    }

    async fn noop(&self, results: &mut Results) -> Result<()> {
        let ids = Arc::clone(&self.settled);
        let ask = move |number| Ask::get(path(nth(&ids, number)));
        let measured = load(&self.noop, CACHED_CLIENTS, self.lasting, ask).await?;
        add(results, NOOP, CACHED_CLIENTS, measured);
        Ok(())
    }

    /// All from the cache, but for what the cache forgets meanwhile as it should.
    async fn cached(&self, results: &mut Results) -> Result<()> {
        let mut connection = Connection::to(&self.cached.url);
        for id in self.settled.iter() {
            connection.send(&Ask::get(path(id))).await?;
        }
        let before = self.queries().await?;
        let ids = Arc::clone(&self.settled);
        let ask = move |number| Ask::get(path(nth(&ids, number)));
        let measured = load(&self.cached, CACHED_CLIENTS, self.lasting, ask).await?;
        let queries = self.queries().await? - before;
        if queries * 100 > measured.requests {
            let requests = measured.requests;
            return Err(Error::message(format!(
                "{queries} queries for {requests} requests: those were not cached answers"
            )));
        }
        add(results, CACHED, CACHED_CLIENTS, measured);
        Ok(())
    }

    async fn queries(&self) -> Result<u64> {
        let metrics = Connection::to(&self.cached.url)
            .send(&Ask::get("/metrics"))
            .await?;
        Ok(metrics::sum(
            &String::from_utf8_lossy(&metrics.body),
            QUERIES,
        ))
    }

    /// By turns: the question to the query-api, and the bare SQL of another.
    async fn scan(
        &self,
        first: i64,
        scan: &Scan,
        bare: &Bare,
        results: &mut Results,
    ) -> Result<()> {
        let mut api = Connection::to(&self.api.url);
        let mut clickhouse: Vec<_> = (0..bare.statements())
            .map(|_| Connection::to(&self.clickhouse.url))
            .collect();
        let (mut asked, mut sent) = (Vec::new(), Vec::new());
        for number in (first..).step_by(2).take(self.repeats as usize) {
            let ask = Ask::get(scan.path(number)?);
            asked.push(timed(async { api.send(&ask).await.map(|_| ()) }).await?);
            let asks = bare.asks(&scan.exchanged(number + 1))?;
            sent.push(timed(bare.send(&mut clickhouse, &asks)).await?);
        }
        for (name, took) in [(scan.title.to_owned(), asked), (sql_of(scan.title), sent)] {
            let whole = took.iter().sum();
            add(results, &name, ONE, Latencies::of(took, whole));
        }
        Ok(())
    }

    /// Ids that nobody has asked for yet, as long as there are any.
    fn unread(&self) -> impl Fn(u64) -> String + Clone + Send + use<> {
        let (ids, begin) = (Arc::clone(&self.ids), self.next_id.load(Relaxed));
        move |number| nth(&ids, begin + number).to_owned()
    }

    fn read_on(&self, requests: u64) {
        // Requests before the clock started are not counted, and those under way at its end: more than that is never asked for.
        self.next_id.fetch_add(2 * requests + MANY, Relaxed);
    }
}

async fn timed(work: impl Future<Output = Result<()>>) -> Result<Duration> {
    let begun = Instant::now();
    work.await?;
    Ok(begun.elapsed())
}

fn add(results: &mut Results, name: &str, clients: u64, measured: Latencies) {
    let Latencies { p50, p99, rate, .. } = measured;
    note(&format!(
        "{name}, {clients} clients: p50 {p50:.2} ms, p99 {p99:.2} ms, {rate:.0}/s"
    ));
    results.add(name, clients, measured);
}

fn nth(ids: &[String], number: u64) -> &str {
    &ids[(number % ids.len() as u64) as usize]
}

fn path(playback_id: &str) -> String {
    format!("/stats/playback/{playback_id}")
}
