//! The end of a run, told in a few lines: what was sent, what became of it, how long it took. Never hides what is missing.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use indicatif::{HumanCount, HumanFloatCount};

use crate::tally::{Counts, Refusals};

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) counts: Counts,
    /// Playbacks asked for.
    pub(crate) playbacks: u64,
    pub(crate) took: Duration,
    /// Facts a second asked for, if any.
    pub(crate) rate: Option<f64>,
    /// Whether a signal ended it.
    pub(crate) was_interrupted: bool,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Every fact was acknowledged.
    Complete,
    /// Every fact that left was acknowledged, but a signal came before all had left.
    Interrupted,
    /// A fact was refused or not acknowledged.
    Failed,
}

impl Summary {
    pub(crate) fn ending(&self) -> Ending {
        let counts = &self.counts;
        if counts.refused() > 0 || counts.unacknowledged() > 0 {
            Ending::Failed
        } else if counts.playbacks == self.playbacks {
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
        let counts = &self.counts;
        let seconds = self.took.as_secs_f64();
        let pace = counts.acknowledged as f64 / seconds.max(0.001);
        write!(f, "{} ", HumanCount(counts.playbacks))?;
        if counts.playbacks < self.playbacks {
            write!(f, "of {} ", HumanCount(self.playbacks))?;
        }
        let (sent, pace) = (HumanCount(counts.sent), HumanFloatCount(pace.round()));
        writeln!(
            f,
            "playbacks, {sent} events in {seconds:.1} s ({pace} events/s)"
        )?;
        writeln!(
            f,
            "acknowledged {}, refused {}, not acknowledged {}; requests repeated {}",
            HumanCount(counts.acknowledged),
            HumanCount(counts.refused()),
            HumanCount(counts.unacknowledged()),
            HumanCount(counts.repeats),
        )?;
        write_reasons(f, "refused", &counts.refused)?;
        write_reasons(f, "not acknowledged", &counts.unknown)?;
        self.write_latency(f)?;
        if self.was_interrupted {
            writeln!(f, "ended by a signal")?;
        }
        if let Some((facts, id)) = &counts.example {
            writeln!(f, "for example playback {id} ({facts} events)")?;
        }
        Ok(())
    }
}

impl Summary {
    fn write_latency(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let latency = &self.counts.latency_us;
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
                let behind = ms(u64::try_from(self.counts.most_behind.as_micros()).unwrap_or(0));
                let rate = HumanFloatCount(rate);
                writeln!(
                    f,
                    " from when due at {rate} events/s; left up to {behind:.1} ms late"
                )
            }
            None => writeln!(f, " from when sent"),
        }
    }
}

fn write_reasons(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    reasons: &BTreeMap<String, Refusals>,
) -> fmt::Result {
    for (kind, Refusals { count, first }) in reasons {
        writeln!(f, "  {what} {}: {kind}; first: {first}", HumanCount(*count))?;
    }
    Ok(())
}
