//! The program as it is started: what it says about its environment, and that it starts and stops in order.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use sqlx::{ConnectOptions as _, Executor as _, PgPool};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn program(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isorun-dashboard"));
    command
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

#[test]
fn it_names_every_problem_and_repeats_no_value() {
    let output = program(
        &["check-config"],
        &[("SECRET_KEY", "hunter2"), ("PUBLIC_ORIGIN", "ftp://x")],
    )
    .output()
    .unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(78), "{said}");
    for name in [
        "ISORUN_ENV",
        "SECRET_KEY",
        "PUBLIC_ORIGIN",
        "DATABASE_URL",
        "SMTP_URL",
    ] {
        assert!(said.contains(name), "{name}: {said}");
    }
    assert!(
        !said.contains("hunter2") && !said.contains("ftp://"),
        "{said}"
    );
}

#[test]
fn it_explains_itself() {
    for arguments in [vec![], vec!["help"], vec!["serve", "--both"]] {
        let output = program(&arguments, &[]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains("check-config"));
    }
}

#[test]
fn it_helps_and_says_its_version() {
    let output = program(&["--help"], &[]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    for word in ["serve", "migrate", "check-config", ".env.example"] {
        assert!(help.contains(word), "{word}: {help}");
    }

    let output = program(&["serve", "--help"], &[]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(
        help.contains("--web-only") && help.contains("--worker-only"),
        "{help}"
    );

    let output = program(&["--version"], &[]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        concat!("isorun-dashboard ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn wrong_use_is_named_and_ends_with_2() {
    for (arguments, what) in [
        (vec!["serve", "--both"], "'--both'"),
        (vec!["server"], "'server'"),
        (
            vec!["serve", "--web-only", "--worker-only"],
            "cannot be used with",
        ),
        (vec!["migrate", "now"], "'now'"),
    ] {
        let output = program(&arguments, &[]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        assert!(said(&output).contains(what), "{}", said(&output));
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

async fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.ok()?;
    Some(text)
}

async fn wait_for(port: u16, path: &str, answer: &str) -> String {
    for _ in 0..150 {
        if let Some(text) = get(port, path).await.filter(|text| text.contains(answer)) {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} never said {answer}")
}

fn terminate(child: &Child) {
    let done = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(done.success());
}

/// All that the program wants to know, for a server on these ports of loopback: pages and metrics.
fn environment(
    pool: &PgPool,
    (web, metrics): (u16, u16),
    site: &std::path::Path,
) -> Vec<(&'static str, String)> {
    let origin = format!("http://127.0.0.1:{web}");
    vec![
        ("ISORUN_ENV", "development".to_owned()),
        ("PUBLIC_ORIGIN", origin),
        ("LISTEN_ADDR", format!("127.0.0.1:{web}")),
        ("METRICS_ADDR", format!("127.0.0.1:{metrics}")),
        (
            "DATABASE_URL",
            pool.connect_options().to_url_lossy().to_string(),
        ),
        ("SITE_ROOT", site.display().to_string()),
        ("SECRET_KEY", "5e".repeat(32)),
        ("ORCHESTRATOR_URL", "http://127.0.0.1:9".to_owned()),
        ("ORCHESTRATOR_CREDENTIAL", "x".to_owned()),
        ("SANDBOX_API_URL", "http://127.0.0.1:9".to_owned()),
        ("REGION", "us".to_owned()),
        ("SMTP_URL", "smtp://127.0.0.1:9".to_owned()),
        ("MAIL_FROM", "Isorun <no-reply@isorun.ai>".to_owned()),
        ("REFUSED_COUNTRIES", "CU".to_owned()),
        ("TERMS_VERSION", "2026-07-10".to_owned()),
        ("AUP_VERSION", "2026-07-10".to_owned()),
        ("DPA_VERSION", "2026-07-10".to_owned()),
        ("LOG_FORMAT", "json".to_owned()),
    ]
}

/// A folder as a build leaves it, of this port's own.
fn site(port: u16) -> PathBuf {
    let site = std::env::temp_dir().join(format!("isorun-program-test-{port}"));
    std::fs::create_dir_all(site.join("pkg")).unwrap();
    std::fs::write(
        site.join("assets.json"),
        r#"{"css":"/pkg/a.css","js":"/pkg/a.js","wasm":"/pkg/a.wasm"}"#,
    )
    .unwrap();
    site
}

fn borrowed<'a>(environment: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    let pairs = environment.iter();
    pairs.map(|(name, value)| (*name, value.as_str())).collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_database_of_an_earlier_layout_is_refused(pool: PgPool) {
    let (web, metrics) = (free_port(), free_port());
    let site = site(web);
    let environment = environment(&pool, (web, metrics), &site);
    let environment = borrowed(&environment);
    pool.execute("UPDATE _sqlx_migrations SET checksum = sha256('before')")
        .await
        .unwrap();
    for arguments in [["migrate"], ["serve"]] {
        let output = program(&arguments, &environment).output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        for word in ["earlier layout of the schema", "make clean", "make run"] {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
    std::fs::remove_dir_all(site).unwrap();
}

#[sqlx::test]
async fn it_migrates_serves_and_stops(pool: PgPool) {
    let (web, metrics) = (free_port(), free_port());
    let site = site(web);
    let environment = environment(&pool, (web, metrics), &site);
    let environment = borrowed(&environment);
    let child = program(&["serve"], &environment).spawn().unwrap();
    wait_for(web, "/readyz", "200 OK").await;
    let page = wait_for(web, "/sign-in?email=ada@example.org", "200 OK").await;
    assert!(page.contains("<h1"), "{page}");
    assert!(!page.to_lowercase().contains("\r\nserver:"), "{page}");
    let counted = wait_for(metrics, "/metrics", "http_requests_total").await;
    assert!(counted.contains(r#"route="/sign-in""#), "{counted}");
    terminate(&child);
    let began = Instant::now();
    let output = child.wait_with_output().unwrap();
    let log = said(&output);
    assert!(output.status.success(), "{log}");
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    let line = log
        .lines()
        .find(|line| line.contains("\"/sign-in\""))
        .unwrap_or_else(|| panic!("no access line: {log}"));
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&line["method"], &line["status"]),
        (&"GET".into(), &200.into()),
        "{line}"
    );
    assert!(
        !log.contains("ada@") && !log.contains("127.0.0.1:9"),
        "{log}"
    );
    std::fs::remove_dir_all(site).unwrap();
}
