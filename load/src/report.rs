//! The report of a run: one versioned JSON document. What the terminal, the HTML page and the Markdown show is made of it alone.

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

/// The report of a run. Times are in ms, unless their name says otherwise.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// [`VERSION`].
    pub version: u32,
    /// The name or path of the scenario.
    pub name: String,
    /// The scenario with overrides applied.
    pub scenario: Scenario,
    /// The test id of every fact.
    pub test_id: String,
    /// When it began, RFC 3339.
    pub began: String,
    /// How long facts were sent, s.
    pub took_s: f64,
    /// Whether a signal ended it.
    pub was_interrupted: bool,
    /// The machine it ran on.
    pub machine: Machine,
    /// Counts and rates.
    pub totals: Totals,
    /// From when a request was due, in the closed model sent, to its response.
    pub latency: Quantiles,
    /// Latency of the questions.
    pub reads: Option<Quantiles>,
    /// Requests by class of status, such as `2xx`.
    pub statuses: BTreeMap<String, u64>,
    /// Facts that were not acknowledged, by status and type of the problem.
    pub problems: BTreeMap<String, Problems>,
    /// Whether the generator limited the run.
    pub generator: Generator,
    /// From ingest to store. None when ClickHouse was not read, or contains nothing of the run.
    pub lag: Option<Lag>,
    /// From the last response to the last row.
    pub drain_ms: Option<f64>,
    /// The result of the proof, unless it was skipped.
    pub check: Option<Check>,
    /// Why lag or check are missing.
    pub unread: Option<String>,
    /// Faults that were injected.
    pub chaos: Vec<Fault>,
    /// One per second.
    pub samples: Vec<Sample>,
    /// One for each threshold.
    pub verdicts: Vec<Verdict>,
}

/// Counts and rates.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
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
    /// Acknowledged requests per second.
    pub rate: f64,
    /// Acknowledged facts per second.
    pub facts_rate: f64,
}

/// Quantiles of an HDR histogram, ms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Quantiles {
    pub count: u64,
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// Whether the generator limited the run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Generator {
    /// How long after they were due requests were sent. None in the closed model.
    pub late: Option<Quantiles>,
    /// Requests that were due while no connection was free.
    pub overdue: u64,
    /// Requests that were never sent, because the run was too far behind its rate.
    pub unsent: u64,
    /// Its mean CPU time, in percent of one core.
    pub cpu_percent: f64,
    /// Why the generator limited the run, if it did.
    pub bottleneck: Option<String>,
}

/// How long events took from ingest to store, ms.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Lag {
    pub count: u64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
    /// By second after the start in which an event was accepted: second, p50, p99.
    pub by_second: Vec<(i64, f64, f64)>,
}

/// One second of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Sample {
    /// Seconds after the start.
    pub at_s: f64,
    pub requests_per_s: f64,
    pub facts_per_s: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub errors: u64,
    pub in_flight: u64,
    pub users: u64,
    /// Records of the log that the projector has not folded yet, as it reports.
    pub projector_lag: Option<f64>,
    pub usage: BTreeMap<String, Usage>,
}

/// An injected fault: a process was killed, or started again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Fault {
    pub at_s: f64,
    pub what: String,
}

/// Whether a threshold was met.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Verdict {
    pub threshold: String,
    /// None when it was not measured.
    pub value: Option<f64>,
    pub held: bool,
}

/// A report that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// A file is not a report.
    #[error("{path} is not a report: {reason}")]
    Invalid {
        /// The file.
        path: String,
        /// The cause.
        reason: String,
    },
}

impl Report {
    /// Reads a report from a file.
    ///
    /// # Errors
    /// When the file cannot be read, is not a report, or has another version.
    pub fn read(path: &Path) -> Result<Self, ReportError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let shown = path.display().to_string();
        let invalid = |reason: String| ReportError::Invalid {
            path: shown.clone(),
            reason,
        };
        let text = fs::read_to_string(path).map_err(|source| ReportError::File {
            path: shown.clone(),
            source,
        })?;
        let found: Versioned = serde_json::from_str(&text).map_err(|e| invalid(e.to_string()))?;
        if found.version != VERSION {
            let version = found.version;
            return Err(invalid(format!(
                "version {version} is not supported; expected version {VERSION}"
            )));
        }
        serde_json::from_str(&text).map_err(|e| invalid(e.to_string()))
    }

    /// The JSON that [`Report::read`] reads.
    pub fn json(&self) -> String {
        // The keys of all maps are text, so this cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Whether every threshold was met and the proof found no difference.
    pub fn is_green(&self) -> bool {
        let checked = match &self.check {
            Some(check) => check.is_green(),
            None => !self.scenario.check,
        };
        checked && self.verdicts.iter().all(|verdict| verdict.held)
    }

    /// Compares the measurements with the thresholds of the scenario.
    pub(crate) fn judge(&mut self) {
        let judged = self.scenario.thresholds.iter().map(|threshold| {
            let value = self.value(threshold.metric());
            Verdict {
                threshold: threshold.to_string(),
                value,
                held: threshold.is_met(value),
            }
        });
        self.verdicts = judged.collect();
    }
}

/// Writes a file, and creates its folder.
pub(crate) fn write_file(path: &Path, text: &str) -> Result<(), ReportError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, text));
    written.map_err(|source| ReportError::File {
        path: path.display().to_string(),
        source,
    })
}

#[cfg(test)]
pub(crate) mod tests;
