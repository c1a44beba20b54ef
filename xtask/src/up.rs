//! `up`: from a fresh clone to a running system, in the order of the steps by hand. Processes that already run are left
//! alone.

mod infrastructure;
mod services;
mod tour;

use ess_parts::progress::note;
use ess_parts::{ports, tools};

use crate::cargo::{self, Metadata, Profile};
use crate::error::{Error, Result};
use crate::run_dir::RunDir;
use crate::system::{Addresses, CLICKHOUSE, KAFKA, SERVICES};
use services::Binaries;

/// rdkafka contains librdkafka as C sources.
pub(crate) const COMPILER: [tools::Tool; 3] = [
    tools::Tool {
        program: "cc",
        package: "gcc",
    },
    tools::Tool {
        program: "c++",
        package: "g++",
    },
    tools::Tool {
        program: "make",
        package: "make",
    },
];

/// The binaries that start and end Kafka and ClickHouse; they must lie beside the program that uses them.
pub(crate) const PARTS: [&str; 2] = ["parts-supervise", "clickhouse-host"];

/// Options of `up`.
#[derive(clap::Args)]
pub(crate) struct UpArgs {
    /// Simulated playbacks to send once everything runs; 0 sends none.
    #[arg(long, default_value_t = 200)]
    playbacks: u32,
    /// Start only Kafka and ClickHouse, for services that run elsewhere.
    #[arg(long, conflicts_with = "playbacks")]
    stores_only: bool,
    /// Build with full optimization: for load tests. Takes longer to compile.
    #[arg(long, conflicts_with = "stores_only")]
    release: bool,
}

pub(crate) fn run(args: &UpArgs) -> Result<()> {
    let run_dir = RunDir::here();
    let addresses = Addresses::from_env()?;
    refuse_other_addresses(&run_dir, &addresses)?;
    refuse_taken_ports(&run_dir, &addresses, args.stores_only)?;
    if args.stores_only {
        return start_stores(&run_dir, &addresses);
    }
    tools::require(&COMPILER)?;

    let all_ran = names().all(|name| run_dir.process(name).is_some() || !is_own(&addresses, name));
    run_dir.create()?;
    let downloads = infrastructure::fetch(&addresses)?;
    let profile = if args.release {
        Profile::Release
    } else {
        Profile::Dev
    };
    build(profile)?;
    run_dir.save(&addresses)?;
    infrastructure::start(&run_dir, &addresses, downloads.as_ref())?;
    let binaries = Binaries {
        metadata: Metadata::read()?,
        profile,
        addresses: &addresses,
    };
    binaries.init()?;
    binaries.start(&run_dir)?;
    if all_ran {
        note("everything ran already; no playbacks were sent");
    } else if args.playbacks > 0 {
        binaries.send_playbacks(args.playbacks)?;
    }
    tour::print(&addresses)
}

/// Builds nothing but the parts' own binaries.
fn start_stores(run_dir: &RunDir, addresses: &Addresses) -> Result<()> {
    run_dir.create()?;
    let downloads = infrastructure::fetch(addresses)?;
    cargo::build_binaries(&PARTS, Profile::Dev)?;
    run_dir.save(addresses)?;
    infrastructure::start(run_dir, addresses, downloads.as_ref())
}

/// Every process of the system.
fn names() -> impl Iterator<Item = &'static str> {
    [KAFKA, CLICKHOUSE]
        .into_iter()
        .chain(SERVICES.iter().map(|service| service.name))
}

fn is_own(addresses: &Addresses, name: &str) -> bool {
    addresses
        .own_ports()
        .iter()
        .any(|(owner, ..)| *owner == name)
}

/// Builds the services and the load generator, and the parts' binaries beside this program.
fn build(profile: Profile) -> Result<()> {
    note("building (the first time takes a few minutes)");
    let services = SERVICES.map(|service| service.name);
    let binaries = [&services[..], &["ess-load"]].concat();
    if profile == Profile::Dev {
        return cargo::build_binaries(&[&binaries[..], &PARTS].concat(), profile);
    }
    cargo::build_binaries(&binaries, profile)?;
    cargo::build_binaries(&PARTS, Profile::Dev)
}

/// A system that runs keeps its addresses until it is stopped.
fn refuse_other_addresses(run_dir: &RunDir, addresses: &Addresses) -> Result<()> {
    let Some(running) = run_dir.addresses().filter(|running| running != addresses) else {
        return Ok(());
    };
    if names().all(|name| run_dir.process(name).is_none()) {
        return Ok(());
    }
    let (now, then) = (
        format!("{:?}", addresses.environment()),
        format!("{:?}", running.environment()),
    );
    Err(Error::message(format!(
        "the system runs with other addresses than the environment sets; stop it first with: cargo xtask down\n  \
         running: {then}\n  environment: {now}"
    )))
}

/// Reports all taken ports at once and before the long build.
fn refuse_taken_ports(run_dir: &RunDir, addresses: &Addresses, stores_only: bool) -> Result<()> {
    let wanted = addresses
        .own_ports()
        .into_iter()
        .filter(|(name, ..)| !stores_only || [KAFKA, CLICKHOUSE].contains(name))
        .filter(|(name, ..)| run_dir.process(name).is_none());
    let taken: Vec<_> = wanted
        .filter(|(_, _, port)| !ports::is_free(*port))
        .map(taken)
        .collect();
    if taken.is_empty() {
        Ok(())
    } else {
        Err(Error::message(taken.join("\n")))
    }
}

fn taken((name, key, port): (&str, &str, u16)) -> String {
    let holder = ports::holder(port)
        .map(|holder| format!(" by {holder}"))
        .unwrap_or_default();
    let value = if key.ends_with("_ADDR") {
        "127.0.0.1:PORT"
    } else {
        "PORT"
    };
    format!(
        "port {port} of {name} is in use{holder}: stop that process, or choose another port with {key}={value}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_about_a_port_in_use_names_the_service_and_the_key() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let message = taken(("command-api", "COMMAND_API_ADDR", port));
        assert!(
            message.starts_with(&format!("port {port} of command-api is in use by ")),
            "{message}"
        );
        assert!(
            message.ends_with("COMMAND_API_ADDR=127.0.0.1:PORT"),
            "{message}"
        );
    }
}
