//! The k6 script does the same as the scenarios of the predecessor: its configuration is generated from them. `UPDATE_K6=1` writes it.

use std::path::Path;

use ess_load::facts::UNTYPED;
use ess_load::scenario::{Body, Model, Scenario};
use serde_json::{Value, json};

/// The configuration of the script.
fn expected() -> Value {
    let scenario = |name: &str| {
        let scenario = Scenario::open(name, &[]).unwrap();
        assert_eq!(
            (scenario.model, scenario.body, scenario.batch),
            (Model::Closed, Body::Untyped, 1)
        );
        let stages: Vec<_> = scenario
            .stages
            .iter()
            .map(|stage| json!({"duration": stage.duration, "target": stage.users.unwrap() as u64}))
            .collect();
        json!({"start": scenario.start.unwrap() as u64, "stages": stages})
    };
    json!({
        "path": "/events/",
        "media_type": "application/json",
        "body": UNTYPED,
        "scenarios": {
            "predecessor": scenario("predecessor"),
            "predecessor-small": scenario("predecessor-small"),
        },
    })
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the only parameter of a test is its environment"
)]
fn the_configuration_has_the_stages_and_the_body_of_the_scenarios() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("k6/predecessor.json");
    if std::env::var("UPDATE_K6").is_ok() {
        let text = serde_json::to_string_pretty(&expected()).unwrap() + "\n";
        std::fs::write(&file, text).unwrap();
    }
    let found: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(
        found,
        expected(),
        "UPDATE_K6=1 cargo test -p ess-load k6 writes it"
    );
}

#[test]
fn the_script_reads_everything_from_its_configuration() {
    let script = include_str!("../k6/predecessor.js");
    for field in [
        "all.path",
        "all.body",
        "all.media_type",
        "all.scenarios",
        "scenario.stages",
        "scenario.start",
    ] {
        assert!(script.contains(field), "{field}");
    }
    // Nothing in the script repeats it.
    for word in ["duration:", "target:", "user_id"] {
        assert!(!script.contains(word), "{word}");
    }
}

#[test]
fn the_stages_are_those_of_the_predecessor() {
    let stages = &expected()["scenarios"]["predecessor"]["stages"];
    let found: Vec<_> = stages
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| {
            (
                stage["duration"].as_str().unwrap(),
                stage["target"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("1m", 1_500),
            ("1m30s", 2_500),
            ("30s", 3_000),
            ("30s", 3_500)
        ]
    );
}
