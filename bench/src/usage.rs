//! What the processes cost: CPU time and peak memory, as the kernel counts them (proc(5)). It must never cost anything
//! itself while a clock runs: it reads when one starts and when it stops.

use std::time::Duration;

use procfs::process::{Process, Stat};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::servers::Servers;

/// CPU time that processes have used, all their threads, user and kernel.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Cpu {
    /// The process under measurement: the projector, or what stands in its place.
    pub(crate) client: Duration,
    pub(crate) clickhouse: Duration,
    pub(crate) kafka: Duration,
}

/// Reads the processes of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    client: Option<i32>,
    clickhouse: i32,
    kafka: i32,
    begun: Cpu,
}

impl Meter {
    /// Begins now; `client` is none where nothing stands between the servers.
    ///
    /// # Errors
    /// A process that is not there.
    pub(crate) fn start(servers: &Servers, client: Option<i32>) -> Result<Self> {
        let mut meter = Self {
            client,
            clickhouse: servers.clickhouse_pid,
            kafka: servers.kafka_pid,
            begun: Cpu::default(),
        };
        meter.begun = meter.total()?;
        Ok(meter)
    }

    /// What was used since the start.
    ///
    /// # Errors
    /// A process that has ended.
    pub(crate) fn used(&self) -> Result<Cpu> {
        let (now, begun) = (self.total()?, self.begun);
        Ok(Cpu {
            client: now.client.saturating_sub(begun.client),
            clickhouse: now.clickhouse.saturating_sub(begun.clickhouse),
            kafka: now.kafka.saturating_sub(begun.kafka),
        })
    }

    /// What ClickHouse alone used since the start, whether the others still run or not.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn used_by_clickhouse(&self) -> Result<Duration> {
        Ok(cpu_of(self.clickhouse)?.saturating_sub(self.begun.clickhouse))
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

/// Most memory that a living process has had resident at once, bytes (`VmHWM`).
pub(crate) fn peak_memory(pid: i32) -> Result<u64> {
    let peak = Process::new(pid)?.status()?.vmhwm;
    let ended = || Error::message(format!("process {pid} has ended: its peak memory is gone"));
    Ok(peak.ok_or_else(ended)? * 1024)
}

/// Memory that a living process has resident now, bytes.
pub(crate) fn resident_memory(pid: i32) -> Result<u64> {
    let stat = Process::new(pid)?.stat()?;
    Ok(stat.rss * procfs::page_size())
}

/// Files that a living process has open.
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

    /// A broker's, shortened names and addresses, as the kernel writes it.
    const STAT: &[u8] = b"4242 (kafka (main) x) S 1 4242 4242 0 -1 4194560 91234 0 12 0 1834 266 7 9 20 0 71 0 103412 4871237632 121873 18446744073709551615 1 1 0 0 0 0 0 4096 16800975 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";

    #[test]
    fn user_and_kernel_time_count_and_that_of_ended_children_does_not() {
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
