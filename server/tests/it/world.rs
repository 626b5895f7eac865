//! The world of a test: what `stand` shares with the tests of `backend`, and the whole router on top.

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::PathBuf;

use app::frame::assets::Assets;
use axum::Router;
use backend::settings::Settings;
use backend::testing;
use server::config::{Network, Web};
use server::http::rate_limit::Limits;
use server::http::{self, Edge};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::browser::Browser;

pub use stand::world::PASSWORD;

pub const ORIGIN: &str = "http://127.0.0.1:3000";

pub struct World {
    pub router: Router,
    pub stopping: CancellationToken,
    below: stand::world::World,
}

impl Deref for World {
    type Target = stand::world::World;

    fn deref(&self) -> &Self::Target {
        &self.below
    }
}

impl World {
    pub async fn new(pool: PgPool) -> Self {
        Self::with(pool, |_| (), Limits::DEVELOPMENT).await
    }

    pub async fn with(pool: PgPool, change: impl FnOnce(&mut Settings), limits: Limits) -> Self {
        let below = stand::world::World::with(pool, change).await;
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let stopping = CancellationToken::new();
        let web = Web {
            listen: free,
            metrics: free,
            site_root: site(below.dir()),
            trusted_proxies: vec![Network::parse("10.0.0.0/8").unwrap()],
            connections_per_client: 100,
        };
        let assets: Assets = http::assets::read(&web.site_root).await.unwrap();
        let edge = Edge::new(
            assets,
            &web,
            &below.backend.settings().public_origin,
            stopping.clone(),
        );
        let router = http::router(&edge, &below.backend, limits);
        Self {
            router,
            stopping,
            below,
        }
    }

    pub fn browser(&self) -> Browser {
        Browser::new(
            self.router.clone(),
            self.backend
                .settings()
                .public_origin
                .origin()
                .ascii_serialization(),
        )
    }

    /// A browser in which this person has opened an account and is signed in.
    pub async fn customer(&self, email: &str) -> Browser {
        let mut browser = self.browser();
        self.follow_sign_up(&mut browser, email).await;
        browser
            .submit("/open-account", "/api/account/open", &OPENING)
            .await
            .at("/overview");
        self.work().await;
        browser
    }

    /// Signs up and follows the link of the mail, up to the form that opens the account.
    pub async fn follow_sign_up(&self, browser: &mut Browser, email: &str) {
        browser
            .submit("/sign-up", "/api/account/sign-up", &[("email", email)])
            .await
            .at("/check-mail");
        self.work().await;
        browser
            .get(&format!("/open-account/{}", self.token(email)))
            .await
            .leads_to("/open-account");
    }

    /// Puts rows where nothing of ours would put them.
    pub async fn execute(&self, sql: &'static str) {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests make states that no code of ours makes like this"
        )]
        let done = sqlx::query(sql).execute(testing::pool(&self.backend)).await;
        done.unwrap();
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests look at tables that no code of ours reads like this"
        )]
        sqlx::query_scalar(sql)
            .fetch_one(testing::pool(&self.backend))
            .await
            .unwrap()
    }
}

/// What opens an account, and is in order.
pub const OPENING: [(&str, &str); 6] = [
    ("password", PASSWORD),
    ("country", "NL"),
    ("terms", "yes"),
    ("aup", "yes"),
    ("dpa", "yes"),
    ("export_statement", "yes"),
];

/// A built site in small.
fn site(dir: &std::path::Path) -> PathBuf {
    let root = dir.join("site");
    std::fs::create_dir_all(root.join("pkg")).unwrap();
    std::fs::create_dir_all(root.join(".well-known")).unwrap();
    let files = [
        (
            "assets.json",
            r#"{"css":"/pkg/main.1.css","js":"/pkg/frontend.2.js","wasm":"/pkg/frontend.3.wasm"}"#,
        ),
        ("pkg/main.1.css", "a{}"),
        ("pkg/main.1.css.br", "brotli"),
        ("pkg/main.1.css.gz", "gzip"),
        ("favicon.svg", "<svg/>"),
        ("robots.txt", "User-agent: *"),
        (".well-known/security.txt", "Contact: x"),
        ("50x.html", "not for asking"),
    ];
    for (name, text) in files {
        std::fs::write(root.join(name), text).unwrap();
    }
    root
}
