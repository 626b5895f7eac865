//! `bench bare | feed | replay`: what `make bench` measures without a browser in front. One program, so that a release is
//! linked once. Each measure says in its own file what it expects to be there.

mod bare;
mod feed;
mod replay;

use std::io::Write as _;

use backend::Backend;
use server::config::Config;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::from_env().map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let listen = config.web.listen;
    let backend = Backend::connect(config.backend)
        .await
        .map_err(|broken| anyhow::anyhow!("{broken}"))?;
    let line = match std::env::args().nth(1).as_deref() {
        Some("bare") => return bare::serve(listen, backend).await,
        Some("feed") => feed::measure(&backend).await?,
        Some("replay") => replay::measure(&backend).await?,
        _ => anyhow::bail!("usage: bench bare | feed | replay"),
    };
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
