//! The environment, parsed once into typed sections; nothing else reads it. Every problem is reported, all at once, by
//! the name of its variable and never by its value. Names and meanings for people are in `.env.example`.

mod addresses;
mod network;
mod reader;

use std::net::SocketAddr;
use std::path::PathBuf;

use backend::settings::AllowedHosts;
use backend::settings::{DocumentVersions, SecretKey, Settings};
use domain::country::Country;
use domain::email::EmailAddress;
use domain::key::Region;
use secrecy::SecretString;
use time::macros::format_description;

pub use network::Network;
pub use reader::{Problem, Problems};

use addresses::{database_url, peer_url, public_origin, smtp_url};
use reader::Reader;

/// Connections of one process. Pages hold one for a few milliseconds; four processes fit PostgreSQL's default of 100.
const POOL_SIZE: u32 = 20;
/// Open connections of a process; each idle one costs about 20 KiB. More wait in the kernel's queue.
pub const CONNECTIONS_MAX: usize = 10_000;
/// An eighth: an office behind one address has room, and it takes eight of them to shut others out.
const CONNECTIONS_PER_CLIENT: usize = CONNECTIONS_MAX / 8;
/// Characters of a credential in production: 32 of base64 are 192 bits.
const CREDENTIAL_CHARS_MIN: usize = 32;
/// Different bytes in a secret key in production: 32 random ones have fewer than 20 once in a billion times.
const KEY_BYTES_DIFFERENT_MIN: usize = 16;

#[derive(Debug)]
pub struct Config {
    /// How strict to be.
    pub stage: Stage,
    pub web: Web,
    pub log: Log,
    pub backend: Settings,
}

/// Where this process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// On somebody's machine, with peers on loopback.
    Development,
    /// In front of customers.
    Production,
}

/// The HTTP edge.
#[derive(Clone, Debug)]
pub struct Web {
    pub listen: SocketAddr,
    /// Where metrics are served.
    pub metrics: SocketAddr,
    /// The folder that `.ci/assets.sh` builds.
    pub site_root: PathBuf,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Open connections of one client address, of [`CONNECTIONS_MAX`]; the proxies are not counted.
    pub connections_per_client: usize,
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// The least severe level of our own crates.
    pub level: tracing::Level,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For eyes.
    Text,
}

impl Config {
    /// Reads the environment of this process.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_env() -> Result<Self, Problems> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        let lookup = |name: &str| std::env::var(name).ok();
        Self::parse(&lookup)
    }

    /// Reads any environment.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        let mut reader = Reader::new(lookup);
        let stage = reader.required("ISORUN_ENV", "development or production", stage);
        // An unreadable stage is read as the strict one, so that nothing stays unsaid.
        reader.set_production(stage != Some(Stage::Development));
        let (web, log, backend) = (web(&mut reader), log(&mut reader), settings(&mut reader));
        match (stage, web, log, backend, reader.into_problems()) {
            (Some(stage), Some(web), Some(log), Some(backend), None) => Ok(Self {
                stage,
                web,
                log,
                backend,
            }),
            (.., problems) => Err(problems.unwrap_or_default()),
        }
    }

    /// Every variable that is read, in the order of `.env.example`.
    #[must_use]
    pub fn known_variables() -> Vec<&'static str> {
        let mut reader = Reader::new(&|_| None);
        reader.required("ISORUN_ENV", "", stage);
        web(&mut reader);
        log(&mut reader);
        settings(&mut reader);
        reader.asked()
    }
}

fn stage(text: &str) -> Option<Stage> {
    match text {
        "development" => Some(Stage::Development),
        "production" => Some(Stage::Production),
        _ => None,
    }
}

fn web(reader: &mut Reader) -> Option<Web> {
    let listen = reader.required(
        "LISTEN_ADDR",
        "an address and a port, such as 127.0.0.1:3000",
        |text| text.parse().ok(),
    );
    let metrics = reader.required(
        "METRICS_ADDR",
        "an address and a port, such as 127.0.0.1:3001",
        |text| text.parse().ok(),
    );
    if listen.is_some() && listen == metrics {
        reader.refuse(
            "METRICS_ADDR",
            "must not be LISTEN_ADDR: metrics are not for the public",
        );
    }
    let site_root = reader.required("SITE_ROOT", "the folder with the built site", |text| {
        Some(PathBuf::from(text))
    });
    let proxies = reader.optional(
        "TRUSTED_PROXIES",
        "networks such as 10.0.0.0/8, separated by commas",
        |text| {
            text.split(',')
                .map(|network| Network::parse(network.trim()))
                .collect()
        },
    );
    let per_client = reader.optional(
        "CONNECTIONS_PER_CLIENT",
        "a number from 1 to 10000",
        |text| {
            let number: usize = text.parse().ok()?;
            (1..=CONNECTIONS_MAX).contains(&number).then_some(number)
        },
    );
    Some(Web {
        listen: listen?,
        metrics: metrics?,
        site_root: site_root?,
        trusted_proxies: proxies?.unwrap_or_default(),
        connections_per_client: per_client?.unwrap_or(CONNECTIONS_PER_CLIENT),
    })
}

fn log(reader: &mut Reader) -> Option<Log> {
    let level = reader.optional(
        "LOG",
        "error, warn, info, debug or trace",
        |text| match text {
            "error" | "warn" | "info" | "debug" | "trace" => text.parse().ok(),
            _ => None,
        },
    );
    let format = reader.optional("LOG_FORMAT", "json or text", |text| match text {
        "json" => Some(LogFormat::Json),
        "text" => Some(LogFormat::Text),
        _ => None,
    });
    if format == Some(Some(LogFormat::Text)) {
        reader.refuse_in_production("LOG_FORMAT", "must be json");
    }
    Some(Log {
        level: level?.unwrap_or(tracing::Level::INFO),
        format: format?.unwrap_or(LogFormat::Json),
    })
}

fn settings(reader: &mut Reader) -> Option<Settings> {
    let public_origin = public_origin(reader);
    let database_url = database_url(reader);
    let secret_key = secret_key(reader);
    let accepted_key = accepted_key(reader, secret_key.as_ref());
    let orchestrator_url = peer_url(reader, "ORCHESTRATOR_URL");
    let orchestrator_credential = reader.required(
        "ORCHESTRATOR_CREDENTIAL",
        "the orchestrator's credential",
        some,
    );
    if orchestrator_credential
        .as_ref()
        .is_some_and(|text| text.len() < CREDENTIAL_CHARS_MIN)
    {
        reader.refuse_in_production(
            "ORCHESTRATOR_CREDENTIAL",
            "must have at least 32 characters",
        );
    }
    let sandbox_api_url = peer_url(reader, "SANDBOX_API_URL");
    let region = reader.required("REGION", "two lower-case letters", Region::parse);
    let smtp_url = smtp_url(reader);
    let mail_from = reader.required(
        "MAIL_FROM",
        "a sender such as Isorun <no-reply@isorun.ai>",
        sender,
    );
    let webhook_reach = webhook_reach(reader);
    let refused_countries = reader.required(
        "REFUSED_COUNTRIES",
        "two-letter country codes, separated by commas",
        |text| {
            text.split(',')
                .map(Country::parse)
                .collect::<Option<Vec<_>>>()
        },
    );
    let terms = reader.required("TERMS_VERSION", "a date such as 2026-07-10", date);
    let aup = reader.required("AUP_VERSION", "a date such as 2026-07-10", date);
    let dpa = reader.required("DPA_VERSION", "a date such as 2026-07-10", date);
    Some(Settings {
        database_url: SecretString::from(database_url?),
        pool_size: POOL_SIZE,
        secret_key: secret_key?,
        accepted_key: accepted_key?,
        public_origin: public_origin?,
        orchestrator_url: orchestrator_url?,
        orchestrator_credential: SecretString::from(orchestrator_credential?),
        sandbox_api_url: sandbox_api_url?,
        region: region?,
        smtp_url: SecretString::from(smtp_url?),
        mail_from: mail_from?,
        webhook_reach: webhook_reach?,
        refused_countries: refused_countries?,
        documents: DocumentVersions {
            terms: terms?,
            aup: aup?,
            dpa: dpa?,
        },
    })
}

const A_KEY: &str = "at least 32 bytes in hexadecimal";
const RANDOM: &str = "must be random: openssl rand -hex 32";

fn secret_key(reader: &mut Reader) -> Option<SecretKey> {
    let name = "SECRET_KEY";
    let mut is_random = true;
    let key = reader.required(name, A_KEY, |text| {
        is_random = looks_random(text);
        SecretKey::from_hex(text)
    });
    if key.is_some() && !is_random {
        reader.refuse_in_production(name, RANDOM);
    }
    key
}

/// The second key, while one is exchanged for another. Alone it is nothing: there is no other key that it could stand beside.
#[expect(
    clippy::option_option,
    reason = "absent and wrong are different answers"
)]
fn accepted_key(reader: &mut Reader, secret_key: Option<&SecretKey>) -> Option<Option<SecretKey>> {
    let name = "SECRET_KEY_ACCEPTED";
    let mut is_random = true;
    let key = reader.optional(name, A_KEY, |text| {
        is_random = looks_random(text);
        SecretKey::from_hex(text)
    })?;
    if let Some(key) = &key {
        if !is_random {
            reader.refuse_in_production(name, RANDOM);
        }
        match secret_key {
            None => reader.refuse(name, "is set without a SECRET_KEY beside it"),
            Some(present) if present.id() == key.id() => {
                reader.refuse(
                    name,
                    "must not be SECRET_KEY: leave it empty when there is one key",
                );
            }
            Some(_) => {}
        }
    }
    Some(key)
}

fn looks_random(key: &str) -> bool {
    let pairs: std::collections::BTreeSet<&[u8]> = key.as_bytes().chunks(2).collect();
    pairs.len() >= KEY_BYTES_DIFFERENT_MIN
}

fn webhook_reach(reader: &mut Reader) -> Option<AllowedHosts> {
    let reach = reader.optional("WEBHOOK_REACH", "public or anywhere", |text| match text {
        "public" => Some(AllowedHosts::Public),
        "anywhere" => Some(AllowedHosts::Anywhere),
        _ => None,
    })?;
    if reach == Some(AllowedHosts::Anywhere) {
        reader.refuse_in_production("WEBHOOK_REACH", "must be public");
    }
    Some(reach.unwrap_or(AllowedHosts::Public))
}

fn sender(text: &str) -> Option<String> {
    let address = match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>')?,
        None => text,
    };
    EmailAddress::parse(address).ok().map(|_| text.to_owned())
}

fn date(text: &str) -> Option<String> {
    time::Date::parse(text, format_description!("[year]-[month]-[day]"))
        .ok()
        .map(|_| text.to_owned())
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[cfg(test)]
mod tests;
