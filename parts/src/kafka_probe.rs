//! Probes a broker with one Metadata request in Kafka's wire format, so that this crate needs no client library.
//! Never looks at topics.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(2);
const METADATA: i16 = 3;
/// The lowest version that both Kafka 3 and Kafka 4 serve with the list of brokers first.
const VERSION: i16 = 4;
const CORRELATION: i32 = 7;
/// Upper bound of a response with one broker and no topic.
const MAX_RESPONSE: usize = 64 * 1024;

/// Whether the broker on 127.0.0.1:`port` is registered and unfenced. An open port does not prove that it serves; a broker in its
/// metadata does.
pub(crate) fn answers(port: u16) -> bool {
    live_brokers(port).is_ok_and(|brokers| brokers > 0)
}

/// The number of live brokers in the metadata of the broker on `port`.
fn live_brokers(port: u16) -> io::Result<i32> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(&request())?;
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let size = usize::try_from(i32::from_be_bytes(size)).unwrap_or_default();
    let mut response = vec![0; size.min(MAX_RESPONSE)];
    stream.read_exact(&mut response)?;
    brokers(&response).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Request header v1 without a client id; no topics, no auto-creation.
fn request() -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(METADATA.to_be_bytes());
    body.extend(VERSION.to_be_bytes());
    body.extend(CORRELATION.to_be_bytes());
    body.extend((-1_i16).to_be_bytes());
    body.extend(0_i32.to_be_bytes());
    body.push(0);
    let size = i32::try_from(body.len()).unwrap_or_default();
    [size.to_be_bytes().to_vec(), body].concat()
}

/// Parses the response: correlation id, throttle time, and the length of the array of brokers.
fn brokers(response: &[u8]) -> Option<i32> {
    let int = |at: usize| {
        Some(i32::from_be_bytes(
            response.get(at..at + 4)?.try_into().ok()?,
        ))
    };
    (int(0)? == CORRELATION).then(|| int(8)).flatten()
}
