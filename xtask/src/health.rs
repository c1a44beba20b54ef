//! What a running service says of itself, over HTTP and as any user may ask it.

use std::time::Duration;

/// What a service says about its own readiness.
///
/// # Errors
/// The reason why it is not ready, in its own words where it has any.
pub(crate) fn readiness(url: &str) -> std::result::Result<(), String> {
    let answer = http().get(format!("{url}/health/ready")).call();
    let mut answer = answer.map_err(|error| error.to_string())?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(answer
        .body_mut()
        .read_to_string()
        .unwrap_or_default()
        .trim()
        .to_owned())
}

/// An HTTP client that gives up soon and takes any status for an answer.
pub(crate) fn http() -> ureq::Agent {
    let config = ureq::Agent::config_builder();
    config
        .timeout_global(Some(Duration::from_secs(10)))
        .http_status_as_error(false)
        .build()
        .into()
}
