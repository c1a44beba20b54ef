//! `status`: one line for each process, from its pid file and its readiness endpoint. Changes nothing.

use crate::error::Result;
use crate::health::readiness;
use crate::run_dir::RunDir;
use crate::system::{Addresses, CLICKHOUSE, ClickHouseAddress, KAFKA, KafkaAddress, SERVICES};

pub(crate) fn run() -> Result<()> {
    let run_dir = RunDir::here();
    let addresses = match run_dir.addresses() {
        Some(saved) => saved,
        None => Addresses::from_env()?,
    };
    println!("{:<12} {:>8}  {:<28} STATE", "PROCESS", "PID", "ADDRESS");
    let given = [
        (
            KAFKA,
            addresses.brokers(),
            matches!(addresses.kafka, KafkaAddress::Given { .. }),
        ),
        (
            CLICKHOUSE,
            addresses.clickhouse_url(),
            matches!(addresses.clickhouse, ClickHouseAddress::Given { .. }),
        ),
    ];
    let services = SERVICES
        .iter()
        .map(|service| (service.name, addresses.url(service.name), false));
    for (name, address, given) in given.into_iter().chain(services) {
        let process = run_dir.process(name);
        let pid = process
            .as_ref()
            .map_or("-".to_owned(), |process| process.pid().to_string());
        let state = match process {
            _ if given => "given".to_owned(),
            None => "stopped".to_owned(),
            Some(_) => state(&addresses, name),
        };
        println!("{name:<12} {pid:>8}  {address:<28} {state}");
    }
    println!("logs: {}", run_dir.log("NAME").display());
    Ok(())
}

fn state(addresses: &Addresses, name: &str) -> String {
    if addresses.is_ready(name) {
        return "ready".to_owned();
    }
    match (name, readiness(&addresses.url(name))) {
        (KAFKA | CLICKHOUSE, _) | (_, Ok(())) => "not ready".to_owned(),
        (_, Err(why)) => format!("not ready: {why}"),
    }
}
