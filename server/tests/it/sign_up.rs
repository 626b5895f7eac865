//! The journey of a new customer without JavaScript: sign up, confirm by mail, look around, make a key, leave and return.

use sqlx::PgPool;

use crate::world::{PASSWORD, World, sign_up_form};

const EMAIL: &str = "ada@example.org";

#[sqlx::test(migrations = "../migrations")]
async fn from_the_front_door_to_a_key_and_back(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.browser();
    let landing = browser.get("/").await.at("/");
    assert!(landing.body.contains("href=\"/sign-up\""));

    let sent = browser
        .submit("/sign-up", "/api/account/sign-up", &sign_up_form(EMAIL))
        .await
        .at("/check-mail");
    sent.says(EMAIL);
    browser.get("/overview").await.leads_to("/sign-in");
    world.work().await;

    // Opening the link changes nothing; the button does. The token is gone from the address at once.
    let token = world.token(EMAIL);
    let opened = browser.get(&format!("/verify-email/{token}")).await;
    opened.leads_to("/verify-email");
    assert_eq!(
        world
            .count("SELECT count(*) FROM users WHERE email_verified_at IS NOT NULL")
            .await,
        0
    );
    let page = browser.get("/verify-email").await.at("/verify-email");
    assert!(!page.body.contains(&token));
    let overview = browser
        .submit("/verify-email", "/api/account/verify-email", &[])
        .await
        .at("/overview");
    overview.says("$50.00").says("Address confirmed");
    world.work().await;

    let created = browser
        .submit("/keys/new", "/api/key/create", &[("name", "ci")])
        .await
        .at("/keys/created");
    let at = created
        .body
        .find("sk_live_us_")
        .expect("no key on the page");
    let key = created.body[at..]
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .next()
        .unwrap();
    assert!(domain::key::KeyText::parse(key).is_some(), "{key}");
    let again = browser.get("/keys/created").await.at("/keys/created");
    again.says("The key was shown and is gone from here");
    world.work().await;
    for path in [
        "/keys",
        "/overview",
        "/settings",
        "/credit",
        "/usage",
        "/sandboxes",
    ] {
        let page = browser.get(path).await.at(path);
        assert!(!page.body.contains(key), "{path} shows the key");
    }
    assert!(
        browser
            .cookies
            .iter()
            .all(|cookie| !cookie.value.contains("sk_live"))
    );
    browser.get("/keys").await.says("ci");

    browser
        .submit("/settings", "/api/session/sign-out", &[])
        .await
        .at("/sign-in")
        .says("Signed out");
    browser.get("/keys").await.leads_to("/sign-in");
    let fields = [("email", " ADA@example.org "), ("password", PASSWORD)];
    browser
        .submit("/sign-in", "/api/session/sign-in", &fields)
        .await
        .at("/overview")
        .says("$50.00");
}

#[sqlx::test(migrations = "../migrations")]
async fn the_link_works_once_and_in_any_browser(pool: PgPool) {
    let world = World::new(pool).await;
    let mut desk = world.browser();
    desk.submit("/sign-up", "/api/account/sign-up", &sign_up_form(EMAIL))
        .await
        .at("/check-mail");
    world.work().await;
    let link = format!("/verify-email/{}", world.token(EMAIL));
    let mut phone = world.browser();
    phone.get(&link).await.leads_to("/verify-email");
    phone
        .submit("/verify-email", "/api/account/verify-email", &[])
        .await
        .at("/overview");
    desk.get(&link).await.leads_to("/verify-email");
    let refused = desk
        .submit("/verify-email", "/api/account/verify-email", &[])
        .await
        .at("/verify-email");
    refused.says("Your address is confirmed already.");
    assert_eq!(world.count("SELECT count(*) FROM grants").await, 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_unconfirmed_person_sees_why_there_is_no_key(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.browser();
    browser
        .submit("/sign-up", "/api/account/sign-up", &sign_up_form(EMAIL))
        .await
        .at("/check-mail");
    browser
        .submit(
            "/sign-in",
            "/api/session/sign-in",
            &[("email", EMAIL), ("password", PASSWORD)],
        )
        .await
        .at("/overview");
    let refused = browser
        .submit("/keys/new", "/api/key/create", &[("name", "ci")])
        .await
        .at("/keys/new");
    refused.says("Confirm your e-mail address first");
    assert!(
        refused.body.contains("value=\"ci\""),
        "what was typed is kept"
    );
    assert_eq!(world.count("SELECT count(*) FROM keys").await, 0);
    browser
        .submit("/settings", "/api/account/resend-verification", &[])
        .await
        .at("/settings")
        .says("Mail sent");
}
