//! The mail catcher as a program: addresses from the environment, one line when ready, ends on SIGINT or SIGTERM.

use std::{env, io::Write as _};

use anyhow::Context as _;
use peers::mail::{MailCatcher, Options};
use tokio::signal::unix::{SignalKind, signal};

/// An empty value counts as absent.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the whole configuration of a program for tests"
)]
fn setting(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let smtp = setting("SMTP_LISTEN").unwrap_or_else(|| "127.0.0.1:3025".to_owned());
    let http = setting("HTTP_LISTEN").unwrap_or_else(|| "127.0.0.1:3080".to_owned());
    let options = Options {
        smtp: smtp
            .parse()
            .context("SMTP_LISTEN must look like 127.0.0.1:3025")?,
        http: http
            .parse()
            .context("HTTP_LISTEN must look like 127.0.0.1:3080")?,
    };
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let catcher = MailCatcher::start(options).await?;
    writeln!(
        std::io::stdout(),
        "mail-catcher ready on {} and {}",
        catcher.smtp_url(),
        catcher.http_url()
    )?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    catcher.stop().await;
    Ok(())
}
