//! Without the database: every page says so at once, health tells balancers, and nothing hangs.

use std::time::Duration;

use app::frame::assets::Assets;
use axum::http::StatusCode;
use server::config::Web;
use server::http::{self, Edge};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::browser::Browser;
use crate::world::{ORIGIN, World};

#[sqlx::test(migrations = "../migrations")]
async fn pages_say_try_again_and_readiness_goes(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.customer("ada@example.org").await;
    assert_eq!(browser.get("/readyz").await.status, StatusCode::OK);
    world.backend.close().await;
    for path in ["/overview", "/keys", "/"] {
        let page = tokio::time::timeout(Duration::from_secs(5), browser.get(path))
            .await
            .expect("hangs");
        assert_eq!(
            (page.status, page.headers["retry-after"].as_bytes()),
            (StatusCode::SERVICE_UNAVAILABLE, b"5".as_slice()),
            "{path}"
        );
        page.says("cannot answer right now")
            .says(page.headers["x-request-id"].to_str().unwrap());
        assert!(!page.body.to_lowercase().contains("sql"), "{}", page.body);
    }
    assert_eq!(
        browser.get("/live/overview").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(
        browser.get("/readyz").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(browser.get("/healthz").await.status, StatusCode::OK);
    assert!(
        browser.cookie("sid").is_some(),
        "an outage signs nobody out"
    );

    let fields = [
        ("email", "ada@example.org"),
        ("password", "three quiet rivers meet"),
    ];
    let answer = world.browser().post("/api/session/sign-in", &fields).await;
    answer.leads_to("/sign-in");
}

/// Who holds up the figures is not for the page to guess.
#[sqlx::test(migrations = "../migrations")]
async fn old_figures_blame_nobody_who_is_not_to_blame(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("the feed is not read at the end");
    let mut browser = world.customer("ada@example.org").await;
    world.meter().await;
    let held_up = "Metering is held up";
    for (change, notice) in [
        (
            "answered_at = now() - interval '1 minute'",
            "Figures are old",
        ),
        ("failures = 10", held_up),
        ("answered_at = now() + interval '1 day'", held_up),
    ] {
        let sql = format!("UPDATE feed_cursors SET {change}");
        world.execute(String::leak(sql)).await;
        let page = browser.get("/overview").await;
        page.says(notice).says("Nothing of it is lost");
        let words = page.words().to_lowercase();
        assert!(!words.contains("orchestrator"), "{words}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_stopping_process_is_not_ready_but_still_answers(pool: PgPool) {
    let world = World::new(pool).await;
    world.stopping.cancel();
    assert_eq!(
        world.browser().get("/readyz").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    world.browser().get("/sign-in").await.at("/sign-in");
}

#[tokio::test]
async fn before_the_database_is_there() {
    let free = "127.0.0.1:0".parse().unwrap();
    let web = Web {
        listen: free,
        metrics: free,
        site_root: "/nowhere".into(),
        trusted_proxies: Vec::new(),
        connections_per_client: 100,
    };
    let assets = Assets {
        css: "/pkg/main.1.css".into(),
        js: String::new(),
        wasm: String::new(),
    };
    let edge = Edge::new(
        assets,
        &web,
        &ORIGIN.parse().unwrap(),
        CancellationToken::new(),
    );
    let mut browser = Browser::new(http::starting(&edge), ORIGIN.into());
    assert_eq!(browser.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(
        browser.get("/readyz").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    for path in ["/", "/overview", "/api/key/create"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(page.headers.contains_key("retry-after"));
    }
    let missing = http::assets::read("/nowhere".as_ref())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        missing.contains("/nowhere/assets.json") && missing.contains(".ci/assets.sh"),
        "{missing}"
    );
}
