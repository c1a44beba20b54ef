//! The offset tracker by example; `simulation.rs` runs it under random schedules.

use super::*;

/// Registers a batch that ends at these offsets.
fn register(tracker: &mut OffsetTracker, ends: &[(u16, u64)]) -> BatchId {
    let span = |next_offset| Span {
        next_offset,
        last_ingest: None,
    };
    let spans = ends.iter().map(|(p, end)| (*p, span(*end))).collect();
    tracker.register(&spans, Instant::now())
}

fn store_and_record(tracker: &mut OffsetTracker, batch: BatchId) {
    let advanced = tracker.mark_stored(batch);
    tracker.mark_recorded(&advanced);
}

#[test]
fn a_later_batch_waits_for_an_earlier_one() {
    let mut tracker = OffsetTracker::default();
    tracker.assign(0, None);
    let first = register(&mut tracker, &[(0, 10)]);
    let second = register(&mut tracker, &[(0, 20)]);
    store_and_record(&mut tracker, second);
    assert!(tracker.take_committable().is_empty());
    assert!(tracker.has_unrecorded(&[0]));
    store_and_record(&mut tracker, first);
    assert_eq!(tracker.take_committable(), [(0, 20)].into());
    assert!(tracker.take_committable().is_empty(), "each offset once");
    assert!(!tracker.has_unrecorded(&[0]));
}

#[test]
fn partitions_do_not_wait_for_each_other() {
    let mut tracker = OffsetTracker::default();
    tracker.assign(0, None);
    tracker.assign(1, Some(5));
    register(&mut tracker, &[(0, 10)]);
    let second = register(&mut tracker, &[(1, 20)]);
    store_and_record(&mut tracker, second);
    assert_eq!(tracker.take_committable(), [(1, 20)].into());
    assert_eq!(tracker.stored(), [(0, None), (1, Some(20))].into());
}

#[test]
fn an_offset_that_is_stored_and_not_recorded_is_not_committed() {
    let mut tracker = OffsetTracker::default();
    tracker.assign(0, None);
    let batch = register(&mut tracker, &[(0, 10)]);
    let advanced = tracker.mark_stored(batch);
    assert!(tracker.take_committable().is_empty());
    assert!(tracker.has_unrecorded(&[0]));
    tracker.mark_recorded(&advanced);
    assert_eq!(tracker.take_committable(), [(0, 10)].into());
}

#[test]
fn nothing_of_a_revoked_partition_is_committed() {
    let mut tracker = OffsetTracker::default();
    tracker.assign(0, None);
    let before = register(&mut tracker, &[(0, 10)]);
    let advanced = tracker.mark_stored(before);
    let in_flight = register(&mut tracker, &[(0, 20)]);
    tracker.revoke(0);
    store_and_record(&mut tracker, in_flight);
    assert!(tracker.take_committable().is_empty());
    // It is assigned again at a higher offset; reports about the earlier assignment do not count.
    tracker.assign(0, Some(50));
    tracker.mark_recorded(&advanced);
    store_and_record(&mut tracker, in_flight);
    assert!(tracker.take_committable().is_empty());
    let now = register(&mut tracker, &[(0, 60)]);
    store_and_record(&mut tracker, now);
    assert_eq!(tracker.take_committable(), [(0, 60)].into());
}

#[test]
fn a_failed_commit_is_retried() {
    let mut tracker = OffsetTracker::default();
    tracker.assign(0, None);
    let batch = register(&mut tracker, &[(0, 10)]);
    store_and_record(&mut tracker, batch);
    tracker.take_committable();
    tracker.commit_failed(0);
    assert_eq!(tracker.take_committable(), [(0, 10)].into());
}

#[test]
fn a_watermark_has_the_latest_ingest_time_of_all_its_batches() {
    let mut tracker = OffsetTracker::default();
    tracker.assign(0, None);
    let at = |ms| Timestamp::from_millis(ms).ok();
    let mut batch = |last_ingest| {
        let span = Span {
            next_offset: 1,
            last_ingest,
        };
        tracker.register(&[(0, span)].into(), Instant::now())
    };
    let (first, second) = (batch(at(9)), batch(at(7)));
    tracker.mark_stored(second);
    assert_eq!(tracker.mark_stored(first)[0].last_ingest, at(9));
}
