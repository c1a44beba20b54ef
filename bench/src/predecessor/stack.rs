//! One ESS: command-api, projector and query-api as processes, the binaries beside this one, with every setting at its default but
//! names and addresses.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ess_parts::{Launch, Lifetime, Process, ports, tail};
use tokio::task::block_in_place;

use crate::error::{Error, Result};
use crate::projector::binary;
use crate::servers::Servers;
use crate::topic;
use crate::waiting::until;

const NAME: &str = "bench_predecessor";
const TOPIC: &str = "bench-predecessor";
const STARTS_WITHIN: Duration = Duration::from_mins(1);
const ENDS_WITHIN: Duration = Duration::from_secs(40);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The services in the order in which they start, with the keys of their addresses and the options that tell them to `ess-load`.
const SERVICES: [(&str, &str, &str); 3] = [
    ("projector", "PROJECTOR_ADDR", "--projector-url"),
    ("command-api", "COMMAND_API_ADDR", "--url"),
    ("query-api", "QUERY_API_ADDR", "--query-url"),
];

/// The running services.
pub(super) struct Stack {
    services: Vec<Service>,
    servers: Servers,
}

struct Service {
    name: &'static str,
    option: &'static str,
    url: String,
    log: PathBuf,
    process: Process,
}

impl Stack {
    /// Starts them, each ready before the next.
    ///
    /// # Errors
    /// One that does not become ready.
    pub(super) async fn start(servers: &Servers, logs: &Path) -> Result<Self> {
        topic::create(&servers.settings(TOPIC, NAME)?).await?;
        let environment = servers.environment(TOPIC, NAME);
        let mut services = Vec::new();
        for (name, key, option) in SERVICES {
            let service = Service::start(name, key, option, &environment, logs)?;
            service.wait_until_ready().await?;
            services.push(service);
        }
        Ok(Self {
            services,
            servers: servers.clone(),
        })
    }

    /// What `ess-load run` is told of it.
    pub(super) fn options(&self) -> Vec<String> {
        let mut options = vec![
            "--clickhouse-url".to_owned(),
            self.servers.clickhouse_url.clone(),
            "--database".to_owned(),
            NAME.to_owned(),
        ];
        let mut pids = vec![
            ("kafka", self.servers.kafka_pid),
            ("clickhouse", self.servers.clickhouse_pid),
        ];
        for service in &self.services {
            options.extend([service.option.to_owned(), service.url.clone()]);
            pids.push((service.name, service.process.pid()));
        }
        for (name, pid) in pids {
            options.extend(["--pid".to_owned(), format!("{name}={pid}")]);
        }
        options
    }

    /// Ends them as an operator would, the last first.
    ///
    /// # Errors
    /// One that cannot be ended.
    pub(super) fn stop(self) -> Result<()> {
        for mut service in self.services.into_iter().rev() {
            block_in_place(|| service.process.stop(ENDS_WITHIN))?;
        }
        Ok(())
    }
}

impl Service {
    fn start(
        name: &'static str,
        key: &str,
        option: &'static str,
        environment: &HashMap<String, String>,
        logs: &Path,
    ) -> Result<Self> {
        let address = format!("127.0.0.1:{}", ports::free_port()?);
        let mut command = Command::new(binary(name)?);
        command.envs(environment).env(key, &address);
        let log = logs.join(format!("{name}.log"));
        let launch = Launch {
            name,
            command,
            log: &log,
            lifetime: &Lifetime::Attached,
        };
        Ok(Self {
            name,
            option,
            url: format!("http://{address}"),
            process: launch.spawn()?,
            log,
        })
    }

    async fn wait_until_ready(&self) -> Result<()> {
        let what = format!("{} is ready", self.name);
        until(&what, STARTS_WITHIN, LOOK_EVERY, async || {
            if !self.process.is_alive() {
                let (name, tail) = (self.name, tail(&self.log));
                return Err(Error::message(format!("{name} has ended\n{tail}")));
            }
            let asked = reqwest::get(format!("{}/health/ready", self.url)).await;
            Ok(asked
                .ok()
                .filter(|answer| answer.status().is_success())
                .map(|_| ()))
        })
        .await
    }
}
