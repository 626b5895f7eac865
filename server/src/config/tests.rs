//! What a configuration must be: complete, said at once, silent about values, strict in production.

use std::collections::BTreeMap;

use super::*;

const EXAMPLE: &str = include_str!("../../../.env.example");
const RANDOM: &str = "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210";

const OPTIONAL: [&str; 6] = [
    "CONNECTIONS_PER_CLIENT",
    "LOG",
    "LOG_FORMAT",
    "SECRET_KEY_ACCEPTED",
    "TRUSTED_PROXIES",
    "WEBHOOK_REACH",
];

type Environment = BTreeMap<String, String>;

/// `.env.example` with the three values that `make run` fills in.
fn development() -> Environment {
    let lines = EXAMPLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='));
    let mut environment: Environment = lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    set(
        &mut environment,
        "DATABASE_URL",
        "postgres://me@localhost/isorun?host=/tmp/pg",
    );
    set(&mut environment, "SECRET_KEY", RANDOM);
    set(&mut environment, "ORCHESTRATOR_CREDENTIAL", "anything");
    environment
}

fn production() -> Environment {
    let mut environment = development();
    for (name, value) in [
        ("ISORUN_ENV", "production"),
        ("PUBLIC_ORIGIN", "https://app.isorun.ai"),
        (
            "DATABASE_URL",
            "postgres://web:pw@db.internal/isorun?sslmode=verify-full",
        ),
        ("ORCHESTRATOR_URL", "https://control.isorun.ai"),
        (
            "ORCHESTRATOR_CREDENTIAL",
            "Zm9ydHktdHdvIGlzIG5vdCBhIHNlY3JldA",
        ),
        ("SANDBOX_API_URL", "https://api.isorun.ai"),
        ("SMTP_URL", "smtps://user:pw@mail.isorun.ai"),
        ("LOG_FORMAT", "json"),
        ("WEBHOOK_REACH", "public"),
    ] {
        set(&mut environment, name, value);
    }
    environment
}

fn set(environment: &mut Environment, name: &str, value: &str) {
    environment.insert(name.to_owned(), value.to_owned());
}

fn parse(environment: &Environment) -> Result<Config, Problems> {
    Config::parse(&|name| environment.get(name).cloned())
}

fn names(result: Result<Config, Problems>) -> Vec<&'static str> {
    let mut names: Vec<_> = result
        .unwrap_err()
        .0
        .into_iter()
        .map(|problem| problem.name)
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn the_example_names_exactly_what_is_read() {
    let mut example: Vec<_> = EXAMPLE
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split_once('=').unwrap().0)
        .collect();
    let mut known = Config::known_variables();
    example.sort_unstable();
    known.sort_unstable();
    assert_eq!(example, known);
}

#[test]
fn the_example_is_a_development_configuration() {
    let config = parse(&development()).unwrap();
    assert_eq!(config.stage, Stage::Development);
    assert!(config.web.trusted_proxies.is_empty());
    assert_eq!(
        config.backend.public_origin.as_str(),
        "http://127.0.0.1:3000/"
    );
    assert_eq!(config.backend.refused_countries.len(), 4);
}

#[test]
fn every_problem_is_named_at_once() {
    let mut all_but_optional = Config::known_variables();
    all_but_optional.retain(|name| !OPTIONAL.contains(name));
    all_but_optional.sort_unstable();
    assert_eq!(names(parse(&Environment::new())), all_but_optional);

    let nonsense: Environment = Config::known_variables()
        .into_iter()
        .map(|name| (name.to_owned(), "\u{1}?".to_owned()))
        .collect();
    let mut anything = ["ORCHESTRATOR_CREDENTIAL", "SITE_ROOT"].into_iter();
    let named = names(parse(&nonsense));
    for name in Config::known_variables() {
        assert!(
            named.contains(&name) || anything.any(|free| free == name),
            "{name} accepts nonsense"
        );
    }
}

#[test]
fn no_value_is_ever_repeated() {
    let mut environment = development();
    for name in Config::known_variables() {
        set(&mut environment, name, "hunter2-hunter2");
    }
    let said = format!("{0} {0:?}", parse(&environment).unwrap_err());
    assert!(!said.contains("hunter2"), "{said}");
    let config = format!("{:?}", parse(&production()).unwrap());
    for secret in [RANDOM, "Zm9ydHk", ":pw@"] {
        assert!(!config.contains(secret), "{secret}");
    }
}

#[test]
fn production_refuses_what_development_may() {
    assert_eq!(parse(&production()).unwrap().stage, Stage::Production);
    let cases = [
        ("PUBLIC_ORIGIN", "http://127.0.0.1:3000"),
        ("DATABASE_URL", "postgres://web:pw@db.internal/isorun"),
        (
            "DATABASE_URL",
            "postgres://web:pw@db.internal/isorun?sslmode=require",
        ),
        (
            "SECRET_KEY",
            "abababababababababababababababababababababababababababababababab",
        ),
        (
            "SECRET_KEY_ACCEPTED",
            "abababababababababababababababababababababababababababababababab",
        ),
        ("ORCHESTRATOR_URL", "https://127.0.0.1:3100"),
        ("ORCHESTRATOR_URL", "http://control.isorun.ai"),
        ("ORCHESTRATOR_CREDENTIAL", "short"),
        ("SANDBOX_API_URL", "https://localhost"),
        ("SANDBOX_API_URL", "https://[::1]"),
        ("SMTP_URL", "smtps://127.0.0.1:3025"),
        ("SMTP_URL", "smtp://mail.isorun.ai"),
        ("LOG_FORMAT", "text"),
        ("WEBHOOK_REACH", "anywhere"),
    ];
    for (name, value) in cases {
        let mut environment = production();
        set(&mut environment, name, value);
        assert_eq!(names(parse(&environment)), [name], "{value}");
        let mut environment = development();
        set(&mut environment, name, value);
        assert!(parse(&environment).is_ok(), "{name}={value} in development");
    }
    assert!(
        names(parse(&{
            let mut environment = development();
            set(&mut environment, "ISORUN_ENV", "production");
            environment
        }))
        .len()
            > 5
    );
}

#[test]
fn a_second_key_stands_beside_the_first_and_never_alone() {
    let mut environment = production();
    let other: String = RANDOM.chars().rev().collect();
    set(&mut environment, "SECRET_KEY_ACCEPTED", &other);
    let settings = parse(&environment).unwrap().backend;
    assert_eq!(settings.keys().count(), 2);
    let first = settings.keys().next().unwrap();
    assert_eq!(first.id(), settings.secret_key.id());
    environment.remove("SECRET_KEY");
    let problems = parse(&environment).unwrap_err().to_string();
    assert!(
        problems.contains("SECRET_KEY: is not set")
            && problems.contains("SECRET_KEY_ACCEPTED: is set without a SECRET_KEY"),
        "{problems}"
    );
}

#[test]
fn bad_values_are_refused_everywhere() {
    let cases = [
        ("ISORUN_ENV", "staging"),
        ("PUBLIC_ORIGIN", "http://example.org"),
        ("PUBLIC_ORIGIN", "https://app.isorun.ai/"),
        ("PUBLIC_ORIGIN", "https://app.isorun.ai/path"),
        ("PUBLIC_ORIGIN", "https://user@app.isorun.ai"),
        ("LISTEN_ADDR", "3000"),
        ("METRICS_ADDR", "127.0.0.1:3000"),
        ("DATABASE_URL", "mysql://db"),
        ("SECRET_KEY", "abcd"),
        ("SECRET_KEY_ACCEPTED", "abcd"),
        ("SECRET_KEY_ACCEPTED", RANDOM),
        ("CONNECTIONS_PER_CLIENT", "0"),
        ("CONNECTIONS_PER_CLIENT", "10001"),
        ("REGION", "USA"),
        ("SMTP_URL", "http://127.0.0.1"),
        ("MAIL_FROM", "Isorun <no-reply>"),
        ("REFUSED_COUNTRIES", "CU,XX"),
        ("TERMS_VERSION", "July"),
        ("TRUSTED_PROXIES", "10.0.0.0/40"),
        ("LOG", "isorun=trace"),
        ("LOG_FORMAT", "xml"),
    ];
    for (name, value) in cases {
        let mut environment = development();
        set(&mut environment, name, value);
        let problems = parse(&environment).unwrap_err();
        assert!(
            problems.0.iter().any(|problem| problem.name == name),
            "{name}={value}: {problems}"
        );
    }
}
