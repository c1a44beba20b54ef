//! `ess-load players` as its users run it: the built binary against a fake command-api.

use std::collections::BTreeMap;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::command_api::{CommandApi, RECEIVED_AT, Sent, appended, problem};
use ess_load::simulate::{SimulatedPlayback, Simulator, SimulatorConfig};
use ess_schema::decode::Shape;
use ess_schema::{Event, PlaybackId, Timestamp};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use poem::IntoResponse as _;
use tokio::process::Command;

const START: &str = "2026-11-23T10:00:00Z";

fn players(url: &str, options: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ess-load"));
    command
        .args(["players", "--seed", "7", "--start", START, "--url", url])
        .args(options.split_whitespace())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn run(api: &CommandApi, options: &str) -> (Output, String) {
    let output = players(&api.url, options).output().await.unwrap();
    let summary = String::from_utf8(output.stdout.clone()).unwrap();
    (output, summary)
}

fn simulated(count: u64) -> Vec<SimulatedPlayback> {
    let start = Timestamp::parse_rfc3339(START).unwrap();
    Simulator::new(SimulatorConfig::new(7, count, start)).collect()
}

/// The facts of `count` playbacks as the receiver reads them, by playback, in order.
fn expected(count: u64) -> BTreeMap<PlaybackId, Vec<Event>> {
    let ingest_time = Timestamp::parse_rfc3339(RECEIVED_AT).unwrap();
    let received = |event| Event {
        ingest_time,
        ..event
    };
    let playbacks = simulated(count).into_iter();
    let received = playbacks.map(|p| (p.id, p.facts.into_iter().map(received).collect()));
    received.collect()
}

/// The facts that arrived, by playback, in the order of their arrival.
fn arrived(sent: &[Sent]) -> BTreeMap<PlaybackId, Vec<Event>> {
    let mut playbacks: BTreeMap<PlaybackId, Vec<Event>> = BTreeMap::new();
    for event in sent.iter().flat_map(|sent| &sent.events) {
        let id = event.playback_id.clone().unwrap();
        playbacks.entry(id).or_default().push(event.clone());
    }
    playbacks
}

#[tokio::test]
async fn every_fact_arrives_once_and_those_of_a_playback_in_their_order() {
    for options in [
        "",
        "--shape cloudevent",
        "--shape mixed",
        "--batch 40 --shape mixed",
    ] {
        let api = CommandApi::start(|_, sent| appended(sent)).await;
        let (output, summary) = run(&api, &format!("--playbacks 60 {options}")).await;
        assert!(arrived(&api.sent()) == expected(60), "{options}");
        assert!(output.status.success(), "{options}: {output:?}");
        let count: usize = simulated(60)
            .iter()
            .map(|playback| playback.facts.len())
            .sum();
        let expected_line =
            format!("acknowledged {count}, refused 0, not acknowledged 0; requests repeated 0");
        assert!(summary.starts_with("60 playbacks, "), "{summary}");
        assert!(
            summary
                .replace(',', "")
                .contains(&expected_line.replace(',', "")),
            "{summary}"
        );
    }
}

#[tokio::test]
async fn each_shape_is_sent_to_the_route_that_accepts_it() {
    for (options, path, content_types, shapes) in [
        (
            "",
            "/commands",
            &["application/json"][..],
            &[Shape::Command][..],
        ),
        (
            "--shape cloudevent",
            "/events",
            &["application/cloudevents+json"],
            &[Shape::CloudEvent],
        ),
        (
            "--shape mixed --batch 10 --concurrency 2",
            "/events",
            &["application/json", "application/x-ndjson"],
            &[Shape::Command, Shape::CloudEvent, Shape::Untyped],
        ),
    ] {
        let api = CommandApi::start(|_, sent| appended(sent)).await;
        run(&api, &format!("--playbacks 150 {options}")).await;
        let sent = api.sent();
        assert!(sent.iter().all(|sent| sent.path == path), "{options}");
        let is_known = |sent: &Sent| content_types.contains(&sent.content_type.as_str());
        assert!(sent.iter().all(is_known), "{options}");
        let found: Vec<_> = sent.iter().flat_map(|sent| &sent.shapes).collect();
        assert!(
            found.iter().all(|shape| shapes.contains(shape)),
            "{options}"
        );
        assert!(
            shapes.iter().all(|shape| found.contains(&shape)),
            "{options}"
        );
        let largest = sent.iter().map(|sent| sent.events.len()).max();
        assert_eq!(largest > Some(1), options.contains("batch"), "{options}");
    }
}

#[tokio::test]
async fn facts_are_sent_again_after_the_retry_after_of_an_overloaded_service() {
    let api = CommandApi::start(|number, sent| match number {
        0 => problem(503, "Overloaded")
            .with_header("retry-after", "1")
            .into_response(),
        _ => appended(sent),
    })
    .await;
    let (output, summary) = run(&api, "--playbacks 3 --batch 5 --concurrency 1").await;
    assert!(output.status.success(), "{summary}");
    assert!(
        summary.contains("not acknowledged 0; requests repeated 1"),
        "{summary}"
    );
    let sent = api.sent();
    assert_eq!(sent[0].events, sent[1].events);
    assert!(sent[1].at - sent[0].at >= Duration::from_secs(1));
    assert_eq!(arrived(&sent[1..]), expected(3));
}

#[tokio::test]
async fn only_the_facts_with_an_unknown_outcome_are_sent_again() {
    // How many facts share a request depends on timing, so this takes the first request of several.
    let in_part = AtomicBool::new(false);
    let api = CommandApi::start(move |_, sent| {
        let last = sent.events.len() - 1;
        if last == 0 || in_part.swap(true, Ordering::Relaxed) {
            return appended(sent);
        }
        let full = serde_json::json!({"title": "Full", "status": 503});
        let of = |index| {
            let (name, value) = if index == last {
                ("problem", full.clone())
            } else {
                ("position", "0:0".into())
            };
            serde_json::json!({"index": index, name: value})
        };
        let items: Vec<_> = (0..=last).map(of).collect();
        poem::Response::builder()
            .status(poem::http::StatusCode::MULTI_STATUS)
            .body(serde_json::json!({"items": items}).to_string())
    })
    .await;
    let (output, summary) = run(&api, "--playbacks 10 --batch 5 --concurrency 1").await;
    assert!(output.status.success(), "{summary}");
    let sent = api.sent();
    let in_part = sent.iter().position(|sent| sent.events.len() > 1).unwrap();
    let last = sent[in_part].events.len() - 1;
    assert_eq!(sent[in_part + 1].events[..], sent[in_part].events[last..]);
    let others = sent.iter().enumerate().filter(|(n, _)| *n != in_part + 1);
    let once: Vec<_> = others.map(|(_, sent)| sent.clone()).collect();
    assert_eq!(arrived(&once), expected(10));
}

#[tokio::test]
async fn a_refused_fact_fails_the_run_with_its_reason_and_is_not_sent_again() {
    let api = CommandApi::start(|number, sent| match number {
        3 => problem(422, "Invalid item"),
        _ => appended(sent),
    })
    .await;
    let (output, summary) = run(&api, "--playbacks 3").await;
    assert_eq!(output.status.code(), Some(1), "{summary}");
    assert!(
        summary.contains(", refused 1, not acknowledged 0; requests repeated 0"),
        "{summary}"
    );
    assert!(
        summary.contains("refused 1: 422 /problems/x; first: so"),
        "{summary}"
    );
    assert_eq!(arrived(&api.sent()), expected(3));
}

#[tokio::test]
async fn a_signal_ends_the_run_in_order_and_with_its_summary() {
    let api = CommandApi::start(|_, sent| appended(sent)).await;
    let child = players(&api.url, "--playbacks 5000 --rate 200")
        .stdout(Stdio::piped())
        .spawn();
    let child = child.unwrap();
    api.wait_for(20).await;
    kill(Pid::from_raw(child.id().unwrap() as i32), Signal::SIGINT).unwrap();
    let ending = tokio::time::timeout(Duration::from_secs(30), child.wait_with_output());
    let output = ending.await.unwrap().unwrap();
    let summary = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{summary}");
    assert!(summary.contains("of 5,000 playbacks"), "{summary}");
    assert!(summary.contains("ended by a signal"), "{summary}");
    let expected_line = format!(
        "acknowledged {}, refused 0, not acknowledged 0",
        api.sent().len()
    );
    assert!(summary.contains(&expected_line), "{summary}");
}

#[tokio::test]
async fn facts_are_sent_no_faster_than_the_rate() {
    let api = CommandApi::start(|_, sent| appended(sent)).await;
    run(&api, "--playbacks 20 --rate 400").await;
    let sent = api.sent();
    let took = sent.last().unwrap().at - sent[0].at;
    let at_least = Duration::from_secs_f64((sent.len() - 1) as f64 / 400.0);
    assert!(
        took + Duration::from_millis(50) >= at_least,
        "{took:?} for {} facts",
        sent.len()
    );
}

#[tokio::test]
async fn an_address_without_a_server_fails_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let output = players(&url, "").output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains(&format!("nothing answers at {url} (Connection refused")),
        "{said}"
    );
}
