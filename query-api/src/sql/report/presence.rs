//! When playbacks were there: one row for each time bucket of a report that a playback lasted into, cut to the bucket and the period.
//! Counting how many are there at once needs all of them, whenever they began.

use super::{Scope, bucket_of};
use crate::question::TimeBucket;

/// What metrics and dimensions other than time are made of.
const COLUMNS: &str = "user_id, user_key, track_id, country, device, platform, app_version, plan, context, end_reason, test_id, state, \
    completed, played_ms, stalled_ms, startup_ms";

/// The rows as a source of a SELECT: the columns, `bucket`, `begins`, and the ms from `present_from` up to `present_to`, not included.
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
    let source = scope.present();
    let Some(bucket) = bucket else {
        return format!(
            "(\n    SELECT {COLUMNS}, {begins} AS begins, {begin} AS present_from, {end} AS present_to\n    FROM {source})\n"
        );
    };
    let (unit, step_ms) = unit(bucket);
    let of_first = bucket_of(bucket, "first_event_at");
    let each = bucket_of(
        bucket,
        "fromUnixTimestamp64Milli(least(lasts_from + n * {step}, lasts_to - 1), 'UTC')",
    )
    .replace("{step}", &step_ms.to_string());
    format!(
        "(
    SELECT {COLUMNS}, bucket, {begins} AND bucket = {of_first} AS begins,
        greatest(lasts_from, toInt64(toUnixTimestamp(bucket)) * 1000) AS present_from,
        least(lasts_to, toInt64(toUnixTimestamp(add{unit}s(bucket, 1))) * 1000) AS present_to
    FROM (SELECT {COLUMNS}, first_event_at, {begin} AS lasts_from, {end} AS lasts_to FROM {source})
    ARRAY JOIN arrayDistinct(arrayMap(n -> {each}, range(toUInt64(intDiv(lasts_to - lasts_from, {step_ms}) + 2)))) AS bucket
)
"
    )
}

/// The unit of a bucket, and a time in ms that no bucket is shorter than.
fn unit(bucket: TimeBucket) -> (&'static str, i64) {
    const HOUR: i64 = 3_600_000;
    match bucket {
        TimeBucket::Minute => ("Minute", 60_000),
        TimeBucket::Hour => ("Hour", HOUR),
        TimeBucket::Day => ("Day", 22 * HOUR),
        TimeBucket::Week => ("Week", 6 * 24 * HOUR),
        TimeBucket::Month => ("Month", 27 * 24 * HOUR),
    }
}
