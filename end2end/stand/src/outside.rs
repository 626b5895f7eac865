//! The systems around the dashboard, in this process: the orchestrator and the mail catcher, real servers on free ports. They
//! run on threads of their own, as outside systems do, so they answer whatever the thread of a test is doing.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use backend::testing::CREDENTIAL;
use domain::email::EmailAddress;
use peers::mail::{MailCatcher, Options as MailOptions};
use peers::orchestrator::{Control, Options, Orchestrator};
use tokio::runtime::Runtime;

/// Both peers, and the folder in which the orchestrator keeps its state. Dropping it ends them and removes the folder.
pub struct Outside {
    pub orchestrator: Orchestrator,
    pub mail: MailCatcher,
    dir: PathBuf,
    runtime: Option<Runtime>,
}

impl Outside {
    /// Starts both, empty, with the credential of test backends.
    pub async fn start() -> anyhow::Result<Self> {
        let dir = std::env::temp_dir().join(format!("isorun-{}", backend::random::base62(16)));
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let options = Options {
            listen: free,
            dir: dir.join("orchestrator"),
            credential: CREDENTIAL.to_owned(),
            region: "us".to_owned(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("outside")
            .enable_all()
            .build()?;
        let starting = runtime.spawn(async move {
            let orchestrator = Orchestrator::start(options).await?;
            let mail = MailCatcher::start(MailOptions {
                smtp: free,
                http: free,
            })
            .await?;
            anyhow::Ok((orchestrator, mail))
        });
        let (orchestrator, mail) = starting.await.context("the peers did not start")??;
        Ok(Self {
            orchestrator,
            mail,
            dir,
            runtime: Some(runtime),
        })
    }

    /// The orchestrator's switches.
    #[must_use]
    pub fn control(&self) -> Control {
        self.orchestrator.control()
    }

    /// A folder that is removed with this.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The token in the newest mail to an address that has a link to open an account.
    #[must_use]
    pub fn token(&self, email: &str) -> Option<String> {
        let canonical = |text: &str| EmailAddress::parse(text).ok().map(|one| one.canonical());
        let mails = self.mail.mails();
        let mut to_them = mails
            .iter()
            .rev()
            .filter(|mail| mail.to.iter().any(|to| canonical(to) == canonical(email)));
        let text = &to_them.next()?.text;
        let rest = text.split("/open-account/").nth(1)?;
        rest.split_whitespace().next().map(str::to_owned)
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed where a test's future is dropped; nothing here is worth waiting for.
            runtime.shutdown_background();
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
