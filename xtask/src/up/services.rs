//! Our own processes: topics and tables first, then the services, each waited for by its own word that it is ready,
//! then some playbacks.

use std::process::{Command, Stdio};
use std::time::Duration;

use ess_parts::progress::note;
use ess_parts::{Launch, Lifetime, Process, tail};

use crate::cargo::{Metadata, Profile, run};
use crate::error::{Error, Result};
use crate::health::readiness;
use crate::run_dir::RunDir;
use crate::system::{Addresses, SERVICES, Service};

const READY_WITHIN: Duration = Duration::from_mins(1);

/// Creates topics and tables; changes nothing when they are there.
pub(super) fn init(metadata: &Metadata, addresses: &Addresses) -> Result<()> {
    note("projector init: topics and tables");
    run(binary(metadata, "ess-projector", addresses)?.arg("init"))
}

/// Starts what does not run yet.
pub(super) fn start(run_dir: &RunDir, metadata: &Metadata, addresses: &Addresses) -> Result<()> {
    for service in &SERVICES {
        if let Some(process) = run_dir.process(service.name) {
            note(&format!(
                "{}: runs already (pid {})",
                service.name,
                process.pid()
            ));
            wait(run_dir, addresses, service, &process)?;
            continue;
        }
        let log = run_dir.log(service.name);
        let lifetime = Lifetime::Detached {
            pid_file: run_dir.pid_file(service.name),
        };
        let command = binary(metadata, service.package, addresses)?;
        let process = Launch {
            name: service.name,
            command,
            log: &log,
            lifetime: &lifetime,
        }
        .spawn()?;
        wait(run_dir, addresses, service, &process)?;
        note(&format!(
            "{}: ready at {}",
            service.name,
            addresses.url(service.name)
        ));
    }
    Ok(())
}

fn wait(
    run_dir: &RunDir,
    addresses: &Addresses,
    service: &Service,
    process: &Process,
) -> Result<()> {
    let (url, log) = (addresses.url(service.name), run_dir.log(service.name));
    let mut last = Err("no answer yet".to_owned());
    let ended = ess_parts::until(READY_WITHIN, || {
        last = readiness(&url);
        (last.is_ok() || !process.is_alive()).then(|| last.is_ok())
    });
    let problem = match ended {
        Some(true) => return Ok(()),
        Some(false) => "ended before it was ready".to_owned(),
        None => format!(
            "is not ready after {} s: {}",
            READY_WITHIN.as_secs(),
            last.err().unwrap_or_default()
        ),
    };
    Err(Error::message(format!(
        "{name} {problem}\nthe last lines of {log}:\n{tail}\nput that right, then run cargo xtask up again; what runs is \
         left running (cargo xtask status, cargo xtask down)",
        name = service.name,
        log = log.display(),
        tail = tail(&log),
    )))
}

/// Sends simulated playbacks, with the load tool's own progress bar.
pub(super) fn stream(metadata: &Metadata, addresses: &Addresses, playbacks: u32) -> Result<()> {
    let url = addresses.url("command-api");
    let args = [
        "players",
        "--playbacks",
        &playbacks.to_string(),
        "--seed",
        "1",
        "--url",
        &url,
    ];
    run(binary(metadata, "ess-load", addresses)?.args(args))
}

fn binary(metadata: &Metadata, package: &str, addresses: &Addresses) -> Result<Command> {
    let mut command = Command::new(metadata.binary(package, Profile::Release)?);
    command.envs(addresses.environment()).stdin(Stdio::null());
    Ok(command)
}
