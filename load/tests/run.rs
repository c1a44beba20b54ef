//! `ess-load run` as its users run it: the built binary against a fake command-api. The tests with a read model are in e2e/, against
//! real services.

use std::process::{Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::command_api::{CommandApi, Sent, appended, problem};
use ess_schema::Timestamp;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use poem::Response;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

fn run(api: &CommandApi, scenario: &str, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ess-load"));
    command
        .args(["run", scenario, "--no-check", "--url", &api.url])
        // These tests have no read model, and must not reach servers of this machine.
        .args([
            "--clickhouse-url",
            "http://127.0.0.1:1",
            "--projector-url",
            "http://127.0.0.1:1",
        ])
        .args(["--set", "drain_within=0s", "--json", "/dev/stderr"])
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// A command-api with the current time.
async fn start(script: impl Fn(usize, &Sent) -> Response + Send + Sync + 'static) -> CommandApi {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap()).unwrap();
    CommandApi::start_at(now, script).await
}

fn report(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stderr);
    let begins = text.find("{\n").unwrap_or_else(|| panic!("{text}"));
    serde_json::from_str(&text[begins..]).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[tokio::test]
async fn thresholds_decide_the_exit_code() {
    // One of each run's 50 requests.
    let api = start(|number, sent| match number % 50 {
        3 => problem(503, "Overloaded"),
        _ => appended(sent),
    })
    .await;
    let stages = "stages=[{for=\"500ms\",rate=100}]";
    for (threshold, code) in [("errors <= 1", 0), ("errors == 0", 1), ("requests > 50", 1)] {
        let thresholds = format!("thresholds=[\"{threshold}\"]");
        let output = run(&api, "steady", &["--set", stages, "--set", &thresholds])
            .output()
            .await;
        let output = output.unwrap();
        let shown = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{shown}");
        let report = report(&output);
        assert_eq!(report["totals"]["requests"], 50);
        assert_eq!(report["totals"]["unknown"], 1);
        assert_eq!(report["statuses"]["5xx"], 1);
        assert_eq!(report["problems"]["503 /problems/x"]["count"], 1);
    }
}

#[tokio::test]
async fn a_slow_response_counts_with_the_requests_that_it_delays() {
    let api = start(|_, sent| appended(sent)).await;
    // One connection cannot serve them as fast as they are due: the last request waits for all before it.
    let options = [
        ["--set", "stages=[{for=\"100ms\",rate=30000}]"],
        ["--set", "connections=1"],
        ["--set", "thresholds=[]"],
    ];
    let output = run(&api, "steady", options.as_flattened());
    let report = report(&{ output }.output().await.unwrap());
    let value = |path: &str| report.pointer(path).unwrap().as_f64().unwrap();
    let delay_ms = 1_000.0 * value("/took_s") - 100.0;
    assert!(delay_ms > 100.0, "served as fast as due: {delay_ms}");
    assert!(value("/latency/max") >= 0.9 * delay_ms, "{report}");
    assert!(value("/generator/late/max") >= 0.9 * delay_ms, "{report}");
    let why = report["generator"]["bottleneck"].as_str().unwrap();
    assert!(why.contains("connections"), "{why}");
}

#[tokio::test]
async fn a_signal_ends_the_run_in_order_and_with_its_report() {
    let api = start(|_, sent| appended(sent)).await;
    let options = ["--set", "stages=[{for=\"10m\",users=3}]"];
    let child = run(&api, "predecessor", &options).spawn().unwrap();
    api.wait_for(20).await;
    kill(
        Pid::from_raw(child.id().unwrap().cast_signed()),
        Signal::SIGINT,
    )
    .unwrap();
    let ending = tokio::time::timeout(Duration::from_mins(1), child.wait_with_output());
    let output = ending.await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let report = report(&output);
    assert_eq!(report["was_interrupted"], true);
    assert_eq!(report["totals"]["acknowledged"], api.sent().len());
    assert_eq!(report["totals"]["unknown"], 0);
    assert!(String::from_utf8_lossy(&output.stdout).contains("ended by a signal"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_signal_waits_for_the_responses_under_way() {
    // The responses to the twentieth request and later ones wait until the gate is open.
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let (opened, held) = (Arc::clone(&gate), gate);
    let api = start(move |number, sent| {
        if number >= 20 {
            // Other tasks of this thread continue on another.
            tokio::task::block_in_place(|| {
                let (is_open, changed) = &*held;
                let closed = |is_open: &mut bool| !*is_open;
                let waited = changed.wait_timeout_while(
                    is_open.lock().unwrap(),
                    Duration::from_secs(30),
                    closed,
                );
                drop(waited.unwrap());
            });
        }
        appended(sent)
    })
    .await;
    let options = [
        "--set",
        "stages=[{for=\"10m\",users=3}]",
        "--set",
        "start=3",
    ];
    let mut child = run(&api, "predecessor", &options).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let ending = async {
        api.wait_for(23).await;
        let pid = Pid::from_raw(child.id().unwrap().cast_signed());
        kill(pid, Signal::SIGINT).unwrap();
        let mut output_lines = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("stopping: waiting for the responses") {
                *opened.0.lock().unwrap() = true;
                opened.1.notify_all();
            }
            output_lines.push(line);
        }
        let mut output = child.wait_with_output().await.unwrap();
        output.stderr = output_lines.join("\n").into_bytes();
        output
    };
    let ending = tokio::time::timeout(Duration::from_mins(1), ending);
    let output = ending.await.unwrap();
    assert_eq!(output.status.code(), Some(130));
    let report = report(&output);
    assert_eq!(report["totals"]["acknowledged"], 23);
    assert_eq!(report["totals"]["unknown"], 0);
}

#[tokio::test]
async fn a_second_signal_ends_the_wait_for_the_read_model() {
    let api = start(|_, sent| appended(sent)).await;
    let options = [
        ["--set", "stages=[{for=\"10m\",users=3}]"],
        // There is no read model, so the wait would take this long.
        ["--set", "drain_within=30m"],
    ];
    let mut child = run(&api, "predecessor", options.as_flattened())
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(child.id().unwrap().cast_signed());
    api.wait_for(20).await;
    kill(pid, Signal::SIGINT).unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let ending = async {
        let mut output_lines = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("waiting until the read model") {
                kill(pid, Signal::SIGINT).unwrap();
            }
            output_lines.push(line);
        }
        (output_lines, child.wait().await.unwrap())
    };
    let ending = tokio::time::timeout(Duration::from_mins(1), ending);
    let (output_lines, ended) = ending.await.unwrap();
    assert_eq!(ended.code(), Some(130));
    let text = output_lines.join("\n");
    assert!(text.contains("a signal ended the run"), "{text}");
}

#[tokio::test]
async fn each_user_has_at_most_one_request_in_flight() {
    let api = start(|_, sent| appended(sent)).await;
    let options = ["--set", "stages=[{for=\"1s\",users=4}]", "--set", "start=4"];
    let output = run(&api, "predecessor", &options).output().await.unwrap();
    let users: std::collections::BTreeSet<_> = api
        .sent()
        .iter()
        .flat_map(|sent| {
            sent.events
                .iter()
                .map(|e| e.id.as_str().split('-').nth_back(1).unwrap().to_owned())
        })
        .collect();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(users.into_iter().collect::<Vec<_>>(), ["1", "2", "3", "4"]);
    assert!(api.sent().iter().all(|sent| sent.path == "/events/"));
}

#[tokio::test]
async fn an_invalid_run_is_refused_before_anything_is_sent() {
    let api = start(|_, sent| appended(sent)).await;
    for (options, expected) in [
        (&["--set", "rte=5"][..], "rte"),
        (&["--set", "thresholds=[\"p42 < 1ms\"]"], "p999"),
        (
            &["--chaos", "--run-dir", "/nowhere"],
            "projector does not run as a process of /nowhere",
        ),
    ] {
        let output = run(&api, "steady", options).output().await.unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(expected), "{said}");
    }
    assert!(api.sent().is_empty());
}
