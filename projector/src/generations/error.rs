//! Why a generation was not promoted or retired, in words an operator can act on. It decides nothing.

use std::ops::Range;

use clickhouse::error::Error;
use ess_service::clickhouse::{GenerationInfo, GenerationState, LockError, ReadModelError};

use crate::{
    kafka::LogError,
    replay::{ReplayError, missing},
};

/// Nothing was changed, unless the reason says so.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    ReadModel(#[from] ReadModelError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("the read model's server: {0}")]
    Server(#[from] Error),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error("there is no generation {0}; `projector generations` lists those there are")]
    Unknown(u32),
    #[error("generation {0} is the active one already")]
    AlreadyActive(u32),
    #[error("generation {0} is the one that readers use; `projector promote` another one first")]
    InUse(u32),
    #[error(
        "generation {0} was {1} at {2} UTC, its tables are gone; `projector replay` builds a new one"
    )]
    Gone(u32, &'static str, String),
    #[error(
        "generation {0} is not finished; `projector replay` goes on with it and promotes it, \
         `projector replay --discard` drops it"
    )]
    Unfinished(u32),
    #[error(
        "generation {0} is being handed over to; let that end, `projector generations` tells when it has"
    )]
    InHandover(u32),
    #[error(
        "consumer group {1} has {2} member(s): something folds into generation {0} still; stop it first"
    )]
    FoldedInto(u32, String, usize),
    #[error(
        "generation {generation} cannot be brought up to date, the log has lost messages that it does not hold: {}; \
         `projector replay --allow-partial` builds a new one from what is left",
        missing(.lost)
    )]
    BehindTheLog {
        generation: u32,
        lost: Vec<(u16, Range<u64>)>,
    },
}

/// The generation of this number, if it is neither unfinished nor gone.
pub(super) fn finished(
    known: &[GenerationInfo],
    generation: u32,
) -> Result<&GenerationInfo, Refusal> {
    let found = known.iter().find(|known| known.generation == generation);
    let found = found.ok_or(Refusal::Unknown(generation))?;
    match found.state {
        GenerationState::Retired | GenerationState::Discarded => Err(Refusal::Gone(
            generation,
            found.state.name(),
            found.since.clone(),
        )),
        _ if found.is_unfinished() => Err(Refusal::Unfinished(generation)),
        _ => Ok(found),
    }
}
