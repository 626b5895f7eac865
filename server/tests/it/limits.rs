//! Limits per network over HTTP; the counting itself is tested beside it.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use server::http::rate_limit::{Limit, Limits};
use sqlx::PgPool;

use crate::world::World;

const TIGHT: Limit = Limit {
    burst: 3,
    every: Duration::from_secs(600),
};

async fn world(pool: PgPool) -> World {
    World::with(
        pool,
        |_| (),
        Limits {
            sign_up: TIGHT,
            sign_in: TIGHT,
            mailed_link: TIGHT,
        },
    )
    .await
}

#[sqlx::test(migrations = "../migrations")]
async fn a_flood_from_one_network_is_stopped_before_any_work(pool: PgPool) {
    let world = world(pool).await;
    let mut browser = world.browser();
    let fields = [
        ("email", "ada@example.org"),
        ("password", "wrong wrong wrong"),
    ];
    for _ in 0..3 {
        browser
            .post("/api/session/sign-in", &fields)
            .await
            .leads_to("/sign-in");
    }
    let page = browser.post("/api/session/sign-in", &fields).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(page.headers["retry-after"], "5");
    page.says("Too many tries");
    browser.get("/sign-in").await.at("/sign-in");
    let mut neighbour = world.browser();
    neighbour.peer = "198.51.100.2:1".parse().unwrap();
    neighbour
        .post("/api/session/sign-in", &fields)
        .await
        .leads_to("/sign-in");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_forged_header_does_not_help_but_a_trusted_proxy_is_believed(pool: PgPool) {
    let world = world(pool).await;
    let statuses = async |peer: &str, forwarded: &dyn Fn(u8) -> String| {
        let mut statuses = Vec::new();
        for turn in 0..4 {
            let mut browser = world.browser();
            browser.peer = peer.parse().unwrap();
            let request = Request::post("/api/session/sign-in")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("x-forwarded-for", forwarded(turn));
            statuses.push(
                browser
                    .send(request.body(Body::from("email=a&password=b")).unwrap())
                    .await
                    .status
                    .as_u16(),
            );
        }
        statuses
    };
    assert_eq!(
        statuses("203.0.113.1:1", &|turn| format!("192.0.2.{turn}")).await,
        [303, 303, 303, 429]
    );
    assert_eq!(
        statuses("10.0.0.1:1", &|turn| format!("198.51.100.{turn}")).await,
        [303, 303, 303, 303]
    );
    assert_eq!(
        statuses("10.0.0.1:1", &|turn| format!(
            "192.0.2.{turn}, 2001:db8::{turn}"
        ))
        .await,
        [303, 303, 303, 429]
    );
}
