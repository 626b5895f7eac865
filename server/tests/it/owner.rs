//! A form acts in the account it was drawn for; where one wanted to go and what was typed survive a sign-in; and a browser
//! that refuses cookies is told.

use app::action::form_token::FIELD;
use app::routes::{PRIVATE_ROUTES, PUBLIC_ROUTES};
use axum::http::StatusCode;
use domain::act::{Act, Who};
use sqlx::PgPool;

use crate::actions::rows;
use crate::browser::Browser;
use crate::matrix::{form, path};
use crate::routes::example;
use crate::world::{PASSWORD, World};

async fn sign_in(browser: &mut Browser, email: &str) -> crate::browser::Page {
    let pair = [("email", email), ("password", PASSWORD)];
    browser
        .submit("/sign-in", "/api/session/sign-in", &pair)
        .await
}

/// Somebody whose session has ended: the cookie is there, its row is not.
async fn end_sessions(world: &World) {
    world.execute("DELETE FROM sessions").await;
}

#[sqlx::test(migrations = "../migrations")]
async fn the_form_of_an_old_tab_changes_nothing_in_another_account(pool: PgPool) {
    let world = World::new(pool).await;
    let mut tab = world.customer("ada@example.org").await;
    world.customer("eve@example.net").await;
    let token = tab.get("/settings").await.token("/api/session/sign-out");
    sign_in(&mut tab, "eve@example.net").await.at("/overview");
    let before = rows(&world).await;
    let of_members = Act::ALL.iter().copied();
    for act in
        of_members.filter(|act| matches!(act.rule().who, Who::Member(_)) || *act == Act::SignOut)
    {
        let fields = form(act).fields.iter().copied();
        let fields: Vec<_> = fields.chain([(FIELD, &*token)]).collect();
        let answer = tab.post(&path(act), &fields).await;
        answer.leads_to("/settings");
        tab.follow(answer).await.at("/settings").says(
            "This form was opened for ada@example.org in the account example.org; you are signed in as eve@example.net in \
             the account example.net. Nothing was changed.",
        );
        assert_eq!(rows(&world).await, before, "{act:?}");
    }
    // Back in its own account the tab works on, in a new session too.
    sign_in(&mut tab, "ada@example.org").await.at("/overview");
    let answer = tab
        .post("/api/key/create", &[("name", "ci"), (FIELD, &*token)])
        .await;
    tab.follow(answer).await.at("/keys/created");
    // The page of one thing of the other account leads to the list.
    let key = crate::actions::key_id(&tab.get("/keys").await);
    let token = tab
        .get(&format!("/keys/{key}"))
        .await
        .token("/api/key/revoke");
    sign_in(&mut tab, "eve@example.net").await.at("/overview");
    let answer = tab
        .post("/api/key/revoke", &[("key_id", &*key), (FIELD, &*token)])
        .await;
    tab.follow(answer)
        .await
        .at("/keys")
        .says("Nothing was changed");
}

#[sqlx::test(migrations = "../migrations")]
async fn every_page_is_found_again_after_the_sign_in(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer("ada@example.org").await;
    let words = "?range=7d&image=a%26b%2F%2Fc&after=x";
    for route in PRIVATE_ROUTES.iter().filter(|route| !route.contains('{')) {
        let wanted = format!("{route}{words}");
        let mut browser = world.browser();
        let answer = browser.get(&wanted).await;
        answer.leads_to("/sign-in");
        let pair = [("email", "ada@example.org"), ("password", PASSWORD)];
        // A wrong password first.
        let wrong = [
            ("email", "ada@example.org"),
            ("password", "three quiet rivers part"),
        ];
        browser
            .submit("/sign-in", "/api/session/sign-in", &wrong)
            .await
            .at("/sign-in");
        browser
            .post("/api/session/sign-in", &pair)
            .await
            .leads_to(&wanted);
        // Once: the next sign-in is another one.
        browser
            .post("/api/session/sign-in", &pair)
            .await
            .leads_to("/overview");
    }
    // A file leads to its page.
    let mut browser = world.browser();
    browser
        .get("/usage.csv?range=7d")
        .await
        .leads_to("/sign-in");
    let pair = [("email", "ada@example.org"), ("password", PASSWORD)];
    browser
        .post("/api/session/sign-in", &pair)
        .await
        .leads_to("/usage?range=7d");
}

#[sqlx::test(migrations = "../migrations")]
async fn no_link_leads_a_sign_in_away(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer("ada@example.org").await;
    let pair = [("email", "ada@example.org"), ("password", PASSWORD)];
    for address in [
        "//evil.example/alerts",
        "/alerts/../..//evil.example",
        "/sign-in?next=https://evil.example",
        "/%2F%2Fevil.example",
        "/nothing",
    ] {
        let mut browser = world.browser();
        browser.get(address).await;
        browser
            .post("/api/session/sign-in", &pair)
            .await
            .leads_to("/overview");
    }
    // A planted cookie is no wish.
    let mut browser = world.browser();
    browser.cookies.push(crate::browser::Cookie {
        name: "wanted".to_owned(),
        value: "https://evil.example".to_owned(),
        path: "/".to_owned(),
    });
    browser
        .post("/api/session/sign-in", &pair)
        .await
        .leads_to("/overview");
}

#[sqlx::test(migrations = "../migrations")]
async fn the_link_of_an_alert_mail_leads_through_the_sign_in(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer("ada@example.org").await;
    let mut browser = world.browser();
    browser.get("/alerts").await.leads_to("/sign-in");
    sign_in(&mut browser, "ada@example.org").await.at("/alerts");
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_typed_survives_the_end_of_the_session(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    world.customer("eve@example.net").await;
    for (page, action, field, typed) in [
        ("/keys/new", "/api/key/create", "name", "laptop of Ada"),
        (
            "/alerts",
            "/api/alert/add-recipient",
            "recipient",
            "ops@example.net",
        ),
        ("/alerts", "/api/limit/set", "monthly", "77.25"),
    ] {
        let token = ada.get(page).await.at(page).token(action);
        end_sessions(&world).await;
        let before = rows(&world).await;
        let answer = ada.post(action, &[(field, typed), (FIELD, &*token)]).await;
        answer.leads_to("/sign-in");
        ada.follow(answer)
            .await
            .at("/sign-in")
            .says("Your session has ended");
        assert_eq!(rows(&world).await, before);
        // Somebody else does not see it.
        let mut other = ada.clone();
        let elsewhere = sign_in(&mut other, "eve@example.net").await.at(page);
        assert!(!elsewhere.body.contains(typed), "{page}");
        let back = sign_in(&mut ada, "ada@example.org").await.at(page);
        back.says("Not sent yet");
        assert!(
            back.body.contains(&format!("value=\"{typed}\"")),
            "{page}: {}",
            back.body
        );
        let sent = ada.submit(page, action, &[(field, typed)]).await;
        assert_ne!(rows(&world).await, before, "{}", sent.words());
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_browser_without_cookies_is_told(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer("ada@example.org").await;
    for route in ["/sign-in", "/sign-up"] {
        let mut browser = world.browser();
        let page = browser.get(route).await.at(route);
        let action = if route == "/sign-in" {
            "/api/session/sign-in"
        } else {
            "/api/account/sign-up"
        };
        let token = page.token(action);
        browser.cookies.clear();
        let before = rows(&world).await;
        let pair = [
            ("email", "ada@example.org"),
            ("password", PASSWORD),
            (FIELD, &*token),
        ];
        let answer = browser.post(action, &pair).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        answer
            .says("Your browser refuses our cookie")
            .says("Allow cookies for this site");
        assert_eq!(rows(&world).await, before);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn slashes_too_many_lead_to_the_page(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    for route in PRIVATE_ROUTES
        .iter()
        .chain(PUBLIC_ROUTES)
        .filter(|route| **route != "/")
    {
        let path = example(route);
        for (typed, query) in [
            (format!("{path}/"), ""),
            (format!("/{path}"), "?a=1&b=%2F"),
            (format!("{path}//"), "?x"),
        ] {
            let answer = ada.get(&format!("{typed}{query}")).await;
            assert_eq!(answer.status, StatusCode::PERMANENT_REDIRECT, "{typed}");
            assert_eq!(answer.location(), Some(format!("{path}{query}")));
        }
    }
    // A form is not sent on: what was typed would be read by nobody.
    let answer = ada.post("/api/key/create/", &[("name", "ci")]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}
