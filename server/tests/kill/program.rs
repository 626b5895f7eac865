//! The dashboard as a process of its own that can be killed and started again on the same ports and database.

use std::path::Path;

use backend::testing::CREDENTIAL;
use sqlx::{ConnectOptions as _, PgPool};
use stand::environment::Environment;
use stand::outside::Outside;
use stand::program::{Log, Program};

/// The program, and where it listens.
pub struct Dashboard {
    program: Program,
    url: String,
}

impl Dashboard {
    pub fn new(pool: &PgPool, outside: &Outside) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let site = outside.dir().join("site");
        std::fs::create_dir_all(site.join("pkg")).unwrap();
        let assets = r#"{"css":"/pkg/a.css","js":"/pkg/a.js","wasm":"/pkg/a.wasm"}"#;
        std::fs::write(site.join("assets.json"), assets).unwrap();
        let mut environment = Environment::own(&root).unwrap();
        for (name, value) in [
            (
                "DATABASE_URL",
                pool.connect_options().to_url_lossy().as_str(),
            ),
            ("SITE_ROOT", &site.display().to_string()),
            ("ORCHESTRATOR_URL", &outside.orchestrator.url()),
            ("ORCHESTRATOR_CREDENTIAL", CREDENTIAL),
            ("SANDBOX_API_URL", &outside.orchestrator.url()),
            ("SMTP_URL", &outside.mail.smtp_url()),
            ("LOG", "error"),
        ] {
            environment.set(name, value);
        }
        let path = env!("CARGO_BIN_EXE_isorun-dashboard");
        let program = Program::new("The dashboard", path, &environment);
        Self {
            program: program.arguments(["serve"]).log(Log::None),
            url: environment.text("PUBLIC_ORIGIN"),
        }
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    pub fn start(&mut self) {
        self.program.start().unwrap();
    }

    /// SIGKILL, at once.
    pub fn kill(&mut self) {
        self.program.kill();
    }
}
