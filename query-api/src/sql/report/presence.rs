//! Presences: one row for each playback and time bucket that it lasts into, cut to the bucket and the period. They count playbacks at
//! once, which needs all playbacks that last into the period, whenever they began.

use super::{Scope, start_of};
use crate::question::{Attribute, Metric, TimeBucket};

/// The columns that metrics and attributes read.
fn columns() -> String {
    let of_attributes = Attribute::dimensions().map(Attribute::column);
    let of_metrics = Metric::ALL
        .iter()
        .flat_map(|metric| metric.declaration().columns.iter().copied());
    let mut columns: Vec<&str> = Vec::new();
    for column in of_attributes.chain(of_metrics) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns.join(", ")
}

/// The rows as a source of a SELECT: the columns, `bucket`, whether the playback `begins` in it, and the presence in ms from
/// `present_from` up to `present_to`, exclusive.
pub(super) fn rows(scope: &mut Scope, bucket: Option<TimeBucket>) -> String {
    let from = scope.period.from.map(|_| "{from:Int64}");
    let to = scope.period.to.map(|_| "{to:Int64}");
    let (first, last) = (
        "toUnixTimestamp64Milli(first_event_at)",
        "toUnixTimestamp64Milli(last_event_at)",
    );
    let begin = from.map_or(first.to_owned(), |from| {
        format!("greatest({first}, {from})")
    });
    let end = to.map_or(format!("{last} + 1"), |to| {
        format!("least({last} + 1, {to})")
    });
    let begins = from.map_or("1".to_owned(), |from| format!("{first} >= {from}"));
    let (columns, source) = (columns(), scope.present());
    let Some(bucket) = bucket else {
        return format!(
            "(\n    SELECT {columns}, {begins} AS begins, {begin} AS present_from, {end} AS present_to\n    FROM {source})\n"
        );
    };
    let (add, step_ms) = (bucket.declaration().add, bucket.declaration().min_ms);
    let of_first = start_of(bucket, "first_event_at");
    let each = start_of(
        bucket,
        &format!(
            "fromUnixTimestamp64Milli(least(lasts_from + n * {step_ms}, lasts_to - 1), 'UTC')"
        ),
    );
    format!(
        "(
    SELECT {columns}, bucket, {begins} AND bucket = {of_first} AS begins,
        greatest(lasts_from, toInt64(toUnixTimestamp(bucket)) * 1000) AS present_from,
        least(lasts_to, toInt64(toUnixTimestamp({add}(bucket, 1))) * 1000) AS present_to
    FROM (SELECT {columns}, first_event_at, {begin} AS lasts_from, {end} AS lasts_to FROM {source})
    ARRAY JOIN arrayDistinct(arrayMap(n -> {each}, range(toUInt64(intDiv(lasts_to - lasts_from, {step_ms}) + 2)))) AS bucket
)
"
    )
}
