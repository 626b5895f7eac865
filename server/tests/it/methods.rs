//! Only the methods in use are answered, and bodies have a limit.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use futures_util::stream;
use sqlx::PgPool;

use crate::actions::paths;
use crate::routes::{all, example};
use crate::world::World;

#[sqlx::test(migrations = "../migrations")]
async fn all_others_are_405(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.customer("ada@example.org").await;
    for path in all(&world.router) {
        let is_action = paths().contains(&path);
        let mut wrong = vec![
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
            Method::TRACE,
            Method::CONNECT,
            Method::OPTIONS,
        ];
        wrong.push(if is_action { Method::GET } else { Method::POST });
        for method in wrong {
            let request = Request::builder()
                .method(method.clone())
                .uri(example(&path))
                .header("sec-fetch-site", "same-origin");
            let page = browser.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(
                page.status,
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn large_bodies_are_refused_announced_or_not(pool: PgPool) {
    let world = World::new(pool).await;
    for path in [
        "/",
        "/nothing",
        "/healthz",
        "/api/account/sign-up",
        "/api/key/create",
    ] {
        let chunks = stream::iter((0..100).map(|_| Ok::<_, std::io::Error>(vec![b'a'; 1024])));
        let streamed = Body::from_stream(chunks);
        let announced = Body::from(vec![b'a'; 70_000]);
        for (body, length) in [(streamed, None), (announced, Some("70000"))] {
            let mut request = Request::post(path)
                .header("sec-fetch-site", "same-origin")
                .header("content-type", "application/x-www-form-urlencoded");
            if let Some(length) = length {
                request = request.header("content-length", length);
            }
            let page = world.browser().send(request.body(body).unwrap()).await;
            assert_eq!(
                page.status,
                StatusCode::PAYLOAD_TOO_LARGE,
                "{path} {length:?}"
            );
            page.says("too much");
        }
    }
}
