//! A complete ESS: command-api, projector and query-api as processes, with default settings except names and addresses.

use std::path::Path;
use std::process::Command;

use crate::error::Result;
use crate::http::service::{Service, address};
use crate::projector::binary;
use crate::servers::Servers;
use crate::topic;

const NAME: &str = "bench_predecessor";
const TOPIC: &str = "bench-predecessor";

/// The services in start order, with the configuration key of the address and the option of `ess-load` for the URL.
const SERVICES: [(&str, &str, &str); 3] = [
    ("projector", "PROJECTOR_ADDR", "--projector-url"),
    ("command-api", "COMMAND_API_ADDR", "--url"),
    ("query-api", "QUERY_API_ADDR", "--query-url"),
];

/// The running services.
pub(super) struct Stack {
    /// Each with its name and the option for its URL.
    services: Vec<(&'static str, &'static str, Service)>,
    servers: Servers,
}

impl Stack {
    /// Starts the services, each after the one before is ready.
    ///
    /// # Errors
    /// A service that does not become ready.
    pub(super) async fn start(servers: &Servers, logs: &Path) -> Result<Self> {
        topic::create(&servers.settings(TOPIC, NAME)?).await?;
        let environment = servers.environment(TOPIC, NAME);
        let mut services = Vec::new();
        for (name, key, option) in SERVICES {
            let address = address()?;
            let mut command = Command::new(binary(name)?);
            command.envs(&environment).env(key, &address);
            let service = Service::start(name, command, address, logs, "/health/ready").await?;
            services.push((name, option, service));
        }
        Ok(Self {
            services,
            servers: servers.clone(),
        })
    }

    /// The options of `ess-load run` for this stack.
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
        for (name, option, service) in &self.services {
            options.extend([(*option).to_owned(), service.target.url.clone()]);
            pids.push((name, service.target.pid));
        }
        for (name, pid) in pids {
            options.extend(["--pid".to_owned(), format!("{name}={pid}")]);
        }
        options
    }

    /// Stops the services with SIGTERM, in reverse order.
    ///
    /// # Errors
    /// A service that cannot be stopped.
    pub(super) fn stop(self) -> Result<()> {
        let services = self.services.into_iter().rev();
        services
            .map(|(_, _, service)| service)
            .try_for_each(Service::stop)
    }
}
