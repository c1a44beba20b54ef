//! The identity of a process: its pid and its start time. The kernel reuses pids, so this crate never kills a process by its pid
//! alone.

use std::fmt;
use std::fs;
use std::str::FromStr;

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// The identity of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Process id.
    pub pid: i32,
    /// Start time in clock ticks after boot (field 22 of `/proc/PID/stat`, proc(5)).
    pub started: u64,
}

impl Identity {
    /// The running process with this pid. A zombie counts as ended, unless it has running threads, which hold its ports.
    pub fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Field 2 is the program's name in parentheses and may contain spaces, so fields are counted from its end.
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3);
        let (state, threads, started) = (field(3)?, field(20)?.parse::<u32>().ok()?, field(22)?);
        let ended = *state == "X" || (*state == "Z" && threads <= 1);
        let started = started.parse().ok()?;
        (!ended).then_some(Self { pid, started })
    }

    /// Whether this process still runs.
    pub fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Sends a signal to the process group that it leads. Does nothing if the process has ended.
    pub(crate) fn signal(self, signal: Signal) -> Result<(), Errno> {
        if !self.is_alive() {
            return Ok(());
        }
        match killpg(Pid::from_raw(self.pid), signal) {
            Err(Errno::ESRCH) => Ok(()),
            sent => sent,
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pid, self.started)
    }
}

impl FromStr for Identity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (pid, started) = text.trim().split_once(' ').ok_or(())?;
        Ok(Self {
            pid: pid.parse().map_err(|_| ())?,
            started: started.parse().map_err(|_| ())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recycled_pid_is_another_process() {
        let me = Identity::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(me.is_alive());
        let earlier = Identity {
            started: me.started - 1,
            ..me
        };
        assert!(!earlier.is_alive());
        assert_eq!(
            earlier.signal(Signal::SIGKILL),
            Ok(()),
            "no process is signalled"
        );
    }

    #[test]
    fn an_identity_parses_from_its_pid_file() {
        let me = Identity {
            pid: 12,
            started: 345,
        };
        assert_eq!(me.to_string().parse(), Ok(me));
        assert_eq!("12".parse::<Identity>(), Err(()));
    }
}
