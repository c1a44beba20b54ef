//! Finds free ports, and the process that listens on a port in use. Never returns a port of the kernel's ephemeral range: a client
//! that reconnects to a stopped server there can connect to itself, and the server cannot bind the port again.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};

const FROM: u16 = 15_000;
/// Linux's ephemeral ports start at 32768 (net.ipv4.ip_local_port_range).
const TO: u16 = 31_999;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A free port of 127.0.0.1 that this process has not returned before.
///
/// # Errors
/// [`Error::NoFreePort`] if all are in use.
pub fn free_port() -> Result<u16> {
    let start = offset_of_this_process();
    let span = TO - FROM;
    for _ in 0..span {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % span;
        let port = FROM + (start + step) % span;
        if is_free(port) {
            return Ok(port);
        }
    }
    Err(Error::NoFreePort { from: FROM, to: TO })
}

/// Whether 127.0.0.1:`port` can be bound.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Requires that the port is free.
///
/// # Errors
/// [`Error::PortTaken`], with the process that listens on it, if visible.
pub fn require_free(port: u16) -> Result<()> {
    if is_free(port) {
        Ok(())
    } else {
        Err(Error::PortTaken {
            port,
            holder: holder(port),
        })
    }
}

/// The process that listens on `port`, as `name (pid N)`; `None` if it is not visible to this user.
pub fn holder(port: u16) -> Option<String> {
    let inodes = listening_inodes(port);
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let holds = fs::read_dir(entry.path().join("fd"))
            .ok()?
            .flatten()
            .any(|fd| {
                fs::read_link(fd.path())
                    .is_ok_and(|to| inodes.iter().any(|inode| to.as_os_str() == inode.as_str()))
            });
        let name = fs::read_to_string(entry.path().join("comm")).ok()?;
        holds.then(|| format!("{} (pid {pid})", name.trim()))
    })
}

/// `socket:[inode]` of every listener on the port, from /proc/net/tcp and tcp6 (proc(5)).
fn listening_inodes(port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let suffix = format!(":{port:04X}");
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| {
            let of_port = |line: &str| {
                let fields: Vec<_> = line.split_whitespace().collect();
                let listens =
                    fields.len() > 9 && fields[1].ends_with(&suffix) && fields[3] == LISTEN;
                listens.then(|| format!("socket:[{}]", fields[9]))
            };
            table.lines().filter_map(of_port).collect::<Vec<_>>()
        })
        .collect()
}

/// Spreads processes that start at the same moment over the range.
fn offset_of_this_process() -> u16 {
    static OFFSET: std::sync::OnceLock<u16> = std::sync::OnceLock::new();
    *OFFSET.get_or_init(|| {
        let nanos = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.subsec_nanos());
        ((nanos ^ std::process::id().wrapping_mul(2_654_435_761)) % u32::from(TO - FROM)) as u16
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_reported_with_its_process() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let message = require_free(port).unwrap_err().to_string();
        assert!(message.contains(&port.to_string()), "{message}");
        assert!(
            message.contains(&format!("(pid {})", std::process::id())),
            "{message}"
        );
    }

    #[test]
    fn free_ports_differ_and_are_not_ephemeral() {
        let ports: Vec<_> = (0..20).map(|_| free_port().unwrap()).collect();
        let distinct: std::collections::HashSet<_> = ports.iter().collect();
        assert_eq!(distinct.len(), ports.len());
        assert!(
            ports
                .iter()
                .all(|port| (FROM..=TO).contains(port) && is_free(*port))
        );
    }
}
