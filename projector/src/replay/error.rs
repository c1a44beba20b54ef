//! Why a replay ended without a new active generation, and what an operator can do. It must never decide anything.

use std::{ops::Range, time::Duration};

use clickhouse::error::Error;
use ess_service::clickhouse::{LockError, ReadModelError};

use crate::{kafka::KafkaQueryError, pipeline::PipelineError};

/// The replay failed; the generation stays, and the next replay continues with it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    #[error(transparent)]
    ReadModel(#[from] ReadModelError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("ClickHouse: {0}")]
    ClickHouse(#[from] Error),
    #[error(transparent)]
    Kafka(#[from] KafkaQueryError),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    #[error("the pipeline ended unexpectedly; run the command again to continue")]
    PipelineEnded,
    #[error("no generation is being built, so there is nothing to discard")]
    NothingToDiscard,
    #[error(
        "Kafka has deleted messages that the generation needs: {}; use --allow-partial to build it from the remaining messages",
        describe_deleted(.0)
    )]
    Truncated(Vec<(u16, Range<u64>)>),
    #[error(
        "generation {generation} is not promoted: it differs from the active generation in the events of {partitions} \
         partition(s) and in {values} value(s) of the sampled playbacks; use --accept-differences if the change is intended, \
         or `projector replay --discard` to drop a generation that is being built"
    )]
    Differs {
        generation: u32,
        partitions: usize,
        values: usize,
    },
    #[error(
        "the handover to generation {generation} exceeded PROJECTOR_HANDOVER_MS ({lease:?}): {reason}; nothing has changed, \
         and the projectors return to the active generation; run the command again"
    )]
    HandoverTimedOut {
        generation: u32,
        lease: Duration,
        reason: &'static str,
    },
}

/// Deleted offsets as text.
pub(crate) fn describe_deleted(deleted: &[(u16, Range<u64>)]) -> String {
    let each = deleted.iter().map(|(partition, Range { start, end })| {
        let (last, count) = (end - 1, end - start);
        format!("partition {partition} offsets {start} to {last} ({count} messages)")
    });
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deleted_offsets_are_listed_by_partition() {
        let text = describe_deleted(&[(0, 0..1), (3, 5..20)]);
        let expected =
            "partition 0 offsets 0 to 0 (1 messages), partition 3 offsets 5 to 19 (15 messages)";
        assert_eq!(text, expected);
    }
}
