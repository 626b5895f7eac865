//! Who may not change what is spent and who is warned: sees the figures, has no forms, and is refused in plain words when
//! the form's address is posted to all the same.

use sqlx::PgPool;

use crate::browser::Browser;
use crate::world::World;

/// Names and values of a form.
type Fields = &'static [(&'static str, &'static str)];

/// What a form would send, and what is said instead.
const REFUSED: [(&str, Fields, &str); 10] = [
    (
        "/api/limit/set",
        &[("monthly", "1")],
        "may not change the limit",
    ),
    ("/api/limit/remove", &[], "may not change the limit"),
    (
        "/api/alert/choose",
        &[("percent_80", "yes")],
        "may not change alerts",
    ),
    (
        "/api/alert/add-recipient",
        &[("recipient", "eve@example.net")],
        "may not change alerts",
    ),
    (
        "/api/webhook/set",
        &[("url", "https://example.net/eve")],
        "may not change the webhook",
    ),
    ("/api/webhook/renew", &[], "may not change the webhook"),
    ("/api/webhook/remove", &[], "may not change the webhook"),
    ("/api/webhook/test", &[], "may not change the webhook"),
    (
        "/api/alert/remove-recipient",
        &[("recipient_id", "01890000-0000-7000-8000-000000000001")],
        "may not change alerts",
    ),
    (
        "/api/alert/resend",
        &[("recipient_id", "01890000-0000-7000-8000-000000000001")],
        "may not change alerts",
    ),
];

/// Everything that the page of alerts stores, as one number that any change changes.
const STORED: &str = "SELECT sum(hashtextextended(row, 0) % 1000000007)::bigint FROM (
    SELECT to_jsonb(t)::text AS row FROM spending_limits AS t UNION ALL SELECT to_jsonb(t)::text FROM webhooks AS t
    UNION ALL SELECT to_jsonb(t)::text FROM alert_recipients AS t UNION ALL SELECT to_jsonb(t)::text FROM alert_settings AS t
    UNION ALL SELECT kind FROM jobs) AS stored";

async fn refused_everywhere(world: &World, ada: &mut Browser) {
    let page = ada.get("/alerts").await.at("/alerts");
    page.says("$25.50");
    assert!(
        !page.body.contains("example.org/hook"),
        "the webhook's address is not theirs to see"
    );
    for action in REFUSED.map(|(action, ..)| action) {
        assert!(
            !page.body.contains(action),
            "a form that is always refused: {action}"
        );
    }
    let before = world.count(STORED).await;
    for (action, fields, sentence) in REFUSED {
        let answer = ada.post(action, fields).await;
        ada.follow(answer).await.says(sentence);
        assert_eq!(world.count(STORED).await, before, "{action}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn money_is_not_for_developers_and_viewers(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    for (action, field) in [
        ("/api/limit/set", ("monthly", "$25.50")),
        ("/api/webhook/set", ("url", "https://example.org/hook")),
    ] {
        ada.submit("/alerts", action, &[field]).await.at("/alerts");
    }
    world
        .execute("UPDATE memberships SET role = 'developer'")
        .await;
    refused_everywhere(&world, &mut ada).await;
    world
        .execute("UPDATE memberships SET role = 'viewer'")
        .await;
    refused_everywhere(&world, &mut ada).await;
    // Billing is about money.
    world
        .execute("UPDATE memberships SET role = 'billing'")
        .await;
    let set = ada
        .submit("/alerts", "/api/limit/set", &[("monthly", "30")])
        .await;
    set.says("of $30.00 a month");
}
