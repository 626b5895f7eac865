//! Other sites change nothing: every server function against everything a browser or an attacker may say about where a
//! request comes from.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sqlx::PgPool;

use crate::actions::paths;
use crate::world::{ORIGIN, World};

const EVIL: &str = "https://evil.example";

/// Headers that a request may carry, and whether it may pass.
const CASES: &[(&[(&str, &str)], bool)] = &[
    (&[("sec-fetch-site", "same-origin")], true),
    (
        &[("sec-fetch-site", "same-origin"), ("origin", ORIGIN)],
        true,
    ),
    (&[("origin", ORIGIN)], true),
    (&[("sec-fetch-site", "cross-site")], false),
    (&[("sec-fetch-site", "cross-site"), ("origin", EVIL)], false),
    (
        &[("sec-fetch-site", "cross-site"), ("origin", ORIGIN)],
        false,
    ),
    (
        &[("sec-fetch-site", "same-site"), ("origin", ORIGIN)],
        false,
    ),
    (&[("sec-fetch-site", "none")], false),
    (
        &[
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
        ],
        false,
    ),
    (&[("sec-fetch-site", "nonsense"), ("origin", ORIGIN)], false),
    (&[("origin", EVIL)], false),
    (&[("origin", "null")], false),
    (&[("origin", "http://127.0.0.1:3001")], false),
    (&[("origin", "https://127.0.0.1:3000")], false),
    (&[("origin", "http://127.0.0.1:3000.evil.example")], false),
    (&[("referer", "http://127.0.0.1:3000/keys")], false),
    (&[], false),
];

#[sqlx::test(migrations = "../migrations")]
async fn only_our_own_pages_change_anything(pool: PgPool) {
    let world = World::new(pool).await;
    let person = world.customer("ada@example.org").await;
    for path in paths() {
        for (headers, passes) in CASES {
            for kind in ["application/x-www-form-urlencoded", "text/plain"] {
                let mut request = Request::post(&path).header("content-type", kind);
                for (name, value) in *headers {
                    request = request.header(*name, *value);
                }
                let page = person
                    .clone()
                    .send(request.body(Body::from("name=")).unwrap())
                    .await;
                let expected = match (*passes, kind) {
                    (false, _) => StatusCode::FORBIDDEN,
                    (true, "text/plain") => StatusCode::BAD_REQUEST,
                    (true, _) => StatusCode::SEE_OTHER,
                };
                // Signing out ends the session of `person`, which the other actions do not need to see.
                assert_eq!(page.status, expected, "{path} {headers:?} {kind}");
                if !passes {
                    page.says("This is not allowed");
                }
            }
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn links_reach_no_change(pool: PgPool) {
    let world = World::new(pool).await;
    let mut person = world.customer("ada@example.org").await;
    for path in paths() {
        let page = person.get(&format!("{path}?name=ci")).await;
        assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED, "{}", path);
    }
    person.get("/overview").await.at("/overview");
    assert_eq!(world.count("SELECT count(*) FROM keys").await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_program_without_cookies_may_send_a_form(pool: PgPool) {
    let world = World::new(pool).await;
    let request = Request::post("/api/session/sign-in")
        .header("content-type", "application/x-www-form-urlencoded");
    let page = world
        .browser()
        .send(request.body(Body::from("email=a&password=b")).unwrap())
        .await;
    page.leads_to("/sign-in");
}
