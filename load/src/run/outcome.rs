//! Makes the report of a run that has sent its facts: waits for the read model, and puts everything together.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ess_schema::{TestId, Timestamp};

use crate::clock;
use crate::facts::source::FactSource;
use crate::read_model::ReadModel;
use crate::record::Record;
use crate::report::{Fault, Generator, Machine, Quantiles, Report, Sample, Totals, VERSION};
use crate::scenario::Scenario;
use crate::send::Sender;
use crate::settle::{Settled, Settling};
use crate::signals::Signals;
use crate::watch::live::LiveView;
use crate::watch::own_cpu_percent;

/// Above this p99, requests were sent too late for the latencies to be those of a steady rate, ms.
const MAX_LATE_MS: f64 = 50.0;
/// The share of requests that may be due while every connection is in use.
const MAX_OVERDUE_SHARE: f64 = 0.01;

/// A run that has sent its facts.
pub(super) struct CompletedRun {
    pub(super) name: String,
    pub(super) scenario: Scenario,
    pub(super) test_id: TestId,
    pub(super) source: FactSource,
    pub(super) machine: Machine,
    pub(super) samples: Vec<Sample>,
    pub(super) took: Duration,
    pub(super) faults: Vec<Fault>,
}

/// Waits for the read model, until the next signal, and reports.
pub(super) async fn outcome(
    run: CompletedRun,
    sender: &Sender,
    read_model: &ReadModel,
    live: &LiveView,
    signals: &Signals,
) -> Report {
    let (record, ledger) = (sender.record.snapshot(), sender.take_ledger());
    let since = record
        .last_response
        .map_or(0, |at| at.elapsed().as_millis());
    let now = clock::now().map_or(0, Timestamp::as_millis);
    let settling = Settling {
        read_model,
        test_id: &run.test_id,
        source: &run.source,
        ledger: &ledger,
        last_offsets: &record.last_offsets,
        last_response_ms: now - since as i64,
        timeout: run.scenario.drain_within.0,
        check: run.scenario.check,
        live,
    };
    let settled = tokio::select! {
        settled = settling.run() => settled,
        () = signals.another() => Settled::interrupted(),
    };
    live.finish();
    let unsent = sender.unsent.load(Ordering::Relaxed);
    let mut report = report(run, &record, settled, unsent);
    report.was_interrupted = signals.came();
    report
}

fn report(run: CompletedRun, record: &Record, settled: Settled, unsent: u64) -> Report {
    let took_s = run.took.as_secs_f64();
    let cpu_percent = own_cpu_percent(&run.samples);
    let mut report = Report {
        version: VERSION,
        name: run.name,
        test_id: run.test_id.to_string(),
        began: run.source.began.to_string(),
        took_s,
        was_interrupted: false,
        totals: totals(record, took_s),
        latency: Quantiles::of(&record.latency),
        reads: (record.reads > 0).then(|| Quantiles::of(&record.read_latency)),
        statuses: record.statuses.clone(),
        problems: record.problems.clone(),
        generator: generator(record, cpu_percent, run.machine.cores, unsent),
        machine: run.machine,
        lag: settled.lag,
        drain_ms: settled.drain_ms,
        check: settled.check,
        unread: settled.unread,
        chaos: run.faults,
        samples: run.samples,
        scenario: run.scenario,
        verdicts: Vec::new(),
    };
    report.judge();
    report
}

fn totals(record: &Record, took_s: f64) -> Totals {
    let per_second = |count: u64| count as f64 / took_s.max(0.001);
    Totals {
        requests: record.requests,
        errors: record.failed,
        facts: record.sent,
        acknowledged: record.acknowledged,
        refused: record.refused,
        unknown: record.unknown(),
        questions: record.reads,
        question_errors: record.reads_failed,
        rate: per_second(record.requests - record.failed),
        facts_rate: per_second(record.acknowledged),
    }
}

/// Whether the generator limited the run, and why.
fn generator(record: &Record, cpu_percent: f64, cores: usize, unsent: u64) -> Generator {
    let late = (!record.late.is_empty()).then(|| Quantiles::of(&record.late));
    let is_late = late.is_some_and(|late| late.p99 > MAX_LATE_MS);
    let is_overdue = record.overdue as f64 > MAX_OVERDUE_SHARE * record.requests as f64;
    let max_percent = 100.0 * cores.max(1) as f64;
    let bottleneck = if cpu_percent > 0.9 * max_percent {
        Some(format!(
            "it used {cpu_percent:.0} % of {max_percent:.0} % CPU"
        ))
    } else if is_late && is_overdue {
        let overdue = record.overdue + unsent;
        Some(format!(
            "{overdue} requests were due while all connections waited for responses, and {unsent} of them were never sent: the receiver was slower than the rate, or connections are too few"
        ))
    } else if is_late {
        Some("requests were sent late although connections were free: it lacked CPU".to_owned())
    } else {
        None
    };
    Generator {
        late,
        overdue: record.overdue,
        unsent,
        cpu_percent,
        bottleneck,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::outcome::Delivery;
    use crate::record::{Recorder, Timing};

    fn record(late_ms: u64, was_overdue: bool) -> Record {
        let recorder = Recorder::default();
        for _ in 0..100 {
            let timing = Timing {
                took: Duration::from_millis(late_ms + 1),
                late: Some(Duration::from_millis(late_ms)),
                was_overdue,
            };
            recorder.finished(&[], Delivery::default(), &timing);
        }
        recorder.snapshot()
    }

    #[test]
    fn the_generator_reports_when_it_was_the_bottleneck_and_why() {
        let why = |late_ms, was_overdue, cpu| {
            let found = generator(&record(late_ms, was_overdue), cpu, 2, 0);
            found.bottleneck.unwrap_or_default()
        };
        assert_eq!(why(1, false, 60.0), "");
        assert!(why(200, true, 60.0).contains("connections"));
        assert!(why(200, false, 60.0).contains("lacked CPU"));
        assert!(why(1, false, 195.0).contains("195 %"));
    }
}
