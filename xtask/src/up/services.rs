//! The services: topics and tables first, then each service until it reports that it is ready, then some playbacks.
//! Starts binaries that are built; builds nothing.

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

/// The built binaries, and the addresses that they get.
pub(super) struct Binaries<'a> {
    pub(super) metadata: Metadata,
    pub(super) profile: Profile,
    pub(super) addresses: &'a Addresses,
}

impl Binaries<'_> {
    /// Creates the topics and tables that are missing.
    pub(super) fn init(&self) -> Result<()> {
        note("projector init: topics and tables");
        run(self.command("projector").arg("init"))
    }

    /// Starts the services that do not run yet.
    pub(super) fn start(&self, run_dir: &RunDir) -> Result<()> {
        for service in &SERVICES {
            if let Some(process) = run_dir.process(service.name) {
                let pid = process.pid();
                note(&format!("{}: already runs (pid {pid})", service.name));
                wait(run_dir, self.addresses, service, &process)?;
                continue;
            }
            let log = run_dir.log(service.name);
            let lifetime = Lifetime::Detached {
                pid_file: run_dir.pid_file(service.name),
            };
            let process = Launch {
                name: service.name,
                command: self.command(service.name),
                log: &log,
                lifetime: &lifetime,
            }
            .spawn()?;
            wait(run_dir, self.addresses, service, &process)?;
            let url = self.addresses.url(service.name);
            note(&format!("{}: ready at {url}", service.name));
        }
        Ok(())
    }

    /// Sends simulated playbacks, with the load generator's own progress bar.
    pub(super) fn send_playbacks(&self, playbacks: u32) -> Result<()> {
        let mut players = self.command("ess-load");
        players
            .args(["players", "--seed", "1", "--playbacks"])
            .arg(playbacks.to_string())
            .args(["--url", &self.addresses.url("command-api")]);
        run(&mut players)
    }

    fn command(&self, binary: &str) -> Command {
        let mut command = Command::new(self.metadata.binary(binary, self.profile));
        command
            .envs(self.addresses.environment())
            .stdin(Stdio::null());
        command
    }
}

fn wait(
    run_dir: &RunDir,
    addresses: &Addresses,
    service: &Service,
    process: &Process,
) -> Result<()> {
    let (url, log) = (addresses.url(service.name), run_dir.log(service.name));
    let mut last = Err("no response yet".to_owned());
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
        "{name} {problem}\nthe last lines of {log}:\n{tail}\nfix the cause, then run cargo xtask up again; the processes \
         that run are left running (cargo xtask status, cargo xtask down)",
        name = service.name,
        log = log.display(),
        tail = tail(&log),
    )))
}
