//! The settings that the ClickHouse account may change. An unrestricted account is restricted to reading here; an account that its
//! profile restricts must not be sent settings that it may not change.

use std::time::Duration;

use clickhouse::Client;
use ess_service::clickhouse::ReadModelError;
use tokio::time::timeout;

use super::error::SelectError;
use crate::config::LimitsConfig;

/// By the account's setting `readonly`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    /// 0: unrestricted but for its grants.
    Unrestricted,
    /// 2: it reads, and may change every setting but `readonly`.
    ReadOnly,
    /// 1: it reads under the settings of its profile, which must have the limits.
    FixedSettings,
}

impl Account {
    /// Reads it from the server.
    ///
    /// # Errors
    /// When the server is unavailable.
    pub(super) async fn read(server: &Client, deadline: Duration) -> Result<Self, SelectError> {
        let read = server
            .query_raw("SELECT toUInt8(getSetting('readonly'))")
            .fetch_one::<u8>();
        let readonly = timeout(deadline, read)
            .await
            .map_err(|_| SelectError::TimedOut)?;
        match readonly.map_err(ReadModelError::from)? {
            0 => Ok(Self::Unrestricted),
            1 => {
                tracing::warn!(
                    "the ClickHouse account has readonly=1: its own profile must limit time, memory and rows"
                );
                Ok(Self::FixedSettings)
            }
            _ => Ok(Self::ReadOnly),
        }
    }

    /// The settings of every query: its limits, its name, and cancellation when the client closes the connection.
    pub(super) fn settings(self, limits: &LimitsConfig, name: &str) -> Vec<(&'static str, String)> {
        if self == Self::FixedSettings {
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
        if self == Self::Unrestricted {
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
    fn an_account_is_sent_only_settings_that_it_may_change() {
        assert!(names(Account::FixedSettings).is_empty());
        assert!(!names(Account::ReadOnly).contains(&"readonly"));
        assert!(names(Account::Unrestricted).contains(&"readonly"));
        for account in [Account::ReadOnly, Account::Unrestricted] {
            assert!(names(account).contains(&"max_execution_time"));
        }
    }
}
