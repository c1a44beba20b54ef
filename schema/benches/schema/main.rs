//! Micro-benchmarks of the pure path of an event: item or record → event → columns, and events → playback.
//! Run `cargo bench -p ess-schema`. CI compiles them and does not run them.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by a panic")]

mod inputs;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use ess_schema::columns::EventColumns;
use ess_schema::decode::{AcceptedShapes, KafkaRecord, ReceiveContext, decode_item, decode_record};
use ess_schema::fold::PlaybackFold;
use ess_schema::playback::{Playback, Policy};
use ess_schema::{EventId, Position};

fn main() {
    divan::main();
}

/// Decodes a Kafka record of each shape.
#[divan::bench(args = inputs::records())]
fn record(bencher: Bencher<'_, '_>, input: &inputs::Record) {
    let record = KafkaRecord {
        payload: Some(input.payload.as_bytes()),
        headers: input.headers.as_slice(),
        timestamp: inputs::now(),
    };
    bencher
        .counter(BytesCount::new(input.payload.len()))
        .bench(|| decode_record(black_box(&record)).unwrap());
}

/// Decodes a command, the item of a request.
#[divan::bench(args = inputs::commands())]
fn command(bencher: Bencher<'_, '_>, input: &inputs::Command) {
    let id = EventId::new("0199f3c2-0000-7000-8000-000000000001").unwrap();
    bencher
        .counter(BytesCount::new(input.text.len()))
        .bench(|| {
            let mut context = ReceiveContext::Request {
                received_at: inputs::now(),
                generate_id: &mut || id.clone(),
            };
            decode_item(
                black_box(input.text),
                AcceptedShapes::Commands,
                &mut context,
            )
            .unwrap()
        });
}

/// Writes an event as the record that the command-api sends.
#[divan::bench]
fn to_cloudevent(bencher: Bencher<'_, '_>) {
    let event = inputs::playback(1).remove(1);
    bencher.bench(|| black_box(&event).to_cloudevent());
}

const ROWS: usize = 10_000;

/// Pushes the rows of 10,000 events.
#[divan::bench(sample_count = 20)]
fn columns_push(bencher: Bencher<'_, '_>) {
    let events = inputs::playback(ROWS);
    let mut columns = EventColumns::default();
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        columns.clear();
        for (offset, event) in (0..).zip(&events) {
            columns.push(
                black_box(event),
                Position {
                    partition: 7,
                    offset,
                },
            );
        }
        columns.bytes()
    });
}

/// Collects the Native block of 10,000 rows.
#[divan::bench(sample_count = 20)]
fn columns_native_block(bencher: Bencher<'_, '_>) {
    let mut columns = EventColumns::default();
    for (offset, event) in (0..).zip(&inputs::playback(ROWS)) {
        columns.push(
            event,
            Position {
                partition: 7,
                offset,
            },
        );
    }
    let mut block = Vec::with_capacity(columns.bytes() * 2);
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        block.clear();
        for chunk in columns.native_block(0..ROWS) {
            block.extend_from_slice(&chunk);
        }
        block.len()
    });
}

/// Folds the events of one playback and derives its values.
#[divan::bench(args = [25, 400])]
fn fold_playback(bencher: Bencher<'_, '_>, events: usize) {
    let events = inputs::playback(events);
    let id = events[0].playback_id.clone().unwrap();
    bencher.counter(ItemsCount::new(events.len())).bench(|| {
        let mut fold = PlaybackFold::default();
        for event in black_box(&events) {
            fold.apply(event);
        }
        let aggregate = fold.aggregate(&id).unwrap();
        Playback::new(aggregate, Policy::default(), inputs::now())
    });
}
