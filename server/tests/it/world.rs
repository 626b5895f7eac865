//! The world of a test: one database, one orchestrator, one mail catcher, the whole router on top.

use std::net::SocketAddr;
use std::path::PathBuf;

use app::frame::assets::Assets;
use axum::Router;
use backend::Backend;
use backend::settings::Settings;
use backend::testing::{self, CREDENTIAL};
use peers::mail::{MailCatcher, Options as MailOptions};
use peers::orchestrator::{Control, Options, Orchestrator};
use server::config::{Network, Web};
use server::http::rate_limit::Limits;
use server::http::{self, Edge};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::browser::Browser;

pub const PASSWORD: &str = "three quiet rivers meet";
pub const ORIGIN: &str = "http://127.0.0.1:3000";

pub struct World {
    pub backend: Backend,
    pub mail: MailCatcher,
    pub router: Router,
    pub stopping: CancellationToken,
    orchestrator: Orchestrator,
    dir: PathBuf,
}

impl World {
    pub async fn new(pool: PgPool) -> Self {
        Self::with(pool, |_| (), Limits::DEVELOPMENT).await
    }

    pub async fn with(pool: PgPool, change: impl FnOnce(&mut Settings), limits: Limits) -> Self {
        let dir = std::env::temp_dir().join(format!(
            "isorun-server-test-{}",
            backend::random::base62(16)
        ));
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let options = Options {
            listen: free,
            dir: dir.join("orchestrator"),
            credential: CREDENTIAL.into(),
            region: "us".into(),
        };
        let orchestrator = Orchestrator::start(options).await.unwrap();
        let mail = MailCatcher::start(MailOptions {
            smtp: free,
            http: free,
        })
        .await
        .unwrap();
        let mut settings = testing::settings(&orchestrator.url(), &mail.smtp_url()).unwrap();
        change(&mut settings);
        let backend = testing::backend(pool, settings).unwrap();
        let stopping = CancellationToken::new();
        let web = Web {
            listen: free,
            metrics: free,
            site_root: site(&dir),
            trusted_proxies: vec![Network::parse("10.0.0.0/8").unwrap()],
        };
        let assets: Assets = http::assets::read(&web.site_root).await.unwrap();
        let edge = Edge::new(
            assets,
            &web,
            &backend.settings().public_origin,
            stopping.clone(),
        );
        let router = http::router(&edge, &backend, limits);
        Self {
            backend,
            mail,
            router,
            stopping,
            orchestrator,
            dir,
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

    /// Lets every due job run.
    pub async fn work(&self) {
        testing::drain_jobs(&self.backend).await.unwrap();
    }

    /// The orchestrator's switches.
    pub fn control(&self) -> Control {
        self.orchestrator.control()
    }

    /// Pulls and settles until the figures are exact up to now.
    pub async fn meter(&self) {
        backend::worker::meter(&self.backend).await.unwrap();
        backend::worker::meter(&self.backend).await.unwrap();
    }

    /// The token in the newest mail to an address.
    pub fn token(&self, email: &str) -> String {
        let mails = self.mail.mails();
        let mail = mails
            .iter()
            .rev()
            .find(|mail| mail.to.iter().any(|to| to == email))
            .expect("no mail");
        let link = mail
            .text
            .split("/verify-email/")
            .nth(1)
            .expect("no link in the mail");
        link.split_whitespace().next().unwrap().to_owned()
    }

    /// A browser in which this person has signed up, confirmed and is signed in.
    pub async fn customer(&self, email: &str) -> Browser {
        let mut browser = self.browser();
        browser
            .submit("/sign-up", "/api/account/sign-up", &sign_up_form(email))
            .await
            .at("/check-mail");
        self.work().await;
        browser
            .get(&format!("/verify-email/{}", self.token(email)))
            .await
            .leads_to("/verify-email");
        browser
            .submit("/verify-email", "/api/account/verify-email", &[])
            .await
            .at("/overview");
        self.work().await;
        browser
    }

    /// Puts rows where no service would put them.
    pub async fn execute(&self, sql: &'static str) {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests make states that no code of ours makes like this"
        )]
        let done = sqlx::query(sql).execute(self.backend.pool()).await;
        done.unwrap();
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests look at tables that no code of ours reads like this"
        )]
        sqlx::query_scalar(sql)
            .fetch_one(self.backend.pool())
            .await
            .unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

pub fn sign_up_form(email: &str) -> [(&str, &str); 7] {
    [
        ("email", email),
        ("password", PASSWORD),
        ("country", "NL"),
        ("terms", "yes"),
        ("aup", "yes"),
        ("dpa", "yes"),
        ("export_statement", "yes"),
    ]
}

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
