//! `up`: from a fresh clone to a running system, in the order in which a reader would do it by hand. What already runs
//! is left alone.

mod infrastructure;
mod services;
mod tour;

use ess_parts::progress::note;
use ess_parts::{ports, tools};

use crate::cargo::{self, Metadata};
use crate::error::{Error, Result};
use crate::run_dir::RunDir;
use crate::system::{Addresses, CLICKHOUSE, KAFKA, SERVICES};

/// rdkafka brings librdkafka as C sources.
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

/// What `up` can be told.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Simulated playbacks to send once everything runs; 0 sends none.
    #[arg(long, default_value_t = 200)]
    playbacks: u32,
    /// Start Kafka and ClickHouse alone; whoever asks for it starts the services elsewhere.
    #[arg(long, conflicts_with = "playbacks")]
    stores_only: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
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
    build()?;
    run_dir.keep(&addresses)?;
    infrastructure::start(&run_dir, &addresses, downloads.as_ref())?;
    let metadata = Metadata::read()?;
    services::init(&metadata, &addresses)?;
    services::start(&run_dir, &metadata, &addresses)?;
    if all_ran {
        note("everything ran already; no playbacks were sent");
    } else if args.playbacks > 0 {
        services::stream(&metadata, &addresses, args.playbacks)?;
    }
    tour::print(&addresses)
}

/// Nothing of ours is built but what the parts themselves need.
fn start_stores(run_dir: &RunDir, addresses: &Addresses) -> Result<()> {
    run_dir.create()?;
    let downloads = infrastructure::fetch(addresses)?;
    build_parts()?;
    run_dir.keep(addresses)?;
    infrastructure::start(run_dir, addresses, downloads.as_ref())
}

/// Every process there may be.
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

fn build() -> Result<()> {
    note("building (the first time takes a few minutes)");
    let packages = SERVICES
        .iter()
        .map(|service| service.package)
        .chain(["ess-load"]);
    let packages: Vec<_> = packages.flat_map(|package| ["-p", package]).collect();
    cargo::build(&[&["--release"], packages.as_slice()].concat())?;
    build_parts()
}

/// The parts' own binaries lie beside this program, wherever it was built.
fn build_parts() -> Result<()> {
    cargo::build(&["-p", "ess-parts", "--bins"])
}

/// A system that runs keeps its addresses until it is stopped.
fn refuse_other_addresses(run_dir: &RunDir, addresses: &Addresses) -> Result<()> {
    let Some(running) = run_dir.addresses().filter(|kept| kept != addresses) else {
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
        "the system runs with other addresses than the environment asks for; stop it first with: cargo xtask down\n  \
         runs with: {then}\n  asked for: {now}"
    )))
}

/// All at once and before the long build, so that nobody waits for minutes to learn of a taken port.
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
        "port {port}, which {name} needs, is taken{holder}: end that process, or choose another with {key}={value}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_who_wants_it_and_the_key_that_changes_it() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let message = taken(("command-api", "COMMAND_API_ADDR", port));
        assert!(
            message.starts_with(&format!(
                "port {port}, which command-api needs, is taken by "
            )),
            "{message}"
        );
        assert!(
            message.ends_with("COMMAND_API_ADDR=127.0.0.1:PORT"),
            "{message}"
        );
    }
}
