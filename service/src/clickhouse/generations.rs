//! Which generation of the read model is active. The control database holds a log of their states; rows are only added.

use clickhouse::Row;
use ess_schema::migrations::Migration;
use serde::Deserialize;

use super::{ReadModelError, control, is_missing, migrate};
use crate::config::ClickHouseConfig;

#[derive(Debug, Row, Deserialize)]
struct Active {
    generation: u32,
    marks: u64,
}

/// The generation that readers use: the one most recently marked active. None while there is none yet, also when the control
/// database itself is not there yet.
///
/// # Errors
/// A server that cannot be reached, or refuses.
pub async fn active_generation(config: &ClickHouseConfig) -> Result<Option<u32>, ReadModelError> {
    let query = "SELECT argMax(generation, (changed_at, generation)) AS generation, count() AS marks FROM generations WHERE state = 'active'";
    match control(config).query(query).fetch_one::<Active>().await {
        Ok(Active { marks: 0, .. }) => Ok(None),
        Ok(Active { generation, .. }) => Ok(Some(generation)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Brings the control database and the active generation up to date, creating generation 1 when there is none, and returns
/// the active generation. Safe to run any number of times, from several processes at once.
///
/// # Errors
/// As [`migrate`].
pub async fn ensure_active(
    config: &ClickHouseConfig,
    control_migrations: &[Migration],
    generation_migrations: &[Migration],
) -> Result<u32, ReadModelError> {
    const FIRST: u32 = 1;
    migrate(config, &config.database, control_migrations).await?;
    let active = active_generation(config).await?;
    let generation = active.unwrap_or(FIRST);
    migrate(
        config,
        &config.generation_database(generation),
        generation_migrations,
    )
    .await?;
    if active.is_none() {
        // Only after its tables are there (I8). Two starters both write this row, which says the same twice.
        let mark =
            "INSERT INTO generations (generation, state, changed_at) SELECT ?, 'active', now64(3)";
        control(config)
            .query(mark)
            .bind(generation)
            .execute()
            .await?;
        tracing::info!(generation, "generation {generation} is active");
    }
    Ok(generation)
}
