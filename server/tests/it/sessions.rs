//! Sessions: none without a sign-in, a new one at each, and one that ended stays ended.

use app::routes::PUBLIC_ROUTES;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use backend::testing;
use server::http::rate_limit::Limits;
use server::http::session_store::Store;
use sqlx::PgPool;
use time::Duration;
use tower_sessions::SessionStore as _;
use tower_sessions::session::Id;

use crate::browser::{Browser, Cookie};
use crate::routes::{all, example};
use crate::world::{PASSWORD, World};

async fn sign_in(browser: &mut Browser, email: &str) {
    browser
        .submit(
            "/sign-in",
            "/api/session/sign-in",
            &[("email", email), ("password", PASSWORD)],
        )
        .await
        .at("/overview");
}

fn sid(browser: &Browser) -> String {
    browser
        .cookie("sid")
        .expect("no session cookie")
        .value
        .clone()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_strangers_visit_leaves_no_row_and_no_cookie(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.browser();
    for path in all(&world.router).iter().map(|pattern| example(pattern)) {
        browser.get(&path).await;
    }
    assert_eq!(world.count("SELECT count(*) FROM sessions").await, 0);
    assert!(browser.cookie("sid").is_none());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_planted_cookie_never_opens_anything(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer("ada@example.org").await;
    for planted in ["AAAAAAAAAAAAAAAAAAAAAA", "x", "", "../../etc", "%00"] {
        let cookie = Cookie {
            name: "sid".into(),
            value: planted.into(),
            path: "/".into(),
        };
        let mut browser = world.browser();
        browser.cookies.push(cookie.clone());
        browser.get("/overview").await.leads_to("/sign-in");
        browser.cookies.retain(|kept| kept.name != "sid");
        browser.cookies.push(cookie.clone());
        sign_in(&mut browser, "ada@example.org").await;
        assert_ne!(sid(&browser), planted);
        let mut attacker = world.browser();
        attacker.cookies.push(cookie);
        attacker.get("/overview").await.leads_to("/sign-in");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn each_sign_in_has_a_new_id_and_ends_the_old_one(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.customer("ada@example.org").await;
    let mut old = browser.clone();
    sign_in(&mut browser, "ada@example.org").await;
    assert_ne!(sid(&browser), sid(&old));
    old.get("/overview").await.leads_to("/sign-in");
    browser.get("/overview").await.at("/overview");
    assert_eq!(world.count("SELECT count(*) FROM sessions").await, 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_sign_out_ends_it_everywhere_and_is_not_undone_by_a_slow_request(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.customer("ada@example.org").await;
    let mut copy = browser.clone();
    // A request that has read the session before the sign-out and writes it after.
    let store = Store::new(world.backend.clone());
    let id: Id = sid(&browser).parse().unwrap();
    let mut slow = store.load(&id).await.unwrap().expect("no session");
    let answer = browser
        .submit("/settings", "/api/session/sign-out", &[])
        .await
        .at("/sign-in");
    answer.says("Signed out");
    assert!(browser.cookie("sid").is_none());
    slow.data
        .insert("late".to_owned(), serde_json::Value::Bool(true));
    store.save(&slow).await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM sessions").await, 0);
    copy.get("/overview").await.leads_to("/sign-in");
    assert!(
        copy.cookie("sid").is_none(),
        "the dead cookie is taken back"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_taken_id_is_never_taken_over(pool: PgPool) {
    let world = World::new(pool).await;
    let browser = world.customer("ada@example.org").await;
    let store = Store::new(world.backend.clone());
    let id: Id = sid(&browser).parse().unwrap();
    let mut second = store.load(&id).await.unwrap().unwrap();
    store.create(&mut second).await.unwrap();
    assert_ne!(second.id, id);
    assert_eq!(world.count("SELECT count(*) FROM sessions").await, 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn ids_are_stored_hashed_with_their_owner(pool: PgPool) {
    let world = World::new(pool).await;
    let browser = world.customer("ada@example.org").await;
    let hash = backend::secret::hex(&backend::secret::sha256(sid(&browser).as_bytes()));
    #[expect(clippy::disallowed_methods, reason = "looks at what a thief of the table would see")]
    let (stored, kind, row): (String, String, String) = sqlx::query_as(
        "SELECT encode(session_id_sha256, 'hex'), kind, s::text FROM sessions s JOIN users USING (user_id)",
    )
    .fetch_one(testing::pool(&world.backend))
    .await
    .unwrap();
    assert_eq!((stored, kind.as_str()), (hash, "customer"));
    assert!(!row.contains(&sid(&browser)));
}

#[sqlx::test(migrations = "../migrations")]
async fn idle_for_a_day_or_old_is_over(pool: PgPool) {
    let world = World::new(pool).await;
    let clock = world.backend.clock().clone();
    let mut browser = world.customer("ada@example.org").await;
    clock.advance(Duration::hours(24) - Duration::seconds(2));
    browser.get("/overview").await.at("/overview");
    clock.advance(Duration::hours(24) + Duration::seconds(2));
    browser.get("/overview").await.leads_to("/sign-in");
    assert!(browser.cookie("sid").is_none());

    sign_in(&mut browser, "ada@example.org").await;
    for _ in 0..13 {
        clock.advance(Duration::hours(23));
        browser.get("/overview").await.at("/overview");
    }
    clock.advance(Duration::hours(23));
    browser.get("/overview").await.at("/overview");
    clock.advance(Duration::hours(20));
    browser.get("/overview").await.leads_to("/sign-in");
}

#[sqlx::test(migrations = "../migrations")]
async fn over_https_the_cookie_is_bound_to_the_host_and_its_removal_too(pool: PgPool) {
    let https = |settings: &mut backend::settings::Settings| {
        settings.public_origin = "https://app.isorun.ai".parse().unwrap()
    };
    let world = World::with(pool, https, Limits::DEVELOPMENT).await;
    let mut browser = world.customer("ada@example.org").await;
    assert!(
        browser.cookie("__Host-sid").is_some(),
        "{:?}",
        browser.cookies
    );
    assert!(
        browser
            .cookies
            .iter()
            .all(|cookie| cookie.name.starts_with("__Host-")),
        "{:?}",
        browser.cookies
    );
    // A browser ignores a removal that is not as strict as the cookie; `Browser` does the same.
    let answer = browser.post("/api/session/sign-out", &[]).await;
    assert_eq!(answer.headers["clear-site-data"], "\"cache\", \"storage\"");
    let removal = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .find(|cookie| cookie.to_str().unwrap().starts_with("__Host-sid="));
    let removal = removal.unwrap().to_str().unwrap().to_owned();
    for attribute in [
        "; Secure",
        "; HttpOnly",
        "; SameSite=Lax",
        "Path=/",
        "Max-Age=0",
    ] {
        assert!(removal.contains(attribute), "{removal}");
    }
    assert!(browser.cookie("__Host-sid").is_none());
}

#[sqlx::test(migrations = "../migrations")]
async fn public_pages_know_who_is_there_without_needing_it(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.customer("ada@example.org").await;
    for path in PUBLIC_ROUTES.iter().filter(|path| **path != "/") {
        let request = Request::get(*path).body(Body::empty()).unwrap();
        assert_eq!(browser.send(request).await.status, StatusCode::OK, "{path}");
    }
    browser.get("/overview").await.at("/overview");
}

#[sqlx::test(migrations = "../migrations")]
async fn whoever_guesses_does_not_shut_out_the_browser_of_the_owner(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    sign_in(&mut ada, "ada@example.org").await;
    let known = ada.cookie("known_browser").expect("not known").clone();
    assert_eq!(
        known.path, "/api/session/sign-in",
        "sent with this form only"
    );
    let mut thief = world.browser();
    let wrong = [
        ("email", "ada@example.org"),
        ("password", "not the password at all"),
    ];
    for _ in 0..6 {
        let answer = thief.post("/api/session/sign-in", &wrong).await;
        thief.follow(answer).await.at("/sign-in");
    }
    let right = [("email", "ada@example.org"), ("password", PASSWORD)];
    let mut elsewhere = world.browser();
    let answer = elsewhere.post("/api/session/sign-in", &right).await;
    let page = elsewhere.follow(answer).await.at("/sign-in");
    page.says("Nothing was checked this time; try again in");
    // The session has ended, the browser is the same.
    ada.cookies.retain(|cookie| cookie.name != "sid");
    sign_in(&mut ada, "ada@example.org").await;
}
