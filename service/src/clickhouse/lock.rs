//! Locks between processes: a lock is a table of the control database, which only one process can create. The holder
//! renews it by altering the table; a lock that is not renewed within the lease is broken. A holder that was suspended for
//! longer than the lease may overlap with the next one for a moment: guarded work must tolerate that.

use std::{future::Future, process, time::Duration};

use clickhouse::{Client, Row, error::Error};
use nix::unistd::gethostname;
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::sleep;

use super::{control_client, error_code};
use crate::{
    config::ClickHouseConfig,
    retry::{Classify, ErrorClass},
};

/// The lock for building, promoting and retiring a generation.
pub const REBUILD_LOCK: &str = "rebuild";
/// The lock for migrating the control database and creating generation 1.
pub(super) const MIGRATION_LOCK: &str = "migrations";

/// How long a lock outlives its last renewal, by the clock of the server.
pub const LOCK_LEASE_SECONDS: i64 = 10;
/// Often enough that a slow server does not cost a live holder its lock. The server records the time in whole seconds.
const RENEW_INTERVAL: Duration = Duration::from_secs(2);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// A released lock is renamed to this prefix and its UUID, and stays for a while: a process that saw it expire and tries
/// to break it later must not succeed twice.
const RELEASED_PREFIX: &str = "stale_";
const RELEASED_RETENTION: &str = "INTERVAL 10 MINUTE";

const TABLE_ALREADY_EXISTS: u32 = 57;
const UNKNOWN_TABLE: u32 = 60;

/// A lock that was not acquired, or lost.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// ClickHouse is unreachable, or rejected a statement.
    #[error("ClickHouse: {0}")]
    Server(#[from] Error),
    /// Another process holds the lock.
    #[error(
        "lock {name} is held by {holder}; wait until that process ends, or stop it \
         (the lock then expires after {LOCK_LEASE_SECONDS} s)"
    )]
    Held {
        /// The lock.
        name: &'static str,
        /// Process, host and start of the holder.
        holder: String,
    },
    /// This process did not renew its lock within the lease.
    #[error(
        "lock {name} was lost: this process did not renew it for {LOCK_LEASE_SECONDS} s; {holder} holds it now"
    )]
    Lost {
        /// The lock.
        name: &'static str,
        /// The new holder.
        holder: String,
    },
}

impl Classify for LockError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Server(error) => error.class(),
            Self::Lost { .. } => ErrorClass::Transient,
            Self::Held { .. } => ErrorClass::Permanent,
        }
    }
}

/// A lock that this process holds.
#[derive(Debug)]
#[must_use = "it is released by `run`, or when its lease expires"]
pub struct Lock {
    table: Table,
    uuid: String,
}

/// The table of a lock, which exists while the lock is held.
#[derive(Debug)]
struct Table {
    control: Client,
    name: &'static str,
}

/// The holder of a lock, and the seconds since the last renewal.
#[derive(Debug, Clone, Row, Deserialize)]
struct Holder {
    uuid: String,
    comment: String,
    renewed: u32,
    age: i64,
}

impl Lock {
    /// Waits until the lock is free and acquires it. The control database must exist.
    ///
    /// # Errors
    /// An unreachable server, or a rejected statement.
    pub async fn acquire(config: &ClickHouseConfig, name: &'static str) -> Result<Self, LockError> {
        Table::new(config, name).contend(|_, _| false).await
    }

    /// Acquires the lock unless a process renews it. If the holder does not renew it, waits until its lease expires.
    ///
    /// # Errors
    /// [`LockError::Held`], or as [`Lock::acquire`].
    pub async fn try_acquire(
        config: &ClickHouseConfig,
        name: &'static str,
    ) -> Result<Self, LockError> {
        let renewed =
            |first: &Holder, now: &Holder| (&first.uuid, first.renewed) != (&now.uuid, now.renewed);
        Table::new(config, name).contend(renewed).await
    }

    /// Runs `work` under the lock, renews the lock meanwhile, and releases it.
    ///
    /// # Errors
    /// Those of `work`; [`LockError::Lost`] if another process acquires the lock: `work` is then dropped.
    pub async fn run<T, E: From<LockError>>(
        self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let done = tokio::select! {
            done = work => done,
            lost = self.renew_until_lost() => return Err(lost.into()),
        };
        if let Err(error) = self.table.release(&self.uuid).await {
            let name = self.table.name;
            tracing::warn!(%error, "lock {name} is not released, it expires after {LOCK_LEASE_SECONDS} s: {error}");
        }
        done
    }

    async fn renew_until_lost(&self) -> LockError {
        let name = self.table.name;
        loop {
            sleep(RENEW_INTERVAL).await;
            match self.renew().await {
                Ok(None) => {}
                Ok(Some(holder)) => return LockError::Lost { name, holder },
                Err(error) => tracing::warn!(%error, "lock {name} cannot be renewed: {error}"),
            }
        }
    }

    /// Renews the lock; returns the holder if that is another one now.
    async fn renew(&self) -> Result<Option<String>, Error> {
        match self.table.holder().await? {
            Some(Holder { uuid, comment, .. }) if uuid == self.uuid => {
                self.table.renew(&comment).await?;
                Ok(None)
            }
            Some(Holder { comment, .. }) => Ok(Some(comment)),
            None => Ok(Some("no process".to_owned())),
        }
    }
}

impl Table {
    fn new(config: &ClickHouseConfig, name: &'static str) -> Self {
        let control = control_client(config);
        Self { control, name }
    }

    /// Tries until the lock is acquired, or until `give_up` returns true for the holder as first and as last seen.
    async fn contend(self, give_up: impl Fn(&Holder, &Holder) -> bool) -> Result<Lock, LockError> {
        self.clean_up().await?;
        let (name, me) = (self.name, this_process());
        let mut first = None;
        loop {
            let Some(now) = self.holder().await? else {
                self.create(&me).await?;
                continue;
            };
            if now.comment == me {
                let uuid = now.uuid;
                return Ok(Lock { table: self, uuid });
            }
            let first = first.get_or_insert_with(|| {
                tracing::info!(
                    lock = name,
                    holder = now.comment,
                    "waiting for lock {name}, held by {}",
                    now.comment
                );
                now.clone()
            });
            if give_up(first, &now) {
                let holder = now.comment;
                return Err(LockError::Held { name, holder });
            }
            if !self.break_expired(&now).await? {
                sleep(POLL_INTERVAL).await;
            }
        }
    }

    async fn holder(&self) -> Result<Option<Holder>, Error> {
        let query = "SELECT toString(uuid) AS uuid, comment, toUnixTimestamp(metadata_modification_time) AS renewed, \
                     dateDiff('second', metadata_modification_time, now()) AS age \
                     FROM system.tables WHERE database = currentDatabase() AND name = ?";
        let query = self.control.query(query).bind(self.table());
        query.fetch_optional().await
    }

    /// Creates the table for `holder`, unless it exists. The caller reads it to see who the holder is.
    async fn create(&self, holder: &str) -> Result<(), Error> {
        let create = format!(
            "CREATE TABLE {} (nothing UInt8) ENGINE = Null COMMENT ?",
            self.table()
        );
        let created = self.control.query(&create).bind(holder).execute().await;
        ignoring(created, &[TABLE_ALREADY_EXISTS]).map(drop)
    }

    /// Any change of the table renews the lock.
    async fn renew(&self, holder: &str) -> Result<(), Error> {
        let renew = format!("ALTER TABLE {} MODIFY COMMENT ?", self.table());
        self.control.query(&renew).bind(holder).execute().await
    }

    async fn break_expired(&self, holder: &Holder) -> Result<bool, Error> {
        if holder.age <= LOCK_LEASE_SECONDS || !self.release(&holder.uuid).await? {
            return Ok(false);
        }
        let (name, Holder { comment, age, .. }) = (self.name, holder);
        tracing::warn!(
            lock = name,
            holder = comment,
            "lock {name} expired: {comment} did not renew it for {age} s"
        );
        Ok(true)
    }

    /// Releases the lock with this UUID; false if another process did. The new name is taken once only, so that a later
    /// lock is never released in place of this one.
    async fn release(&self, uuid: &str) -> Result<bool, Error> {
        let released = format!("{RELEASED_PREFIX}{}", uuid.replace('-', "_"));
        let rename = format!("RENAME TABLE {} TO {released}", self.table());
        let renamed = self.control.query(&rename).execute().await;
        ignoring(renamed, &[TABLE_ALREADY_EXISTS, UNKNOWN_TABLE])
    }

    async fn clean_up(&self) -> Result<(), Error> {
        let old = format!(
            "SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, '{RELEASED_PREFIX}') \
             AND metadata_modification_time < now() - {RELEASED_RETENTION}"
        );
        for released in self.control.query(&old).fetch_all::<String>().await? {
            let drop = format!("DROP TABLE IF EXISTS {released}");
            self.control.query(&drop).execute().await?;
        }
        Ok(())
    }

    fn table(&self) -> String {
        format!("lock_{}", self.name)
    }
}

/// False for an error with one of these codes, true for success.
fn ignoring(result: Result<(), Error>, codes: &[u32]) -> Result<bool, Error> {
    match result {
        Err(error) if error_code(&error).is_some_and(|code| codes.contains(&code)) => Ok(false),
        result => result.map(|()| true),
    }
}

/// This process as a holder, so that an operator can find it. Every call returns a different text.
fn this_process() -> String {
    let host = gethostname().unwrap_or_else(|_| "unknown host".into());
    let now = OffsetDateTime::now_utc();
    let since = now.format(&Rfc3339).unwrap_or_else(|_| now.to_string());
    format!(
        "process {} on {}, since {since}",
        process::id(),
        host.display()
    )
}
