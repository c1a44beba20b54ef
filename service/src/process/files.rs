//! How many files the system lets this process open. A connection is one.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the limit to what the system allows at most, and tells that; none when it says nothing. Shells and service managers set
/// the lower one to 1,024 for the sake of programs that use select(2).
pub(crate) fn file_limit() -> Option<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => Some(hard),
        Err(_) => Some(soft),
    }
}
