//! The listener on a real socket: slow and oversized heads, kept connections, the stop.

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;

async fn start(router: Router) -> (SocketAddr, CancellationToken, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, Site::new(router), stop.clone()));
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
}

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
