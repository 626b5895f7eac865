//! Lists that are searched: what is found and what never is, the way on, and how much one search looks through.

use backend::{keys, sandboxes};
use domain::sandbox::SandboxState;
use domain::search::Search;
use sqlx::PgPool;

use crate::world::World;

/// Ninety sandboxes in every account, of two images by turns, each a second older than the one before.
async fn many(world: &World) {
    #[expect(
        clippy::disallowed_methods,
        reason = "ninety sandboxes by way of the feed would test the feed"
    )]
    let filled = sqlx::query(
        "INSERT INTO sandboxes (account_id, sandbox_id, state, image, region, vcpus, mem_mib, key_id, created_at, cohort_id)
         SELECT k.account_id, 'run' || lpad(n::text, 4, '0'), 'destroyed', CASE n % 2 WHEN 0 THEN 'ghcr.io/acme/50%_Agent:1' ELSE 'node:22' END,
                'us', 1, 1024, CASE n % 3 WHEN 0 THEN k.key_id END, '2026-01-01'::timestamptz - n * interval '1 second', k.key_id
         FROM keys AS k, generate_series(1, 90) AS n",
    );
    filled.execute(&world.owner).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn sandboxes_are_found_by_id_image_and_key_in_ones_own_account(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    let bob = world.customer("bob@example.org").await;
    keys::create(&world.backend, &ada, "ci").await.unwrap();
    keys::create(&world.backend, &bob, "Nightly").await.unwrap();
    many(&world).await;
    world.expect_leftover_jobs("keys are made and not pushed");
    world.expect_findings("sandboxes without events");
    let found = async |actor, text: &str, state, cursor: Option<&str>| {
        let search = Search::parse(text).unwrap();
        let mut view = world.view(actor).await;
        sandboxes::list(&mut view, state, Some(&search), cursor)
            .await
            .unwrap()
    };
    let ids = |page: &domain::page::Page<sandboxes::SandboxRow>| -> Vec<String> {
        let rows = page.rows.iter();
        rows.map(|row| row.sandbox_id.to_string()).collect()
    };
    // An id from its beginning only, in whatever case.
    let page = found(&ada, "RUN008", None, None).await;
    assert_eq!(ids(&page).len(), 10, "80 to 89");
    assert!(ids(&found(&ada, "un008", None, None).await).is_empty());
    // An image and a key's name anywhere; a sign of a pattern is itself.
    assert_eq!(ids(&found(&ada, "%_agent", None, None).await).len(), 45);
    assert!(ids(&found(&ada, "50_%", None, None).await).is_empty());
    assert_eq!(ids(&found(&bob, "night", None, None).await).len(), 30);
    assert!(
        ids(&found(&ada, "night", None, None).await).is_empty(),
        "bob's key"
    );
    assert!(ids(&found(&ada, "node", Some(SandboxState::Running), None).await).is_empty());
    // The way on: every row once.
    let first = found(&ada, "run", None, None).await;
    let second = found(&ada, "run", None, first.next.as_deref()).await;
    assert_eq!((first.rows.len(), second.rows.len()), (50, 40));
    assert!(second.next.is_none());
    let mut all = ids(&first);
    all.extend(ids(&second));
    all.dedup();
    assert_eq!(all.len(), 90);
}

#[sqlx::test(migrations = "../../migrations")]
async fn keys_are_found_by_name_id_and_text(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    let bob = world.customer("bob@example.org").await;
    let key = keys::create(&world.backend, &ada, "Laptop, 1%")
        .await
        .unwrap();
    keys::create(&world.backend, &ada, "ci").await.unwrap();
    world.expect_leftover_jobs("keys are made and not pushed");
    let found = async |actor, text: &str| {
        let search = Search::parse(text).unwrap();
        let page = keys::list(&mut world.view(actor).await, Some(&search), None).await;
        let rows = page.unwrap().rows;
        rows.into_iter().map(|row| row.name).collect::<Vec<_>>()
    };
    let text = key.text.expose();
    let id = key.key_id.to_string();
    for wanted in ["laptop", "1%", &text[..20], &text[text.len() - 4..], &id] {
        assert_eq!(found(&ada, wanted).await, ["Laptop, 1%"], "{wanted}");
        assert!(found(&bob, wanted).await.is_empty(), "{wanted}");
    }
    assert!(found(&ada, "_").await.is_empty());
    // More of a key than is kept of it finds nothing, least of all another key.
    assert!(found(&ada, text).await.is_empty());
}
