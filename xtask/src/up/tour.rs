//! The closing text of `up`: the addresses, and a fact to append and read by hand.

use serde::Deserialize;
use serde_json::json;

use crate::error::{Error, Result};
use crate::health::http;
use crate::system::Addresses;

#[derive(Deserialize)]
struct Appended {
    position: String,
}

pub(super) fn print(addresses: &Addresses) -> Result<()> {
    let (write, read) = (addresses.url("command-api"), addresses.url("query-api"));
    // Fixed ids: however often this runs, it is one fact.
    let command = json!({
        "type": "StartPlayback", "event_id": "tour-1-start", "playback_id": "tour-1", "user_id": "you", "track_id": "first-track"
    });
    let position = append(&write, &command)?;
    println!(
        "
ESS runs.
  write   {write}/docs   (Swagger UI)
  read    {read}/docs   (Swagger UI)
  status  cargo xtask status
  stop    cargo xtask down   (--wipe removes the data)

Append a fact:
  curl -s {write}/commands -H 'content-type: application/json' -d '{command}'
It was just appended, at position {position} in Kafka. Read it:
  curl -s '{read}/stats/playback/tour-1?after={position}'"
    );
    Ok(())
}

fn append(url: &str, command: &serde_json::Value) -> Result<String> {
    let failed = |why: String| Error::message(format!("POST {url}/commands: {why}"));
    let mut response = http()
        .post(format!("{url}/commands"))
        .send_json(command)
        .map_err(|error| failed(error.to_string()))?;
    let body = response.body_mut().read_to_string().unwrap_or_default();
    if !response.status().is_success() {
        return Err(failed(format!("{} {body}", response.status())));
    }
    let appended: Appended =
        serde_json::from_str(&body).map_err(|error| failed(format!("{error} in {body}")))?;
    Ok(appended.position)
}
