//! Every server function is one act of `domain::act`, refuses a stranger if the act is a member's, and if it takes an id
//! meets a foreign one. What each role may do is `matrix`'s.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use domain::act::{Act, Who};
use sqlx::PgPool;

use crate::browser::Page;
use crate::matrix::{form, path};
use crate::world::World;

/// Where every act is posted to. Who may do so stands in the act's rule and nowhere else, so there is no server function beside
/// the acts, also none for strangers: signing in and out are acts too.
pub fn paths() -> BTreeSet<String> {
    Act::ALL.iter().copied().map(path).collect()
}

/// Acts of members: a stranger is led to the sign-in page.
fn of_members() -> impl Iterator<Item = Act> {
    let is_members = |act: &Act| matches!(act.rule().who, Who::Member(_));
    Act::ALL.iter().copied().filter(is_members)
}

const LOG: &str = "SELECT count(*) FROM audit_events";

/// What a mutation may have changed; the number of lines in the audit log is the last of it.
pub async fn rows(world: &World) -> Vec<i64> {
    let mut rows = Vec::new();
    for sql in [
        "SELECT count(*) FROM keys",
        "SELECT count(*) FROM keys WHERE revoked_at IS NOT NULL",
        "SELECT count(*) FROM jobs",
        "SELECT count(*) FROM pending_sign_ups",
        "SELECT count(*) FROM mails",
        "SELECT count(*) FROM spending_limits",
        "SELECT count(*) FROM alert_settings",
        "SELECT count(*) FROM alert_recipients",
        "SELECT count(*) FROM webhooks",
        "SELECT count(*) FROM calendars",
        "SELECT count(*) FROM targets WHERE refused_at IS NOT NULL",
        LOG,
    ] {
        rows.push(world.count(sql).await);
    }
    rows
}

#[test]
fn every_server_function_is_classed() {
    let found = server_fn_paths().into_iter();
    let found: BTreeSet<_> = found.map(|(path, _)| path.to_owned()).collect();
    assert_eq!(found, paths(), "server functions, and acts");
    assert_eq!(found.len(), Act::ALL.len(), "each is one act");
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
    for act in of_members() {
        let mut stranger = world.browser();
        let answer = stranger.post(&path(act), form(act).fields).await;
        answer.leads_to("/sign-in");
        stranger.follow(answer).await.at("/sign-in");
        assert_eq!(rows(&world).await, before, "{act:?}");
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
    let takes_one = Act::ALL
        .iter()
        .copied()
        .filter(|act| form(*act).takes.is_some());
    assert_eq!(
        takes_one.count(),
        4,
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

/// The newest key on the page of keys.
pub fn key_id(page: &Page) -> String {
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
    for act in Act::ALL.iter().copied().filter(|act| *act != Act::SignOut) {
        let path = path(act);
        for (kind, body) in &bodies {
            let request = Request::post(&path)
                .header("accept", "text/html")
                .header("content-type", *kind)
                .header("referer", "https://evil.example/")
                .header("sec-fetch-site", "same-origin");
            let page = browser
                .send(request.body(Body::from(body.clone())).unwrap())
                .await;
            assert!(
                page.status == StatusCode::SEE_OTHER || page.status == StatusCode::BAD_REQUEST,
                "{path} {page:?}"
            );
            assert!(
                !page.location().unwrap_or_default().contains("evil"),
                "{path}"
            );
            for leak in ["ServerFn", "Args", "Deserial", "duplicate", "invalid type"] {
                assert!(!page.body.contains(leak), "{} {leak}: {}", path, page.body);
            }
        }
    }
}
