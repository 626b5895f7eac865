//! The three programs: where each is, what it is told, and when it is ready.

use std::path::{Path, PathBuf};
use std::time::Duration;

use stand::address::{authority, is_taken};
use stand::environment::Environment;
use stand::http;
use stand::program::{Log, Program};

use crate::crew::Crew;

const PEER_PATIENCE: Duration = Duration::from_secs(10);
const DASHBOARD_PATIENCE: Duration = Duration::from_secs(30);

/// Where programs are and where their files go.
pub struct Places {
    /// The folder of the built programs.
    pub programs: PathBuf,
    pub logs: PathBuf,
    /// Where the orchestrator keeps its state.
    pub orchestrator: PathBuf,
}

impl Places {
    /// Programs of a build (`debug` or `release`), files below a folder.
    pub fn new(root: &Path, build: &str, data: &Path) -> anyhow::Result<Self> {
        let places = Self {
            programs: root.join("target").join(build),
            logs: data.join("log"),
            orchestrator: data.join("orchestrator"),
        };
        std::fs::create_dir_all(&places.logs)?;
        Ok(places)
    }

    fn program(&self, name: &str, file: &str, environment: &Environment) -> Program {
        let log = file.replace("isorun-", "") + ".log";
        Program::new(name, self.programs.join(file), environment)
            .log(Log::File(self.logs.join(log)))
    }

    /// Starts the mail catcher.
    pub fn start_mail_catcher(
        &self,
        crew: &mut Crew,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        let page = environment.text("MAIL_URL");
        let told = environment
            .clone()
            .with("SMTP_LISTEN", authority(&environment.text("SMTP_URL")))
            .with("HTTP_LISTEN", authority(&page));
        let program = self.program("The mail catcher", "mail-catcher", &told);
        crew.start(program, PEER_PATIENCE, || http::answers(&page))
    }

    /// Starts the orchestrator.
    pub fn start_orchestrator(
        &self,
        crew: &mut Crew,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        let url = environment.text("ORCHESTRATOR_URL");
        let told = environment
            .clone()
            .with("PEER_LISTEN", authority(&url))
            .with("PEER_DIR", &self.orchestrator.display().to_string());
        let program = self.program("The orchestrator", "orchestrator", &told);
        crew.start(program, PEER_PATIENCE, || is_taken(authority(&url)))
    }

    pub fn dashboard(&self, environment: &Environment, arguments: &[&str]) -> Program {
        let program = self.program("The dashboard", "isorun-dashboard", environment);
        program.arguments(arguments.iter().copied())
    }

    /// Starts the dashboard and waits for `/readyz`, so the database and its migrations are there too.
    pub fn start_dashboard(
        &self,
        crew: &mut Crew,
        program: Program,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        let ready = format!("http://{}/readyz", environment.text("LISTEN_ADDR"));
        crew.start(program, DASHBOARD_PATIENCE, || http::answers(&ready))
    }
}
