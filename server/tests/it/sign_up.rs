//! The journey of a new customer without JavaScript: sign up, open the account from the mail, look around, make a key, leave
//! and return.

use sqlx::PgPool;

use crate::matrix::value_of;
use crate::world::{OPENING, PASSWORD, World};

const EMAIL: &str = "ada@example.org";

#[sqlx::test(migrations = "../migrations")]
async fn from_the_front_door_to_a_key_and_back(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.browser();
    let landing = browser.get("/").await.at("/");
    assert!(landing.body.contains("href=\"/sign-up\""));

    let sent = browser
        .submit("/sign-up", "/api/account/sign-up", &[("email", EMAIL)])
        .await
        .at("/check-mail");
    sent.says(EMAIL);
    browser.get("/overview").await.leads_to("/sign-in");
    world.work().await;

    // Following the link changes nothing; the button does. The token is gone from the address at once.
    let token = world.token(EMAIL);
    let opened = browser.get(&format!("/open-account/{token}")).await;
    opened.leads_to("/open-account");
    let page = browser.get("/open-account").await.at("/open-account");
    assert!(page.body.contains(&format!("value=\"{EMAIL}\"")));
    assert!(!page.body.contains(&token));
    for table in [
        "SELECT count(*) FROM users",
        "SELECT count(*) FROM accounts",
    ] {
        assert_eq!(world.count(table).await, 0);
    }
    let overview = browser
        .submit("/open-account", "/api/account/open", &OPENING)
        .await
        .at("/overview");
    overview.says("$50.00").says("Account open");
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
        .at("/keys")
        .says("$50.00");
}

#[sqlx::test(migrations = "../migrations")]
async fn the_link_works_once_and_in_any_browser(pool: PgPool) {
    let world = World::new(pool).await;
    let mut desk = world.browser();
    desk.submit("/sign-up", "/api/account/sign-up", &[("email", EMAIL)])
        .await
        .at("/check-mail");
    world.work().await;
    let link = format!("/open-account/{}", world.token(EMAIL));
    let mut phone = world.browser();
    phone.get(&link).await.leads_to("/open-account");
    // Both see the form; the phone is faster.
    desk.get(&link).await.leads_to("/open-account");
    desk.get("/open-account").await.says("Open account");
    phone
        .submit("/open-account", "/api/account/open", &OPENING)
        .await
        .at("/overview");
    let late = desk.post("/api/account/open", &OPENING).await;
    let late = desk.follow(late).await.at("/open-account");
    late.says("is open already. Sign in");
    assert!(late.body.contains("href=\"/sign-in\"") && !late.body.contains("api/account/open"));
    assert!(
        desk.cookie("sid").is_none(),
        "the slower one is not signed in"
    );
    // So is the second press of a double click, whose first has taken the link.
    let twice = phone.post("/api/account/open", &OPENING).await;
    phone
        .follow(twice)
        .await
        .at("/open-account")
        .says("You are signed in as ada@example.org");
    // Whoever follows the link again where they are signed in is told so.
    phone.get(&link).await.leads_to("/open-account");
    phone
        .get("/open-account")
        .await
        .says("you are signed in to it");
    for table in [
        "SELECT count(*) FROM users",
        "SELECT count(*) FROM grants",
        "SELECT count(*) FROM sessions",
    ] {
        assert_eq!(world.count(table).await, 1, "{table}");
    }
}

/// The fault that this flow is for: whoever signs up with another's address has nothing, before and after its owner comes.
#[sqlx::test(migrations = "../migrations")]
async fn nobody_prepares_anothers_account(pool: PgPool) {
    let world = World::new(pool).await;
    let (mut stranger, mut owner) = (world.browser(), world.browser());
    let pair = [("email", EMAIL), ("password", "a stranger waits here")];
    stranger
        .submit("/sign-up", "/api/account/sign-up", &[("email", EMAIL)])
        .await
        .at("/check-mail");
    let before = stranger
        .submit("/sign-in", "/api/session/sign-in", &pair)
        .await
        .at("/sign-in");
    // The owner opens it from the mail that the stranger asked for: it is theirs all the same.
    world.work().await;
    owner
        .get(&format!("/open-account/{}", world.token(EMAIL)))
        .await
        .leads_to("/open-account");
    owner
        .submit("/open-account", "/api/account/open", &OPENING)
        .await
        .at("/overview");
    let after = stranger
        .submit("/sign-in", "/api/session/sign-in", &pair)
        .await
        .at("/sign-in");
    assert_eq!(before.words(), after.words(), "signing in tells nothing");
    stranger.get("/overview").await.leads_to("/sign-in");
    let opened = stranger.post("/api/account/open", &OPENING).await;
    stranger
        .follow(opened)
        .await
        .at("/open-account")
        .says("Open the link in the mail again");
}

#[sqlx::test(migrations = "../migrations")]
async fn who_is_signed_in_is_named_and_asked_first(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.customer("bob@example.org").await;
    browser
        .post("/api/account/sign-up", &[("email", EMAIL)])
        .await
        .leads_to("/check-mail");
    world.work().await;
    browser
        .get(&format!("/open-account/{}", world.token(EMAIL)))
        .await
        .leads_to("/open-account");
    let page = browser.get("/open-account").await.at("/open-account");
    page.says("signed in as bob@example.org")
        .says("Sign out and open account");
    assert!(page.body.contains(&format!("value=\"{EMAIL}\"")));
    // A form that was drawn while nobody was signed in, or somebody else, opens nothing.
    for leaving in ["", "01890000-0000-7000-8000-000000000001"] {
        let mut fields = OPENING.to_vec();
        fields.push(("leaving", leaving));
        let refused = browser.post("/api/account/open", &fields).await;
        let refused = browser.follow(refused).await.at("/open-account");
        refused.says("Somebody has signed in in this browser meanwhile");
        assert_eq!(world.count("SELECT count(*) FROM users").await, 1);
    }
    browser.get("/settings").await.says("bob@example.org");
    let leaving = value_of(&page, "leaving");
    let mut fields = OPENING.to_vec();
    fields.push(("leaving", leaving.as_str()));
    let answer = browser
        .submit("/open-account", "/api/account/open", &fields)
        .await;
    answer.at("/overview").says("Account open");
    browser.get("/settings").await.says(EMAIL);
    assert_eq!(
        world.count("SELECT count(*) FROM sessions").await,
        1,
        "the other's session has ended"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn the_mail_can_be_asked_for_again_within_bounds(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.browser();
    browser
        .submit("/sign-up", "/api/account/sign-up", &[("email", EMAIL)])
        .await
        .at("/check-mail");
    let mut said = Vec::new();
    for _ in 0..4 {
        let typed = [("email", EMAIL), ("again", "yes")];
        let page = browser
            .submit("/check-mail", "/api/account/sign-up", &typed)
            .await
            .at("/check-mail");
        page.says(EMAIL).says("Asked again");
        said.push(page.words());
    }
    assert!(said.windows(2).all(|pair| pair[0] == pair[1]));
    // A reload, such as of a phone that comes back from its mails, still knows the address.
    browser.get("/check-mail").await.says(EMAIL);
    world.work().await;
    assert_eq!(world.mail.mails().len(), 3);
    // Each of them opens the account, and nothing is lost to whoever asked too often.
    browser
        .get(&format!("/open-account/{}", world.token(EMAIL)))
        .await
        .leads_to("/open-account");
    browser
        .submit("/open-account", "/api/account/open", &OPENING)
        .await
        .at("/overview");
    assert!(browser.cookie("signing_up").is_none() && browser.cookie("opening").is_none());
}
