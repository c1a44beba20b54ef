//! A fact that was written and read back is the same fact, in every format.

use ess_load::facts::{to_cloudevent, to_command, to_untyped};
use ess_load::simulate::{Simulator, SimulatorConfig};
use ess_schema::decode::{AcceptedShapes, ReceiveContext, Shape, decode_item};
use ess_schema::event::{Content, CustomEvent};
use ess_schema::{Event, EventData, EventType, Source, TestId, Timestamp};

fn start() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-23T10:00:00Z").unwrap()
}

fn simulated() -> Vec<Event> {
    let test_id = Some(TestId::new("run-1").unwrap());
    let config = SimulatorConfig {
        test_id,
        ..SimulatorConfig::new(5, 300, start())
    };
    let playbacks = Simulator::new(config);
    playbacks.flat_map(|playback| playback.facts).collect()
}

fn read(body: &str, accept: AcceptedShapes, shape: Shape, received_at: Timestamp) -> Event {
    let mut generate_id = || panic!("{body} has no id");
    let mut context = ReceiveContext::Request {
        received_at,
        generate_id: &mut generate_id,
    };
    let item = decode_item(body, accept, &mut context);
    let item = item.unwrap_or_else(|violations| panic!("{body}: {violations:?}"));
    assert_eq!(item.shape, shape);
    item.event
}

fn received(event: &Event) -> (Timestamp, Event) {
    let received_at = start().plus_millis(3_600_000);
    let ingest_time = received_at;
    (
        received_at,
        Event {
            ingest_time,
            ..event.clone()
        },
    )
}

fn custom(source: &str, content: Content) -> Event {
    let simulated = simulated().swap_remove(0);
    let data = EventData::Custom(CustomEvent {
        name: EventType::new("com.example.ad-shown").unwrap(),
        user_id: None,
        track_id: None,
    });
    Event {
        source: Source::new(source).unwrap(),
        playback_id: None,
        data,
        content,
        ..simulated
    }
}

/// Facts that the simulator does not make.
fn others() -> Vec<Event> {
    let text = Content {
        datacontenttype: Some("text/plain".into()),
        json: Some(r#""quoted \"text\"""#.into()),
        base64: None,
    };
    let binary = Content {
        datacontenttype: Some("image/png".into()),
        json: None,
        base64: Some("iVBORw0KGgo=".into()),
    };
    vec![
        custom("https://ads.example/\"serving\"", text),
        custom("ads", binary),
        custom("ads", Content::default()),
        custom("ads", Content::json("[1, {\"a\": null}]".into())),
    ]
}

#[test]
fn a_command_makes_the_event_it_was_written_from() {
    for event in simulated().iter().chain(&others()) {
        let (received_at, expected) = received(event);
        let body = to_command(event);
        for accept in [AcceptedShapes::Commands, AcceptedShapes::Any] {
            assert_eq!(
                read(&body, accept, Shape::Command, received_at),
                expected,
                "{body}"
            );
        }
    }
}

#[test]
fn a_cloudevent_is_the_event_it_was_written_from() {
    for event in simulated().iter().chain(&others()) {
        let (received_at, expected) = received(event);
        let body = to_cloudevent(event);
        assert!(!body.contains("ingesttime"), "{body}");
        for accept in [AcceptedShapes::CloudEvents, AcceptedShapes::Any] {
            assert_eq!(
                read(&body, accept, Shape::CloudEvent, received_at),
                expected,
                "{body}"
            );
        }
    }
}

#[test]
fn text_that_only_looks_like_an_ingest_time_is_preserved() {
    let looks = |event: &Event| format!("x\",\"ingesttime\":\"{}\"", event.ingest_time);
    let data = |event: &Event| format!("{{\"x\":\"{}}}", looks(event));
    let simulated = simulated().swap_remove(0);
    let event = custom(&looks(&simulated), Content::json(data(&simulated)));
    let (received_at, expected) = received(&event);
    let body = to_cloudevent(&event);
    assert_eq!(
        read(&body, AcceptedShapes::Any, Shape::CloudEvent, received_at),
        expected
    );
}

#[test]
fn an_untyped_body_is_the_event_it_was_written_from() {
    let simulated = simulated();
    let untyped: Vec<_> = simulated
        .iter()
        .filter_map(|event| Some((event, to_untyped(event)?)))
        .collect();
    let recorded = simulated
        .iter()
        .filter(|event| matches!(event.data, EventData::Recorded(_)));
    assert_eq!(untyped.len(), recorded.count());
    assert!(!untyped.is_empty());
    for (event, body) in untyped {
        let (received_at, expected) = received(event);
        assert_eq!(
            read(&body, AcceptedShapes::Any, Shape::Untyped, received_at),
            expected,
            "{body}"
        );
    }
}

#[test]
fn events_of_another_source_or_playback_have_no_untyped_body() {
    let is_untyped = |event: &Event| to_untyped(event).is_some();
    let simulated = simulated();
    let recorded = simulated.iter().find(|event| is_untyped(event)).unwrap();
    let source = Source::new("https://a.example").unwrap();
    assert!(!is_untyped(&Event {
        source,
        ..recorded.clone()
    }));
    let playback_id = simulated[0].playback_id.clone();
    assert!(!is_untyped(&Event {
        playback_id,
        ..recorded.clone()
    }));
}
