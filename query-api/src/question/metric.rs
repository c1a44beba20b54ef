//! The metrics of a report, each one declaration. Parser, SQL, JSON, OpenAPI document, examples and messages follow from it. The SQL
//! here is data, so that everything about a metric stands in one place; `sql` makes statements of it.

use super::{
    aggregate::{Aggregate, EVERY_ROW},
    declare::declare,
};

const IS_PLAY: &str = "played_ms > 0";
/// The user key is the hash of the empty text where no event names the user.
const IS_PLAY_OF_KNOWN_USER: &str = "played_ms > 0 AND user_key != cityHash64('')";

const ATTEMPTS: Aggregate = Aggregate::Count(EVERY_ROW);
const PLAYS: Aggregate = Aggregate::Count(IS_PLAY);
const PLAYED_MS: Aggregate = Aggregate::Sum("played_ms");
const STALLED_MS: Aggregate = Aggregate::Sum("stalled_ms");
const UNIQUE_LISTENERS: Aggregate = Aggregate::Distinct {
    of: "user_key",
    among: IS_PLAY_OF_KNOWN_USER,
};

/// The declaration of a metric.
#[derive(Debug)]
pub(crate) struct MetricDeclaration {
    /// Its name in questions and answers.
    pub(crate) name: &'static str,
    /// What it measures, for the OpenAPI document.
    pub(crate) description: &'static str,
    /// The columns of `playbacks` that its SQL reads.
    pub(crate) columns: &'static [&'static str],
    /// Its SQL.
    pub(crate) aggregate: Aggregate,
    /// An example for many playbacks, such as those of a track.
    pub(crate) example: f64,
    /// An example for the playbacks of one listener.
    pub(crate) listener_example: f64,
}

declare! {
    /// A metric of a report.
    Metric: MetricDeclaration;

    /// All playbacks, even those that were never listened to.
    Attempts {
        name: "attempts",
        columns: &[],
        aggregate: ATTEMPTS,
        example: 1_310.0,
        listener_example: 44.0,
    }
    /// Playbacks with listening time.
    Plays {
        name: "plays",
        columns: &["played_ms"],
        aggregate: PLAYS,
        example: 1_204.0,
        listener_example: 41.0,
    }
    /// Playbacks with enough listening time to count as a stream.
    Streams {
        name: "streams",
        columns: &["played_ms"],
        aggregate: Aggregate::Count("played_ms >= {threshold:UInt64}"),
        example: 1_002.0,
        listener_example: 35.0,
    }
    /// The sum of listening time.
    PlayedMs {
        name: "played_ms",
        columns: &["played_ms"],
        aggregate: PLAYED_MS,
        example: 118_246_646.0,
        listener_example: 5_204_117.0,
    }
    /// Distinct users of the plays; estimated with `approx=true`.
    UniqueListeners {
        name: "unique_listeners",
        columns: &["played_ms", "user_key"],
        aggregate: UNIQUE_LISTENERS,
        example: 871.0,
        listener_example: 1.0,
    }
    /// plays ÷ unique_listeners: how often a listener started a playback and listened, on average; null without listeners. Estimated
    /// with `approx=true`.
    StartsPerListener {
        name: "starts_per_listener",
        columns: &["played_ms", "user_key"],
        aggregate: Aggregate::Ratio(&PLAYS, &UNIQUE_LISTENERS),
        example: 1.38,
        listener_example: 41.0,
    }
    /// The average listening time of a play; null without plays.
    AvgPlayedMs {
        name: "avg_played_ms",
        columns: &["played_ms"],
        aggregate: Aggregate::Ratio(&PLAYED_MS, &PLAYS),
        example: 98_211.5,
        listener_example: 126_929.7,
    }
    /// The median listening time of the plays, interpolated between the middle two of an even number; null without plays. Estimated
    /// with `approx=true`.
    MedianPlayedMs {
        name: "median_played_ms",
        columns: &["played_ms"],
        aggregate: Aggregate::Quantile { level: "0.5", of: "played_ms", among: IS_PLAY },
        example: 112_040.0,
        listener_example: 131_400.0,
    }
    /// The share of plays that were completed: that ended as completed, or reached 95 percent of the track; null without plays.
    CompletionRate {
        name: "completion_rate",
        columns: &["played_ms", "completed"],
        aggregate: Aggregate::Ratio(&Aggregate::Count("played_ms > 0 AND completed"), &PLAYS),
        example: 0.61,
        listener_example: 0.71,
    }
    /// The share of attempts that were skipped before they counted as a stream; null without attempts.
    SkipRate {
        name: "skip_rate",
        columns: &["end_reason", "played_ms"],
        aggregate: Aggregate::Ratio(
            &Aggregate::Count("end_reason = 'skipped' AND played_ms < {threshold:UInt64}"),
            &ATTEMPTS,
        ),
        example: 0.12,
        listener_example: 0.09,
    }
    /// The share of attempts that ended with a fatal failure; null without attempts.
    FailureRate {
        name: "failure_rate",
        columns: &["state"],
        aggregate: Aggregate::Ratio(&Aggregate::Count("state = 'failed'"), &ATTEMPTS),
        example: 0.004,
        listener_example: 0.0,
    }
    /// stalled_ms ÷ (played_ms + stalled_ms), of the sums; null when both are 0.
    RebufferRatio {
        name: "rebuffer_ratio",
        columns: &["played_ms", "stalled_ms"],
        aggregate: Aggregate::Ratio(&STALLED_MS, &Aggregate::Total(&PLAYED_MS, &STALLED_MS)),
        example: 0.002,
        listener_example: 0.001,
    }
    /// The sum of rebuffering time.
    StalledMs {
        name: "stalled_ms",
        columns: &["stalled_ms"],
        aggregate: STALLED_MS,
        example: 236_967.0,
        listener_example: 5_209.0,
    }
    /// The median of the known startup_ms; null when none is known. Estimated with `approx=true`.
    StartupMsP50 {
        name: "startup_ms_p50",
        columns: &["startup_ms"],
        aggregate: Aggregate::Quantile {
            level: "0.5",
            of: "assumeNotNull(startup_ms)",
            among: "isNotNull(startup_ms)",
        },
        example: 402.0,
        listener_example: 390.0,
    }
    /// The 95th percentile of the known startup_ms; null when none is known. Estimated with `approx=true`.
    StartupMsP95 {
        name: "startup_ms_p95",
        columns: &["startup_ms"],
        aggregate: Aggregate::Quantile {
            level: "0.95",
            of: "assumeNotNull(startup_ms)",
            among: "isNotNull(startup_ms)",
        },
        example: 1_204.5,
        listener_example: 917.2,
    }
    /// The maximum number of playbacks at one instant of the period or time bucket. A playback lasts from its first event to its
    /// last, and counts even if it began before the period.
    PeakConcurrent {
        name: "peak_concurrent",
        columns: &[],
        aggregate: Aggregate::PeakConcurrent,
        example: 17.0,
        listener_example: 1.0,
    }
}

impl Metric {
    /// The metric of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_metric_says_when_it_is_estimated() {
        for metric in Metric::ALL {
            let MetricDeclaration {
                description,
                aggregate,
                ..
            } = metric.declaration();
            assert_eq!(
                description.contains("stimated with `approx=true`"),
                aggregate.is_estimable(),
                "{metric:?}"
            );
        }
    }

    #[test]
    fn a_metric_declares_the_columns_of_its_sql() {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        for metric in Metric::ALL {
            let MetricDeclaration {
                columns, aggregate, ..
            } = metric.declaration();
            let texts = aggregate.texts().join(" ");
            // The columns of `playbacks` that metrics read have an underscore or are one of these words.
            let is_column = |name: &&str| {
                name.contains('_') && name.chars().all(|c| c != '\'')
                    || matches!(*name, "completed" | "state")
            };
            let read: BTreeSet<_> = texts.split(|c| !word(c)).filter(is_column).collect();
            assert_eq!(read, columns.iter().copied().collect(), "{metric:?}");
        }
    }

    #[test]
    fn names_are_distinct() {
        let names: BTreeSet<_> = Metric::ALL.iter().map(|metric| metric.name()).collect();
        assert_eq!(names.len(), Metric::ALL.len());
        assert_eq!(Metric::from_name("plays"), Some(Metric::Plays));
        assert_eq!(Metric::from_name("likes"), None);
    }
}
