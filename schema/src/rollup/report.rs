//! A report: metrics grouped by dimensions.

use std::collections::{BTreeMap, BTreeSet};

use super::{ActiveSpan, Calendar, Dimension, Metrics, Period, TimeUnit};
use crate::playback::Playback;
use crate::time::Timestamp;

/// One row of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportRow {
    /// The value of each dimension of the report, in order.
    pub values: Vec<Option<String>>,
    /// The metrics of the playbacks with these values.
    pub metrics: Metrics,
}

/// The playbacks of a row.
#[derive(Debug, Default)]
struct Group<'p> {
    started: Vec<&'p Playback>,
    active: Vec<ActiveSpan>,
}

/// The rows of a report, in ascending order of their values: one for every combination of values among the playbacks that are active
/// in the period, and exactly one without dimensions. `playbacks` are those that meet the filters, regardless of when they began. A
/// playback counts in the time bucket of its first event, if that lies in the period. Only `peak_concurrent` also counts playbacks
/// that began earlier and are still active, so a row can have a peak without attempts.
pub fn report(
    playbacks: &[&Playback],
    dimensions: &[Dimension],
    period: &Period,
    calendar: &impl Calendar,
) -> Vec<ReportRow> {
    let units: BTreeSet<TimeUnit> = dimensions.iter().filter_map(|d| d.time_unit()).collect();
    let values = |playback, at| -> Vec<Option<String>> {
        let each = dimensions.iter();
        each.map(|dimension| dimension.value_of(playback, at, calendar))
            .collect()
    };
    let mut groups: BTreeMap<Vec<Option<String>>, Group<'_>> = BTreeMap::new();
    if dimensions.is_empty() {
        groups.insert(Vec::new(), Group::default());
    }
    for playback in playbacks {
        let span = ActiveSpan::of(playback);
        if period.contains_playback(playback) {
            let group = groups.entry(values(playback, span.first));
            group.or_default().started.push(playback);
        }
        for piece in pieces(span, &units, period, calendar) {
            let group = groups.entry(values(playback, piece.first));
            group.or_default().active.push(piece);
        }
    }
    let rows = groups.into_iter().map(|(values, group)| ReportRow {
        values,
        metrics: Metrics::of(&group.started, group.active),
    });
    rows.collect()
}

/// The part of a span that lies in the period, cut where a time bucket of one of these units begins.
fn pieces(
    span: ActiveSpan,
    units: &BTreeSet<TimeUnit>,
    period: &Period,
    calendar: &impl Calendar,
) -> Vec<ActiveSpan> {
    let mut first = span.first.max(period.from.unwrap_or(Timestamp::EPOCH));
    let last = period
        .to
        .map_or(span.last, |to| span.last.min(to.plus_millis(-1)));
    let mut pieces = Vec::new();
    while first <= last {
        let ends = units.iter().map(|unit| calendar.bucket(*unit, first).end);
        let next = ends.min().unwrap_or(last.plus_millis(1));
        pieces.push(ActiveSpan {
            first,
            last: last.min(next.plus_millis(-1)),
        });
        first = next;
    }
    pieces
}
