//! The machine that a run was measured on.

use procfs::Current as _;
use serde::{Deserialize, Serialize};

/// The machine.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub memory_bytes: u64,
    pub kernel: String,
    /// Mean number of runnable processes in the minute before the run.
    pub load_average: f32,
    /// The version of this program.
    pub tool: String,
}

impl Machine {
    /// Reads it from procfs; values that the kernel does not report are empty.
    pub(crate) fn read() -> Self {
        let cpus = procfs::CpuInfo::current().ok();
        let cpu = cpus.as_ref().and_then(|cpus| cpus.model_name(0));
        let version = procfs::sys::kernel::Version::current().ok();
        Self {
            cpu: cpu.unwrap_or("unknown").to_owned(),
            cores: cpus.as_ref().map_or(0, procfs::CpuInfo::num_cores),
            memory_bytes: procfs::Meminfo::current().map_or(0, |memory| memory.mem_total),
            kernel: version.map_or_else(String::new, |v| {
                format!("{}.{}.{}", v.major, v.minor, v.patch)
            }),
            load_average: procfs::LoadAverage::current().map_or(0.0, |load| load.one),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// One line of text.
    pub(crate) fn line(&self) -> String {
        let memory = self.memory_bytes as f64 / f64::from(1 << 30);
        format!(
            "{}, {} cores, {memory:.1} GiB, Linux {}, load average {:.2} before",
            self.cpu, self.cores, self.kernel, self.load_average
        )
    }
}
