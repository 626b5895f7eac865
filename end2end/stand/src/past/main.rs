//! The program `past`: makes the account of `make demo`. It lives through the plan with the backend of the dashboard, a real
//! orchestrator and real mails, both clocks moved together from 60 days ago to now. No row is written by hand.
//!
//!   past E-MAIL PASSWORD    expects the settings of the dashboard, PEER_DIR, a migrated database and the mail catcher

mod live;
mod plan;

use std::net::SocketAddr;

use anyhow::Context as _;
use backend::Backend;
use backend::settings::{DocumentVersions, SecretKey};
use backend::testing;
use peers::orchestrator::{Options, Orchestrator};
use stand::environment::Environment;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let (email, password) = words
        .next()
        .zip(words.next())
        .context("usage: past E-MAIL PASSWORD")?;
    let environment = Environment::inherited();
    let of = |name: &str| environment.text(name);
    let options = Options {
        // Nobody but this program asks it anything; the orchestrator that goes on from here has the address of the settings.
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        dir: of("PEER_DIR").into(),
        credential: of("ORCHESTRATOR_CREDENTIAL"),
        region: of("REGION"),
    };
    let orchestrator = Orchestrator::start(options).await?;
    let backend = backend(&environment, &orchestrator.url()).await?;
    let mails = of("MAIL_URL");
    let mut lived = live::Past::begin(backend, orchestrator.control(), orchestrator.url(), mails)?;
    lived.live(&email, &password).await?;
    orchestrator.stop().await;
    Ok(())
}

/// A backend with a movable clock, and otherwise with the settings that the dashboard will have: what is derived from its
/// secret key, such as tokens in mails, holds there too.
async fn backend(environment: &Environment, orchestrator: &str) -> anyhow::Result<Backend> {
    let of = |name: &str| environment.text(name);
    let broken = |broken: backend::failure::Broken| anyhow::anyhow!("{broken}");
    let mut settings = testing::settings(orchestrator, &of("SMTP_URL")).map_err(broken)?;
    settings.secret_key =
        SecretKey::from_hex(&of("SECRET_KEY")).context("SECRET_KEY is not hexadecimal")?;
    settings.orchestrator_credential = of("ORCHESTRATOR_CREDENTIAL").into();
    settings.public_origin = of("PUBLIC_ORIGIN").parse().context("PUBLIC_ORIGIN")?;
    settings.sandbox_api_url = of("SANDBOX_API_URL").parse().context("SANDBOX_API_URL")?;
    settings.mail_from = of("MAIL_FROM");
    settings.documents = DocumentVersions {
        terms: of("TERMS_VERSION"),
        aup: of("AUP_VERSION"),
        dpa: of("DPA_VERSION"),
    };
    let pool = sqlx::PgPool::connect(&of("DATABASE_URL")).await?;
    testing::backend(pool, settings).map_err(broken)
}
