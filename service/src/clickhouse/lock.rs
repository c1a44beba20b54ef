//! Locks between processes, which ClickHouse does not have: a lock is a table of the control database, and only one can
//! create it. Its holder alters it while it works; one that is no longer altered is broken. A holder that was stopped for
//! longer than the lease may go on for a moment beside the next one: what a lock guards must survive that.

use std::{future::Future, process, time::Duration};

use clickhouse::{Client, Row, error::Error};
use nix::unistd::gethostname;
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::sleep;

use super::{ReadModelError, control_client, error_code};
use crate::config::ClickHouseConfig;

/// The lock of whoever builds, promotes or retires a generation.
pub const REBUILD_LOCK: &str = "rebuild";
/// The lock of whoever changes tables that answers come from.
pub(super) const MIGRATION_LOCK: &str = "migrations";

/// How long a lock outlives its holder's last sign, by the server's clock.
pub const LOCK_LEASE_SECONDS: i64 = 10;
/// Often enough that a slow server does not cost a living holder its lock. The server's clock of it shows seconds.
const RENEW_EVERY: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A freed lock is a table of this name with its UUID, for so long: whoever saw it lapse and tries to break it only later
/// must find that it was.
const ASIDE: &str = "stale_";
const ASIDE_FOR: &str = "INTERVAL 10 MINUTE";

/// TABLE_ALREADY_EXISTS.
const EXISTS: u32 = 57;
/// UNKNOWN_TABLE.
const UNKNOWN: u32 = 60;

/// A lock, held.
#[derive(Debug)]
#[must_use = "it frees itself only after its lease"]
pub struct Lock {
    table: Table,
    uuid: String,
}

/// Where a lock is, held or not.
#[derive(Debug)]
struct Table {
    control: Client,
    name: &'static str,
}

/// Who holds a lock, and how long ago it gave a sign.
#[derive(Debug, Clone, Row, Deserialize)]
struct Holder {
    uuid: String,
    comment: String,
    renewed: u32,
    age: i64,
}

impl Lock {
    /// Waits until it is free and takes it. The database must exist.
    ///
    /// # Errors
    /// A server that cannot be reached, or refuses.
    pub async fn acquire(
        config: &ClickHouseConfig,
        name: &'static str,
    ) -> Result<Self, ReadModelError> {
        Table::new(config, name).contend(|_, _| false).await
    }

    /// Takes it if nobody holds it. Of a holder who gives no sign it waits for the lease's end.
    ///
    /// # Errors
    /// [`ReadModelError::Locked`], or as [`Lock::acquire`].
    pub async fn try_acquire(
        config: &ClickHouseConfig,
        name: &'static str,
    ) -> Result<Self, ReadModelError> {
        let alive =
            |first: &Holder, now: &Holder| (&first.uuid, first.renewed) != (&now.uuid, now.renewed);
        Table::new(config, name).contend(alive).await
    }

    /// Works under the lock, and frees it.
    ///
    /// # Errors
    /// The work's own; [`ReadModelError::LockLost`] when another one holds the lock meanwhile, and the work is dropped.
    pub async fn run<T, E: From<ReadModelError>>(
        self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let done = tokio::select! {
            done = work => done,
            lost = self.keep() => return Err(lost.into()),
        };
        if let Err(error) = self.table.put_aside(&self.uuid).await {
            let name = self.table.name;
            tracing::warn!(%error, "lock {name} is not freed, it lapses after {LOCK_LEASE_SECONDS} s: {error}");
        }
        done
    }

    /// Gives signs until the lock is another's.
    async fn keep(&self) -> ReadModelError {
        let name = self.table.name;
        loop {
            sleep(RENEW_EVERY).await;
            match self.renew().await {
                Ok(None) => {}
                Ok(Some(holder)) => return ReadModelError::LockLost { name, holder },
                Err(error) => tracing::warn!(%error, "lock {name} cannot be renewed: {error}"),
            }
        }
    }

    /// Who holds it if it is not us any more.
    async fn renew(&self) -> Result<Option<String>, Error> {
        match self.table.holder().await? {
            Some(Holder { uuid, comment, .. }) if uuid == self.uuid => {
                self.table.sign(&comment).await?;
                Ok(None)
            }
            Some(Holder { comment, .. }) => Ok(Some(comment)),
            None => Ok(Some("nobody".to_owned())),
        }
    }
}

impl Table {
    fn new(config: &ClickHouseConfig, name: &'static str) -> Self {
        let control = control_client(config);
        Self { control, name }
    }

    /// Tries until it is taken, or until `give_up` says so of the holder as first seen and as seen now.
    async fn contend(
        self,
        give_up: impl Fn(&Holder, &Holder) -> bool,
    ) -> Result<Lock, ReadModelError> {
        self.clean_up().await?;
        let (name, me) = (self.name, me());
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
                    "lock {name} is held by {}: waiting",
                    now.comment
                );
                now.clone()
            });
            if give_up(first, &now) {
                let holder = now.comment;
                return Err(ReadModelError::Locked { name, holder });
            }
            if !self.break_lapsed(&now).await? {
                sleep(LOOK_EVERY).await;
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

    /// Creates it for `holder`, unless another one was faster: who holds it is seen by looking.
    async fn create(&self, holder: &str) -> Result<(), Error> {
        let create = format!(
            "CREATE TABLE {} (nothing UInt8) ENGINE = Null COMMENT ?",
            self.table()
        );
        let created = self.control.query(&create).bind(holder).execute().await;
        but_for(created, &[EXISTS]).map(drop)
    }

    /// A sign of its holder: any change of a table is one.
    async fn sign(&self, holder: &str) -> Result<(), Error> {
        let sign = format!("ALTER TABLE {} MODIFY COMMENT ?", self.table());
        self.control.query(&sign).bind(holder).execute().await
    }

    async fn break_lapsed(&self, holder: &Holder) -> Result<bool, Error> {
        if holder.age <= LOCK_LEASE_SECONDS || !self.put_aside(&holder.uuid).await? {
            return Ok(false);
        }
        let (name, Holder { comment, age, .. }) = (self.name, holder);
        tracing::warn!(
            lock = name,
            holder = comment,
            "lock {name} is broken: {comment} gave no sign for {age} s"
        );
        Ok(true)
    }

    /// Frees it if it is still the one with this UUID: two cannot give the same name, so only one that saw it succeeds, and
    /// no lock that came after it is taken for it.
    async fn put_aside(&self, uuid: &str) -> Result<bool, Error> {
        let aside = format!("{ASIDE}{}", uuid.replace('-', "_"));
        let rename = format!("RENAME TABLE {} TO {aside}", self.table());
        let renamed = self.control.query(&rename).execute().await;
        but_for(renamed, &[EXISTS, UNKNOWN])
    }

    async fn clean_up(&self) -> Result<(), Error> {
        let old = format!(
            "SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, '{ASIDE}') \
             AND metadata_modification_time < now() - {ASIDE_FOR}"
        );
        for aside in self.control.query(&old).fetch_all::<String>().await? {
            let drop = format!("DROP TABLE IF EXISTS {aside}");
            self.control.query(&drop).execute().await?;
        }
        Ok(())
    }

    fn table(&self) -> String {
        format!("lock_{}", self.name)
    }
}

/// Whether it was done, when these codes say that it was not to be done.
fn but_for(done: Result<(), Error>, codes: &[u32]) -> Result<bool, Error> {
    match done {
        Err(error) if error_code(&error).is_some_and(|code| codes.contains(&code)) => Ok(false),
        done => done.map(|()| true),
    }
}

/// This process as a holder, for an operator to find it. No two calls give the same.
fn me() -> String {
    let host = gethostname().unwrap_or_else(|_| "an unnamed host".into());
    let now = OffsetDateTime::now_utc();
    let since = now.format(&Rfc3339).unwrap_or_else(|_| now.to_string());
    format!(
        "process {} on {}, since {since}",
        process::id(),
        host.display()
    )
}
