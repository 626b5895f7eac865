//! Limits per network, person and account over HTTP, and the full queue of passwords; the counting itself is tested beside it.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use server::http::rate_limit::{Limit, Limits};
use sqlx::PgPool;

use crate::world::{PASSWORD, World};

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
            person: TIGHT,
            account: Limit { burst: 5, ..TIGHT },
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

#[sqlx::test(migrations = "../migrations")]
async fn a_person_who_sends_faster_than_people_do_is_stopped(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    let mut eve = world.customer("eve@example.org").await;
    let before = world.count("SELECT count(*) FROM audit_events").await;
    let mut statuses = Vec::new();
    for _ in 0..300 {
        let answer = ada.post("/api/alert/choose", &[]).await;
        statuses.push(answer.status);
    }
    let done = statuses
        .iter()
        .filter(|status| **status == StatusCode::SEE_OTHER)
        .count();
    assert!((150..290).contains(&done), "{done} of 300");
    let written = world.count("SELECT count(*) FROM audit_events").await - before;
    assert_eq!(
        written,
        i64::try_from(done).unwrap(),
        "the others did nothing"
    );
    let answer = ada.post("/api/alert/choose", &[]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers["retry-after"], "5");
    answer.says("That was too fast");
    ada.get("/alerts").await.at("/alerts");
    let answer = eve.post("/api/alert/choose", &[]).await;
    answer.leads_to("/alerts#thresholds");
}

#[sqlx::test(migrations = "../migrations")]
async fn sessions_of_one_person_count_together(pool: PgPool) {
    let world = world(pool).await;
    let sign_in = async || {
        let mut browser = world.browser();
        let fields = [("email", "ada@example.org"), ("password", PASSWORD)];
        browser
            .post("/api/session/sign-in", &fields)
            .await
            .leads_to("/overview");
        browser
    };
    world.customer("ada@example.org").await;
    let mut browsers = [sign_in().await, sign_in().await];
    let mut statuses = Vec::new();
    for turn in 0..6 {
        let answer = browsers[turn % 2].post("/api/alert/choose", &[]).await;
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses, [303, 303, 303, 429, 429, 429]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_full_queue_of_passwords_is_said_with_the_time_to_come_again(pool: PgPool) {
    let world = World::new(pool).await;
    let tries = (0..200).map(|number| {
        let mut browser = world.browser();
        async move {
            let email = format!("{number}@example.org");
            let fields = [("email", email.as_str()), ("password", "wrong wrong wrong")];
            browser.post("/api/session/sign-in", &fields).await
        }
    });
    let answers = futures_util::future::join_all(tries).await;
    let (checked, refused): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|answer| answer.status == StatusCode::SEE_OTHER);
    assert!(checked.len() >= 64, "{}", checked.len());
    assert!(!refused.is_empty());
    for answer in refused {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers["retry-after"], "5");
        answer.says("nothing was checked");
    }
}
