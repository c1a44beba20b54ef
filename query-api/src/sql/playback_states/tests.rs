//! States merge in any order, and their texts are read.

use super::*;

fn order_key(at: i64, rest: &str) -> Vec<u8> {
    let time = (at.cast_unsigned() ^ (1 << 63)).to_be_bytes();
    [&time[..], rest.as_bytes()].concat()
}

fn stored(at: i64, measures: &[(u64, u64)]) -> PlaybackStates {
    PlaybackStates {
        playback_id: "p1".to_owned(),
        origin: ByteBuf::from(order_key(at, "e1\0src\0ann\0song")),
        test_id: ByteBuf::new(),
        state: ByteBuf::from(order_key(at, "\0\0\0\0\0\0\0\0e1\0src\0playing")),
        marks: Vec::new(),
        started_at: (at == 5).then_some(at),
        first_event_at: at,
        last_event_at: at,
        measures: measures.to_vec(),
        stretches: Stretches::default(),
        max_position_ms: None,
        track_duration_ms: None,
        max_seq: None,
        seqs: Numbers::default(),
        last_ingested: (-at, 1, at + 10),
    }
}

#[test]
fn rows_of_a_playback_merge_to_the_same_in_any_order_and_repetition() {
    let (one, two) = ([(8, 3), (16, 7)], [(8, 5), (24 + PAUSE, 0)]);
    for rotated in 0..3 {
        let mut rows = [stored(5, &one), stored(6, &two), stored(5, &one)];
        rows.rotate_left(rotated);
        let mut merged = PlaybackStates::merged(rows.into()).map(PlaybackRow::from);
        let row = merged.next().unwrap();
        assert!(merged.next().is_none());
        assert_eq!(
            (row.played_ms, row.pause_count, row.event_count),
            (12, 1, 3)
        );
        assert_eq!(
            (row.started_at, row.first_event_at, row.last_event_at),
            (Some(5), 5, 6)
        );
        assert_eq!(
            (row.user_id.as_str(), row.state.as_str()),
            ("ann", "playing")
        );
        assert_eq!((row.test_id.as_str(), row.ingest_to_store_ms), ("", 10));
    }
}

#[test]
fn the_value_after_an_order_key_is_read_for_any_time() {
    for at in [0, 1, -1, 1_795_427_200_000, i64::MAX, i64::MIN] {
        let named = order_key(at, "e1\0src\0ann\0song");
        assert_eq!(origin(&named), Some((at, "e1", "src", "ann", "song")));
        assert_eq!(value(&order_key(at, "e1\0src\0run-1")), "run-1");
    }
    assert_eq!((origin(b""), value(b"")), (None, String::new()));
}
