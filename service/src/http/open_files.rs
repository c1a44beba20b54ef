//! The limit of open files of this process. A connection is an open file.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the soft limit to the hard limit, and returns the limit in effect; none if the system does not report it.
///
/// Shells and service managers set the soft limit to 1,024, for programs that use select(2).
pub(super) fn raise_nofile_limit() -> Option<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => Some(hard),
        Err(_) => Some(soft),
    }
}
