//! From what a run did to what is reported of it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ess_schema::Timestamp;

use crate::clock;
use crate::facts::feed::Origin;
use crate::facts::ledger::{Fate, Ledger};
use crate::read_model::Store;
use crate::record::Recorded;
use crate::report::{Blow, Generator, Machine, Quantiles, Report, Totals, VERSION};
use crate::scenario::Scenario;
use crate::send::Sender;
use crate::settle::{Settled, Settling};
use crate::signals::Signals;
use crate::watch::Watched;
use crate::watch::live::Live;

/// From this p99 on requests left too late for the latencies to be those of a steady rate, ms.
const LATE_MS: f64 = 50.0;
/// Of all requests, so many may be due while all connections are in use.
const OVERDUE_SHARE: f64 = 0.01;

/// A run that has ended.
pub(crate) struct Ran {
    pub(crate) name: String,
    pub(crate) scenario: Scenario,
    pub(crate) origin: Origin,
    pub(crate) machine: Machine,
    pub(crate) took: Duration,
    pub(crate) watched: Watched,
    pub(crate) blows: Vec<Blow>,
}

/// Waits for the read model, unless a signal says not to, and puts everything together.
pub(crate) async fn outcome(
    ran: Ran,
    sender: &Sender,
    store: &Store,
    live: &Live,
    signals: &Signals,
) -> Report {
    let (record, ledger) = (sender.record.so_far(), sender.take_ledger());
    let since = record.last_answer.map_or(0, |at| at.elapsed().as_millis());
    let now = clock::now().map_or(0, Timestamp::as_millis);
    let settled = Settling {
        store,
        origin: &ran.origin,
        ledger: &ledger,
        last: &record.last,
        last_answer_ms: now - since as i64,
        within: ran.scenario.drain_within.0,
        is_checked: ran.scenario.check,
        live,
    };
    let settled = tokio::select! {
        settled = settled.run() => settled,
        () = signals.another() => Settled::given_up(),
    };
    live.finish();
    let unsent = sender.unsent.load(Ordering::Relaxed);
    let mut report = report(ran, &record, &ledger, settled, unsent);
    report.was_interrupted = signals.came();
    report
}

fn report(ran: Ran, record: &Recorded, ledger: &Ledger, settled: Settled, unsent: u64) -> Report {
    let took_s = ran.took.as_secs_f64();
    let generator = generator(
        record,
        ran.watched.own_cpu_percent(),
        ran.machine.cores,
        unsent,
    );
    let mut report = Report {
        version: VERSION,
        name: ran.name,
        test_id: ran.origin.test_id.to_string(),
        began: ran.origin.began.to_string(),
        took_s,
        was_interrupted: false,
        machine: ran.machine,
        totals: totals(record, ledger, took_s),
        latency: Quantiles::of(&record.latency_us),
        reads: (record.reads > 0).then(|| Quantiles::of(&record.read_us)),
        statuses: record.statuses.clone(),
        problems: record.problems.clone(),
        generator,
        lag: settled.lag,
        drain_ms: settled.drain_ms,
        check: settled.check,
        // Without a wish to check, a read model that is out of reach is no failure.
        unread: settled.unread,
        chaos: ran.blows,
        samples: ran.watched.samples,
        scenario: ran.scenario,
        verdicts: Vec::new(),
    };
    report.judge();
    report
}

fn totals(record: &Recorded, ledger: &Ledger, took_s: f64) -> Totals {
    let per_second = |count: u64| count as f64 / took_s.max(0.001);
    Totals {
        requests: record.requests,
        errors: record.failed,
        facts: record.facts,
        acknowledged: ledger.count(Fate::Acknowledged),
        refused: ledger.count(Fate::Refused),
        unknown: ledger.count(Fate::Unknown),
        questions: record.reads,
        question_errors: record.reads_failed,
        rate: per_second(record.requests - record.failed),
        facts_rate: per_second(record.acknowledged),
    }
}

/// What held a run back, if it was the generator itself.
fn generator(record: &Recorded, cpu_percent: f64, cores: usize, unsent: u64) -> Generator {
    let late = (!record.late_us.is_empty()).then(|| Quantiles::of(&record.late_us));
    let is_late = late.is_some_and(|late| late.p99 > LATE_MS);
    let is_overdue = record.overdue as f64 > OVERDUE_SHARE * record.requests as f64;
    let most = 100.0 * cores.max(1) as f64;
    let bottleneck = if cpu_percent > 0.9 * most {
        Some(format!("it used {cpu_percent:.0} % of {most:.0} % CPU"))
    } else if is_late && is_overdue {
        let overdue = record.overdue + unsent;
        Some(format!(
            "{overdue} requests, of which {unsent} were never sent, were due while all connections waited for answers: the receiver was slower than the rate, or connections are too few"
        ))
    } else if is_late {
        Some("requests left late although connections were free: it lacked CPU".to_owned())
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
    use std::time::Duration;

    use super::*;
    use crate::record::{Ended, Record};

    fn recorded(late_ms: u64, was_overdue: bool) -> Recorded {
        let record = Record::new();
        for _ in 0..100 {
            record.ended(Ended {
                took: Duration::from_millis(late_ms + 1),
                late: Some(Duration::from_millis(late_ms)),
                was_overdue,
                facts: 1,
                acknowledged: 1,
                status: Some(202),
                problems: Vec::new(),
                positions: Vec::new(),
            });
        }
        record.so_far()
    }

    #[test]
    fn the_generator_says_when_it_was_the_bottleneck_and_why() {
        let why = |late_ms, was_overdue, cpu| {
            let found = generator(&recorded(late_ms, was_overdue), cpu, 2, 0);
            found.bottleneck.unwrap_or_default()
        };
        assert_eq!(why(1, false, 60.0), "");
        assert!(why(200, true, 60.0).contains("connections"));
        assert!(why(200, false, 60.0).contains("lacked CPU"));
        assert!(why(1, false, 195.0).contains("195 %"));
    }
}
