//! The header set of `server::http::security_headers`, compared literally on every route, for strangers and for people:
//! a header that somebody adds, drops or loosens fails here.

use std::collections::BTreeSet;

use app::routes::{PRIVATE_ROUTES, PUBLIC_ROUTES};
use axum::body::Body;
use axum::http::{Method, Request};
use sqlx::PgPool;

use crate::browser::{Browser, Page};
use crate::routes::{all, example};
use crate::twins;
use crate::world::World;

const ALWAYS: [(&str, &str); 6] = [
    (
        "strict-transport-security",
        "max-age=63072000; includeSubDomains",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "publickey-credentials-get=(self), publickey-credentials-create=(self)",
    ),
];
/// What else an answer may carry. `server`, versions and framework marks are not here.
const ALLOWED: [&str; 18] = [
    "content-type",
    "content-length",
    "content-disposition",
    "content-security-policy",
    "cache-control",
    "vary",
    "x-request-id",
    "set-cookie",
    "location",
    "retry-after",
    "allow",
    "accept-ranges",
    "last-modified",
    "content-encoding",
    "clear-site-data",
    "etag",
    "date",
    "connection",
];
const CLOSED_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// Error pages of the edge: a stylesheet and an icon, no script.
const ERROR_PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const PAGE_POLICY: [&str; 10] = [
    "default-src 'none'",
    "script-src 'nonce-N' 'strict-dynamic' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "object-src 'none'",
];

#[track_caller]
fn check(page: &Page) {
    let path = &page.path;
    let header = |name: &str| {
        let all: Vec<_> = page
            .headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect();
        assert!(all.len() < 2, "{path}: {name} {all:?}");
        all.first().copied().unwrap_or_default()
    };
    for (name, value) in ALWAYS {
        assert_eq!(header(name), value, "{path}: {name}");
    }
    for name in page.headers.keys() {
        let is_known =
            ALLOWED.contains(&name.as_str()) || ALWAYS.iter().any(|(known, _)| known == name);
        assert!(is_known, "{path}: {name}");
    }
    assert!((8..=24).contains(&header("x-request-id").len()), "{path}");
    let is_file = is_file(page);
    let vary = "Cookie, Sec-Fetch-Site, Origin, Accept-Encoding";
    let caching = match is_file {
        true if path.starts_with("/pkg/") => "public, max-age=31536000, immutable",
        true => "public, max-age=3600",
        false if shows_a_secret(page) => "no-store, no-transform",
        false => "no-store",
    };
    assert_eq!(header("cache-control"), caching, "{path}");
    if !path.starts_with("/pkg/") {
        assert_eq!(header("vary"), vary, "{path}");
    }
    if header("content-type").starts_with("text/") {
        assert!(
            header("content-type").contains("charset=utf-8"),
            "{path}: {}",
            header("content-type")
        );
    }
    match nonce(page) {
        Some(nonce) => {
            let policy = header("content-security-policy").replace(&nonce, "N");
            assert_eq!(
                policy.split("; ").collect::<Vec<_>>(),
                PAGE_POLICY,
                "{path}"
            );
            assert_eq!(header("content-type"), "text/html; charset=utf-8", "{path}");
        }
        None => {
            let is_page = header("content-type").starts_with("text/html");
            let policy = if is_page {
                ERROR_PAGE_POLICY
            } else {
                CLOSED_POLICY
            };
            assert_eq!(header("content-security-policy"), policy, "{path}");
        }
    }
    for cookie in page.headers.get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap();
        assert!(
            cookie.contains("; HttpOnly") || cookie.contains("Max-Age=0"),
            "{path}: {cookie}"
        );
        assert!(
            !cookie.to_ascii_lowercase().contains("domain"),
            "{path}: {cookie}"
        );
    }
}

/// Pages of which each shows something that opens a door for whoever has it.
fn shows_a_secret(page: &Page) -> bool {
    page.status.is_success() && ["/alerts", "/keys/created"].contains(&page.path.as_str())
}

/// A file for everybody; one made for one person is kept by nobody.
fn is_file(page: &Page) -> bool {
    let path = &page.path;
    let is_of_a_person = twins::addresses().iter().any(|(twin, _)| twin == path);
    let is_public = path.starts_with("/pkg/") || path.contains('.') && !is_of_a_person;
    page.status.is_success() && is_public
}

fn nonce(page: &Page) -> Option<String> {
    let policy = page
        .headers
        .get("content-security-policy")?
        .to_str()
        .unwrap();
    let (_, rest) = policy.split_once("'nonce-")?;
    Some(rest.split('\'').next().unwrap().to_owned())
}

#[sqlx::test(migrations = "../migrations")]
async fn on_every_route_and_method(pool: PgPool) {
    let world = World::new(pool).await;
    let person = world.customer("ada@example.org").await;
    let paths = all(&world.router)
        .into_iter()
        .chain(["/nothing".to_owned(), "/pkg/gone.css".to_owned()]);
    for path in paths.map(|pattern| example(&pattern)) {
        for mut browser in [world.browser(), person.clone()] {
            for method in [
                Method::GET,
                Method::HEAD,
                Method::POST,
                Method::PUT,
                Method::TRACE,
                Method::OPTIONS,
            ] {
                for site in ["same-origin", "cross-site"] {
                    let request = Request::builder()
                        .method(method.clone())
                        .uri(&path)
                        .header("sec-fetch-site", site);
                    check(&browser.send(request.body(Body::empty()).unwrap()).await);
                }
            }
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn each_page_has_a_nonce_of_its_own(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.customer("ada@example.org").await;
    let mut nonces = BTreeSet::new();
    for route in PRIVATE_ROUTES
        .iter()
        .chain(PUBLIC_ROUTES)
        .filter(|route| !route.contains('{') && **route != "/")
    {
        for _ in 0..2 {
            let page = browser.get(route).await.at(route);
            let nonce = nonce(&page).unwrap_or_else(|| panic!("{route} has no nonce"));
            assert!(nonce.len() >= 22, "{nonce} has fewer than 128 bits");
            for script in page.body.split("<script").skip(1) {
                let tag = script.split('>').next().unwrap();
                assert!(
                    tag.contains(&format!("nonce=\"{nonce}\"")),
                    "{route}: {tag}"
                );
            }
            for banned in [" style=\"", "<style", " onclick=", "javascript:"] {
                assert!(!page.body.contains(banned), "{route}: {banned}");
            }
            assert!(nonces.insert(nonce), "{route} repeats a nonce");
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn files_come_packed_when_asked(pool: PgPool) {
    let world = World::new(pool).await;
    for (accepted, encoding, body) in [
        ("br, gzip", "br", "brotli"),
        ("gzip", "gzip", "gzip"),
        ("identity", "", "a{}"),
    ] {
        let request = Request::get("/pkg/main.1.css")
            .header("accept-encoding", accepted)
            .body(Body::empty())
            .unwrap();
        let page = world.browser().send(request).await;
        let got = page
            .headers
            .get("content-encoding")
            .map_or("", |value| value.to_str().unwrap());
        assert_eq!((got, page.body.as_str()), (encoding, body));
        assert_eq!(page.headers["content-type"], "text/css; charset=utf-8");
        assert_eq!(page.headers["vary"], "accept-encoding");
    }
}

async fn packed(browser: &mut Browser, path: &str, accepted: &str) -> (Page, String) {
    let request = Request::get(path)
        .header("accept-encoding", accepted)
        .header("sec-fetch-site", "none");
    let page = browser.send(request.body(Body::empty()).unwrap()).await;
    let encoding = page.headers.get("content-encoding");
    let encoding = encoding
        .map_or("", |value| value.to_str().unwrap())
        .to_owned();
    (page, encoding)
}

#[sqlx::test(migrations = "../migrations")]
async fn pages_and_files_of_people_come_packed_when_asked(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    for path in [
        "/overview",
        "/usage",
        "/credit",
        "/settings",
        "/keys/nothing",
    ] {
        let plain = ada.get(path).await;
        assert!(!plain.headers.contains_key("content-encoding"), "{path}");
        for (accepted, encoding) in [("gzip, br", "br"), ("gzip", "gzip"), ("identity", "")] {
            let (page, got) = packed(&mut ada, path, accepted).await;
            assert_eq!(got, encoding, "{path}");
            check(&page);
            // Read as text, a packed body is longer than it is.
            let is_smaller = page.body.len() < plain.body.len();
            assert_eq!(
                is_smaller,
                !encoding.is_empty(),
                "{path}: {}",
                page.body.len()
            );
        }
    }
    // A packed file has the same name as the plain one, and a weak one: byte for byte they differ.
    let (plain, _) = packed(&mut ada, "/usage.csv?range=30d", "identity").await;
    let (small, encoding) = packed(&mut ada, "/usage.csv?range=30d", "br").await;
    assert_eq!(plain.headers["etag"], small.headers["etag"], "{encoding}");
    assert!(plain.headers["etag"].to_str().unwrap().starts_with("W/"));
    // Not worth it.
    assert_eq!(packed(&mut ada, "/healthz", "br").await.1, "");
}

#[sqlx::test(migrations = "../migrations")]
async fn what_shows_a_secret_is_never_packed(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    let url = ("url", "https://example.org/hook");
    ada.submit("/alerts", "/api/webhook/set", &[url])
        .await
        .at("/alerts");
    ada.submit("/alerts", "/api/calendar/create", &[])
        .await
        .at("/alerts");
    let answer = ada.post("/api/key/create", &[("name", "ci")]).await;
    answer.leads_to("/keys/created");
    let mut secrets = 0;
    // Every page, so that one that begins to show a secret has to say so.
    let pages = PRIVATE_ROUTES.iter().filter(|route| !route.contains('{'));
    for path in pages {
        let (page, encoding) = packed(&mut ada, path, "br, gzip").await;
        let shown = if encoding.is_empty() {
            page
        } else {
            packed(&mut ada, path, "identity").await.0
        };
        let long = |prefix: &str| {
            let rest = shown.body.split(prefix).skip(1);
            let word = |rest: &str| {
                let is_of_word = |c: &char| c.is_ascii_alphanumeric() || *c == '_' || *c == '-';
                rest.chars().take_while(is_of_word).count()
            };
            rest.map(word).any(|length| length >= 30)
        };
        if ["whsec_", "sk_live_us_", "/calendar/"]
            .iter()
            .any(|prefix| long(prefix))
        {
            secrets += 1;
            assert_eq!(encoding, "", "{path} is packed");
            assert!(
                shows_a_secret(&shown),
                "{path} shows a secret and does not say so"
            );
        }
    }
    assert_eq!(secrets, 2, "the new key, and the page of alerts");
    world.expect_leftover_jobs("the webhook's address is nobody's");
}
