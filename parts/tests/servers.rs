//! The real servers: started on free ports, killed, and restarted on the same ports with the same data.

#![allow(clippy::unwrap_used)]

use std::process::Command;

use ess_parts::{ClickHouse, ClickHouseConfig, Kafka, KafkaConfig, Parts, Scratch, Stopped, fetch};

fn query(server: &ClickHouse, sql: &str) -> String {
    let answer = ureq::post(server.http_url())
        .send(sql)
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    answer.trim().to_owned()
}

#[test]
fn clickhouse_killed_comes_back_with_its_rows_and_merges_them() {
    let (parts, scratch) = (fetch().unwrap(), Scratch::new().unwrap());
    let mut server = ClickHouse::start(&parts, ClickHouseConfig::attached(scratch.path())).unwrap();
    query(&server, "CREATE DATABASE t");
    query(
        &server,
        "CREATE TABLE t.rows (n UInt64) ENGINE = MergeTree ORDER BY n",
    );
    for part in 0..4 {
        query(
            &server,
            &format!("INSERT INTO t.rows SELECT number + {part} * 10 FROM numbers(10)"),
        );
    }
    let (url, pid) = (server.http_url(), server.pid());

    server.kill().unwrap();
    assert!(!ClickHouse::answers(&url));
    server.restart().unwrap();

    assert_ne!(server.pid(), pid);
    assert_eq!(server.http_url(), url);
    query(&server, "OPTIMIZE TABLE t.rows FINAL");
    assert_eq!(
        query(&server, "SELECT count(), sum(n) FROM t.rows FORMAT CSV"),
        "40,780"
    );
    assert_eq!(
        query(
            &server,
            "SELECT count() FROM system.parts WHERE table = 'rows' AND active"
        ),
        "1"
    );
    server.stop().unwrap();
}

#[test]
fn kafka_killed_comes_back_with_its_topics() {
    let (parts, scratch) = (fetch().unwrap(), Scratch::new().unwrap());
    let mut broker = Kafka::start(&parts, KafkaConfig::attached(scratch.path())).unwrap();
    let bootstrap = broker.bootstrap();
    topics(
        &parts,
        &bootstrap,
        &["--create", "--topic", "topic", "--partitions", "3"],
    );

    broker.kill().unwrap();
    broker.restart().unwrap();

    assert_eq!(broker.bootstrap(), bootstrap);
    let listed = topics(&parts, &bootstrap, &["--list"]);
    assert!(listed.lines().any(|topic| topic == "topic"), "{listed}");
    assert_eq!(broker.stop().unwrap(), Stopped::Gracefully);
}

fn topics(parts: &Parts, bootstrap: &str, args: &[&str]) -> String {
    let mut java = Command::new("java");
    java.arg("-cp")
        .arg(parts.kafka_jars.join("*"))
        .args(["-XX:TieredStopAtLevel=1", "-Dlog4j2.level=off"]);
    java.args([
        "org.apache.kafka.tools.TopicCommand",
        "--bootstrap-server",
        bootstrap,
    ])
    .args(args);
    let output = java.output().unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{stdout}{stderr}");
    stdout.into_owned()
}
