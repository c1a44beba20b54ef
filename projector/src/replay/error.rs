//! Why a replay ended without a new active generation, in words an operator can act on. It decides nothing.

use std::{fmt::Write as _, ops::Range, time::Duration};

use clickhouse::error::Error;
use ess_service::clickhouse::{LockError, ReadModelError};

use crate::{kafka::LogError, pipeline::PipelineError};

/// The replay ended; what was built is kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    #[error(transparent)]
    ReadModel(#[from] ReadModelError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("the read model's server: {0}")]
    Server(#[from] Error),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    #[error("the fold ended unasked; run it again, it goes on where it stopped")]
    Ended,
    #[error("no generation is being built: there is nothing to discard")]
    NothingToDiscard,
    #[error(
        "the log has lost messages that are still to be folded: {}; --allow-partial builds from what is left",
        missing(.0)
    )]
    Truncated(Vec<(u16, Range<u64>)>),
    #[error(
        "generation {generation} differs from the active one in the events of {partitions} partition(s) and in {values} \
         value(s) of the sampled playbacks, it is not promoted; after a deliberate change --accept-differences promotes it \
         nevertheless, and `projector replay --discard` drops one that was being built"
    )]
    Differs {
        generation: u32,
        partitions: usize,
        values: usize,
    },
    #[error(
        "the handover to generation {0} took longer than PROJECTOR_HANDOVER_MS, {1:?}: {2}; nothing changed, projectors \
         go back to the active generation; run it again"
    )]
    Lapsed(u32, Duration, String),
}

/// What the log has lost, by partition.
pub(crate) fn missing(lost: &[(u16, Range<u64>)]) -> String {
    let mut text = String::new();
    for (partition, Range { start, end }) in lost {
        let comma = if text.is_empty() { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{comma}partition {partition} offsets {start} to {} ({} messages)",
            end - 1,
            end - start
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_by_partition() {
        let told = missing(&[(0, 0..1), (3, 5..20)]);
        let expected =
            "partition 0 offsets 0 to 0 (1 messages), partition 3 offsets 5 to 19 (15 messages)";
        assert_eq!(told, expected);
    }
}
