//! What stands around every answer: with handlers that misbehave, and with clients that do, on real sockets.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::routing::post;
use futures_util::stream;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::*;
use crate::config::Web;

fn web() -> Web {
    let free = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    Web {
        listen: free,
        metrics: free,
        site_root: "/nowhere".into(),
        trusted_proxies: Vec::new(),
        connections_per_client: 100,
    }
}

fn router(routes: Router) -> Router {
    let assets = Assets {
        css: "/pkg/main.1.css".into(),
        js: String::new(),
        wasm: String::new(),
    };
    let origin = "http://127.0.0.1:3000".parse().unwrap();
    dressed(
        &Edge::new(assets, &web(), &origin, CancellationToken::new()),
        routes,
        DeadEnd::NotFound,
    )
}

async fn page(response: Response<Body>) -> (StatusCode, String) {
    let id = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(response.headers().contains_key("content-security-policy"));
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(body.contains(&id), "the page names the request: {body}");
    (status, body)
}

#[tokio::test]
async fn a_panic_is_a_page_without_its_message() {
    async fn boom() -> StatusCode {
        panic!("the password is hunter2")
    }
    let router = router(Router::new().route("/boom", get(boom)));
    for _ in 0..2 {
        let request = Request::get("/boom")
            .header("host", "a")
            .body(Body::empty())
            .unwrap();
        let (status, body) = page(router.clone().oneshot(request).await.unwrap()).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(
            body.contains("Something broke on our side") && !body.contains("hunter2"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let router = router(Router::new().route("/", post(async || "read")));
    let body = Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let began = Instant::now();
    let (status, _) = page(
        router
            .oneshot(Request::post("/").header("host", "a").body(body).unwrap())
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    assert!(began.elapsed() < Duration::from_secs(14));
}

/// A server with a page and a form, until the test ends.
async fn start() -> std::net::SocketAddr {
    let routes = Router::new()
        .route("/", get(async || "here"))
        .route("/form", post(async || "read"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let site = Site::new(router(routes));
    let shares = listen::Shares::new(&web());
    tokio::spawn(listen::serve(
        listener,
        site,
        shares,
        CancellationToken::new(),
    ));
    address
}

/// Sends it in these pieces and reads until the other side ends.
async fn exchange(address: std::net::SocketAddr, pieces: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    for piece in pieces {
        // Who was refused may be cut off while it still sends.
        let _ = stream.write_all(piece).await;
    }
    let mut text = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut text));
    read.await
        .expect("never ended")
        .expect("reset before the answer");
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn a_request_names_one_host() {
    let address = start().await;
    for (head, status) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n", 200),
        ("GET / HTTP/1.1\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n", 400),
        ("GET / HTTP/1.1\r\nHost:\r\n", 400),
        ("GET http://a/ HTTP/1.1\r\n", 400),
        ("GET / HTTP/1.0\r\n", 200),
    ] {
        let request = format!("{head}Connection: close\r\n\r\n");
        let answer = exchange(address, &[request.as_bytes()]).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(line.contains(&format!(" {status} ")), "{head:?}: {line}");
        if status == 400 {
            assert!(
                answer.contains("x-request-id") && answer.contains("<h1>"),
                "{answer}"
            );
        }
    }
}

#[tokio::test]
async fn too_much_is_told_and_the_connection_ends() {
    let address = start().await;
    let head = b"POST /form HTTP/1.1\r\nHost: a\r\n";
    let announced = b"Content-Length: 5000000\r\n\r\n";
    let more = vec![b'a'; 100_000];
    let chunks = b"Transfer-Encoding: chunked\r\n\r\n186a0\r\n";
    for length in [announced.as_slice(), chunks.as_slice()] {
        let answer = exchange(address, &[head, length, &more]).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert!(answer.contains("That was too much at once"), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_told_so() {
    let address = start().await;
    let head = b"POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc";
    let answer = exchange(address, &[head]).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(answer.contains("That took too long"), "{answer}");
}
