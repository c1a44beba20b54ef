//! The rounds. Each measurement is right after its yardstick, so that a temporary disturbance of the machine affects both.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ess_load::http::{HttpClient, HttpRequest};
use ess_parts::progress::note;
use hyper::Method;

use super::bare::{Bare, replace};
use super::results::Results;
use super::scan::{Scan, Subject};
use crate::error::{Error, Result};
use crate::http::client::{Target, load, send};
use crate::http::latencies::Latencies;
use crate::metrics;

pub(super) const SELECT_ONE: &str = "SELECT 1";
pub(super) const READ: &str = "GET /stats/playback/{id}, uncached";
pub(super) const READ_SQL: &str = "its SQL, one query a read";
pub(super) const CACHED: &str = "GET /stats/playback/{id}, cached";
pub(super) const NOOP: &str = "no-op route";
/// Numbers of clients: of single, a few and many reads, and of cached reads.
pub(super) const ONE: u64 = 1;
pub(super) const FEW: u64 = 8;
pub(super) const MANY: u64 = 256;
pub(super) const CACHED_CLIENTS: u64 = 64;

const QUERIES: &str = "ess_query_duration_seconds_count";

/// The name of the bare SQL of a scan in the results.
pub(super) fn sql_of(title: &str) -> String {
    format!("{title}: its SQL")
}

/// The servers and settings of the benchmark.
pub(super) struct QueryBench {
    pub(super) clickhouse: Target,
    /// A query-api without a cache.
    pub(super) api: Target,
    /// A query-api with the default cache.
    pub(super) cached: Target,
    pub(super) noop: Target,
    /// Playback ids in random order.
    pub(super) ids: Arc<[String]>,
    /// Index of the next unread id.
    pub(super) next_id: AtomicU64,
    /// Ids of settled playbacks.
    pub(super) settled: Arc<[String]>,
    /// The SQL of reading the first of `ids`.
    pub(super) read: Bare,
    pub(super) scans: Vec<(Scan, Bare)>,
    /// Duration of each load of reads.
    pub(super) duration: Duration,
    /// Requests of each scan in a round.
    pub(super) repeats: i64,
    pub(super) subjects: Vec<Subject>,
}

impl QueryBench {
    /// Runs one round.
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
            // Numbers never repeat across scans and rounds; 0 was used for recording.
            let first =
                1 + (i64::from(round) * self.scans.len() as i64 + number as i64) * 2 * self.repeats;
            self.scan(first, scan, bare, results).await?;
        }
        Ok(())
    }

    async fn select_one(&self, clients: u64, results: &mut Results) -> Result<()> {
        let request = |_| HttpRequest {
            method: Method::POST,
            path: "/".to_owned(),
            body: Bytes::from_static(b"SELECT 1"),
            ..HttpRequest::default()
        };
        let measured = load(&self.clickhouse, clients, self.duration, request).await?;
        add(results, SELECT_ONE, clients, measured);
        Ok(())
    }

    async fn reads(&self, clients: u64, results: &mut Results) -> Result<()> {
        let id = self.unread();
        let request = move |number| HttpRequest::get(path(&id(number)));
        let measured = load(&self.api, clients, self.duration, request).await?;
        self.skip_read(measured.requests);
        add(results, READ, clients, measured);
        Ok(())
    }

    async fn read_sql(&self, clients: u64, results: &mut Results) -> Result<()> {
        let (id, first) = (self.unread(), self.ids[0].clone());
        let [request] = &self.read.requests(&[])?[..] else {
            return Err(Error::message("a read of one playback is not one query"));
        };
        // The query must contain the playback id.
        self.read.requests(&[(first.clone(), String::new())])?;
        let recorded = request.clone();
        let request = move |number| {
            let mut request = recorded.clone();
            replace(&mut request, &first, &id(number));
            request
        };
        let measured = load(&self.clickhouse, clients, self.duration, request).await?;
        self.skip_read(measured.requests);
        add(results, READ_SQL, clients, measured);
        Ok(())
    }

    async fn noop(&self, results: &mut Results) -> Result<()> {
        let ids = Arc::clone(&self.settled);
        let request = move |number| HttpRequest::get(path(nth(&ids, number)));
        let measured = load(&self.noop, CACHED_CLIENTS, self.duration, request).await?;
        add(results, NOOP, CACHED_CLIENTS, measured);
        Ok(())
    }

    /// Reads from the cache. A few entries expire during the load.
    async fn cached(&self, results: &mut Results) -> Result<()> {
        let client = HttpClient::new(&self.cached.url);
        for id in self.settled.iter() {
            send(&client, &HttpRequest::get(path(id))).await?;
        }
        let before = self.queries().await?;
        let ids = Arc::clone(&self.settled);
        let request = move |number| HttpRequest::get(path(nth(&ids, number)));
        let measured = load(&self.cached, CACHED_CLIENTS, self.duration, request).await?;
        let queries = self.queries().await? - before;
        if queries * 100 > measured.requests {
            let requests = measured.requests;
            return Err(Error::message(format!(
                "{queries} queries for {requests} requests: the responses were not cached"
            )));
        }
        add(results, CACHED, CACHED_CLIENTS, measured);
        Ok(())
    }

    async fn queries(&self) -> Result<u64> {
        let client = HttpClient::new(&self.cached.url);
        let metrics = send(&client, &HttpRequest::get("/metrics")).await?;
        Ok(metrics::sum(
            &String::from_utf8_lossy(&metrics.body),
            QUERIES,
        ))
    }

    /// Alternates between the query to the query-api and the bare SQL of another one.
    async fn scan(
        &self,
        first: i64,
        scan: &Scan,
        bare: &Bare,
        results: &mut Results,
    ) -> Result<()> {
        let api = HttpClient::new(&self.api.url);
        let clickhouse = HttpClient::new(&self.clickhouse.url);
        let (mut by_api, mut by_sql) = (Vec::new(), Vec::new());
        for number in (first..).step_by(2).take(self.repeats as usize) {
            let request = HttpRequest::get(scan.path(number)?);
            by_api.push(timed(async { send(&api, &request).await.map(|_| ()) }).await?);
            let requests = bare.requests(&scan.replacements(number + 1))?;
            by_sql.push(timed(bare.send(&clickhouse, &requests)).await?);
        }
        for (name, took) in [
            (scan.title.to_owned(), by_api),
            (sql_of(scan.title), by_sql),
        ] {
            let whole = took.iter().sum();
            add(results, &name, ONE, Latencies::of(took, whole));
        }
        Ok(())
    }

    /// Ids that were not read yet. Starts over after the last one.
    fn unread(&self) -> impl Fn(u64) -> String + Clone + Send + use<> {
        let (ids, begin) = (Arc::clone(&self.ids), self.next_id.load(Relaxed));
        move |number| nth(&ids, begin + number).to_owned()
    }

    fn skip_read(&self, requests: u64) {
        // `requests` does not include those of the warm-up and those in flight at the end; this skips more than all of them.
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
