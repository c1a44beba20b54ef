//! The processes of the system on one machine and their addresses: the table that `up`, `down` and `status` share. Knows
//! names and ports only; starts nothing.

use std::env;

use ess_parts::{ClickHouse, Kafka};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::health::readiness;

/// Name of the broker's process.
pub(crate) const KAFKA: &str = "kafka";
/// Name of ClickHouse's process.
pub(crate) const CLICKHOUSE: &str = "clickhouse";

/// One of the services.
pub(crate) struct Service {
    /// Name of its binary, log and pid file.
    pub(crate) name: &'static str,
    /// Configuration key of its address.
    pub(crate) key: &'static str,
    /// Its address unless the key says otherwise.
    default: &'static str,
}

/// In the order in which they start.
pub(crate) const SERVICES: [Service; 3] = [
    Service {
        name: "command-api",
        key: "COMMAND_API_ADDR",
        default: "127.0.0.1:8000",
    },
    Service {
        name: "projector",
        key: "PROJECTOR_ADDR",
        default: "127.0.0.1:8002",
    },
    Service {
        name: "query-api",
        key: "QUERY_API_ADDR",
        default: "127.0.0.1:8001",
    },
];

/// Where everything listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Addresses {
    pub(crate) kafka: KafkaAddress,
    pub(crate) clickhouse: ClickHouseAddress,
    /// `host:port` of each of [`SERVICES`].
    pub(crate) services: Vec<String>,
}

/// A broker that `up` starts, or one that runs elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KafkaAddress {
    Own { port: u16, controller_port: u16 },
    Given { brokers: String },
}

/// A ClickHouse that `up` starts, or one that runs elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ClickHouseAddress {
    Own { http_port: u16, tcp_port: u16 },
    Given { url: String },
}

impl Addresses {
    /// From the environment, else the defaults.
    pub(crate) fn from_env() -> Result<Self> {
        let kafka = match set("KAFKA_BROKERS") {
            Some(brokers) => KafkaAddress::Given { brokers },
            None => KafkaAddress::Own {
                port: port("KAFKA_PORT", 9092)?,
                controller_port: port("KAFKA_CONTROLLER_PORT", 9093)?,
            },
        };
        let clickhouse = match set("CLICKHOUSE_URL") {
            Some(url) => ClickHouseAddress::Given { url },
            None => ClickHouseAddress::Own {
                http_port: port("CLICKHOUSE_HTTP_PORT", 8123)?,
                tcp_port: port("CLICKHOUSE_TCP_PORT", 9000)?,
            },
        };
        let service =
            |service: &Service| set(service.key).unwrap_or_else(|| service.default.to_owned());
        Ok(Self {
            kafka,
            clickhouse,
            services: SERVICES.iter().map(service).collect(),
        })
    }

    /// Bootstrap servers for clients.
    pub(crate) fn brokers(&self) -> String {
        match &self.kafka {
            KafkaAddress::Own { port, .. } => format!("127.0.0.1:{port}"),
            KafkaAddress::Given { brokers } => brokers.clone(),
        }
    }

    /// Base URL of ClickHouse.
    pub(crate) fn clickhouse_url(&self) -> String {
        match &self.clickhouse {
            ClickHouseAddress::Own { http_port, .. } => format!("http://127.0.0.1:{http_port}"),
            ClickHouseAddress::Given { url } => url.clone(),
        }
    }

    /// Base URL of a service.
    pub(crate) fn url(&self, name: &str) -> String {
        let position = SERVICES.iter().position(|service| service.name == name);
        format!(
            "http://{}",
            position
                .and_then(|at| self.services.get(at))
                .map_or("", String::as_str)
        )
    }

    /// The environment of every service.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = vec![
            ("KAFKA_BROKERS", self.brokers()),
            ("CLICKHOUSE_URL", self.clickhouse_url()),
        ];
        environment.extend(
            SERVICES
                .iter()
                .zip(&self.services)
                .map(|(service, addr)| (service.key, addr.clone())),
        );
        environment
    }

    /// Every port that a started process listens on: process, configuration key, port.
    pub(crate) fn own_ports(&self) -> Vec<(&'static str, &'static str, u16)> {
        let mut ports = Vec::new();
        if let KafkaAddress::Own {
            port,
            controller_port,
        } = self.kafka
        {
            ports.extend([
                (KAFKA, "KAFKA_PORT", port),
                (KAFKA, "KAFKA_CONTROLLER_PORT", controller_port),
            ]);
        }
        if let ClickHouseAddress::Own {
            http_port,
            tcp_port,
        } = self.clickhouse
        {
            ports.push((CLICKHOUSE, "CLICKHOUSE_HTTP_PORT", http_port));
            ports.push((CLICKHOUSE, "CLICKHOUSE_TCP_PORT", tcp_port));
        }
        for (service, addr) in SERVICES.iter().zip(&self.services) {
            let port = addr
                .rsplit_once(':')
                .and_then(|(_, port)| port.parse().ok());
            ports.extend(port.map(|port| (service.name, service.key, port)));
        }
        ports
    }

    /// Whether the process of this name is ready.
    pub(crate) fn is_ready(&self, name: &str) -> bool {
        match (name, &self.kafka) {
            (KAFKA, KafkaAddress::Own { port, .. }) => Kafka::answers(*port),
            (CLICKHOUSE, _) => ClickHouse::answers(&self.clickhouse_url()),
            _ => readiness(&self.url(name)).is_ok(),
        }
    }
}

fn set(key: &str) -> Option<String> {
    env::var(key).ok().filter(|value| !value.is_empty())
}

fn port(key: &str, default: u16) -> Result<u16> {
    let Some(value) = set(key) else {
        return Ok(default);
    };
    value.parse().map_err(|_| {
        Error::message(format!(
            "{key}={value} is not a port; expected a number from 1 to 65535"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(kafka: KafkaAddress) -> Addresses {
        Addresses {
            kafka,
            clickhouse: ClickHouseAddress::Own {
                http_port: 8123,
                tcp_port: 9000,
            },
            services: vec![
                "127.0.0.1:8000".to_owned(),
                "127.0.0.1:8002".to_owned(),
                "[::1]:8001".to_owned(),
            ],
        }
    }

    #[test]
    fn a_broker_elsewhere_needs_no_port_and_reaches_every_service() {
        let brokers = "log.example:9092".to_owned();
        let addresses = addresses(KafkaAddress::Given {
            brokers: brokers.clone(),
        });
        let ports: Vec<_> = addresses
            .own_ports()
            .into_iter()
            .map(|(.., port)| port)
            .collect();
        assert_eq!(ports, [8123, 9000, 8000, 8002, 8001]);
        assert!(
            addresses
                .environment()
                .contains(&("KAFKA_BROKERS", brokers))
        );
        assert!(
            addresses
                .environment()
                .contains(&("QUERY_API_ADDR", "[::1]:8001".to_owned()))
        );
    }

    #[test]
    fn a_later_command_reads_the_addresses_that_up_saved() {
        let saved = addresses(KafkaAddress::Own {
            port: 9092,
            controller_port: 9093,
        });
        let text = serde_json::to_string(&saved).unwrap();
        assert_eq!(serde_json::from_str::<Addresses>(&text).unwrap(), saved);
        assert_eq!(saved.url("command-api"), "http://127.0.0.1:8000");
    }
}
