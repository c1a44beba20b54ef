//! The SQL of each metric. What they mean is told in `report/metric.rs`.

use crate::question::Metric;

/// The empty text's key: of a playback whose user nobody told.
const NOBODY: &str = "cityHash64('')";

/// A metric as an aggregate over rows of `playbacks`. With `present`, rows are also those that only last into the period or bucket:
/// `begins` says which began in it, and only these are counted by all metrics but one.
pub(super) fn expression(metric: Metric, approx: bool, present: bool) -> String {
    let of = |condition: &str| match (present, condition) {
        (true, "1") => "begins".to_owned(),
        (true, condition) => format!("begins AND {condition}"),
        (false, condition) => condition.to_owned(),
    };
    let count = |condition: &str| format!("countIf({})", of(condition));
    let sum = |column: &str| format!("sumIf({column}, {})", of("1"));
    let share = |part: &str, whole: &str| format!("{part} / nullIf({whole}, 0)");
    let quantile = |level: &str, value: &str, condition: &str| {
        let estimate = if approx {
            "quantileTDigest"
        } else {
            "quantileExactInclusive"
        };
        let quantile = format!("{estimate}If({level})({value}, {})", of(condition));
        // Of nothing it is not a number.
        format!("if(isNaN({quantile}), NULL, {quantile})")
    };
    let plays = count("played_ms > 0");
    match metric {
        Metric::Attempts => count("1"),
        Metric::Plays => plays,
        Metric::Streams => count("played_ms >= {threshold:UInt64}"),
        Metric::PlayedMs => sum("played_ms"),
        Metric::StalledMs => sum("stalled_ms"),
        Metric::UniqueListeners => {
            let distinct = if approx {
                "uniqCombined64If"
            } else {
                "uniqExactIf"
            };
            let of = of(&format!("played_ms > 0 AND user_key != {NOBODY}"));
            format!("{distinct}(user_key, {of})")
        }
        Metric::AvgPlayedMs => share(&sum("played_ms"), &plays),
        Metric::MedianPlayedMs => quantile("0.5", "played_ms", "played_ms > 0"),
        Metric::CompletionRate => share(&count("played_ms > 0 AND completed"), &plays),
        Metric::SkipRate => share(
            &count("end_reason = 'skipped' AND played_ms < {threshold:UInt64}"),
            &count("1"),
        ),
        Metric::FailureRate => share(&count("state = 'failed'"), &count("1")),
        Metric::RebufferRatio => share(
            &sum("stalled_ms"),
            &format!("({} + {})", sum("played_ms"), sum("stalled_ms")),
        ),
        Metric::StartupMsP50 => {
            quantile("0.5", "assumeNotNull(startup_ms)", "isNotNull(startup_ms)")
        }
        Metric::StartupMsP95 => {
            quantile("0.95", "assumeNotNull(startup_ms)", "isNotNull(startup_ms)")
        }
        Metric::PeakConcurrent => "maxIntersections(present_from, present_to)".to_owned(),
    }
}
