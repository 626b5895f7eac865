//! Refusals that a form meets when something is full or gone: the sentence stands where it belongs, what was typed is kept, and
//! nothing was changed.

use sqlx::PgPool;

use crate::browser::Page;
use crate::world::World;

/// What the audit log, the queue and the tables behind these forms hold, as one number.
const WRITTEN: &str = "SELECT (SELECT count(*) FROM audit_events) + (SELECT count(*) FROM jobs) + (SELECT count(*) FROM keys)
    + (SELECT count(*) FROM webhooks) + (SELECT count(*) FROM alert_recipients)";

/// Asserts that a sentence stands beside its field, and that the field is marked and keeps what was typed.
#[track_caller]
fn beside(page: &Page, field: &str, sentence: &str, typed: &str) {
    let error = format!("id=\"{field}-error\"");
    let (_, rest) = page.body.split_once(&error).unwrap_or_else(|| {
        panic!("no sentence is beside {field}: {}", page.words());
    });
    let said = rest.split("</p>").next().unwrap();
    assert!(said.contains(sentence), "{said}");
    let control = rest.split("<input").nth(1).unwrap();
    let control = control.split('>').next().unwrap();
    for part in [
        format!("id=\"{field}\""),
        format!("value=\"{typed}\""),
        "aria-invalid=\"true\"".to_owned(),
    ] {
        assert!(control.contains(&part), "{part}: {control}");
    }
    assert!(page.body.contains(&format!("href=\"#{field}\"")));
}

/// Asserts that a sentence about the whole form stands in the summary above it.
#[track_caller]
fn above(page: &Page, sentence: &str) {
    let (_, summary) = page.body.split_once("id=\"errors\"").unwrap();
    let summary = summary.split("</ul>").next().unwrap();
    assert!(summary.contains(sentence), "{summary}");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_hundred_live_keys_are_the_limit_and_the_name_is_kept(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    ada.submit("/keys/new", "/api/key/create", &[("name", "ci")])
        .await
        .at("/keys/created");
    world
        .execute(
            "INSERT INTO keys (account_id, key_id, name, region, public_id, last_four, sha256, created_by, created_at)
             SELECT account_id, gen_random_uuid(), name, region, public_id, last_four, sha256(n::text::bytea), created_by,
                    created_at FROM keys, generate_series(2, 99) AS n",
        )
        .await;
    let name = [("name", "laptop of Ada")];
    ada.submit("/keys/new", "/api/key/create", &name)
        .await
        .at("/keys/created");
    world.work().await;
    let before = world.count(WRITTEN).await;
    let full = ada
        .submit("/keys/new", "/api/key/create", &name)
        .await
        .at("/keys/new");
    above(&full, "100 live keys exist, which is the limit. Revoke one");
    assert!(full.body.contains("value=\"laptop of Ada\""), "kept");
    assert_eq!(world.count(WRITTEN).await, before);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_empty_recipient_is_refused_beside_the_field(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    let before = world.count(WRITTEN).await;
    for typed in ["", "  "] {
        let refused = ada
            .submit(
                "/alerts",
                "/api/alert/add-recipient",
                &[("recipient", typed)],
            )
            .await
            .at("/alerts");
        beside(
            &refused,
            "recipient",
            "Enter the e-mail address that is to be told.",
            typed,
        );
    }
    let refused = ada
        .submit(
            "/alerts",
            "/api/alert/add-recipient",
            &[("recipient", "ops")],
        )
        .await
        .at("/alerts");
    beside(
        &refused,
        "recipient",
        "This is not an e-mail address",
        "ops",
    );
    assert_eq!(world.count(WRITTEN).await, before);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_webhook_removed_in_another_window_is_said_to_be_gone(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    let url = [("url", "https://example.org/hook")];
    ada.submit("/alerts", "/api/webhook/set", &url)
        .await
        .at("/alerts");
    let old = ada.get("/alerts").await.at("/alerts");
    ada.submit("/alerts", "/api/webhook/remove", &[])
        .await
        .at("/alerts")
        .says("Webhook removed");
    let before = world.count(WRITTEN).await;
    for action in [
        "/api/webhook/test",
        "/api/webhook/renew",
        "/api/webhook/remove",
    ] {
        assert!(old.body.contains(&format!("action=\"{action}\"")));
        let answer = ada.post(action, &[]).await;
        let gone = ada.follow(answer).await.at("/alerts");
        above(&gone, "No webhook is set, or it was removed meanwhile.");
        assert_eq!(world.count(WRITTEN).await, before, "{action}");
    }
}
