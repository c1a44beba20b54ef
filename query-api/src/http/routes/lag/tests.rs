//! The window and the rows of a lag question, without a read model.

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn question(from: Option<&str>, to: Option<&str>, bucket: Option<LagBucket>) -> LagQuestion {
    LagQuestion {
        test_id: None,
        from: from.map(at),
        to: to.map(at),
        by: None,
        bucket,
    }
}

const NOON: &str = "2026-11-23T12:00:00Z";

#[test]
fn by_default_the_window_is_the_last_quarter_of_an_hour() {
    for (from, to, expected) in [
        (None, None, ("2026-11-23T11:45:00Z", NOON)),
        (
            Some("2026-11-23T09:00:00Z"),
            None,
            ("2026-11-23T09:00:00Z", NOON),
        ),
        (
            None,
            Some("2026-11-23T10:00:00Z"),
            ("2026-11-23T09:45:00Z", "2026-11-23T10:00:00Z"),
        ),
    ] {
        let window = question(from, to, None).window(at(NOON));
        assert_eq!((window.from, window.to), (at(expected.0), at(expected.1)));
    }
}

#[test]
fn a_window_that_ends_before_it_begins_is_an_error_of_one_parameter() {
    let error = |from, to| question(from, to, None).check(at(NOON)).unwrap_err();
    let (early, late) = (Some("2026-11-23T10:00:00Z"), Some("2026-11-23T13:00:00Z"));
    assert_eq!(error(late, early).pointer, "?to");
    assert_eq!(error(late, None).pointer, "?from");
    assert_eq!(question(early, None, None).check(at(NOON)), Ok(()));
}

#[test]
fn too_many_buckets_are_refused() {
    let day =
        |bucket| question(Some("2026-11-22T12:00:00Z"), Some(NOON), Some(bucket)).check(at(NOON));
    assert_eq!(day(LagBucket::Second).unwrap_err().pointer, "?bucket");
    assert_eq!(day(LagBucket::Minute), Ok(()));
}

#[test]
fn a_bucket_ends_with_the_window() {
    let hourly = question(
        Some("2026-11-23T10:30:00Z"),
        Some("2026-11-23T11:30:00Z"),
        Some(LagBucket::Hour),
    );
    let rows = ["2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z"].map(|bucket| LagRow {
        bucket: at(bucket).as_millis(),
        run: String::new(),
        events: 2,
        quantiles: vec![1.5, 2.0, 2.0],
        longest: 2,
    });
    let lags = hourly.lags(hourly.window(at(NOON)), rows.to_vec()).unwrap();
    let spans: Vec<_> = lags.iter().map(|lag| (lag.from, lag.to)).collect();
    let hour = at("2026-11-23T11:00:00Z");
    assert_eq!(
        spans,
        [
            (at("2026-11-23T10:30:00Z"), hour),
            (hour, at("2026-11-23T11:30:00Z"))
        ]
    );
}

#[test]
fn without_events_the_total_is_zero_and_buckets_are_absent() {
    let total = question(None, None, None);
    let window = total.window(at(NOON));
    let lags = total.lags(window, Vec::new()).unwrap();
    assert_eq!((lags.len(), lags[0].count, lags[0].p50_ms), (1, 0, None));
    let buckets = question(None, None, Some(LagBucket::Minute));
    assert!(buckets.lags(window, Vec::new()).unwrap().is_empty());
}
