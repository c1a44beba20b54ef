//! `ess-load run` against real services: the proof of a good run passes, and each kind of difference in the read model is found and
//! named.

use std::process::{Command, Output, Stdio};

use ess_e2e::{TestApp, binary_path, eventually, insert_events};
use ess_parts::{Identity, Process, Scratch};
use ess_schema::decode::{AcceptedShapes, ReceiveContext, decode_item};
use ess_schema::{Event, EventId, Position};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::oracle::now;

fn load(app: &TestApp, scenario: &str, test_id: &str, overrides: &[&str]) -> Command {
    let mut command = Command::new(binary_path("ess-load"));
    command
        .args([
            "run",
            scenario,
            "--test-id",
            test_id,
            "--json",
            "/dev/stderr",
        ])
        .args([
            "--url",
            app.commands().base(),
            "--query-url",
            app.queries().base(),
        ])
        .args(["--projector-url", app.projector.http().base()])
        .args(["--clickhouse-url", app.parts().clickhouse_url()])
        .args(["--database", app.control_database()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for setting in overrides {
        command.args(["--set", setting]);
    }
    command
}

async fn run_to_end(mut command: Command) -> Output {
    let output = spawn_blocking(move || command.output()).await;
    output.unwrap().unwrap()
}

/// The report is at the end of standard error, after the lines of the live view.
fn report(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stderr);
    let begins = text.find("{\n").unwrap_or_else(|| panic!("{text}"));
    serde_json::from_str(&text[begins..]).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn summary(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proof_of_a_good_run_passes() {
    let app = TestApp::start().await;
    for (scenario, settings) in [
        ("steady", &["stages=[{for=\"2s\",rate=150}]"][..]),
        ("predecessor", &["stages=[{for=\"2s\",users=8}]"]),
        ("players", &["playbacks=12", "speed=3600"]),
        ("batch", &["stages=[{for=\"2s\",rate=5}]", "batch=40"]),
        ("mixed", &["stages=[{for=\"2s\",rate=60}]", "reads.rate=10"]),
    ] {
        let measured = "thresholds=[\"errors == 0\",\"read_errors == 0\",\"lag_max < 3600s\",\"drain < 3600s\",\"lost == 0\"]";
        let settings = [settings, &[measured]].concat();
        let output = run_to_end(load(&app, scenario, &format!("e2e-{scenario}"), &settings)).await;
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}{stderr}",
            summary(&output)
        );
        let report = report(&output);
        let facts = report["totals"]["facts"].as_u64().unwrap();
        assert!(facts > 50, "{scenario}: {facts}");
        assert_eq!(report["check"]["facts"], facts, "{scenario}");
        assert_eq!(report["lag"]["count"], facts, "{scenario}");
        assert!(report["check"]["playbacks"].as_u64().unwrap() > 0);
        assert_eq!(report["unread"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_event_is_named_and_fails_the_run() {
    let app = TestApp::start().await;
    let lost = "event-e2e-lost-1-0";
    let child = load(
        &app,
        "predecessor",
        "e2e-lost",
        &["stages=[{for=\"10m\",users=1}]"],
    )
    .spawn();
    let child = child.unwrap();
    let pid = Pid::from_raw(child.id().cast_signed());
    let count = format!("SELECT count() AS n FROM events WHERE event_id = '{lost}'");
    eventually("the event is stored", async || {
        let stored = app.select(&count).await;
        if stored[0]["n"] == 1 {
            Ok(())
        } else {
            Err(format!("{stored:?}"))
        }
    })
    .await;
    app.execute(&format!(
        "ALTER TABLE events DELETE WHERE event_id = '{lost}' SETTINGS mutations_sync = 2"
    ))
    .await;
    kill(pid, Signal::SIGINT).unwrap();
    let output = spawn_blocking(move || child.wait_with_output()).await;
    let output = output.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", summary(&output));
    assert!(
        summary(&output).contains(&format!("lost: {lost}")),
        "{}",
        summary(&output)
    );
    let check = &report(&output)["check"];
    assert_eq!(check["lost"]["count"], 1);
    assert_eq!(check["twice"]["count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_stored_twice_or_was_never_sent_is_named_and_fails_the_run() {
    let app = TestApp::start().await;
    let client = app.clickhouse().with_database(app.database().await);
    // The id of a sent event at another time, and an id that no run sends.
    let (again, stranger) = ("event-e2e-twice-1-0", "event-e2e-twice-stranger");
    let events = [again, stranger].map(|id| untyped(id, "e2e-twice"));
    let far = |offset: u64| Position {
        partition: 0,
        offset: 1_000_000 + offset,
    };
    insert_events(&client, events.iter().zip([far(0), far(1)])).await;
    let output = run_to_end(load(
        &app,
        "predecessor",
        "e2e-twice",
        &["stages=[{for=\"1s\",users=1}]"],
    ))
    .await;
    assert_eq!(output.status.code(), Some(1), "{}", summary(&output));
    let check = &report(&output)["check"];
    assert_eq!(check["lost"]["count"], 0, "{check}");
    assert_eq!(
        check["twice"]["ids"],
        serde_json::json!([format!("{again} (2 times)")])
    );
    assert_eq!(check["claimed"]["ids"], serde_json::json!([stranger]));
    let different = check["different"]["ids"][0].as_str().unwrap();
    assert!(different.starts_with(&format!("{again}: ")), "{different}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_services_are_killed_and_started_again() {
    let app = TestApp::start().await;
    let run_dir = Scratch::new().unwrap();
    for (name, service) in [
        ("projector", &app.projector),
        ("command-api", &app.command_api),
    ] {
        let identity = Identity::of(service.pid()).unwrap();
        std::fs::write(
            run_dir.path().join(format!("{name}.pid")),
            identity.to_string(),
        )
        .unwrap();
    }
    let settings = [
        "stages=[{for=\"8s\",rate=60}]",
        "body=mixed",
        "thresholds=[\"lost == 0\"]",
        "chaos.every=1500ms",
        "chaos.down_for=300ms",
        "chaos.victims=[\"projector\",\"command-api\"]",
    ];
    let mut command = load(&app, "steady", "e2e-chaos", &settings);
    command.arg("--run-dir").arg(run_dir.path());
    let output = run_to_end(command).await;
    // The services that it restarted do not end with this test.
    for name in ["projector", "command-api"] {
        let file = run_dir.path().join(format!("{name}.pid"));
        Process::adopt(&file)
            .unwrap_or_else(|| panic!("{name} does not run"))
            .kill()
            .unwrap();
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{stderr}",
        summary(&output)
    );
    let report = report(&output);
    let faults = report["chaos"].to_string();
    for what in ["was killed", "was started again"] {
        assert!(faults.contains(what), "{faults}");
    }
    assert!(!faults.contains("could not"), "{faults}");
    assert!(report["check"]["playbacks"].as_u64().unwrap() > 0);
}

/// An event of a minute ago, as the receiver decodes it.
fn untyped(id: &str, test_id: &str) -> Event {
    let time = now().plus_millis(-60_000);
    let body = format!(
        r#"{{"id":"{id}","user_id":"u","track_id":"t","ingest_time":"{time}","test_id":"{test_id}"}}"#
    );
    let mut generate_id = || EventId::new("unnamed").unwrap();
    let mut context = ReceiveContext::Request {
        received_at: time,
        generate_id: &mut generate_id,
    };
    decode_item(&body, AcceptedShapes::Any, &mut context)
        .unwrap()
        .event
}
