//! The listener on a real socket: slow and oversized heads, whoever does not read, whoever comes too often, kept connections, the stop.

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::patience::TAKEN_WITHIN;
use super::*;
use crate::config::Web;

async fn start(router: Router) -> (SocketAddr, CancellationToken, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let web = Web {
        listen: address,
        metrics: address,
        site_root: "/nowhere".into(),
        trusted_proxies: Vec::new(),
        connections_per_client: 4,
    };
    let shares = Shares::new(&web);
    let serving = tokio::spawn(serve(listener, Site::new(router), shares, stop.clone()));
    (address, stop, serving)
}

fn router() -> Router {
    let slowly = || async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        "done"
    };
    Router::new()
        .route("/", get(async || "here"))
        .route("/slow", get(slowly))
        .route("/large", get(async || vec![b'a'; LARGE]))
}

/// More than any kernel keeps for a connection.
const LARGE: usize = 64 * 1024 * 1024;

async fn send(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    // A reset after the answer is as good as an end.
    let _ = stream.read_to_string(&mut text).await;
    text
}

#[tokio::test]
async fn a_slow_head_is_cut_off() {
    let (address, _stop, _serving) = start(router()).await;
    let began = Instant::now();
    let stream = send(address, "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ").await;
    let answer = tokio::time::timeout(HEAD_MAX * 2, rest(stream))
        .await
        .expect("never cut off");
    assert!(
        began.elapsed() >= HEAD_MAX - Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_large_head_is_refused() {
    let (address, _stop, _serving) = start(router()).await;
    let head = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX-Large: {}\r\n\r\n",
        "a".repeat(2 * HEAD_BYTES_MAX)
    );
    let answer = rest(send(address, &head).await).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let head = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX-Fits: {}\r\nConnection: close\r\n\r\n",
        "a".repeat(HEAD_BYTES_MAX / 2)
    );
    assert!(
        rest(send(address, &head).await)
            .await
            .starts_with("HTTP/1.1 200")
    );
}

#[tokio::test]
async fn a_stop_lets_the_running_request_end_and_takes_no_new_one() {
    let (address, stop, serving) = start(router()).await;
    let running = send(address, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let idle = TcpStream::connect(address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.cancel();
    let answer = rest(running).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"),
        "{answer}"
    );
    assert_eq!(rest(idle).await, "");
    tokio::time::timeout(Duration::from_secs(2), serving)
        .await
        .expect("still serving")
        .unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

/// Whether the other side is there: a reset, or an end, says that it is not.
async fn is_open(stream: &TcpStream) -> bool {
    let mut byte = [0];
    let read = tokio::time::timeout(Duration::from_millis(200), stream.peek(&mut byte));
    !matches!(read.await, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn whoever_never_reads_is_cut_off_and_whoever_reads_slowly_is_not() {
    let (address, _stop, _serving) = start(router()).await;
    let request = "GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut slow = send(address, request).await;
    let mut deaf = send(address, request).await;
    let began = Instant::now();
    let mut read = 0;
    let mut space = vec![0; 256 * 1024];
    while began.elapsed() < TAKEN_WITHIN + Duration::from_secs(10) {
        let bytes = slow.read(&mut space).await.unwrap();
        assert!(bytes > 0, "cut off after {read}");
        read += bytes;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!(read < LARGE, "it was to be slow");
    // What the kernel holds for whoever never read ends before the answer does.
    let mut got = 0;
    loop {
        match deaf.read(&mut space).await {
            Ok(0) | Err(_) => break,
            Ok(bytes) => got += bytes,
        }
    }
    assert!(got < LARGE, "all of it, after {:?}", began.elapsed());
}

#[tokio::test]
async fn one_client_has_its_share_of_connections() {
    let (address, _stop, _serving) = start(router()).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(send(address, "GET / HTTP/1.1\r\n").await);
    }
    let fifth = TcpStream::connect(address).await.unwrap();
    assert_eq!(rest(fifth).await, "", "closed without a word");
    for stream in &held {
        assert!(is_open(stream).await);
    }
    held.pop();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let again = send(
        address,
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(rest(again).await.ends_with("here"));
}
