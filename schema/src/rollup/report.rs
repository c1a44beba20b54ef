//! Metrics by dimensions.

use std::collections::{BTreeMap, BTreeSet};

use super::presence::{Presence, peak_concurrent};
use super::{Calendar, Dimension, Metrics, Period, TimeUnit};
use crate::playback::Playback;
use crate::time::Timestamp;

/// One row of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The value of each dimension asked for, in that order.
    pub values: Vec<Option<String>>,
    /// The metrics of the playbacks that have these values.
    pub metrics: Metrics,
}

/// The rows of a report, by their values: one for every combination of values that a playback of the period has, and a single one
/// without dimensions, even when there is no playback. `playbacks` are those that meet the filters, whenever they began.
///
/// By time buckets, `peak_concurrent` is of those present in the bucket, whenever they began before the period ends, at an instant
/// that does not lie before the period begins.
pub fn report(
    playbacks: &[&Playback],
    dimensions: &[Dimension],
    period: &Period,
    calendar: &impl Calendar,
) -> Vec<Row> {
    let mut groups: BTreeMap<Vec<Option<String>>, Vec<&Playback>> = BTreeMap::new();
    if dimensions.is_empty() {
        groups.insert(Vec::new(), Vec::new());
    }
    for playback in playbacks.iter().filter(|p| period.has(p)) {
        let values = values(playback, dimensions, calendar);
        groups.entry(values).or_default().push(playback);
    }
    let peaks = peaks(playbacks, dimensions, period, calendar);
    let rows = groups.into_iter().map(|(values, playbacks)| {
        let mut metrics = Metrics::of(&playbacks);
        if let Some(peaks) = &peaks {
            metrics.peak_concurrent = peaks.get(&values).copied().unwrap_or_default();
        }
        Row { values, metrics }
    });
    rows.collect()
}

fn values(
    playback: &Playback,
    dimensions: &[Dimension],
    calendar: &impl Calendar,
) -> Vec<Option<String>> {
    let each = dimensions.iter();
    each.map(|dimension| dimension.of(playback, calendar))
        .collect()
}

/// The most playbacks at once in every time bucket, by the values of the row; none when time is no dimension.
fn peaks(
    playbacks: &[&Playback],
    dimensions: &[Dimension],
    period: &Period,
    calendar: &impl Calendar,
) -> Option<BTreeMap<Vec<Option<String>>, u64>> {
    let units: BTreeSet<TimeUnit> = dimensions.iter().filter_map(|d| d.unit()).collect();
    if units.is_empty() {
        return None;
    }
    let mut presences: BTreeMap<Vec<Option<String>>, Vec<Presence>> = BTreeMap::new();
    let begun = |p: &&&Playback| period.to.is_none_or(|to| p.aggregate.first_event_at < to);
    for playback in playbacks.iter().filter(begun) {
        for (starts, presence) in cut(Presence::of(playback), &units, period.from, calendar) {
            let mut values = values(playback, dimensions, calendar);
            for (value, dimension) in values.iter_mut().zip(dimensions) {
                if let Some(unit) = dimension.unit() {
                    *value = Some(starts[&unit].to_string());
                }
            }
            presences.entry(values).or_default().push(presence);
        }
    }
    let peaks = presences.into_iter();
    Some(
        peaks
            .map(|(values, presences)| (values, peak_concurrent(presences)))
            .collect(),
    )
}

/// A presence in pieces that lie in one bucket of each of these lengths, without what lies before `from`.
fn cut(
    presence: Presence,
    units: &BTreeSet<TimeUnit>,
    from: Option<Timestamp>,
    calendar: &impl Calendar,
) -> Vec<(BTreeMap<TimeUnit, Timestamp>, Presence)> {
    let mut pieces = Vec::new();
    let mut first = presence.first.max(from.unwrap_or(presence.first));
    while first <= presence.last {
        let buckets = || {
            units
                .iter()
                .map(|unit| (*unit, calendar.bucket(*unit, first)))
        };
        let starts = buckets().map(|(unit, bucket)| (unit, bucket.start));
        let ends = buckets().map(|(_, bucket)| bucket.end);
        let next = ends.min().unwrap_or(presence.last.plus_millis(1));
        let last = presence.last.min(next.plus_millis(-1));
        pieces.push((starts.collect(), Presence { first, last }));
        first = next;
    }
    pieces
}
