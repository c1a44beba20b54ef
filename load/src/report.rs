//! What a run came to, for machines: one JSON document whose version says how to read it. Everything that people are shown, in
//! the terminal, in HTML or in a document, is made of it alone.

mod compare;
mod docs;
mod html;
mod machine;
pub mod plot;
mod plots;
mod text;
mod values;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use compare::{Comparison, compare};
pub use docs::write_docs;
pub use html::html;
pub use machine::Machine;

use crate::proof::Check;
use crate::record::Problems;
use crate::scenario::Scenario;
use crate::usage::Usage;

/// The version that this program writes, and the only one that it reads.
pub const VERSION: u32 = 1;

/// What a run came to. Times in ms, unless their name says otherwise.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// [`VERSION`].
    pub version: u32,
    /// What was asked for: a name or a path.
    pub name: String,
    /// What was run, overrides applied.
    pub scenario: Scenario,
    /// Marks every fact of it.
    pub test_id: String,
    /// When it began, RFC 3339.
    pub began: String,
    /// How long facts were sent, s.
    pub took_s: f64,
    /// Whether a signal ended it.
    pub was_interrupted: bool,
    /// Where.
    pub machine: Machine,
    /// What was sent.
    pub totals: Totals,
    /// From when a request was due, in the closed model sent, to its answer.
    pub latency: Quantiles,
    /// Of the questions beside.
    pub reads: Option<Quantiles>,
    /// Requests by class of status.
    pub statuses: BTreeMap<String, u64>,
    /// What was not acknowledged, by status and type of the problem.
    pub problems: BTreeMap<String, Problems>,
    /// Whether the generator kept up.
    pub generator: Generator,
    /// From ingest to store; none when ClickHouse was not asked, or holds nothing of it.
    pub lag: Option<Lag>,
    /// From the last answer to the last row.
    pub drain_ms: Option<f64>,
    /// What the checker found; none when it was not asked to look.
    pub check: Option<Check>,
    /// Why lag or check are not there.
    pub unread: Option<String>,
    /// What was killed and started again.
    pub chaos: Vec<Blow>,
    /// One a second.
    pub samples: Vec<Sample>,
    /// One for each threshold.
    pub verdicts: Vec<Verdict>,
}

/// What was sent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "said by their names")]
pub struct Totals {
    pub requests: u64,
    /// Requests whose facts were not all acknowledged.
    pub errors: u64,
    pub facts: u64,
    pub acknowledged: u64,
    pub refused: u64,
    pub unknown: u64,
    pub questions: u64,
    pub question_errors: u64,
    /// Acknowledged requests a second.
    pub rate: f64,
    /// Acknowledged facts a second.
    pub facts_rate: f64,
}

/// Of an HDR histogram, ms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "said by their names")]
pub struct Quantiles {
    pub count: u64,
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// Whether the generator kept up.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Generator {
    /// How long after they were due requests left; none in the closed model.
    pub late: Option<Quantiles>,
    /// Requests that were due before any connection was free.
    pub overdue: u64,
    /// Requests that were never sent, because the run was too far behind its rate.
    pub unsent: u64,
    /// Its own CPU time, mean, of one core.
    pub cpu_percent: f64,
    /// What held the run back, if the generator did.
    pub bottleneck: Option<String>,
}

/// From ingest to store.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "said by their names")]
pub struct Lag {
    pub count: u64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
    /// Of the events accepted in each second after the begin: second, p50, p99.
    pub by_second: Vec<(i64, f64, f64)>,
}

/// One second of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "said by their names")]
pub struct Sample {
    /// Seconds after the begin.
    pub at_s: f64,
    pub requests_per_s: f64,
    pub facts_per_s: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub errors: u64,
    pub in_flight: u64,
    pub users: u64,
    /// Records of the log that the projector has not folded yet, by its own word.
    pub projector_lag: Option<f64>,
    pub usage: BTreeMap<String, Usage>,
}

/// A process that was killed, or started again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "said by their names")]
pub struct Blow {
    pub at_s: f64,
    pub what: String,
}

/// Whether a threshold held.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "said by their names")]
pub struct Verdict {
    pub threshold: String,
    /// None when it was not measured.
    pub value: Option<f64>,
    pub held: bool,
}

/// A report that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// What is in it.
    #[error("{path} is no report: {reason}")]
    Unread {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
}

impl Report {
    /// From a file.
    ///
    /// # Errors
    /// One that is not there, of another version, or no report.
    pub fn read(path: &Path) -> Result<Self, ReportError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let shown = path.display().to_string();
        let unread = |reason: String| ReportError::Unread {
            path: shown.clone(),
            reason,
        };
        let text = fs::read_to_string(path).map_err(|source| ReportError::File {
            path: shown.clone(),
            source,
        })?;
        let found: Versioned = serde_json::from_str(&text).map_err(|e| unread(e.to_string()))?;
        if found.version != VERSION {
            let version = found.version;
            return Err(unread(format!(
                "it is of version {version}, and {VERSION} is read"
            )));
        }
        serde_json::from_str(&text).map_err(|e| unread(e.to_string()))
    }

    /// As the document that [`Report::read`] reads.
    pub fn json(&self) -> String {
        // Every map has text for keys, so nothing in it can be refused.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Whether every threshold held and nothing differs.
    pub fn is_green(&self) -> bool {
        let checked = match &self.check {
            Some(check) => check.is_green(),
            None => !self.scenario.check,
        };
        checked && self.verdicts.iter().all(|verdict| verdict.held)
    }

    /// Holds the scenario's thresholds against what was measured.
    pub(crate) fn judge(&mut self) {
        let judged = self.scenario.thresholds.iter().map(|threshold| {
            let value = self.value(threshold.metric());
            Verdict {
                threshold: threshold.to_string(),
                value,
                held: threshold.holds(value),
            }
        });
        self.verdicts = judged.collect();
    }
}

#[cfg(test)]
pub(crate) mod tests;
