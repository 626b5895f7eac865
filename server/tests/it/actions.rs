//! Every server function has an authority, and one that takes an id meets a foreign one. A new one fails here until it
//! is listed.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use sqlx::PgPool;

use crate::browser::Page;
use crate::world::World;

/// Who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// Anybody: the form is for strangers, or ends what the asker has.
    Anyone,
    /// A signed-in person.
    User,
}

/// A server function.
pub struct Action {
    pub path: &'static str,
    pub authority: Authority,
    /// The field that names a thing of an account.
    pub takes: Option<&'static str>,
}

const fn action(path: &'static str, authority: Authority, takes: Option<&'static str>) -> Action {
    Action {
        path,
        authority,
        takes,
    }
}

pub const ACTIONS: &[Action] = &[
    action("/api/account/sign-up", Authority::Anyone, None),
    action("/api/account/verify-email", Authority::Anyone, None),
    action("/api/account/resend-verification", Authority::User, None),
    action("/api/session/sign-in", Authority::Anyone, None),
    action("/api/session/sign-out", Authority::Anyone, None),
    action("/api/key/create", Authority::User, None),
    action("/api/key/revoke", Authority::User, Some("key_id")),
    action(
        "/api/sandbox/set-timeout",
        Authority::User,
        Some("sandbox_id"),
    ),
    action("/api/limit/set", Authority::User, None),
    action("/api/limit/remove", Authority::User, None),
    action("/api/alert/choose", Authority::User, None),
    action("/api/alert/add-recipient", Authority::User, None),
    action(
        "/api/alert/remove-recipient",
        Authority::User,
        Some("recipient_id"),
    ),
    action("/api/alert/resend", Authority::User, Some("recipient_id")),
    action("/api/alert/agree", Authority::Anyone, None),
    action("/api/alert/stop", Authority::Anyone, None),
    action("/api/webhook/set", Authority::User, None),
    action("/api/webhook/remove", Authority::User, None),
    action("/api/webhook/renew", Authority::User, None),
    action("/api/webhook/test", Authority::User, None),
    action("/api/calendar/create", Authority::User, None),
    action("/api/calendar/revoke", Authority::User, None),
];

/// What a mutation may have changed.
async fn rows(world: &World) -> Vec<i64> {
    let mut rows = Vec::new();
    for sql in [
        "SELECT count(*) FROM keys",
        "SELECT count(*) FROM keys WHERE revoked_at IS NOT NULL",
        "SELECT count(*) FROM jobs",
        "SELECT count(*) FROM audit_events",
        "SELECT count(*) FROM verifications",
        "SELECT count(*) FROM mails",
        "SELECT count(*) FROM spending_limits",
        "SELECT count(*) FROM alert_settings",
        "SELECT count(*) FROM alert_recipients",
        "SELECT count(*) FROM webhooks",
        "SELECT count(*) FROM calendars",
    ] {
        rows.push(world.count(sql).await);
    }
    rows
}

#[test]
fn every_server_function_is_classed() {
    let found: BTreeSet<_> = server_fn_paths()
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    assert_eq!(found, ACTIONS.iter().map(|action| action.path).collect());
    for (path, method) in server_fn_paths() {
        assert_eq!(
            method,
            Method::POST,
            "{path} changes something, so no link may reach it"
        );
        assert_eq!(path.matches('/').count(), 3, "{path} is /api/<noun>/<verb>");
    }
}

fn server_fn_paths() -> Vec<(&'static str, Method)> {
    // Mentioning the crate links it, and with it the registrations.
    let _ = app::routes::PUBLIC_ROUTES;
    leptos::server_fn::axum::server_fn_paths().collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_stranger_changes_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer("ada@example.org").await;
    let before = rows(&world).await;
    for action in ACTIONS
        .iter()
        .filter(|action| action.authority == Authority::User)
    {
        let mut stranger = world.browser();
        let answer = stranger
            .post(action.path, &[("name", "ci"), ("key_id", "x")])
            .await;
        answer.leads_to("/sign-in");
        stranger.follow(answer).await.at("/sign-in");
        assert_eq!(rows(&world).await, before, "{}", action.path);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_neighbour_finds_nothing_of_mine(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("the sandbox is put into the table by hand");
    let (mut ada, mut eve) = (
        world.customer("ada@example.org").await,
        world.customer("eve@example.org").await,
    );
    ada.submit("/keys/new", "/api/key/create", &[("name", "ci")])
        .await
        .at("/keys/created");
    world.work().await;
    let key_id = key_id(&ada.get("/keys").await);
    assert!(
        ACTIONS
            .iter()
            .filter(|action| action.takes.is_some())
            .count()
            == 4,
        "a new one needs a thing of its own here"
    );
    world
        .execute(
            "WITH c AS (INSERT INTO cohorts (account_id, cohort_id, image, region, vcpus, mem_mib)
                        SELECT account_id, gen_random_uuid(), 'node:22', 'us', 1, 1024 FROM keys
                        RETURNING account_id, cohort_id)
             INSERT INTO sandboxes (account_id, sandbox_id, state, image, region, vcpus, mem_mib, created_at, cohort_id)
             SELECT account_id, 'run0ada', 'running', 'node:22', 'us', 1, 1024, now(), cohort_id FROM c",
        )
        .await;
    let before = rows(&world).await;
    let answer = eve.post("/api/key/revoke", &[("key_id", &key_id)]).await;
    eve.follow(answer).await;
    let timer = [("sandbox_id", "run0ada"), ("minutes", "5")];
    let answer = eve.post("/api/sandbox/set-timeout", &timer).await;
    eve.follow(answer)
        .await
        .at("/waste")
        .says("There is no such sandbox in this account.");
    assert_eq!(rows(&world).await, before);
    let field = "name=\"recipient_id\" value=\"";
    let page = ada.get("/alerts").await;
    let recipient_id = page.body.split(field).nth(1).unwrap()[..36].to_owned();
    for path in ["/api/alert/remove-recipient", "/api/alert/resend"] {
        let answer = eve.post(path, &[("recipient_id", &recipient_id)]).await;
        eve.follow(answer).await;
        assert_eq!(rows(&world).await, before, "{path}");
    }
    assert!(!eve.get("/alerts").await.body.contains(&recipient_id));
    let answer = ada.post("/api/sandbox/set-timeout", &timer).await;
    ada.follow(answer)
        .await
        .at("/waste")
        .says("Timer on its way");
    assert_ne!(rows(&world).await, before);
    assert_eq!(
        eve.get(&format!("/keys/{key_id}")).await.status,
        StatusCode::NOT_FOUND
    );
    assert!(!eve.get("/keys").await.body.contains(&key_id));
    assert_eq!(
        ada.get(&format!("/keys/{key_id}")).await.status,
        StatusCode::OK
    );
}

fn key_id(page: &Page) -> String {
    let mut links = page
        .body
        .split("href=\"/keys/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap());
    links
        .find(|id| id.len() == 36)
        .expect("no key on the page")
        .to_owned()
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_not_a_form_is_answered_in_plain_words(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.customer("ada@example.org").await;
    let form = "application/x-www-form-urlencoded";
    let bodies: [(&str, Vec<u8>); 6] = [
        (form, b"name=a&name=b".to_vec()),
        (form, b"name[x]=a".to_vec()),
        (form, b"name=%FF%FE".to_vec()),
        (form, vec![0, 159, 146, 150]),
        ("text/plain", b"name=a".to_vec()),
        ("multipart/form-data", b"--x".to_vec()),
    ];
    for action in ACTIONS
        .iter()
        .filter(|action| action.path != "/api/session/sign-out")
    {
        for (kind, body) in &bodies {
            let request = Request::post(action.path)
                .header("accept", "text/html")
                .header("content-type", *kind)
                .header("referer", "https://evil.example/")
                .header("sec-fetch-site", "same-origin");
            let page = browser
                .send(request.body(Body::from(body.clone())).unwrap())
                .await;
            assert!(
                page.status == StatusCode::SEE_OTHER || page.status == StatusCode::BAD_REQUEST,
                "{} {page:?}",
                action.path
            );
            assert!(
                !page.location().unwrap_or_default().contains("evil"),
                "{}",
                action.path
            );
            for leak in ["ServerFn", "Args", "Deserial", "duplicate", "invalid type"] {
                assert!(
                    !page.body.contains(leak),
                    "{} {leak}: {}",
                    action.path,
                    page.body
                );
            }
        }
    }
}
