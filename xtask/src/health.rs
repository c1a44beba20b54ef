//! The readiness of a running service, over HTTP as for any client.

use std::time::Duration;

/// Queries `/health/ready`.
///
/// # Errors
/// The reason why the service is not ready, from its response where there is one.
pub(crate) fn readiness(url: &str) -> std::result::Result<(), String> {
    let response = http().get(format!("{url}/health/ready")).call();
    let mut response = response.map_err(|error| error.to_string())?;
    if response.status().is_success() {
        return Ok(());
    }
    Err(response
        .body_mut()
        .read_to_string()
        .unwrap_or_default()
        .trim()
        .to_owned())
}

/// An HTTP client with a short timeout, for which no status is an error.
pub(crate) fn http() -> ureq::Agent {
    let config = ureq::Agent::config_builder();
    config
        .timeout_global(Some(Duration::from_secs(10)))
        .http_status_as_error(false)
        .build()
        .into()
}
