//! Applies the numbered migrations of a schema in order. Every statement is idempotent (`IF NOT EXISTS` or alike), so
//! that two processes may apply the same migration. It never applies to a database whose migrations it does not know.

use std::collections::BTreeMap;

use clickhouse::{Client, Row, error::Error};
use ess_schema::migrations::Migration;
use serde::Deserialize;

use super::server_client;
use crate::{
    config::ClickHouseConfig,
    retry::{Classify, ErrorClass},
};

/// A schema that cannot be migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// ClickHouse is unreachable, or rejected a statement.
    #[error("ClickHouse: {0}")]
    Server(#[from] Error),
    /// A migration failed.
    #[error("database {database}, migration {number} ({name}): {source}")]
    Failed {
        /// The database.
        database: String,
        /// The number of the migration.
        number: u32,
        /// The name of the migration.
        name: &'static str,
        /// The error of the server.
        source: Error,
    },
    /// A migration was edited after it had been applied.
    #[error(
        "database {database}: migration {number} ({name}) differs from the one that was applied; \
         do not edit an applied migration, add a new one"
    )]
    Edited {
        /// The database.
        database: String,
        /// The number of the migration.
        number: u32,
        /// The name of the migration.
        name: &'static str,
    },
    /// The database has migrations that this binary does not know.
    #[error(
        "database {database} has migration {found}, and this binary knows migrations up to {known}; use a newer binary"
    )]
    Newer {
        /// The database.
        database: String,
        /// The latest migration applied.
        found: u32,
        /// The latest migration known.
        known: u32,
    },
}

impl Classify for MigrationError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Server(error) | Self::Failed { source: error, .. } => error.class(),
            Self::Edited { .. } | Self::Newer { .. } => ErrorClass::Permanent,
        }
    }
}

#[derive(Debug, Row, Deserialize)]
struct Applied {
    number: u32,
    checksum: String,
}

/// Creates `database` if it is missing, and applies the migrations that it lacks. `{database}` in a migration stands for
/// the name of the database; a statement ends with `;` at the end of a line.
///
/// # Errors
/// An unreachable server (transient), a rejected statement, an edited migration, or a database that is too new.
pub async fn migrate(
    config: &ClickHouseConfig,
    database: &str,
    migrations: &[Migration],
) -> Result<(), MigrationError> {
    create_database(config, database).await?;
    let server = server_client(config);
    let numbers = format!(
        "CREATE TABLE IF NOT EXISTS {database}.schema_migrations (number UInt32, name String, checksum String, \
         applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = MergeTree ORDER BY number"
    );
    server.query(&numbers).execute().await?;
    let applied = applied(&server, database).await?;
    for migration in pending(database, &applied, migrations)? {
        apply(&server, database, migration).await?;
    }
    Ok(())
}

pub(super) async fn create_database(
    config: &ClickHouseConfig,
    database: &str,
) -> Result<(), MigrationError> {
    let create = format!("CREATE DATABASE IF NOT EXISTS {database}");
    Ok(server_client(config).query(&create).execute().await?)
}

/// The numbers of the migrations that a database lacks.
///
/// # Errors
/// As [`migrate`]; the database is not changed.
pub(super) async fn missing_migrations(
    config: &ClickHouseConfig,
    database: &str,
    migrations: &[Migration],
) -> Result<Vec<u32>, MigrationError> {
    let applied = applied(&server_client(config), database).await?;
    let pending = pending(database, &applied, migrations)?;
    Ok(pending.iter().map(|migration| migration.number).collect())
}

async fn applied(server: &Client, database: &str) -> Result<Vec<Applied>, MigrationError> {
    let query = format!(
        "SELECT DISTINCT number, checksum FROM {database}.schema_migrations ORDER BY number"
    );
    Ok(server.query(&query).fetch_all().await?)
}

/// The migrations to apply, provided that those applied are known.
fn pending<'m>(
    database: &str,
    applied: &[Applied],
    migrations: &'m [Migration],
) -> Result<Vec<&'m Migration>, MigrationError> {
    let mut pending: BTreeMap<u32, &Migration> = migrations
        .iter()
        .map(|migration| (migration.number, migration))
        .collect();
    let latest_known = pending.keys().last().copied().unwrap_or_default();
    let latest_applied = applied.last().map_or(0, |last| last.number);
    for Applied { number, checksum } in applied {
        let known = migrations
            .iter()
            .find(|migration| migration.number == *number);
        let newer = || MigrationError::Newer {
            database: database.to_owned(),
            found: latest_applied,
            known: latest_known,
        };
        let migration = known.ok_or_else(newer)?;
        if !migration.has_checksum(checksum) {
            return Err(MigrationError::Edited {
                database: database.to_owned(),
                number: *number,
                name: migration.name,
            });
        }
        pending.remove(number);
    }
    Ok(pending.into_values().collect())
}

async fn apply(
    server: &Client,
    database: &str,
    migration: &Migration,
) -> Result<(), MigrationError> {
    let Migration { number, name, .. } = *migration;
    let failed = |source| MigrationError::Failed {
        database: database.to_owned(),
        number,
        name,
        source,
    };
    for statement in migration.statements(database) {
        server
            .query_raw(&statement)
            .execute()
            .await
            .map_err(failed)?;
    }
    let record =
        format!("INSERT INTO {database}.schema_migrations (number, name, checksum) SELECT ?, ?, ?");
    server
        .query(&record)
        .bind(number)
        .bind(name)
        .bind(migration.checksum())
        .execute()
        .await
        .map_err(failed)?;
    tracing::info!(
        database,
        number,
        name,
        "migration {number} ({name}) applied to {database}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Migration = Migration {
        number: 1,
        name: "first",
        sql: "CREATE TABLE a (x UInt8) ENGINE = Memory;\n",
    };
    const SECOND: Migration = Migration {
        number: 2,
        name: "second",
        sql: "CREATE TABLE b (x UInt8) ENGINE = Memory;\n",
    };

    fn applied_of(migration: &Migration) -> Applied {
        Applied {
            number: migration.number,
            checksum: migration.checksum().clone(),
        }
    }

    fn numbers(applied: &[Applied], known: &[Migration]) -> Result<Vec<u32>, String> {
        let pending = pending("ess", applied, known).map_err(|e| e.to_string())?;
        Ok(pending
            .into_iter()
            .map(|migration| migration.number)
            .collect())
    }

    #[test]
    fn missing_migrations_are_applied_in_order() {
        assert_eq!(numbers(&[], &[SECOND, FIRST]), Ok(vec![1, 2]));
        assert_eq!(
            numbers(&[applied_of(&FIRST)], &[FIRST, SECOND]),
            Ok(vec![2])
        );
        assert_eq!(
            numbers(
                &[applied_of(&FIRST), applied_of(&FIRST), applied_of(&SECOND)],
                &[FIRST, SECOND]
            ),
            Ok(vec![])
        );
    }

    #[test]
    fn an_applied_migration_that_was_edited_is_an_error() {
        let edited = Migration {
            sql: "CREATE TABLE a (x UInt16) ENGINE = Memory;\n",
            ..FIRST
        };
        let error = numbers(&[applied_of(&FIRST)], &[edited]).unwrap_err();
        assert!(
            error.starts_with(
                "database ess: migration 1 (first) differs from the one that was applied"
            ),
            "{error}"
        );
    }

    #[test]
    fn a_database_newer_than_the_binary_is_an_error() {
        let third = Applied {
            number: 3,
            ..applied_of(&SECOND)
        };
        let error =
            numbers(&[applied_of(&FIRST), applied_of(&SECOND), third], &[FIRST]).unwrap_err();
        assert_eq!(
            error,
            "database ess has migration 3, and this binary knows migrations up to 1; use a newer binary"
        );
    }
}
