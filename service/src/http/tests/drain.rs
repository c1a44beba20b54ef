//! The drain: requests in flight finish, or are cut off at the deadline, which is an error.

use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::*;

/// Serves one request that takes until `finish`, stops the server once it has begun, and returns the result of `serve`.
async fn stopped_during_a_request(finish: CancellationToken, drain: Duration) -> io::Result<()> {
    let (begun, stopping) = (CancellationToken::new(), CancellationToken::new());
    let listener = bind(&on_loopback()).await.unwrap();
    let mut caller = TcpStream::connect(listener.addr()).await.unwrap();
    caller
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let endpoint = {
        let (begun, stopping) = (begun.clone(), stopping.clone());
        poem::endpoint::make(move |_| {
            begun.cancel();
            stopping.cancel();
            let finish = finish.clone();
            async move { finish.cancelled().await }
        })
    };
    let served = listener.serve(endpoint, stopping, drain).await;
    assert!(begun.is_cancelled());
    served
}

#[tokio::test]
async fn a_request_in_flight_is_finished_before_the_server_stops() {
    let finish = CancellationToken::new();
    finish.cancel();
    stopped_during_a_request(finish, Duration::from_secs(30))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_request_cut_off_at_the_deadline_is_an_error() {
    let cut = stopped_during_a_request(CancellationToken::new(), Duration::from_millis(1))
        .await
        .unwrap_err();
    assert_eq!(cut.kind(), io::ErrorKind::TimedOut);
}
