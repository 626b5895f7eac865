//! Who may not change what is spent and who is warned: sees the figures, has no forms, and changes nothing of what is stored.
//! Every act by every role is `matrix`'s.

use domain::act::{Act, Denial, Person};
use domain::role::Role;
use sqlx::PgPool;

use crate::browser::Browser;
use crate::matrix::{denied, form, path};
use crate::world::World;

/// What is done on the page of alerts and is not for this role.
fn refused(role: Role) -> Vec<(Act, Denial)> {
    let person = Person {
        role: Some(role),
        is_proven: false,
    };
    let is_of_page = |act: &Act| {
        let noun = act.rule().endpoint.split('/').next().unwrap();
        ["limit", "alert", "webhook", "calendar"].contains(&noun)
    };
    let acts = Act::ALL.iter().copied().filter(is_of_page);
    acts.filter_map(|act| Some((act, act.allows(person).err()?)))
        .collect()
}

/// Everything that the page of alerts stores, as one number that any change changes.
const STORED: &str = "SELECT sum(hashtextextended(row, 0) % 1000000007)::bigint FROM (
    SELECT to_jsonb(t)::text AS row FROM spending_limits AS t UNION ALL SELECT to_jsonb(t)::text FROM webhooks AS t
    UNION ALL SELECT to_jsonb(t)::text FROM alert_recipients AS t UNION ALL SELECT to_jsonb(t)::text FROM alert_settings AS t
    UNION ALL SELECT kind FROM jobs) AS stored";

async fn refused_everywhere(world: &World, ada: &mut Browser, role: Role) {
    let page = ada.get("/alerts").await.at("/alerts");
    page.says("$25.50");
    assert!(
        !page.body.contains("example.org/hook"),
        "the webhook's address is not theirs to see"
    );
    let refused = refused(role);
    assert_eq!(
        refused.len(),
        12,
        "all about the limit, alerts, the webhook and the calendar"
    );
    for (act, _) in &refused {
        assert!(
            !page.body.contains(&path(*act)),
            "a form that is always refused: {act:?}"
        );
    }
    let before = world.count(STORED).await;
    for (act, denial) in refused {
        let answer = ada.post(&path(act), form(act).fields).await;
        ada.follow(answer).await.says(&denied(denial));
        assert_eq!(world.count(STORED).await, before, "{act:?}");
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
    refused_everywhere(&world, &mut ada, Role::Developer).await;
    world
        .execute("UPDATE memberships SET role = 'viewer'")
        .await;
    refused_everywhere(&world, &mut ada, Role::Viewer).await;
    // Billing is about money.
    world
        .execute("UPDATE memberships SET role = 'billing'")
        .await;
    let set = ada
        .submit("/alerts", "/api/limit/set", &[("monthly", "30")])
        .await;
    set.says("of $30.00 a month");
}
