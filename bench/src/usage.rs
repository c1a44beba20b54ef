//! CPU time and peak memory of processes from procfs (proc(5)). Never reads while a clock runs, only at its start and end.

use std::time::Duration;

use procfs::process::{Process, Stat};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::servers::Servers;

/// CPU time that processes have used, all their threads, user and kernel.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Cpu {
    /// The measured process: the projector or its replacement.
    pub(crate) client: Duration,
    pub(crate) clickhouse: Duration,
    pub(crate) kafka: Duration,
}

/// Measures the processes of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    client: Option<i32>,
    clickhouse: i32,
    kafka: i32,
    at_start: Cpu,
}

impl Meter {
    /// Starts measuring. `client` is `None` if no process is between the servers.
    ///
    /// # Errors
    /// A process that does not exist.
    pub(crate) fn start(servers: &Servers, client: Option<i32>) -> Result<Self> {
        let mut meter = Self {
            client,
            clickhouse: servers.clickhouse_pid,
            kafka: servers.kafka_pid,
            at_start: Cpu::default(),
        };
        meter.at_start = meter.total()?;
        Ok(meter)
    }

    /// CPU time since the start.
    ///
    /// # Errors
    /// A process that has ended.
    pub(crate) fn used(&self) -> Result<Cpu> {
        let (now, start) = (self.total()?, self.at_start);
        Ok(Cpu {
            client: now.client.saturating_sub(start.client),
            clickhouse: now.clickhouse.saturating_sub(start.clickhouse),
            kafka: now.kafka.saturating_sub(start.kafka),
        })
    }

    /// CPU time of ClickHouse since the start, even if the other processes have ended.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn used_by_clickhouse(&self) -> Result<Duration> {
        Ok(cpu_of(self.clickhouse)?.saturating_sub(self.at_start.clickhouse))
    }

    fn total(&self) -> Result<Cpu> {
        Ok(Cpu {
            client: self.client.map(cpu_of).transpose()?.unwrap_or_default(),
            clickhouse: cpu_of(self.clickhouse)?,
            kafka: cpu_of(self.kafka)?,
        })
    }
}

/// CPU time of a process since it started.
pub(crate) fn cpu_of(pid: i32) -> Result<Duration> {
    Ok(cpu(&Process::new(pid)?.stat()?, procfs::ticks_per_second()))
}

/// Peak resident memory of a running process, bytes (`VmHWM`).
pub(crate) fn peak_memory(pid: i32) -> Result<u64> {
    let peak = Process::new(pid)?.status()?.vmhwm;
    let ended = || {
        Error::message(format!(
            "process {pid} has ended, so its peak memory is unknown"
        ))
    };
    Ok(peak.ok_or_else(ended)? * 1024)
}

/// Resident memory of a running process, bytes.
pub(crate) fn resident_memory(pid: i32) -> Result<u64> {
    let stat = Process::new(pid)?.stat()?;
    Ok(stat.rss * procfs::page_size())
}

/// Number of open files of a running process.
pub(crate) fn open_files(pid: i32) -> Result<usize> {
    Ok(Process::new(pid)?.fd_count()?)
}

fn cpu(stat: &Stat, ticks_per_second: u64) -> Duration {
    let ticks = stat.utime + stat.stime;
    Duration::from_secs_f64(ticks as f64 / ticks_per_second as f64)
}

#[cfg(test)]
mod tests {
    use procfs::FromRead as _;

    use super::*;

    /// `/proc/PID/stat` of a broker, with shortened name and addresses.
    const STAT: &[u8] = b"4242 (kafka (main) x) S 1 4242 4242 0 -1 4194560 91234 0 12 0 1834 266 7 9 20 0 71 0 103412 4871237632 121873 18446744073709551615 1 1 0 0 0 0 0 4096 16800975 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";

    #[test]
    fn user_and_kernel_time_count_without_ended_children() {
        let stat = Stat::from_read(STAT).unwrap();
        assert_eq!(cpu(&stat, 100), Duration::from_secs(21));
    }

    #[test]
    fn this_process_has_used_time_and_memory() {
        let me = i32::try_from(std::process::id()).unwrap();
        let held = vec![1_u8; 32 << 20];
        assert!(peak_memory(me).unwrap() > held.len() as u64);
        assert!(cpu_of(me).unwrap() < Duration::from_hours(1));
    }
}
