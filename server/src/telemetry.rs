//! The log and the metrics of the process. Neither may hold a secret, an e-mail address or an address of a person:
//! libraries that see them are kept at `warn`, and a panic is logged by its place, not by its message.

use std::io::{self, IsTerminal as _};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::{Dispatch, Level};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat};

/// Crates of ours, whose level `LOG` sets; all others speak from `warn` on.
const OURS: [&str; 4] = ["server", "app", "backend", "isorun_dashboard"];

/// The hashes of ledger days, whatever the level: the log is where they lie outside the database (docs/decisions/0008-checks.md).
const SEALS: &str = "ledger_seal=info";

/// Bounds of the latency histogram in seconds, from a cached file to the request timeout.
const LATENCY_BOUNDS_S: &[Seconds] = &[
    0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0,
];

#[expect(
    clippy::disallowed_types,
    reason = "Prometheus knows no other number; nothing is computed with these"
)]
type Seconds = f64;

/// What writes the log of a process: lines as asked for, each with the spans that it stands in, outermost first. Request
/// and verb are spans of their own, so the innermost alone would leave out the id of the request.
pub fn log<W>(log: Log, writer: W) -> Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(log.level))
        .with_writer(writer);
    match log.format {
        LogFormat::Json => Dispatch::new(
            builder
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(true)
                .finish(),
        ),
        LogFormat::Text => Dispatch::new(
            builder
                .with_target(false)
                .with_ansi(io::stdout().is_terminal())
                .finish(),
        ),
    }
}

/// Starts the log of the process on standard output.
pub fn start_log(log: Log) -> anyhow::Result<()> {
    let started = self::log(log, io::stdout).try_init();
    started.map_err(|error| anyhow::anyhow!("the log could not start: {error}"))?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "panicked");
        metrics::counter!("panics_total").increment(1);
    }));
    Ok(())
}

fn filter(level: Level) -> EnvFilter {
    let ours = OURS.iter().map(|name| format!("{name}={level}"));
    EnvFilter::new(
        ["warn".to_owned(), SEALS.to_owned()]
            .into_iter()
            .chain(ours)
            .collect::<Vec<_>>()
            .join(","),
    )
}

/// Starts collecting metrics; the handle renders them for Prometheus.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), LATENCY_BOUNDS_S)?;
    let handle = builder.install_recorder()?;
    metrics::describe_counter!(
        "http_requests_total",
        "Requests answered, by method, route pattern and status"
    );
    metrics::describe_histogram!(
        "http_request_duration_seconds",
        "Time from the request's head to the answer's head"
    );
    metrics::describe_gauge!("http_requests_in_flight", "Requests being answered now");
    metrics::describe_gauge!("http_connections", "Open connections");
    metrics::describe_counter!("panics_total", "Panics, caught or not");
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was written, for looking at.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn line_inside_a_verb(format: LogFormat) -> String {
        let written = Written::default();
        let writer = written.clone();
        let level = Level::INFO;
        let dispatch = log(Log { level, format }, move || writer.clone());
        tracing::dispatcher::with_default(&dispatch, || {
            let request = tracing::info_span!("request", request_id = "r-1").entered();
            let verb = tracing::info_span!("keys.revoke").entered();
            tracing::info!("told");
            drop((verb, request));
        });
        let written = written.0.lock().unwrap().clone();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn a_line_shows_request_and_verb_in_both_formats() {
        let text = line_inside_a_verb(LogFormat::Text);
        let request = text.find("request{request_id=\"r-1\"}").unwrap();
        let verb = text.find("keys.revoke").unwrap();
        assert!(request < verb && text.contains("told"), "{text}");

        let line: serde_json::Value =
            serde_json::from_str(&line_inside_a_verb(LogFormat::Json)).unwrap();
        assert_eq!(
            line["spans"],
            serde_json::json!([
                { "name": "request", "request_id": "r-1" },
                { "name": "keys.revoke" },
            ]),
            "{line}"
        );
        assert_eq!(line["message"], "told");
    }

    #[test]
    fn only_our_crates_speak_below_warn() {
        let text = filter(Level::DEBUG).to_string();
        assert!(
            text.contains("warn") && text.contains("backend=debug"),
            "{text}"
        );
        let quiet = filter(Level::ERROR).to_string();
        assert!(quiet.contains("ledger_seal=info"), "{quiet}");
        assert!(!text.contains("hyper") && !text.contains("sqlx"), "{text}");
    }
}
