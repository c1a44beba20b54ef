//! Numbered schema changes, applied once and in order; whoever applies them holds a lock. Every statement is `IF NOT
//! EXISTS`-like all the same, so two that both apply a change do no harm. An applied change that was edited, or one that is not known, is an error.

use std::collections::BTreeMap;

use clickhouse::{Client, Row};
use ess_schema::migrations::Migration;
use serde::Deserialize;

use super::{ReadModelError, server_client};
use crate::config::ClickHouseConfig;

#[derive(Debug, Row, Deserialize)]
struct Applied {
    number: u32,
    checksum: String,
}

/// Creates `database` where it is missing and applies what has not been applied to it. The text `{database}` in a change
/// stands for the database's name; statements end with `;` at the end of a line.
///
/// # Errors
/// A server that cannot be reached (transient), a statement it refuses, an edited change, or a database that is too new.
pub async fn migrate(
    config: &ClickHouseConfig,
    database: &str,
    migrations: &[Migration],
) -> Result<(), ReadModelError> {
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
) -> Result<(), ReadModelError> {
    let create = format!("CREATE DATABASE IF NOT EXISTS {database}");
    Ok(server_client(config).query(&create).execute().await?)
}

/// The numbers of the changes that a database was made without.
///
/// # Errors
/// As [`migrate`], but nothing is changed.
pub(super) async fn lacking(
    config: &ClickHouseConfig,
    database: &str,
    migrations: &[Migration],
) -> Result<Vec<u32>, ReadModelError> {
    let applied = applied(&server_client(config), database).await?;
    let pending = pending(database, &applied, migrations)?;
    Ok(pending.iter().map(|migration| migration.number).collect())
}

async fn applied(server: &Client, database: &str) -> Result<Vec<Applied>, ReadModelError> {
    let query = format!(
        "SELECT DISTINCT number, checksum FROM {database}.schema_migrations ORDER BY number"
    );
    Ok(server.query(&query).fetch_all().await?)
}

/// The changes yet to apply, if the applied ones are the ones we know.
fn pending<'m>(
    database: &str,
    applied: &[Applied],
    migrations: &'m [Migration],
) -> Result<Vec<&'m Migration>, ReadModelError> {
    let mut pending: BTreeMap<u32, &Migration> = migrations
        .iter()
        .map(|migration| (migration.number, migration))
        .collect();
    let known_most = pending.keys().last().copied().unwrap_or_default();
    let newest = applied.last().map_or(0, |last| last.number);
    for Applied { number, checksum } in applied {
        let known = migrations
            .iter()
            .find(|migration| migration.number == *number);
        let newer = || ReadModelError::Newer {
            database: database.to_owned(),
            found: newest,
            known: known_most,
        };
        let migration = known.ok_or_else(newer)?;
        if migration.checksum() != *checksum {
            return Err(ReadModelError::Edited {
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
) -> Result<(), ReadModelError> {
    let Migration { number, name, .. } = *migration;
    let failed = |source| ReadModelError::Migration {
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
        "schema change {number} ({name}) applied to {database}"
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

    fn done(migration: &Migration) -> Applied {
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
    fn only_what_was_not_applied_is_applied_and_in_order() {
        assert_eq!(numbers(&[], &[SECOND, FIRST]), Ok(vec![1, 2]));
        assert_eq!(numbers(&[done(&FIRST)], &[FIRST, SECOND]), Ok(vec![2]));
        assert_eq!(
            numbers(
                &[done(&FIRST), done(&FIRST), done(&SECOND)],
                &[FIRST, SECOND]
            ),
            Ok(vec![])
        );
    }

    #[test]
    fn an_applied_change_that_was_edited_is_refused() {
        let edited = Migration {
            sql: "CREATE TABLE a (x UInt16) ENGINE = Memory;\n",
            ..FIRST
        };
        let refusal = numbers(&[done(&FIRST)], &[edited]).unwrap_err();
        assert!(
            refusal.starts_with("database ess: schema change 1 (first) is not what was applied"),
            "{refusal}"
        );
    }

    #[test]
    fn a_database_newer_than_the_binary_is_refused() {
        let third = Applied {
            number: 3,
            ..done(&SECOND)
        };
        let refusal = numbers(&[done(&FIRST), done(&SECOND), third], &[FIRST]).unwrap_err();
        assert_eq!(
            refusal,
            "database ess has schema change 3, this binary knows 1 at most: it is too old for it"
        );
    }
}
