//! Asks a broker whether it serves: one Metadata request in Kafka's own wire format, so that this crate needs no
//! client library. Knows nothing of topics.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(2);
const METADATA: i16 = 3;
/// The lowest version Kafka 4 and Kafka 3 both serve with a list of brokers in front.
const VERSION: i16 = 4;
const CORRELATION: i32 = 7;
/// More than any answer about one broker and no topic.
const MAX_ANSWER: usize = 64 * 1024;

/// Whether the broker on 127.0.0.1:`port` is registered and unfenced: a port that accepts is not yet a broker that
/// serves, but one that lists a broker in its metadata is.
pub(crate) fn answers(port: u16) -> bool {
    ask(port).is_ok_and(|brokers| brokers > 0)
}

/// Number of live brokers the one on `port` knows of.
fn ask(port: u16) -> io::Result<i32> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(&request())?;
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let size = usize::try_from(i32::from_be_bytes(size)).unwrap_or_default();
    let mut answer = vec![0; size.min(MAX_ANSWER)];
    stream.read_exact(&mut answer)?;
    brokers(&answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Request header v1 (no client id), then: no topics, no auto-creation.
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

/// Response: correlation id, throttle time, then the array of brokers, of which the length suffices.
fn brokers(answer: &[u8]) -> Option<i32> {
    let int = |at: usize| Some(i32::from_be_bytes(answer.get(at..at + 4)?.try_into().ok()?));
    (int(0)? == CORRELATION).then(|| int(8)).flatten()
}
