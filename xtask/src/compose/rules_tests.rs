//! Each rule, against a file that breaks it and nothing else.

use super::*;

const SOUND: &str = "
x-shared: &shared
  restart: unless-stopped
services:
  log:
    image: apache/kafka:4.3.1
    ports: ['127.0.0.1:9092:9092']
    volumes: ['log-data:/var/lib/kafka']
    healthcheck: { test: [CMD, true], interval: 5s, start_period: 1m30s }
  init:
    image: ess:local
    build: .
    depends_on: { log: { condition: service_healthy } }
  api:
    <<: *shared
    image: ess:local
    environment: { PORT: 8000, NAME: '${NAME:-ess}', PASSED: }
    ports: ['${API_PORT:-8000}:8000']
    depends_on: { init: { condition: service_completed_successfully } }
volumes:
  log-data:
";

fn findings(yaml: &str) -> Vec<String> {
    check(&Compose::parse(yaml).unwrap())
}

/// The sound file with one change.
fn changed(from: &str, to: &str) -> Vec<String> {
    assert!(SOUND.contains(from), "{from}");
    findings(&SOUND.replace(from, to))
}

#[test]
fn a_sound_file_has_no_findings() {
    assert_eq!(findings(SOUND), Vec::<String>::new());
    let compose = Compose::parse(SOUND).unwrap();
    let pairs = compose.services["api"].environment.pairs();
    assert_eq!(
        pairs,
        [("NAME", "ess"), ("PORT", "8000")].map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
    assert_eq!(
        compose.services["api"].restart.as_deref(),
        Some("unless-stopped"),
        "merged from the extension"
    );
}

#[test]
fn each_rule_finds_what_breaks_it() {
    let broken = [
        (
            "{ log: {",
            "{ gone: {",
            "init: depends on \"gone\", which is no service here",
        ),
        (
            "test: [CMD, true], ",
            "disable: true, ",
            "init: waits for \"log\" to be healthy, which has no healthcheck",
        ),
        (
            "test: [CMD, true], ",
            "",
            "log: has a healthcheck without a test",
        ),
        (
            "[CMD, true]",
            "[true]",
            "log: has a healthcheck whose test does not begin with CMD or CMD-SHELL or NONE",
        ),
        (
            "    build: .\n",
            "    build: .\n    restart: always\n",
            "api: waits for \"init\" to complete, which restarts for ever",
        ),
        (
            "apache/kafka:4.3.1",
            "apache/kafka",
            "log: image apache/kafka names no version: pin one",
        ),
        (
            "apache/kafka:4.3.1",
            "reg:5000/kafka:latest",
            "log: image reg:5000/kafka:latest names no version: pin one",
        ),
        (
            "'log-data:/",
            "'data:/",
            "log: mounts volume \"data\", which is not declared",
        ),
        (
            "'log-data:/",
            "'./data:/",
            "volume \"log-data\" is declared and never mounted",
        ),
        (
            "interval: 5s",
            "interval: 5",
            "log: \"5\" is no duration such as 1m30s",
        ),
        (
            "API_PORT:-8000",
            "API_PORT:-9092",
            "host port 9092 is wanted by api and log",
        ),
        (
            "    build: .\n",
            "    build: .\n    networks: [back]\n",
            "init: joins network \"back\", which is not declared",
        ),
        (
            "    build: .\n",
            "    build: .\n    profiles: [lod]\n",
            "init: profile \"lod\" is not one of consumers, load, cluster",
        ),
        (
            "    build: .\n",
            "    build: .\n    profiles: [load]\n",
            "api: depends on \"init\", which its own profile does not start",
        ),
        (
            "    <<: *shared\n",
            "    deploy: { replicas: 3 }\n",
            "api: has replicas that would share one host port or name",
        ),
    ];
    for (from, to, finding) in broken {
        assert!(
            changed(from, to).iter().any(|found| found == finding),
            "{finding}: {:?}",
            changed(from, to)
        );
    }
}

#[test]
fn what_the_specification_does_not_know_is_refused() {
    for (from, to) in [
        ("    build: .", "    biuld: ."),
        ("volumes:\n  log", "volume:\n  log"),
        ("service_healthy", "healthy"),
    ] {
        assert!(SOUND.contains(from));
        assert!(Compose::parse(&SOUND.replace(from, to)).is_err(), "{to}");
    }
}
