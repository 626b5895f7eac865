//! A form that is sent twice is done once, and both get the same answer: on whichever replica, also when the browser has hung
//! up on the first.

use std::time::Duration;

use app::action::form_token::FIELD;
use axum::http::StatusCode;
use backend::testing;
use futures_util::future::join_all;
use sqlx::PgPool;

use crate::breakages::without_table;
use crate::browser::{Browser, Page};
use crate::routes::example;
use crate::world::{OPENING, PASSWORD, World};

/// What a form on a page sends, with its token.
async fn filled<'a>(
    browser: &mut Browser,
    page: &str,
    action: &str,
    fields: &[(&'a str, &'a str)],
) -> Vec<(&'a str, String)> {
    let token = browser.get(page).await.at(page).token(action);
    let typed = fields
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    typed.chain([(FIELD, token)]).collect()
}

async fn post(browser: &mut Browser, action: &str, fields: &[(&str, String)]) -> Page {
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    browser.post(action, &fields).await
}

/// Presses so many times at once, each in a browser of its own with the same cookies; gives each browser and its answer.
async fn at_once(
    browser: &Browser,
    presses: usize,
    action: &str,
    fields: &[(&str, String)],
) -> Vec<(Browser, Page)> {
    let press = |_| {
        let mut browser = browser.clone();
        async move {
            let answer = post(&mut browser, action, fields).await;
            (browser, answer)
        }
    };
    join_all((0..presses).map(press)).await
}

#[sqlx::test(migrations = "../migrations")]
async fn many_presses_at_once_make_one_key_and_each_shows_it(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    let action = "/api/key/create";
    let fields = filled(&mut ada, "/keys/new", action, &[("name", "ci")]).await;
    let mut shown = Vec::new();
    for (mut browser, answer) in at_once(&ada, 8, action, &fields).await {
        answer.leads_to("/keys/created");
        let page = browser.follow(answer).await.at("/keys/created");
        let key = page.body.split("ISORUN_API_KEY=").nth(1).unwrap();
        shown.push(key.split(['<', '"']).next().unwrap().to_owned());
    }
    assert_eq!(world.count("SELECT count(*) FROM keys").await, 1);
    assert!(
        shown
            .iter()
            .all(|key| *key == shown[0] && key.starts_with("sk_live_"))
    );
    // Pressed again later, still the same; with another name or from a form drawn anew it is another key.
    post(&mut ada, action, &fields)
        .await
        .leads_to("/keys/created");
    assert_eq!(world.count("SELECT count(*) FROM keys").await, 1);
    let mut other = fields.clone();
    other[0].1 = "laptop".to_owned();
    post(&mut ada, action, &other)
        .await
        .leads_to("/keys/created");
    ada.submit("/keys/new", action, &[("name", "build")])
        .await
        .at("/keys/created");
    assert_eq!(world.count("SELECT count(*) FROM keys").await, 3);
    // Without a token, as a program sends it, it is done as often as it is sent.
    let chosen = "SELECT count(*) FROM audit_events WHERE action = 'alert.chosen'";
    for _ in 0..2 {
        ada.post("/api/alert/choose", &[])
            .await
            .leads_to("/alerts#thresholds");
    }
    assert_eq!(world.count(chosen).await, 2);
    let secrets = world.count(
        "SELECT count(*) FROM form_answers WHERE answer LIKE '%sk_live%' OR answer LIKE '%keys/created%'",
    );
    assert_eq!(secrets.await, 0, "answers are sealed");
}

#[sqlx::test(migrations = "../migrations")]
async fn two_presses_mail_once_confirm_once_and_sign_in_once(pool: PgPool) {
    let world = World::new(pool).await;
    let (email, mut ada) = ("ada@example.org", world.browser());
    let action = "/api/account/sign-up";
    let fields = filled(&mut ada, "/sign-up", action, &[("email", email)]).await;
    for (mut browser, answer) in at_once(&ada, 3, action, &fields).await {
        browser.follow(answer).await.at("/check-mail");
    }
    assert_eq!(world.count("SELECT count(*) FROM mails").await, 1);
    world.work().await;
    ada.get(&format!("/open-account/{}", world.token(email)))
        .await;
    let action = "/api/account/open";
    let fields = filled(&mut ada, "/open-account", action, &OPENING).await;
    let mut both = at_once(&ada, 2, action, &fields).await;
    for (browser, answer) in &mut both {
        answer.leads_to("/overview");
        let page = browser.get("/overview").await.at("/overview");
        page.says("Your account is open");
    }
    assert_eq!(
        both[0].0.cookie("sid").unwrap().value,
        both[1].0.cookie("sid").unwrap().value
    );

    let mut again = world.browser();
    let action = "/api/session/sign-in";
    let pair = [("email", email), ("password", PASSWORD)];
    let fields = filled(&mut again, "/sign-in", action, &pair).await;
    let before = world.count("SELECT count(*) FROM sessions").await;
    for (mut browser, answer) in at_once(&again, 3, action, &fields).await {
        browser.follow(answer).await.at("/overview");
    }
    assert_eq!(
        world.count("SELECT count(*) FROM sessions").await,
        before + 1
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_browser_that_hangs_up_loses_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer("ada@example.org").await;
    let mut browser = world.browser();
    let action = "/api/session/sign-in";
    let pair = [("email", "ada@example.org"), ("password", PASSWORD)];
    let fields = filled(&mut browser, "/sign-in", action, &pair).await;
    let before = world.count("SELECT count(*) FROM sessions").await;
    // The password takes longer than this.
    let mut first = browser.clone();
    let hung_up =
        tokio::time::timeout(Duration::from_millis(20), post(&mut first, action, &fields));
    assert!(hung_up.await.is_err());
    let second = post(&mut browser, action, &fields).await;
    browser.follow(second).await.at("/overview");
    assert_eq!(
        world.count("SELECT count(*) FROM sessions").await,
        before + 1
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_else_gets_an_answer(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer("ada@example.org").await;
    let (mut ada, mut thief) = (world.browser(), world.browser());
    let action = "/api/session/sign-in";
    let pair = [("email", "ada@example.org"), ("password", PASSWORD)];
    let fields = filled(&mut ada, "/sign-in", action, &pair).await;
    post(&mut ada, action, &fields).await.leads_to("/overview");
    // Everything but the cookie of the browser: the form is done, and gives a session of its own.
    thief.get("/sign-in").await.at("/sign-in");
    post(&mut thief, action, &fields)
        .await
        .leads_to("/overview");
    let sid = |browser: &Browser| browser.cookie("sid").unwrap().value.clone();
    assert_ne!(sid(&ada), sid(&thief));
    // The token and the cookie, but not what was typed.
    let mut guessed = fields.clone();
    guessed[1].1 = "three quiet rivers part".to_owned();
    let mut copy = ada.clone();
    copy.cookies.retain(|cookie| cookie.name == "browser");
    post(&mut copy, action, &guessed).await.leads_to("/sign-in");
    assert!(copy.cookie("sid").is_none());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_sign_out_is_never_only_remembered(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    let action = "/api/session/sign-out";
    let fields = filled(&mut ada, "/settings", action, &[]).await;
    for (_, answer) in at_once(&ada, 2, action, &fields).await {
        answer.leads_to("/sign-in");
    }
    let pair = [("email", "ada@example.org"), ("password", PASSWORD)];
    let mut back = ada.clone();
    back.cookies.retain(|cookie| cookie.name != "sid");
    back.submit("/sign-in", "/api/session/sign-in", &pair)
        .await
        .at("/overview");
    // The page of before, brought back by "back", and its button pressed again.
    post(&mut back, action, &fields).await.leads_to("/sign-in");
    back.get("/overview").await.leads_to("/sign-in");
    assert_eq!(world.count("SELECT count(*) FROM sessions").await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_refused_or_broke_is_tried_again(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    let action = "/api/webhook/test";
    let token = ada.get("/settings").await.token("/api/session/sign-out");
    let fields = vec![(FIELD, token)];
    let broken = without_table(&world, "webhooks", post(&mut ada, action, &fields));
    broken.await.leads_to("/alerts#webhook");
    let refused = post(&mut ada, action, &fields).await;
    ada.follow(refused).await.says("No webhook is set");
    ada.submit(
        "/alerts",
        "/api/webhook/set",
        &[("url", "https://example.org/hook")],
    )
    .await
    .at("/alerts");
    let again = post(&mut ada, action, &fields).await;
    ada.follow(again).await.says("No webhook is set");
    world.backend.clock().advance(time::Duration::seconds(11));
    let again = post(&mut ada, action, &fields).await;
    ada.follow(again).await.says("Test on its way");
    ada.submit("/alerts", "/api/webhook/remove", &[])
        .await
        .at("/alerts");
    world.backend.clock().advance(time::Duration::HOUR);
    testing::sweep(&world.backend).await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM form_answers").await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn every_form_has_a_token_of_its_own_and_a_made_up_one_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    ada.submit(
        "/alerts",
        "/api/webhook/set",
        &[("url", "https://example.org/hook")],
    )
    .await
    .at("/alerts");
    let (mut forms, mut tokens) = (0, std::collections::BTreeSet::new());
    let public = app::routes::PUBLIC_ROUTES
        .iter()
        .map(|route| (world.browser(), *route));
    let private = app::routes::PRIVATE_ROUTES
        .iter()
        .map(|route| (ada.clone(), *route));
    for (mut browser, route) in public.chain(private) {
        let page = browser.get(&example(route)).await;
        for form in page.body.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            if form.contains("method=\"post\"") {
                forms += 1;
                let token = form.split(&format!("name=\"{FIELD}\" value=\"")).nth(1);
                let token = token.unwrap_or_else(|| panic!("{route}: {form}"));
                tokens.insert(token.split('"').next().unwrap().to_owned());
            }
        }
    }
    assert!(forms > 20, "{forms}");
    assert_eq!(forms, tokens.len());
    for made_up in ["", "x", "AAAA", "%00"] {
        let answer = ada
            .post("/api/key/create", &[("name", "ci"), (FIELD, made_up)])
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        answer.says("reload the page");
    }
    assert_eq!(world.count("SELECT count(*) FROM keys").await, 0);
}
