//! Why a generation was not promoted or retired, and what an operator can do. It must never decide anything.

use std::ops::Range;

use clickhouse::error::Error;
use ess_service::clickhouse::{GenerationInfo, GenerationState, LockError, ReadModelError};

use crate::{
    kafka::KafkaQueryError,
    replay::{ReplayError, describe_deleted},
};

/// A command failed; nothing has changed unless the error says so.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GenerationError {
    #[error(transparent)]
    ReadModel(#[from] ReadModelError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("ClickHouse: {0}")]
    ClickHouse(#[from] Error),
    #[error(transparent)]
    Kafka(#[from] KafkaQueryError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error("unknown generation {0}; `projector generations` lists all generations")]
    Unknown(u32),
    #[error("generation {0} is already active")]
    AlreadyActive(u32),
    #[error(
        "generation {0} is active, so readers use it; run `projector promote` for another generation first"
    )]
    InUse(u32),
    #[error(
        "generation {0} was {1} at {2} UTC and its tables are dropped; `projector replay` builds a new generation"
    )]
    Dropped(u32, &'static str, String),
    #[error(
        "generation {0} is not finished; `projector replay` continues with it and promotes it, `projector replay --discard` \
         drops it"
    )]
    Unfinished(u32),
    #[error(
        "the handover to generation {0} is under way; wait until `projector generations` reports its end"
    )]
    InHandover(u32),
    #[error("consumer group {1} has {2} member(s), which write to generation {0}; stop them first")]
    HasConsumers(u32, String, usize),
    #[error(
        "generation {generation} cannot be brought up to date: Kafka has deleted messages that it needs: {}; \
         `projector replay --allow-partial` builds a new generation from the remaining messages",
        describe_deleted(.deleted)
    )]
    MessagesDeleted {
        generation: u32,
        deleted: Vec<(u16, Range<u64>)>,
    },
}

/// Finds a generation that is finished and still has its tables.
pub(super) fn require_finished(
    known: &[GenerationInfo],
    generation: u32,
) -> Result<&GenerationInfo, GenerationError> {
    let found = known.iter().find(|known| known.generation == generation);
    let found = found.ok_or(GenerationError::Unknown(generation))?;
    match found.state {
        GenerationState::Retired | GenerationState::Discarded => Err(GenerationError::Dropped(
            generation,
            found.state.name(),
            found.since.clone(),
        )),
        _ if found.is_unfinished() => Err(GenerationError::Unfinished(generation)),
        _ => Ok(found),
    }
}
