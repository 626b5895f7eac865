//! The dashboard as a process of its own that can be killed and started again on the same ports and database.

use std::process::{Child, Command, Stdio};

/// A program and its environment.
pub struct Program {
    environment: Vec<(&'static str, String)>,
    port: u16,
    child: Option<Child>,
    site: std::path::PathBuf,
}

impl Program {
    pub fn new(database: &str, orchestrator: &str, smtp: &str, credential: &str) -> Self {
        let (port, metrics) = (free_port(), free_port());
        let site = std::env::temp_dir().join(format!("isorun-kill-site-{port}"));
        std::fs::create_dir_all(site.join("pkg")).unwrap();
        let assets = r#"{"css":"/pkg/a.css","js":"/pkg/a.js","wasm":"/pkg/a.wasm"}"#;
        std::fs::write(site.join("assets.json"), assets).unwrap();
        let environment = vec![
            ("ISORUN_ENV", "development".to_owned()),
            ("PUBLIC_ORIGIN", format!("http://127.0.0.1:{port}")),
            ("LISTEN_ADDR", format!("127.0.0.1:{port}")),
            ("METRICS_ADDR", format!("127.0.0.1:{metrics}")),
            ("DATABASE_URL", database.to_owned()),
            ("SITE_ROOT", site.display().to_string()),
            ("SECRET_KEY", "5e".repeat(32)),
            ("ORCHESTRATOR_URL", orchestrator.to_owned()),
            ("ORCHESTRATOR_CREDENTIAL", credential.to_owned()),
            ("SANDBOX_API_URL", orchestrator.to_owned()),
            ("REGION", "us".to_owned()),
            ("SMTP_URL", smtp.to_owned()),
            ("MAIL_FROM", "Isorun <no-reply@isorun.ai>".to_owned()),
            ("REFUSED_COUNTRIES", "CU,IR,KP,SY".to_owned()),
            ("TERMS_VERSION", "2026-07-10".to_owned()),
            ("AUP_VERSION", "2026-07-10".to_owned()),
            ("DPA_VERSION", "2026-07-10".to_owned()),
            ("TRUSTED_PROXIES", String::new()),
            ("LOG", "error".to_owned()),
            ("LOG_FORMAT", "json".to_owned()),
        ];
        Self {
            environment,
            port,
            child: None,
            site,
        }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isorun-dashboard"));
        command
            .arg("serve")
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (*name, value)));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
    }

    /// SIGKILL, at once.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.site);
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
