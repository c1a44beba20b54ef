//! Which process a pid means. A pid alone is recycled by the kernel, so every kill in this crate goes through a pid
//! together with the moment its process started.

use std::fmt;
use std::fs;
use std::str::FromStr;

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// One process for as long as it lives: a pid and its start time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Process id.
    pub pid: i32,
    /// Clock ticks after boot at which it started (field 22 of `/proc/PID/stat`, proc(5)).
    pub started: u64,
}

impl Identity {
    /// The living process with this pid. A zombie counts as gone, unless threads of it still run: those hold its ports.
    pub fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name in brackets and may hold spaces: count from its end, field 3 on.
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3);
        let (state, threads, started) = (field(3)?, field(20)?.parse::<u32>().ok()?, field(22)?);
        let gone = *state == "X" || (*state == "Z" && threads <= 1);
        let started = started.parse().ok()?;
        (!gone).then_some(Self { pid, started })
    }

    /// Whether this very process still runs.
    pub fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Sends a signal to its process group, which it leads; to nobody when it is gone.
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
            "nobody is signalled"
        );
    }

    #[test]
    fn an_identity_survives_its_pid_file() {
        let me = Identity {
            pid: 12,
            started: 345,
        };
        assert_eq!(me.to_string().parse(), Ok(me));
        assert_eq!("12".parse::<Identity>(), Err(()));
    }
}
