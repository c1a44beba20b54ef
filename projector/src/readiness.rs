//! Health is progress (I11): derives from the status and the offsets whether the projector makes progress, and the reason when
//! it does not. It also sets the lag metric. It must never change the status.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use ess_service::health::{Check, Health};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    commit::shared::SharedOffsets,
    kafka::PartitionBounds,
    metrics,
    status::{PipelineStatus, StatusSnapshot},
};

const CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// The consumer's thread polls every few seconds, except while it drains revoked partitions.
const POLL_TIMEOUT: Duration = Duration::from_secs(30);

/// Adds the checks `log`, `read-model` and `progress` before it returns, so that the service is unready from its first request.
/// The returned future updates them until stopped.
pub(crate) fn watch(
    health: &Health,
    offsets: Arc<SharedOffsets>,
    status: Arc<PipelineStatus>,
    stall_after: Duration,
    stopping: CancellationToken,
) -> impl Future<Output = Result<(), Infallible>> + use<> {
    let checks = ["log", "read-model", "progress"].map(|name| health.check(name));
    update(checks, offsets, status, stall_after, stopping)
}

async fn update(
    [log, read_model, progress]: [Check; 3],
    offsets: Arc<SharedOffsets>,
    status: Arc<PipelineStatus>,
    stall_after: Duration,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut trend = LagTrend::new(Instant::now());
    while !stopping.is_cancelled() {
        let (now, status) = (Instant::now(), status.snapshot());
        let stored = offsets.stored();
        let lag = lag(&stored, &status.bounds);
        for (partition, messages) in &lag {
            metrics::lag(*partition, *messages);
        }
        let growing = trend.observe(lag.values().sum(), stored.values().flatten().sum(), now);
        let oldest = offsets.lock().oldest_in_flight().map(|since| now - since);
        report(&log, check_kafka(&status, stored.len(), now));
        report(&read_model, check_read_model(&status));
        report(&progress, check_progress(oldest, growing, stall_after));
        tokio::select! {
            () = sleep(CHECK_INTERVAL) => {}
            () = stopping.cancelled() => {}
        }
    }
    Ok(())
}

fn report(check: &Check, result: Result<(), String>) {
    match result {
        Ok(()) => check.ok(),
        Err(reason) => check.not_ready(reason),
    }
}

fn check_kafka(status: &StatusSnapshot, assigned: usize, now: Instant) -> Result<(), String> {
    if let Some(problem) = &status.kafka_problem {
        return Err(problem.clone());
    }
    if let Some(elapsed) = status.polled_at.map(|polled_at| now - polled_at)
        && elapsed > POLL_TIMEOUT
    {
        let seconds = elapsed.as_secs();
        return Err(format!("the consumer has not polled for {seconds} s"));
    }
    if assigned == 0 {
        return Err("no partition is assigned to this projector".to_owned());
    }
    Ok(())
}

fn check_read_model(status: &StatusSnapshot) -> Result<(), String> {
    match status.blocked.first_key_value() {
        Some((stage, reason)) => Err(format!("{}: {reason}", stage.name())),
        None => Ok(()),
    }
}

fn check_progress(
    oldest_in_flight: Option<Duration>,
    growing: Option<GrowingLag>,
    stall_after: Duration,
) -> Result<(), String> {
    if let Some(age) = oldest_in_flight.filter(|age| *age > stall_after) {
        let seconds = age.as_secs();
        return Err(format!("a batch has been in flight for {seconds} s"));
    }
    match growing {
        Some(GrowingLag { messages, elapsed }) if elapsed > stall_after => Err(format!(
            "{messages} records behind and the lag grows, nothing stored for {} s",
            elapsed.as_secs()
        )),
        _ => Ok(()),
    }
}

/// The records of each assigned partition that are not stored yet. A partition with unknown bounds is left out.
fn lag(
    stored: &BTreeMap<u16, Option<u64>>,
    bounds: &BTreeMap<u16, PartitionBounds>,
) -> BTreeMap<u16, u64> {
    let each = stored.iter().filter_map(|(partition, stored)| {
        let PartitionBounds { low, high } = bounds.get(partition)?;
        let next = stored.unwrap_or(*low).max(*low);
        Some((*partition, high.saturating_sub(next)))
    });
    each.collect()
}

/// A lag that has grown since something was last stored, `elapsed` ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct GrowingLag {
    messages: u64,
    elapsed: Duration,
}

/// Whether the lag grows while nothing is stored. A constant lag is no problem: it may be offsets that no consumer receives,
/// such as a transaction's markers.
#[derive(Debug)]
struct LagTrend {
    stored: u64,
    lag: u64,
    since: Instant,
}

impl LagTrend {
    fn new(now: Instant) -> Self {
        Self {
            stored: 0,
            lag: 0,
            since: now,
        }
    }

    fn observe(&mut self, lag: u64, stored: u64, now: Instant) -> Option<GrowingLag> {
        if stored != self.stored || lag == 0 {
            *self = Self {
                stored,
                lag,
                since: now,
            };
        }
        (lag > self.lag).then(|| GrowingLag {
            messages: lag,
            elapsed: now - self.since,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Stage;

    const STALL_AFTER: Duration = Duration::from_secs(30);

    fn healthy() -> PipelineStatus {
        let status = PipelineStatus::default();
        status.mark_healthy(Stage::Prepare);
        status.set_kafka_problem(None);
        status
    }

    #[test]
    fn an_idle_projector_with_partitions_is_ready() {
        let (status, now) = (healthy().snapshot(), Instant::now());
        assert_eq!(check_kafka(&status, 4, now), Ok(()));
        assert_eq!(check_read_model(&status), Ok(()));
        let mut trend = LagTrend::new(now);
        let growing = trend.observe(0, 100, now + STALL_AFTER * 9);
        assert_eq!(check_progress(None, growing, STALL_AFTER), Ok(()));
    }

    #[test]
    fn a_projector_without_partitions_brokers_or_polls_is_not_ready() {
        let now = Instant::now();
        let mut status = healthy().snapshot();
        assert!(check_kafka(&status, 0, now).is_err());
        assert!(check_kafka(&PipelineStatus::default().snapshot(), 4, now).is_err());
        status.polled_at = Some(now);
        assert!(check_kafka(&status, 4, now + POLL_TIMEOUT * 2).is_err());
    }

    #[test]
    fn a_failing_insert_is_the_reason() {
        let status = healthy();
        status.mark_blocked(Stage::Insert, "connection refused".to_owned());
        let reason = check_read_model(&status.snapshot()).unwrap_err();
        assert_eq!(reason, "inserting events: connection refused");
        status.mark_healthy(Stage::Insert);
        assert_eq!(check_read_model(&status.snapshot()), Ok(()));
    }

    #[test]
    fn a_batch_that_is_in_flight_for_too_long_is_reported() {
        assert_eq!(check_progress(Some(STALL_AFTER), None, STALL_AFTER), Ok(()));
        assert!(check_progress(Some(STALL_AFTER * 2), None, STALL_AFTER).is_err());
    }

    #[test]
    fn a_lag_that_grows_while_nothing_is_stored_is_reported_and_a_shrinking_backlog_is_not() {
        let start = Instant::now();
        let mut trend = LagTrend::new(start);
        trend.observe(1_000, 5, start);
        assert_eq!(trend.observe(900, 105, start + STALL_AFTER), None);
        let later = start + STALL_AFTER * 3;
        let growing = trend.observe(901, 105, later);
        assert!(check_progress(None, growing, STALL_AFTER).is_err());
        assert_eq!(trend.observe(901, 106, later), None);
        // One offset without a record, such as a transaction's marker, is no growth.
        trend.observe(0, 107, later);
        trend.observe(1, 108, later);
        assert_eq!(trend.observe(1, 108, later + STALL_AFTER * 9), None);
    }

    #[test]
    fn the_lag_counts_from_the_stored_offset_or_from_the_low_watermark() {
        let bounds = PartitionBounds { low: 10, high: 30 };
        let bounds = BTreeMap::from([(0, bounds), (1, bounds)]);
        let stored = BTreeMap::from([(0, Some(25)), (1, None), (2, Some(7))]);
        assert_eq!(lag(&stored, &bounds), BTreeMap::from([(0, 5), (1, 20)]));
    }
}
