//! The machine and the versions, without which figures mean nothing.

use procfs::{Current as _, sys::kernel::Version};
use serde::Serialize;

use crate::error::Result;
use crate::read_model::version;
use crate::servers::Servers;

/// The machine and the versions.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    memory_bytes: u64,
    kernel: String,
    /// Load average of 1, 5 and 15 minutes before the first measurement.
    load_average: [f32; 3],
    kafka: &'static str,
    clickhouse: String,
    librdkafka: String,
    commit: String,
}

impl Machine {
    /// Reads it from /proc and ClickHouse.
    ///
    /// # Errors
    /// A machine without /proc, or ClickHouse does not answer.
    pub(crate) async fn read(servers: &Servers) -> Result<Self> {
        let cpus = procfs::CpuInfo::current()?;
        let load = procfs::LoadAverage::current()?;
        Ok(Self {
            cpu: cpus.model_name(0).unwrap_or("unknown").to_owned(),
            cores: cpus.num_cores(),
            memory_bytes: procfs::Meminfo::current()?.mem_total,
            kernel: kernel(Version::current()?),
            load_average: [load.one, load.five, load.fifteen],
            kafka: ess_parts::versions::KAFKA,
            clickhouse: version(&servers.clickhouse_url).await?,
            librdkafka: rdkafka::util::get_rdkafka_version().1,
            commit: servers.commit.clone(),
        })
    }

    /// As text lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        let [one, five, fifteen] = self.load_average;
        let memory = self.memory_bytes as f64 / f64::from(1 << 30);
        vec![
            format!(
                "machine: {}, {} cores, {memory:.1} GiB, Linux {}",
                self.cpu, self.cores, self.kernel
            ),
            format!("load average at the start: {one:.2} {five:.2} {fifteen:.2}"),
            format!(
                "Kafka {}, ClickHouse {}, librdkafka {}, commit {}",
                self.kafka, self.clickhouse, self.librdkafka, self.commit
            ),
        ]
    }
}

fn kernel(version: Version) -> String {
    let Version {
        major,
        minor,
        patch,
    } = version;
    format!("{major}.{minor}.{patch}")
}
