//! What the account in ClickHouse lets us set. One that may do anything is held to reading here; one that its profile holds to
//! reading already must not be sent what it may not change.

use std::time::Duration;

use clickhouse::Client;
use ess_service::clickhouse::ReadModelError;
use tokio::time::timeout;

use super::SelectError;
use crate::config::LimitsConfig;

/// By the account's setting `readonly`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    /// 0: it may do anything its grants allow.
    Free,
    /// 2: it reads, and may change every setting but this.
    Reading,
    /// 1: it reads under the settings of its profile, which must hold the limits.
    Fixed,
}

impl Account {
    /// Asks the server.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(super) async fn read(server: &Client, patience: Duration) -> Result<Self, SelectError> {
        let asked = server
            .query_raw("SELECT toUInt8(getSetting('readonly'))")
            .fetch_one::<u8>();
        let readonly = timeout(patience, asked)
            .await
            .map_err(|_| SelectError::TimedOut)?;
        match readonly.map_err(ReadModelError::from)? {
            0 => Ok(Self::Free),
            1 => {
                tracing::warn!(
                    "the ClickHouse account has readonly=1: its own profile must limit time, memory and rows"
                );
                Ok(Self::Fixed)
            }
            _ => Ok(Self::Reading),
        }
    }

    /// The settings of every query: its limits, its name, and that it ends when nobody waits for it any more.
    pub(super) fn settings(self, limits: &LimitsConfig, name: &str) -> Vec<(&'static str, String)> {
        if self == Self::Fixed {
            return Vec::new();
        }
        let mut settings = vec![
            ("max_execution_time", limits.time.as_secs_f64().to_string()),
            ("max_memory_usage", limits.memory_bytes.to_string()),
            ("max_rows_to_read", limits.rows_read.to_string()),
            ("max_bytes_to_read", limits.bytes_read.to_string()),
            (
                "cancel_http_readonly_queries_on_client_close",
                "1".to_owned(),
            ),
            ("log_comment", name.to_owned()),
        ];
        if self == Self::Free {
            settings.push(("readonly", "1".to_owned()));
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(account: Account) -> Vec<&'static str> {
        let limits = LimitsConfig {
            time: Duration::from_millis(2_500),
            memory_bytes: 1,
            rows_read: 2,
            bytes_read: 3,
            concurrency: 1,
            queue: 1,
            heavy_concurrency: 1,
            heavy_queue: 1,
        };
        let settings = account.settings(&limits, "events_page");
        settings.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn an_account_is_sent_only_what_it_may_set() {
        assert!(names(Account::Fixed).is_empty());
        assert!(!names(Account::Reading).contains(&"readonly"));
        assert!(names(Account::Free).contains(&"readonly"));
        for account in [Account::Reading, Account::Free] {
            assert!(names(account).contains(&"max_execution_time"));
        }
    }
}
