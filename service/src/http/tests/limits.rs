//! The limits of connections: the size of a head, the time it may take, the number of connections.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::*;

/// A running server.
struct TestServer {
    addr: std::net::SocketAddr,
    stopping: CancellationToken,
    task: tokio::task::JoinHandle<io::Result<()>>,
}

async fn serve(limits: HttpLimits) -> TestServer {
    let config = HttpConfig {
        limits,
        ..on_loopback()
    };
    let listener = bind(&config).await.unwrap();
    let (addr, stopping) = (listener.addr(), CancellationToken::new());
    let endpoint = endpoint(Route::new(), Paths::default(), edge(Health::default()));
    let task = tokio::spawn(listener.serve(endpoint, stopping.clone(), Duration::from_secs(30)));
    TestServer {
        addr,
        stopping,
        task,
    }
}

impl TestServer {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    async fn stop(self) {
        self.stopping.cancel();
        self.task.await.unwrap().unwrap();
    }
}

const LIVE: &[u8] = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";

/// Reads until the server closes the connection.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let read = stream.read_to_string(&mut text);
    let read = tokio::time::timeout(Duration::from_secs(30), read).await;
    read.expect("the server closes the connection").unwrap();
    text
}

/// Reads a response, or the first part of it.
async fn response(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4_096];
    let count = stream.read(&mut bytes).await.unwrap();
    String::from_utf8(bytes[..count].to_vec()).unwrap()
}

#[tokio::test]
async fn a_head_beyond_the_limit_is_a_problem_that_names_the_limit() {
    let large = "a".repeat(2_048);
    let client = client();
    let send = |value: String| client.get("/health/live").header("x-large", value).send();
    let response = send(large).await;
    let body = problem(response, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE).await;
    assert_eq!(body["type"], "/problems/headers-too-large");
    assert!(
        body["detail"]
            .as_str()
            .unwrap()
            .contains("the maximum is 2048"),
        "{body}"
    );
    send("a".repeat(1_024)).await.assert_status_is_ok();
}

#[tokio::test]
async fn a_head_far_beyond_the_limit_is_rejected_while_it_arrives() {
    let server = serve(limits()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nx: ").await.unwrap();
    let endless = vec![b'a'; 1 << 20];
    // The server may close the connection before it has read everything.
    let _ = stream.write_all(&endless).await;
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 431");
    server.stop().await;
}

#[tokio::test]
async fn a_connection_without_a_complete_head_in_time_is_closed() {
    let quick = HttpLimits {
        header_timeout: Duration::from_millis(100),
        ..limits()
    };
    let server = serve(quick).await;
    for partial_head in ["", "P", "GET / HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = server.connect().await;
        stream.write_all(partial_head.as_bytes()).await.unwrap();
        assert_eq!(read_to_end(&mut stream).await, "", "{partial_head:?}");
    }
    // A connection that is idle after its request.
    let mut stream = server.connect().await;
    stream.write_all(LIVE).await.unwrap();
    let text = read_to_end(&mut stream).await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    server.stop().await;
}

#[tokio::test]
async fn a_connection_beyond_the_limit_gets_503_until_another_one_ends() {
    let few = HttpLimits {
        max_connections: 2,
        ..limits()
    };
    let server = serve(few).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        stream.write_all(LIVE).await.unwrap();
        assert!(response(&mut stream).await.starts_with("HTTP/1.1 200"));
        open.push(stream);
    }
    let mut rejected = server.connect().await;
    rejected.write_all(LIVE).await.unwrap();
    let text = read_to_end(&mut rejected).await;
    assert!(
        text.starts_with("HTTP/1.1 503 Service Unavailable\r\n"),
        "{text}"
    );
    assert!(text.contains("retry-after: 1\r\n"), "{text}");
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["type"], "/problems/overloaded");
    drop(open.pop());
    // The permit is released when the server notices that the other connection ended.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let mut stream = server.connect().await;
        stream.write_all(LIVE).await.unwrap();
        if response(&mut stream).await.starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "no permit was released"
        );
    }
    server.stop().await;
}
