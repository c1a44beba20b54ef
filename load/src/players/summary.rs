//! The summary of `ess-load players` in a few lines: what was sent, its outcomes, how long it took.

use std::fmt;
use std::time::Duration;

use indicatif::{HumanCount, HumanFloatCount};

use crate::record::{Problems, Record};

/// A run of players that has ended.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) record: Record,
    /// Playbacks to send.
    pub(crate) playbacks: u64,
    pub(crate) took: Duration,
    /// Facts per second to send, if limited.
    pub(crate) rate: Option<f64>,
    /// Whether a signal ended it.
    pub(crate) was_interrupted: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Every fact was acknowledged.
    Complete,
    /// Every fact that was sent was acknowledged, but a signal ended the run before all were sent.
    Interrupted,
    /// A fact was refused or not acknowledged.
    Failed,
}

impl Summary {
    pub(crate) fn ending(&self) -> Ending {
        let record = &self.record;
        if record.acknowledged < record.sent {
            Ending::Failed
        } else if record.playbacks == self.playbacks {
            Ending::Complete
        } else if self.was_interrupted {
            Ending::Interrupted
        } else {
            Ending::Failed
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = &self.record;
        let seconds = self.took.as_secs_f64();
        let pace = record.acknowledged as f64 / seconds.max(0.001);
        write!(f, "{} ", HumanCount(record.playbacks))?;
        if record.playbacks < self.playbacks {
            write!(f, "of {} ", HumanCount(self.playbacks))?;
        }
        let (sent, pace) = (HumanCount(record.sent), HumanFloatCount(pace.round()));
        writeln!(
            f,
            "playbacks, {sent} events in {seconds:.1} s ({pace} events/s)"
        )?;
        writeln!(
            f,
            "acknowledged {}, refused {}, not acknowledged {}; requests repeated {}",
            HumanCount(record.acknowledged),
            HumanCount(record.refused),
            HumanCount(record.unknown()),
            HumanCount(record.retries),
        )?;
        for (kind, problems) in &record.problems {
            let Problems {
                count,
                first,
                is_refusal,
            } = problems;
            let outcome = match is_refusal {
                true => "refused",
                false => "not acknowledged",
            };
            writeln!(
                f,
                "  {outcome} {}: {kind}; first: {first}",
                HumanCount(*count)
            )?;
        }
        self.write_latency(f)?;
        if self.was_interrupted {
            writeln!(f, "ended by a signal")?;
        }
        if let Some((facts, id)) = &record.example {
            writeln!(f, "for example playback {id} ({facts} events)")?;
        }
        Ok(())
    }
}

impl Summary {
    fn write_latency(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let latency = &self.record.latency;
        if latency.is_empty() {
            return Ok(());
        }
        let ms = |us: u64| us as f64 / 1_000.0;
        let quantile = |q| ms(latency.value_at_quantile(q));
        write!(
            f,
            "latency p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            quantile(0.5),
            quantile(0.95),
            quantile(0.99),
            ms(latency.max()),
        )?;
        match self.rate {
            Some(rate) => {
                let late = ms(self.record.late.max());
                let rate = HumanFloatCount(rate);
                writeln!(
                    f,
                    " from when due at {rate} events/s; sent up to {late:.1} ms late"
                )
            }
            None => writeln!(f, " from when sent"),
        }
    }
}
