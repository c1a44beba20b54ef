//! The official CloudEvents SDKs, installed from their registries: the events that they send are in the log.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ess_parts::Scratch;
use ess_parts::tools::{self, NPM, Tool};
use tokio::task::spawn_blocking;

use super::*;
use crate::python;

const NODE: Tool = Tool {
    program: "node",
    package: "nodejs",
};

fn sdks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdks")
}

/// Runs a command. Returns its standard output.
fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Installs the Python SDK into `folder`, and sends with it.
fn python(folder: &Path, url: &str) -> String {
    python::install(&sdks().join("requirements.txt"), folder);
    let mut send = Command::new("python3");
    send.arg(sdks().join("send.py")).arg(url);
    run(send.env("PYTHONPATH", folder))
}

/// Installs the JavaScript SDK into `folder`, and sends with it.
fn javascript(folder: &Path, url: &str) -> String {
    tools::require(&[NODE, NPM]).unwrap();
    for file in ["package.json", "send.mjs"] {
        std::fs::copy(sdks().join(file), folder.join(file)).unwrap();
    }
    let mut install = Command::new("npm");
    install.args([
        "install",
        "--silent",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ]);
    run(install.current_dir(folder));
    let mut send = Command::new("node");
    send.args(["send.mjs", url]);
    run(send.current_dir(folder))
}

/// Asserts that the events that an SDK sends are in the log unchanged.
async fn assert_delivers(name: &str, sdk: fn(&Path, &str) -> String) {
    let app = command_api_alone().start().await;
    let url = format!("{}/events", app.commands().base());
    let folder = Scratch::new().unwrap();
    let sent = spawn_blocking(move || sdk(folder.path(), &url));
    let answers: Vec<Value> = sent
        .await
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let statuses: Vec<_> = answers.iter().map(|answer| &answer["status"]).collect();
    assert_eq!(statuses, [202, 202, 202], "{answers:?}");
    let records = app.topic.records().await;
    let events: Vec<_> = records.iter().map(event).collect();
    for id in ["binary", "structured", "batch-1", "batch-2"] {
        let id = format!("{name}-{id}");
        let event = events.iter().find(|event| event["id"] == id);
        let event = event.unwrap_or_else(|| panic!("{id} is missing: {answers:?}"));
        assert_eq!(event["source"], format!("/players/{name}"), "{id}");
        assert_eq!(event["subject"], "Sæglópur 100%", "{id}");
        assert_eq!(event["sessionid"], "a \"b\" é", "{id}");
        assert_eq!(event["data"]["user_id"], "Zoë", "{id}");
    }
    assert_eq!(events.len(), 4);
}

#[tokio::test]
async fn events_of_the_python_sdk_are_in_the_log() {
    assert_delivers("python", python).await;
}

#[tokio::test]
async fn events_of_the_javascript_sdk_are_in_the_log() {
    assert_delivers("javascript", javascript).await;
}
