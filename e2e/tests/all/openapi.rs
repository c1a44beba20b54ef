//! Checks both APIs against their OpenAPI documents with schemathesis, which generates valid and invalid requests and validates
//! every response. `ESS_SCHEMATHESIS_SEED` selects other requests, `ESS_SCHEMATHESIS_EXAMPLES` their number.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ess_e2e::{Http, TestApp};
use ess_parts::Scratch;
use ess_schema::Position;
use reqwest::Method;
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::python;
use crate::traffic::{Traffic, simulated};

/// The API key of this test; the services have only its hash.
const KEY: &str = "ess_schemathesis";
const KEYS: &str = r#"
[[key]]
name = "schemathesis"
sha256 = "b02e56dfd0d219e4cabf7d58cf61dea80c51b1ab5e647b440702c6b8582fd582"
scopes = ["read", "write"]
"#;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis")
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests take settings from the environment"
)]
fn setting(key: &str, default: &str) -> String {
    env::var(key).unwrap_or_else(|_| default.to_owned())
}

/// The installed tool, and a folder for its files.
struct Schemathesis {
    packages: Scratch,
    scratch: Scratch,
}

impl Schemathesis {
    fn install() -> Self {
        let packages = Scratch::new().unwrap();
        python::install(&folder().join("requirements.txt"), packages.path());
        Self {
            packages,
            scratch: Scratch::new().unwrap(),
        }
    }

    /// A command that runs a Python program with these packages.
    fn python(&self, program: &Path) -> Command {
        let paths = [self.packages.path().to_owned(), folder()];
        let mut python = Command::new("python3");
        python
            .arg(program)
            .env("PYTHONPATH", env::join_paths(paths).unwrap())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(self.scratch.path())
            .stdin(Stdio::null());
        python
    }

    /// Tests the API at `base`.
    fn run(&self, api: &str, base: &str) {
        let seed = setting("ESS_SCHEMATHESIS_SEED", "1");
        let mut run = self.python(&self.packages.path().join("bin/schemathesis"));
        run.arg("--config-file")
            .arg(folder().join(format!("{api}.toml")))
            .arg("run")
            .arg(format!("{base}/openapi.json"))
            .args(["--checks", "all", "--continue-on-failure", "--no-color"])
            .args(["--phases", "examples,coverage,fuzzing,stateful"])
            .args([
                "--max-examples",
                &setting("ESS_SCHEMATHESIS_EXAMPLES", "40"),
            ])
            .args(["--seed", &seed])
            .args(["--url", base, "--header", &format!("X-API-Key: {KEY}")]);
        run_successfully(&mut run, &format!("{api}, ESS_SCHEMATHESIS_SEED={seed}"));
    }
}

/// Runs a command.
///
/// # Panics
/// If the command fails, with its output.
fn run_successfully(command: &mut Command, what: &str) {
    let output = command.output().unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{what}\n{command:?}\n{stdout}\n{stderr}"
    );
}

/// Sends a body with the key. Returns the positions of its events.
async fn append(http: &Http, path: &str, content_type: &str, body: String) -> Vec<Position> {
    let request = http.request(Method::POST, path);
    let request = request
        .header("x-api-key", KEY)
        .header("content-type", content_type);
    http.send(request.body(body)).await.positions()
}

/// Appends playbacks for the queries, among them the one of the documents' examples.
async fn append_playbacks(app: &TestApp) {
    let traffic = Traffic::new(simulated(1, 40), 1);
    let mut positions = Vec::new();
    for request in &traffic.requests {
        let (path, content_type) = (request.path, request.content_type);
        positions.extend(append(app.commands(), path, content_type, request.text.clone()).await);
    }
    let of_examples = json!([
        {"type": "StartPlayback", "event_id": "0199a4b2-6c1d-7e3f-8a90-1b2c3d4e5f60", "playback_id": "playback-42",
         "user_id": "user-7", "track_id": "track-3", "track_duration_ms": 200_000, "country": "DE", "test_id": "load-2026-11-23"},
        {"type": "FinishPlayback", "playback_id": "playback-42", "user_id": "user-7", "track_id": "track-3",
         "from_ms": 0, "to_ms": 90_000, "reason": "skipped"},
    ]);
    let body = of_examples.to_string();
    let appended = append(app.commands(), "/commands", "application/json", body).await;
    assert_eq!(appended.len(), 2);
    positions.extend(appended);
    app.wait_until_projected(positions).await;
    app.roll_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_apis_conform_to_their_documents() {
    let keys = Scratch::new().unwrap();
    let file = keys.path().join("keys.toml");
    fs::write(&file, KEYS).unwrap();
    let app = TestApp::builder()
        .env("AUTH_API_KEYS_FILE", file.to_str().unwrap())
        // Most generated positions are in unknown partitions, so waiting for them always times out.
        .env("AFTER_MAX_WAIT_MS", "20")
        .start()
        .await;
    append_playbacks(&app).await;
    let (commands, queries) = (
        app.commands().base().to_owned(),
        app.queries().base().to_owned(),
    );
    let testing = spawn_blocking(move || {
        let schemathesis = Schemathesis::install();
        for (api, base) in [("query-api", &queries), ("command-api", &commands)] {
            let mut examples = schemathesis.python(&folder().join("examples.py"));
            examples.arg(format!("{base}/openapi.json"));
            run_successfully(&mut examples, api);
            schemathesis.run(api, base);
        }
    });
    testing.await.unwrap();
}
