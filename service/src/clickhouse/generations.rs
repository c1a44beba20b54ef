//! Which generation of the read model is active, and which come next. The control database holds a log of their states;
//! rows are only added, and a number is never used again.

use std::time::Duration;

use clickhouse::Row;
use ess_schema::migrations::{Migration, Schema};
use serde::Deserialize;

use super::{
    GenerationInfo, ReadModelError, control_client, is_missing,
    lock::{Lock, MIGRATION_LOCK},
    migrate::{create_database, lacking, migrate},
    server_client,
    states::{GenerationState, Mark, states},
};
use crate::config::ClickHouseConfig;

/// The condition that a row of `generations` is a handover that still counts. One to a generation that is gone does not.
const IN_HANDOVER: &str = "state = 'handover' AND counts_until > now64(3) \
     AND generation NOT IN (SELECT generation FROM generations WHERE state IN ('retired', 'discarded'))";

/// What a projector is to fold into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetGeneration {
    /// The generation that is active, or that is being handed over to.
    pub generation: u32,
    /// The one that was active before it, none when there was none.
    pub previous: Option<u32>,
}

#[derive(Debug, Row, Deserialize)]
struct Latest {
    number: u32,
    marks: u64,
}

/// The generation that readers use: the one most recently marked active. None while there is none yet, also when the control
/// database itself is not there yet.
///
/// # Errors
/// A server that cannot be reached, or refuses.
pub async fn active_generation(config: &ClickHouseConfig) -> Result<Option<u32>, ReadModelError> {
    latest(config, "state = 'active'").await
}

/// What a projector is to fold into now; none while no generation is active.
///
/// # Errors
/// As [`active_generation`].
pub async fn target_generation(
    config: &ClickHouseConfig,
) -> Result<Option<TargetGeneration>, ReadModelError> {
    let followed = format!("state = 'active' OR ({IN_HANDOVER})");
    let Some(generation) = latest(config, &followed).await? else {
        return Ok(None);
    };
    let before = format!("state = 'active' AND generation != {generation}");
    Ok(Some(TargetGeneration {
        generation,
        previous: latest(config, &before).await?,
    }))
}

/// The generation of the latest row that meets the condition.
async fn latest(config: &ClickHouseConfig, condition: &str) -> Result<Option<u32>, ReadModelError> {
    let query = format!(
        "SELECT argMax(generation, (changed_at, generation)) AS number, count() AS marks FROM generations WHERE {condition}"
    );
    match control_client(config)
        .query(&query)
        .fetch_one::<Latest>()
        .await
    {
        Ok(Latest { marks: 0, .. }) => Ok(None),
        Ok(Latest { number, .. }) => Ok(Some(number)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Every generation there ever was, with its state, by number.
///
/// # Errors
/// As [`active_generation`].
pub async fn generations(config: &ClickHouseConfig) -> Result<Vec<GenerationInfo>, ReadModelError> {
    let query = "SELECT generation, CAST(g.state, 'String') AS state, toString(g.changed_at) AS since, \
                 toUInt64(greatest(0, dateDiff('millisecond', g.changed_at, now64(3)))) AS age_ms, \
                 CAST(g.counts_until > now64(3), 'Bool') AS counts FROM generations AS g ORDER BY g.changed_at, generation";
    let marks = control_client(config)
        .query(query)
        .fetch_all::<Mark>()
        .await?;
    Ok(states(&marks))
}

/// Makes sure that there is an active generation and returns it: generation 1 is created where there is none. Safe to run
/// any number of times, from several processes at once: one of them changes, under a lock, what is to be changed. The tables
/// of a generation that exists are left as they are, because a change of them would hold for new events only; what it lacks
/// comes with the next one.
///
/// # Errors
/// As [`migrate`].
pub async fn ensure_active(
    config: &ClickHouseConfig,
    schema: Schema,
) -> Result<u32, ReadModelError> {
    let active = match lacking(config, &config.database, schema.control).await {
        Ok(lacking) if lacking.is_empty() => active_generation(config).await?,
        Ok(_) => None,
        Err(ReadModelError::Server(error)) if is_missing(&error) => None,
        Err(error) => return Err(error),
    };
    let active = match active {
        Some(active) => active,
        None => create_first(config, schema).await?,
    };
    verify(config, active, schema.generation).await?;
    Ok(active)
}

/// Changes the control database and creates generation 1, as far as nobody was faster; tells which generation is active.
async fn create_first(config: &ClickHouseConfig, schema: Schema) -> Result<u32, ReadModelError> {
    const FIRST: u32 = 1;
    create_database(config, &config.database).await?;
    let lock = Lock::acquire(config, MIGRATION_LOCK).await?;
    let change = async {
        migrate(config, &config.database, schema.control).await?;
        if let Some(active) = active_generation(config).await? {
            return Ok(active);
        }
        let database = config.generation_database(FIRST);
        migrate(config, &database, schema.generation).await?;
        // Only after its tables are there (I8).
        mark(config, FIRST, "active").await?;
        tracing::info!(generation = FIRST, "generation {FIRST} is active");
        Ok(FIRST)
    };
    lock.run(change).await
}

async fn verify(
    config: &ClickHouseConfig,
    generation: u32,
    migrations: &[Migration],
) -> Result<(), ReadModelError> {
    let database = config.generation_database(generation);
    let lacking = lacking(config, &database, migrations).await?;
    if !lacking.is_empty() {
        tracing::warn!(
            generation,
            ?lacking,
            "generation {generation} was made without schema change {lacking:?}: `projector replay` brings it live"
        );
    }
    Ok(())
}

/// Creates the next generation with its tables, or returns the one that is being built. True: it is new.
///
/// # Errors
/// As [`migrate`], and [`ReadModelError::Outdated`] for one that other schema changes made.
pub async fn begin_generation(
    config: &ClickHouseConfig,
    migrations: &[Migration],
) -> Result<(u32, bool), ReadModelError> {
    let known = generations(config).await?;
    if let Some(generation) = unfinished(&known) {
        let database = config.generation_database(generation);
        let lacking = lacking(config, &database, migrations).await?;
        return match lacking.first() {
            None => Ok((generation, false)),
            Some(change) => Err(ReadModelError::Outdated {
                generation,
                change: *change,
            }),
        };
    }
    let generation = known.last().map_or(0, |last| last.generation) + 1;
    // What a creation that was interrupted left behind was never marked, and holds nothing.
    let database = config.generation_database(generation);
    migrate(config, &database, migrations).await?;
    mark(config, generation, "building").await?;
    Ok((generation, true))
}

/// The generation that is being built, if there is one.
pub fn unfinished(known: &[GenerationInfo]) -> Option<u32> {
    let unfinished = known.iter().rfind(|known| known.is_unfinished());
    unfinished.map(|known| known.generation)
}

/// Drops the tables of a generation that was never finished. Whoever calls this knows that nobody reads them.
///
/// # Errors
/// As [`active_generation`].
pub async fn discard_generation(
    config: &ClickHouseConfig,
    generation: u32,
) -> Result<(), ReadModelError> {
    give_up(config, generation, GenerationState::Discarded).await
}

/// Drops the tables of a generation that was active once. Whoever calls this knows that nobody reads them.
///
/// # Errors
/// As [`active_generation`].
pub async fn retire_generation(
    config: &ClickHouseConfig,
    generation: u32,
) -> Result<(), ReadModelError> {
    give_up(config, generation, GenerationState::Retired).await
}

/// Marked first: a generation of which a part is gone is never chosen, and what an interruption leaves is dropped by the
/// same command run again.
async fn give_up(
    config: &ClickHouseConfig,
    generation: u32,
    state: GenerationState,
) -> Result<(), ReadModelError> {
    mark(config, generation, state.name()).await?;
    let database = config.generation_database(generation);
    let drop = format!("DROP DATABASE IF EXISTS {database} SYNC");
    Ok(server_client(config).query(&drop).execute().await?)
}

/// Begins the handover to a generation: projectors leave the active one for it, until `lease` has passed on the server's
/// clock.
///
/// # Errors
/// As [`active_generation`].
pub async fn begin_handover(
    config: &ClickHouseConfig,
    generation: u32,
    lease: Duration,
) -> Result<(), ReadModelError> {
    let mark = "INSERT INTO generations (generation, state, changed_at, counts_until) \
                SELECT ?, 'handover', now64(3), now64(3) + toIntervalMillisecond(?)";
    let insert = control_client(config).query(mark).bind(generation);
    Ok(insert.bind(lease.as_millis() as u64).execute().await?)
}

async fn mark(
    config: &ClickHouseConfig,
    generation: u32,
    state: &str,
) -> Result<(), ReadModelError> {
    let mark = "INSERT INTO generations (generation, state, changed_at) SELECT ?, ?, now64(3)";
    let insert = control_client(config)
        .query(mark)
        .bind(generation)
        .bind(state);
    Ok(insert.execute().await?)
}

/// Makes a generation the active one, in one step, if the handover to it still counts. False: it lapsed, nothing changed.
///
/// # Errors
/// As [`active_generation`].
pub async fn promote(config: &ClickHouseConfig, generation: u32) -> Result<bool, ReadModelError> {
    let promote = format!(
        "INSERT INTO generations (generation, state, changed_at) SELECT generation, 'active', now64(3) \
         FROM generations WHERE generation = {generation} AND {IN_HANDOVER} LIMIT 1"
    );
    control_client(config).query(&promote).execute().await?;
    Ok(active_generation(config).await? == Some(generation))
}
