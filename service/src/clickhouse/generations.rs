//! Which generation of the read model is active, and how generations change their state. The table `generations` of the
//! control database is append-only, and a number is never reused.

use std::time::Duration;

use clickhouse::Row;
use ess_schema::migrations::{Migration, Schema};
use serde::Deserialize;

use super::{
    GenerationInfo, ReadModelError, control_client, is_missing,
    lock::{Lock, MIGRATION_LOCK},
    migrate::{MigrationError, create_database, migrate, missing_migrations},
    server_client,
    states::{GenerationState, StateChange, states},
};
use crate::config::ClickHouseConfig;

/// The condition of a row of `generations` that is a handover in effect: not expired, and its generation not dropped.
const IN_HANDOVER: &str = "state = 'handover' AND counts_until > now64(3) \
     AND generation NOT IN (SELECT generation FROM generations WHERE state IN ('retired', 'discarded'))";

/// The generation that projectors write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetGeneration {
    /// The active generation, or the one of the handover in effect.
    pub generation: u32,
    /// The generation that was active before it.
    pub previous: Option<u32>,
}

#[derive(Debug, Row, Deserialize)]
struct Latest {
    number: u32,
    rows: u64,
}

/// The generation that readers use: the one most recently activated. None before the first one, also if the control
/// database is missing.
///
/// # Errors
/// An unreachable server, or a rejected query.
pub async fn active_generation(config: &ClickHouseConfig) -> Result<Option<u32>, ReadModelError> {
    latest(config, "state = 'active'").await
}

/// The generation that projectors write to now; none while no generation is active.
///
/// # Errors
/// As [`active_generation`].
pub async fn target_generation(
    config: &ClickHouseConfig,
) -> Result<Option<TargetGeneration>, ReadModelError> {
    let active_or_handover = format!("state = 'active' OR ({IN_HANDOVER})");
    let Some(generation) = latest(config, &active_or_handover).await? else {
        return Ok(None);
    };
    let before = format!("state = 'active' AND generation != {generation}");
    Ok(Some(TargetGeneration {
        generation,
        previous: latest(config, &before).await?,
    }))
}

/// The generation of the latest row that meets `condition`.
async fn latest(config: &ClickHouseConfig, condition: &str) -> Result<Option<u32>, ReadModelError> {
    let query = format!(
        "SELECT argMax(generation, (changed_at, generation)) AS number, count() AS rows FROM generations WHERE {condition}"
    );
    match control_client(config)
        .query(&query)
        .fetch_one::<Latest>()
        .await
    {
        Ok(Latest { rows: 0, .. }) => Ok(None),
        Ok(Latest { number, .. }) => Ok(Some(number)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// All generations ever created, with their states, by number.
///
/// # Errors
/// As [`active_generation`].
pub async fn generations(config: &ClickHouseConfig) -> Result<Vec<GenerationInfo>, ReadModelError> {
    let query = "SELECT generation, CAST(g.state, 'String') AS state, toString(g.changed_at) AS since, \
                 toUInt64(greatest(0, dateDiff('millisecond', g.changed_at, now64(3)))) AS age_ms, \
                 CAST(g.counts_until > now64(3), 'Bool') AS in_effect FROM generations AS g ORDER BY g.changed_at, generation";
    let changes = control_client(config)
        .query(query)
        .fetch_all::<StateChange>()
        .await?;
    Ok(states(&changes))
}

/// Returns the active generation; creates generation 1 if there is none. Idempotent, also across processes: a lock
/// serializes changes. The tables of an existing generation are never migrated, because a migration would apply to new
/// events only; a replay builds a new generation with all migrations.
///
/// # Errors
/// As [`migrate`].
pub async fn ensure_active(
    config: &ClickHouseConfig,
    schema: Schema,
) -> Result<u32, ReadModelError> {
    let active = match missing_migrations(config, &config.database, schema.control).await {
        Ok(missing) if missing.is_empty() => active_generation(config).await?,
        Ok(_) => None,
        Err(MigrationError::Server(error)) if is_missing(&error) => None,
        Err(error) => return Err(error.into()),
    };
    let active = match active {
        Some(active) => active,
        None => create_first(config, schema).await?,
    };
    warn_if_outdated(config, active, schema.generation).await?;
    Ok(active)
}

/// Migrates the control database and creates generation 1, unless another process did; returns the active generation.
async fn create_first(config: &ClickHouseConfig, schema: Schema) -> Result<u32, ReadModelError> {
    const FIRST: u32 = 1;
    create_database(config, &config.database).await?;
    let lock = Lock::acquire(config, MIGRATION_LOCK).await?;
    let create = async {
        migrate(config, &config.database, schema.control).await?;
        if let Some(active) = active_generation(config).await? {
            return Ok(active);
        }
        let database = config.generation_database(FIRST);
        migrate(config, &database, schema.generation).await?;
        // Only after its tables exist (I8).
        record_state(config, FIRST, GenerationState::Active).await?;
        tracing::info!(generation = FIRST, "generation {FIRST} is active");
        Ok(FIRST)
    };
    lock.run(create).await
}

async fn warn_if_outdated(
    config: &ClickHouseConfig,
    generation: u32,
    migrations: &[Migration],
) -> Result<(), ReadModelError> {
    let database = config.generation_database(generation);
    let missing = missing_migrations(config, &database, migrations).await?;
    if !missing.is_empty() {
        tracing::warn!(
            generation,
            ?missing,
            "generation {generation} lacks migrations {missing:?}; run `projector replay` to build a generation that has them"
        );
    }
    Ok(())
}

/// Creates the next generation with its tables, or returns the one that is being built. True: it is new.
///
/// # Errors
/// As [`migrate`], and [`ReadModelError::Outdated`] if the one being built lacks migrations.
pub async fn begin_generation(
    config: &ClickHouseConfig,
    migrations: &[Migration],
) -> Result<(u32, bool), ReadModelError> {
    let known = generations(config).await?;
    if let Some(generation) = unfinished(&known) {
        let database = config.generation_database(generation);
        let missing = missing_migrations(config, &database, migrations).await?;
        return match missing.first() {
            None => Ok((generation, false)),
            Some(&migration) => Err(ReadModelError::Outdated {
                generation,
                migration,
            }),
        };
    }
    let generation = known.last().map_or(0, |last| last.generation) + 1;
    // The database may exist, empty, if an earlier creation was interrupted before its state was recorded.
    let database = config.generation_database(generation);
    migrate(config, &database, migrations).await?;
    record_state(config, generation, GenerationState::Building).await?;
    Ok((generation, true))
}

/// The generation that is being built, if any.
pub fn unfinished(known: &[GenerationInfo]) -> Option<u32> {
    let unfinished = known.iter().rfind(|known| known.is_unfinished());
    unfinished.map(|known| known.generation)
}

/// Drops the tables of a generation that was never finished. The caller ensures that no reader uses them.
///
/// # Errors
/// As [`active_generation`].
pub async fn discard_generation(
    config: &ClickHouseConfig,
    generation: u32,
) -> Result<(), ReadModelError> {
    drop_generation(config, generation, GenerationState::Discarded).await
}

/// Drops the tables of a generation that was active before. The caller ensures that no reader uses them.
///
/// # Errors
/// As [`active_generation`].
pub async fn retire_generation(
    config: &ClickHouseConfig,
    generation: u32,
) -> Result<(), ReadModelError> {
    drop_generation(config, generation, GenerationState::Retired).await
}

/// Records the state first, so that a partly dropped generation is never chosen. If interrupted, run it again.
async fn drop_generation(
    config: &ClickHouseConfig,
    generation: u32,
    state: GenerationState,
) -> Result<(), ReadModelError> {
    record_state(config, generation, state).await?;
    let database = config.generation_database(generation);
    let drop = format!("DROP DATABASE IF EXISTS {database} SYNC");
    Ok(server_client(config).query(&drop).execute().await?)
}

/// Begins a handover: projectors switch to `generation`, until `lease` has passed on the clock of the server.
///
/// # Errors
/// As [`active_generation`].
pub async fn begin_handover(
    config: &ClickHouseConfig,
    generation: u32,
    lease: Duration,
) -> Result<(), ReadModelError> {
    let statement = "INSERT INTO generations (generation, state, changed_at, counts_until) \
                SELECT ?, 'handover', now64(3), now64(3) + toIntervalMillisecond(?)";
    let insert = control_client(config).query(statement).bind(generation);
    Ok(insert.bind(lease.as_millis() as u64).execute().await?)
}

async fn record_state(
    config: &ClickHouseConfig,
    generation: u32,
    state: GenerationState,
) -> Result<(), ReadModelError> {
    let statement = "INSERT INTO generations (generation, state, changed_at) SELECT ?, ?, now64(3)";
    let insert = control_client(config)
        .query(statement)
        .bind(generation)
        .bind(state.name());
    Ok(insert.execute().await?)
}

/// Activates a generation in one step, if the handover to it is in effect. False: the handover expired, nothing changed.
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
