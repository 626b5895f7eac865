//! Every route is classed: public, private, or of the edge. A new one fails here until somebody has said what it is,
//! and a private one refuses a stranger.

use std::collections::BTreeSet;

use app::routes::{PRIVATE_ROUTES, PUBLIC_ROUTES};
use axum::Router;
use axum::http::StatusCode;
use sqlx::PgPool;

use crate::actions;
use crate::twins;
use crate::world::World;

/// What the edge answers itself.
pub const EDGE: &[&str] = &[
    "/healthz",
    "/readyz",
    "/live/overview",
    "/open-account/{token}",
    "/alert-recipient/{token}",
    "/no-more-mail/{token}",
    "/calendar/{token}",
    "/favicon.svg",
    "/robots.txt",
    "/.well-known/security.txt",
];
pub const FOLDERS: &[&str] = &["/pkg", "/pkg/", "/pkg/{*__private__axum_nest_tail_param}"];

/// How axum notes the answer for everything else.
const FALLBACK: &str = "/{*__private__axum_fallback}";

/// Every path that the router knows. axum has no list of them, but its `Debug` names each one behind its id.
pub fn all(router: &Router) -> BTreeSet<String> {
    let text = format!("{router:?}");
    let paths = text
        .split("RouteId(")
        .filter_map(|piece| piece.split_once("): \""))
        .filter(|(id, _)| id.parse::<u32>().is_ok());
    let paths = paths.map(|(_, rest)| rest.split('"').next().unwrap().to_owned());
    paths.filter(|path| path != FALLBACK).collect()
}

/// A path that fits a pattern.
pub fn example(pattern: &str) -> String {
    let id = "01890000-0000-7000-8000-000000000041";
    pattern
        .replace("{id}", id)
        .replace("{token}", "abc")
        .replace("{*__private__axum_nest_tail_param}", "main.1.css")
}

#[sqlx::test(migrations = "../migrations")]
async fn every_route_is_classed(pool: PgPool) {
    let world = World::new(pool).await;
    let found = all(&world.router);
    let twins = twins::addresses().into_iter().map(|(path, _)| path);
    let classed: BTreeSet<String> = [PUBLIC_ROUTES, PRIVATE_ROUTES, EDGE, FOLDERS]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .chain(actions::paths())
        .chain(twins)
        .collect();
    assert!(
        found.len() > 20,
        "the list of routes could not be read: {found:?}"
    );
    assert_eq!(found, classed);
}

#[sqlx::test(migrations = "../migrations")]
async fn private_pages_refuse_a_stranger(pool: PgPool) {
    let world = World::new(pool).await;
    for route in PRIVATE_ROUTES {
        world
            .browser()
            .get(&example(route))
            .await
            .leads_to("/sign-in");
    }
    let live = world.browser().get("/live/overview").await;
    assert_eq!(
        (live.status, live.body.as_str()),
        (StatusCode::UNAUTHORIZED, "")
    );
    for route in PUBLIC_ROUTES {
        world.browser().get(route).await.at(route);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn pages_open_for_their_owner(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.customer("ada@example.org").await;
    browser.get("/").await.leads_to("/overview");
    for route in PRIVATE_ROUTES.iter().filter(|route| !route.contains('{')) {
        browser.get(route).await.at(route);
    }
    let live = browser.get("/live/overview").await;
    assert_eq!(live.headers["content-type"], "application/json");
    let figures: domain::figures::Figures = serde_json::from_str(&live.body).unwrap();
    assert_eq!(figures.running, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_not_there_is_not_found(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.customer("ada@example.org").await;
    let id = "01890000-0000-7000-8000-000000000041";
    let missing = [
        "/nothing",
        "/overview/x.css",
        "/pkg/x.css",
        "/pkg/",
        "/50x.html",
        "/assets.json",
        "/.env",
        "/%2e%2e/Cargo.toml",
    ];
    let foreign = [
        format!("/keys/{id}"),
        "/keys/x".to_owned(),
        "/sandboxes/run0".to_owned(),
        "/sandboxes/%00".to_owned(),
    ];
    for path in missing.into_iter().map(str::to_owned).chain(foreign) {
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}: {}", page.body);
        let id = page.headers["x-request-id"].to_str().unwrap();
        page.says("There is no such page").says(id);
    }
}
