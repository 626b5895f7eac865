//! What stands around every answer, with handlers that misbehave.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::routing::post;
use futures_util::stream;
use http_body_util::BodyExt as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::*;
use crate::config::Web;

fn router(routes: Router) -> Router {
    let free = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let web = Web {
        listen: free,
        metrics: free,
        site_root: "/nowhere".into(),
        trusted_proxies: Vec::new(),
    };
    let assets = Assets {
        css: "/pkg/main.1.css".into(),
        js: String::new(),
        wasm: String::new(),
    };
    let origin = "http://127.0.0.1:3000".parse().unwrap();
    dressed(
        &Edge::new(assets, &web, &origin, CancellationToken::new()),
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
        let request = Request::get("/boom").body(Body::empty()).unwrap();
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
            .oneshot(Request::post("/").body(body).unwrap())
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(began.elapsed() < Duration::from_secs(20));
}
