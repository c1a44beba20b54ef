//! What a caller is held to before anybody knows what it asks: how large its head is, how long that takes, how many come.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::*;

/// What `serve` ends with, and where it listens.
struct Served {
    addr: std::net::SocketAddr,
    stopping: CancellationToken,
    task: tokio::task::JoinHandle<io::Result<()>>,
}

async fn served(limits: HttpLimits) -> Served {
    let config = HttpConfig {
        limits,
        ..on_loopback()
    };
    let listening = bind(&config).await.unwrap();
    let (addr, stopping) = (listening.addr(), CancellationToken::new());
    let endpoint = endpoint(Route::new(), Paths::default(), edge(Health::default()));
    let task = tokio::spawn(listening.serve(endpoint, stopping.clone(), Duration::from_secs(30)));
    Served {
        addr,
        stopping,
        task,
    }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    async fn stop(self) {
        self.stopping.cancel();
        self.task.await.unwrap().unwrap();
    }
}

const LIVE: &[u8] = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";

/// Everything until the other side closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let read = stream.read_to_string(&mut text);
    let read = tokio::time::timeout(Duration::from_secs(30), read).await;
    read.expect("it is hung up on").unwrap();
    text
}

/// The head of one answer and whatever of its body came with it.
async fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4_096];
    let count = stream.read(&mut bytes).await.unwrap();
    String::from_utf8(bytes[..count].to_vec()).unwrap()
}

#[tokio::test]
async fn a_head_beyond_the_limit_is_a_problem_that_names_the_limit() {
    let large = "a".repeat(2_048);
    let client = client();
    let ask = |value: String| client.get("/health/live").header("x-large", value).send();
    let response = ask(large).await;
    let body = problem(response, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE).await;
    assert_eq!(body["type"], "/problems/headers-too-large");
    assert!(
        body["detail"].as_str().unwrap().contains("at most 2048"),
        "{body}"
    );
    ask("a".repeat(1_024)).await.assert_status_is_ok();
}

#[tokio::test]
async fn a_head_far_beyond_the_limit_is_refused_while_it_arrives() {
    let served = served(limits()).await;
    let mut stream = served.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nx: ").await.unwrap();
    let endless = vec![b'a'; 1 << 20];
    // It may be hung up on before it has sent everything.
    let _ = stream.write_all(&endless).await;
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 431");
    served.stop().await;
}

#[tokio::test]
async fn one_that_does_not_send_a_whole_head_in_time_is_hung_up_on() {
    let quick = HttpLimits {
        header_timeout: Duration::from_millis(100),
        ..limits()
    };
    let served = served(quick).await;
    for begun in ["", "P", "GET / HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = served.connect().await;
        stream.write_all(begun.as_bytes()).await.unwrap();
        assert_eq!(rest(&mut stream).await, "", "{begun:?}");
    }
    // And one that has been answered, but says nothing more.
    let mut stream = served.connect().await;
    stream.write_all(LIVE).await.unwrap();
    let text = rest(&mut stream).await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    served.stop().await;
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_and_has_a_place_when_another_ends() {
    let few = HttpLimits {
        max_connections: 2,
        ..limits()
    };
    let served = served(few).await;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut stream = served.connect().await;
        stream.write_all(LIVE).await.unwrap();
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));
        kept.push(stream);
    }
    let mut refused = served.connect().await;
    refused.write_all(LIVE).await.unwrap();
    let text = rest(&mut refused).await;
    assert!(
        text.starts_with("HTTP/1.1 503 Service Unavailable\r\n"),
        "{text}"
    );
    assert!(text.contains("retry-after: 1\r\n"), "{text}");
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["type"], "/problems/overloaded");
    drop(kept.pop());
    // The place is free once the server has seen the end of the other.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let mut stream = served.connect().await;
        stream.write_all(LIVE).await.unwrap();
        if answer(&mut stream).await.starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "no place became free"
        );
    }
    served.stop().await;
}
