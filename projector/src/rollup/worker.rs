//! The task that keeps the rows up to date while a projector runs. Each projector takes care of the partitions that are its own;
//! one that stands still although it lags is taken care of by everybody.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use clickhouse::error::Error;
use tokio::time::sleep;

use super::{Lag, Rollup, Step};
use crate::{
    commit::offsets::Offsets,
    metrics,
    status::{Stage, Vitals},
};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// It rests so many times as long as it worked, so that a read model under load is not loaded much more for it: half of a step's
/// cost does not depend on how much it makes again.
const REST: u32 = 4;
/// The longest it rests, so that rows are as old as two steps and this at most.
const LONGEST_REST: Duration = Duration::from_secs(2);
/// A partition that lags for so long without a step is nobody's.
const NOBODYS_AFTER: Duration = Duration::from_secs(10);
/// Between two times of forgetting what was touched days ago.
const FORGET_EVERY: Duration = Duration::from_mins(10);

/// Keeps the rows of one generation.
pub(crate) struct Keeper {
    rollup: Rollup,
    offsets: Arc<Offsets>,
    vitals: Arc<Vitals>,
    /// From where partitions of others were seen lagging, and since when from there.
    others: BTreeMap<u16, (u64, Instant)>,
    forgot: Option<Instant>,
}

impl Keeper {
    pub(crate) fn new(rollup: Rollup, offsets: Arc<Offsets>, vitals: Arc<Vitals>) -> Self {
        Self {
            rollup,
            offsets,
            vitals,
            others: BTreeMap::new(),
            forgot: None,
        }
    }

    /// Keeps them for ever. What fails is told by readiness (I11) and tried again.
    pub(crate) async fn run(mut self) -> Infallible {
        loop {
            let begun = Instant::now();
            match self.look().await {
                Ok(()) => self.vitals.works(Stage::RollUp),
                Err(error) => {
                    metrics::retried(Stage::RollUp);
                    self.vitals.hindered(Stage::RollUp, error.to_string());
                }
            }
            sleep((begun.elapsed() * REST).clamp(LOOK_EVERY, LONGEST_REST)).await;
        }
    }

    async fn look(&mut self) -> Result<(), Error> {
        let ours: BTreeSet<u16> = self.offsets.stored().into_keys().collect();
        let (now, others) = (Instant::now(), &mut self.others);
        let is_for_us = |lag: &Lag| ours.contains(&lag.partition) || is_nobodys(*lag, others, now);
        if self.rollup.step(is_for_us).await? == Step::UpToDate {
            self.others.clear();
            self.forget(now).await?;
        }
        Ok(())
    }

    async fn forget(&mut self, now: Instant) -> Result<(), Error> {
        if self.forgot.is_none_or(|last| now - last > FORGET_EVERY) {
            self.rollup.forget_touched().await?;
            self.forgot = Some(now);
        }
        Ok(())
    }
}

/// Whether a partition of others has lagged from the same offset on for too long.
fn is_nobodys(lag: Lag, others: &mut BTreeMap<u16, (u64, Instant)>, now: Instant) -> bool {
    let known = others.entry(lag.partition).or_insert((lag.from, now));
    if known.0 != lag.from {
        *known = (lag.from, now);
    }
    now - known.1 > NOBODYS_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_that_stands_still_is_nobodys_and_one_that_moves_is_somebodys() {
        let (mut others, begun) = (BTreeMap::new(), Instant::now());
        let lag = |from| Lag {
            partition: 3,
            from,
            to: 100,
        };
        assert!(!is_nobodys(lag(5), &mut others, begun));
        assert!(!is_nobodys(lag(6), &mut others, begun + NOBODYS_AFTER * 2));
        assert!(!is_nobodys(lag(6), &mut others, begun + NOBODYS_AFTER * 3));
        assert!(is_nobodys(lag(6), &mut others, begun + NOBODYS_AFTER * 4));
    }
}
