//! CPU time and resident memory of processes, from procfs (proc(5)). Reads a few small files only, so that it costs little.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use procfs::process::Process;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The name of this program among the processes.
pub(crate) const OWN: &str = "ess-load";

/// What one process uses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time, in percent of one core.
    pub cpu_percent: f64,
    /// Resident memory, bytes.
    pub rss_bytes: u64,
}

/// Measures processes, by name.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pids: Pids,
    before: BTreeMap<String, (i32, Duration)>,
    last_read: Option<Instant>,
}

/// Where to find the processes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pids {
    /// A folder of `NAME.pid` files, as `cargo xtask up` writes them. Read each time, because a process may be restarted.
    pub(crate) run_dir: Option<std::path::PathBuf>,
    pub(crate) given: Vec<(String, i32)>,
}

impl Pids {
    /// The current processes.
    pub(crate) fn now(&self) -> BTreeMap<String, i32> {
        let me = (OWN.to_owned(), std::process::id().cast_signed());
        let given = self.given.iter().cloned().chain([me]);
        let mut pids: BTreeMap<_, _> = given.collect();
        if let Some(folder) = &self.run_dir {
            pids.extend(in_folder(folder));
        }
        pids
    }
}

fn in_folder(folder: &Path) -> Vec<(String, i32)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let read = |path: &Path| {
        let name = path.file_name()?.to_str()?.strip_suffix(".pid")?.to_owned();
        let text = fs::read_to_string(path).ok()?;
        let pid = text.split_whitespace().next()?.parse().ok()?;
        Some((name, pid))
    };
    entries.filter_map(|entry| read(&entry.path())).collect()
}

impl Meter {
    pub(crate) fn new(pids: Pids) -> Self {
        Self {
            pids,
            ..Self::default()
        }
    }

    /// The usage of each process since the last call; none at the first call.
    pub(crate) fn read(&mut self) -> BTreeMap<String, Usage> {
        let now = Instant::now();
        let since = self.last_read.replace(now).map(|before| now - before);
        let mut usage = BTreeMap::new();
        for (name, pid) in self.pids.now() {
            let Some((cpu, rss_bytes)) = read(pid) else {
                continue;
            };
            let before = self.before.insert(name.clone(), (pid, cpu));
            let before = before.filter(|(known, _)| *known == pid);
            if let (Some(since), Some((_, before))) = (since, before) {
                let used = cpu.saturating_sub(before).as_secs_f64();
                let cpu_percent = 100.0 * used / since.as_secs_f64().max(0.001);
                let one = Usage {
                    cpu_percent,
                    rss_bytes,
                };
                usage.insert(name, one);
            }
        }
        usage
    }
}

/// CPU time of a process since its start, and resident memory in bytes.
fn read(pid: i32) -> Option<(Duration, u64)> {
    let stat = Process::new(pid).ok()?.stat().ok()?;
    let ticks = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
    Some((
        Duration::from_secs_f64(ticks),
        stat.rss * procfs::page_size(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_found_by_their_pid_files_and_by_given_pids() {
        let folder = std::env::temp_dir().join(format!("ess-load-pids-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("projector.pid"), "4242 99").unwrap();
        fs::write(folder.join("addresses.json"), "{}").unwrap();
        let pids = Pids {
            run_dir: Some(folder.clone()),
            given: vec![("kafka".to_owned(), 7)],
        };
        let found = pids.now();
        fs::remove_dir_all(&folder).unwrap();
        let names: Vec<_> = found.keys().map(String::as_str).collect();
        assert_eq!(names, [OWN, "kafka", "projector"]);
        assert_eq!(found["projector"], 4_242);
    }

    #[test]
    fn usage_is_known_from_the_second_call_on() {
        let mut meter = Meter::new(Pids::default());
        assert!(meter.read().is_empty());
        let usage = meter.read();
        assert!(usage[OWN].rss_bytes > 1 << 20);
    }
}
