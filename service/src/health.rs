//! Health is progress: a service that is up without making progress is not ready, and reports why (invariant I11). Each
//! part that can stop making progress owns a named check and reports its state; nothing here polls.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use poem::{Response, http::StatusCode};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::Instant;

/// The checks of a process. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<RwLock<BTreeMap<&'static str, CheckState>>>);

#[derive(Debug, Clone)]
struct CheckState {
    not_ready: Option<String>,
    since: OffsetDateTime,
    last_report: Instant,
    max_silence: Option<Duration>,
}

/// The handle with which a part of the process reports its state.
#[derive(Debug, Clone)]
pub struct Check {
    name: &'static str,
    health: Health,
}

impl Health {
    /// Adds a check, which is not ready until [`Check::ok`].
    pub fn check(&self, name: &'static str) -> Check {
        self.add(name, None)
    }

    /// Adds a check that is ready only while its owner calls [`Check::ok`] at least every `max_silence`.
    pub fn progress_check(&self, name: &'static str, max_silence: Duration) -> Check {
        self.add(name, Some(max_silence))
    }

    fn add(&self, name: &'static str, max_silence: Option<Duration>) -> Check {
        let state = CheckState {
            not_ready: Some("starting".to_owned()),
            since: now(),
            last_report: Instant::now(),
            max_silence,
        };
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name, state);
        Check {
            name,
            health: self.clone(),
        }
    }

    /// The current state of all checks.
    pub fn report(&self) -> Report {
        let states = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let checks: Vec<CheckReport> = states
            .iter()
            .map(|(name, state)| state.report(name))
            .collect();
        let all_ready = checks.iter().all(|check| check.status == Status::Ready);
        Report {
            status: if all_ready {
                Status::Ready
            } else {
                Status::Unready
            },
            checks,
        }
    }
}

impl Check {
    /// Reports progress.
    pub fn ok(&self) {
        self.set(None);
    }

    /// Reports that the part makes no progress, and why.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.set(Some(reason.into()));
    }

    fn set(&self, not_ready: Option<String>) {
        let mut states = self
            .health
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(state) = states.get_mut(self.name) else {
            return;
        };
        if state.not_ready.is_some() != not_ready.is_some() {
            if let Some(reason) = &not_ready {
                tracing::warn!(
                    check = self.name,
                    reason,
                    "{} is not ready: {reason}",
                    self.name
                );
            } else {
                tracing::info!(check = self.name, "{} is ready", self.name);
            }
            state.since = now();
        }
        state.last_report = Instant::now();
        state.not_ready = not_ready;
    }
}

impl CheckState {
    fn report(&self, name: &'static str) -> CheckReport {
        let silence = self.last_report.elapsed();
        let stuck = self
            .max_silence
            .filter(|max_silence| silence > *max_silence)
            .map(|_| format!("no progress for {} s", silence.as_secs()));
        let reason = self.not_ready.clone().or(stuck);
        let status = if reason.is_none() {
            Status::Ready
        } else {
            Status::Unready
        };
        CheckReport {
            name,
            status,
            reason,
            since: self.since.format(&Rfc3339).unwrap_or_default(),
        }
    }
}

fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_millisecond(now.millisecond()).unwrap_or(now)
}

/// Ready or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Making progress, or idle.
    Ready,
    /// Not making progress.
    Unready,
}

/// The body of `/health/ready`.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Ready if all checks are.
    pub status: Status,
    /// The checks, by name.
    pub checks: Vec<CheckReport>,
}

/// The state of a check.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    /// The name of the check.
    pub name: &'static str,
    /// Its state.
    pub status: Status,
    /// Why it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Time of the last change of status, RFC 3339.
    pub since: String,
}

impl Report {
    /// The HTTP response: 200 or 503, never cached.
    pub(crate) fn response(&self) -> Response {
        let status = if self.status == Status::Ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let body = serde_json::to_string(self).unwrap_or_default();
        Response::builder()
            .status(status)
            .content_type("application/json")
            .header("cache-control", "no-store")
            .body(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(health: &Health) -> Vec<Option<String>> {
        health
            .report()
            .checks
            .into_iter()
            .map(|check| check.reason)
            .collect()
    }

    #[test]
    fn a_process_is_ready_when_every_part_has_reported_ready() {
        let health = Health::default();
        let (log, read_model) = (health.check("log"), health.check("read-model"));
        log.ok();
        assert_eq!(health.report().status, Status::Unready);
        assert_eq!(reasons(&health), [None, Some("starting".to_owned())]);
        read_model.ok();
        assert_eq!(health.report().status, Status::Ready);
        log.not_ready("no broker answers");
        assert_eq!(
            health.report().response().status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
        assert_eq!(
            reasons(&health),
            [Some("no broker answers".to_owned()), None]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_without_progress_is_not_ready() {
        let health = Health::default();
        let fold = health.progress_check("fold", Duration::from_secs(30));
        fold.ok();
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(reasons(&health), [None]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(reasons(&health), [Some("no progress for 31 s".to_owned())]);
        fold.ok();
        assert_eq!(reasons(&health), [None]);
    }
}
