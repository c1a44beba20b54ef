//! Health is progress (I11): judges from the vitals and the offsets whether the projector moves, and says why not. It also
//! sets the lag's metric, since it looks at it anyway. It changes nothing.

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
    commit::offsets::Offsets,
    metrics,
    status::{Bounds, Signs, Vitals},
};

const EVERY: Duration = Duration::from_millis(250);
/// The consumer's thread waits some seconds at a time, except while partitions go.
const POLLED_WITHIN: Duration = Duration::from_secs(30);

/// Adds the checks `log`, `read-model` and `progress`, at once, and keeps them up to date until told to stop. Where there is no check
/// yet nothing is unready, so they must be there before anybody can ask.
pub(crate) fn watch(
    health: &Health,
    offsets: Arc<Offsets>,
    vitals: Arc<Vitals>,
    stall_after: Duration,
    stopping: CancellationToken,
) -> impl Future<Output = Result<(), Infallible>> + use<> {
    let checks = ["log", "read-model", "progress"].map(|name| health.check(name));
    keep(checks, offsets, vitals, stall_after, stopping)
}

async fn keep(
    [log, read_model, progress]: [Check; 3],
    offsets: Arc<Offsets>,
    vitals: Arc<Vitals>,
    stall_after: Duration,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut pace = Pace::new(Instant::now());
    while !stopping.is_cancelled() {
        let (now, signs) = (Instant::now(), vitals.signs());
        let stored = offsets.stored();
        let lag = lag(&stored, &signs.bounds);
        for (partition, messages) in &lag {
            metrics::lag(*partition, *messages);
        }
        let behind = pace.look(lag.values().sum(), stored.values().flatten().sum(), now);
        let oldest = offsets.lock().oldest().map(|since| now - since);
        tell(&log, log_moves(&signs, stored.len(), now));
        tell(&read_model, read_model_moves(&signs));
        tell(&progress, records_move(oldest, behind, stall_after));
        tokio::select! {
            () = sleep(EVERY) => {}
            () = stopping.cancelled() => {}
        }
    }
    Ok(())
}

fn tell(check: &Check, verdict: Result<(), String>) {
    match verdict {
        Ok(()) => check.ok(),
        Err(reason) => check.not_ready(reason),
    }
}

fn log_moves(signs: &Signs, assigned: usize, now: Instant) -> Result<(), String> {
    if let Some(reason) = &signs.log_hindered {
        return Err(reason.clone());
    }
    if let Some(silent) = signs.polled.map(|polled| now - polled)
        && silent > POLLED_WITHIN
    {
        return Err(format!(
            "the consumer has stood still for {} s",
            silent.as_secs()
        ));
    }
    if assigned == 0 {
        return Err("no partition of the log is assigned to this projector".to_owned());
    }
    Ok(())
}

fn read_model_moves(signs: &Signs) -> Result<(), String> {
    match signs.hindered.first_key_value() {
        Some((stage, reason)) => Err(format!("{}: {reason}", stage.name())),
        None => Ok(()),
    }
}

fn records_move(
    oldest: Option<Duration>,
    behind: Option<Behind>,
    stall_after: Duration,
) -> Result<(), String> {
    if let Some(waiting) = oldest.filter(|waiting| *waiting > stall_after) {
        return Err(format!(
            "a batch has been waiting for {} s to be stored",
            waiting.as_secs()
        ));
    }
    match behind {
        Some(Behind { messages, still }) if still > stall_after => Err(format!(
            "{messages} records behind and falling back, nothing stored for {} s",
            still.as_secs()
        )),
        _ => Ok(()),
    }
}

/// Records of each of our partitions that are not stored yet. A partition whose end is not known yet has none.
fn lag(stored: &BTreeMap<u16, Option<u64>>, bounds: &BTreeMap<u16, Bounds>) -> BTreeMap<u16, u64> {
    let each = stored.iter().filter_map(|(partition, stored)| {
        let Bounds { low, high } = bounds.get(partition)?;
        let next = stored.unwrap_or(*low).max(*low);
        Some((*partition, high.saturating_sub(next)))
    });
    each.collect()
}

/// How far behind, and for how long nothing has been stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Behind {
    messages: u64,
    still: Duration,
}

/// Whether the lag grows while nothing is stored. A lag that stands still may be records that nobody can see, such as a
/// transaction's markers.
#[derive(Debug)]
struct Pace {
    stored: u64,
    lag: u64,
    since: Instant,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self {
            stored: 0,
            lag: 0,
            since: now,
        }
    }

    fn look(&mut self, lag: u64, stored: u64, now: Instant) -> Option<Behind> {
        if stored != self.stored || lag == 0 {
            *self = Self {
                stored,
                lag,
                since: now,
            };
        }
        (lag > self.lag).then(|| Behind {
            messages: lag,
            still: now - self.since,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Stage;

    const STALL: Duration = Duration::from_secs(30);

    fn signs() -> Signs {
        let vitals = Vitals::default();
        vitals.works(Stage::Prepare);
        vitals.log(None);
        vitals.signs()
    }

    #[test]
    fn an_idle_log_with_partitions_is_ready() {
        let now = Instant::now();
        assert_eq!(log_moves(&signs(), 4, now), Ok(()));
        assert_eq!(read_model_moves(&signs()), Ok(()));
        let mut pace = Pace::new(now);
        let behind = pace.look(0, 100, now + STALL * 9);
        assert_eq!(records_move(None, behind, STALL), Ok(()));
    }

    #[test]
    fn without_partitions_or_brokers_it_is_not() {
        let now = Instant::now();
        assert!(log_moves(&signs(), 0, now).is_err());
        assert!(log_moves(&Vitals::default().signs(), 4, now).is_err());
        let mut still = signs();
        still.polled = Some(now);
        assert!(log_moves(&still, 4, now + POLLED_WITHIN * 2).is_err());
    }

    #[test]
    fn a_failing_insert_is_the_reason_told() {
        let vitals = Vitals::default();
        vitals.works(Stage::Prepare);
        vitals.hindered(Stage::Insert, "connection refused".to_owned());
        let reason = read_model_moves(&vitals.signs()).unwrap_err();
        assert_eq!(reason, "inserting events: connection refused");
        vitals.works(Stage::Insert);
        assert_eq!(read_model_moves(&vitals.signs()), Ok(()));
    }

    #[test]
    fn a_batch_that_waits_too_long_is_told() {
        assert_eq!(records_move(Some(STALL), None, STALL), Ok(()));
        assert!(records_move(Some(STALL * 2), None, STALL).is_err());
    }

    #[test]
    fn a_lag_that_grows_while_nothing_is_stored_is_told_and_a_backlog_being_worked_off_is_not() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.look(1_000, 5, start);
        assert_eq!(pace.look(900, 105, start + STALL), None);
        let later = start + STALL * 3;
        let behind = pace.look(901, 105, later);
        assert!(records_move(None, behind, STALL).is_err());
        assert_eq!(pace.look(901, 106, later), None);
        // One record that never comes, as a transaction's marker, is no growth.
        pace.look(0, 107, later);
        pace.look(1, 108, later);
        assert_eq!(pace.look(1, 108, later + STALL * 9), None);
    }

    #[test]
    fn the_lag_counts_from_what_is_stored_or_from_where_the_log_begins() {
        let bounds = BTreeMap::from([
            (0, Bounds { low: 10, high: 30 }),
            (1, Bounds { low: 10, high: 30 }),
        ]);
        let stored = BTreeMap::from([(0, Some(25)), (1, None), (2, Some(7))]);
        assert_eq!(lag(&stored, &bounds), BTreeMap::from([(0, 5), (1, 20)]));
    }
}
