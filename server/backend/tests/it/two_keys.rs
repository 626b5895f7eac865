//! Changing `SECRET_KEY`: what customers hold lives on, with the old key still accepted and after it is gone; what belongs to a moment
//! ends with the old key; and a process without the right key does not start.

use backend::alerts::{self, calendar, recipients};
use backend::authority::actor::Actor;
use backend::settings::SecretKey;
use backend::{Backend, alerts::webhook, testing};
use sqlx::PgPool;

use crate::world::World;

const OLD: &str = "5e";
const NEW: &str = "a7";

fn key(pair: &str) -> SecretKey {
    SecretKey::from_hex(&pair.repeat(32)).unwrap()
}

/// A process with these keys on the database of a world.
fn process(world: &World, key_now: &str, accepted: Option<&str>) -> Backend {
    let mut settings =
        testing::settings(&world.orchestrator.url(), &world.mail.smtp_url()).unwrap();
    settings.secret_key = key(key_now);
    settings.accepted_key = accepted.map(key);
    testing::backend(world.owner.clone(), settings).unwrap()
}

/// What customers hold that is derived: the secret of the webhook and the address of the calendar.
async fn held(backend: &Backend, actor: &Actor) -> Option<(String, String)> {
    let mut view = actor.view(backend).await.unwrap();
    let page = alerts::read(&mut view, None).await.ok()?;
    let (address, _) = page.calendar.unwrap();
    Some((page.webhook.unwrap().secret.unwrap(), address))
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_customers_hold_outlives_the_key(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let url = "https://example.org/hook";
    webhook::set(&world.backend, &actor, url).await.unwrap();
    calendar::create(&world.backend, &actor).await.unwrap();
    recipients::add(&world.backend, &actor, "ops@example.net")
        .await
        .unwrap();
    world.work().await;
    let link = world.mail.mails().pop().unwrap();
    let token = link.text.split("/alert-recipient/").nth(1).unwrap();
    let token: String = token.chars().take_while(|c| !c.is_whitespace()).collect();
    let before = held(&world.backend, &actor).await.unwrap();

    // Everybody knows both, the old one is in use; then the new one is; then the old one is gone.
    for (now, accepted) in [(OLD, Some(NEW)), (NEW, Some(OLD)), (NEW, None)] {
        let backend = process(&world, now, accepted);
        assert_eq!(
            held(&backend, &actor).await.as_ref(),
            Some(&before),
            "{now}"
        );
        let calendar = before.1.rsplit('/').next().unwrap();
        assert!(calendar::feed(&backend, calendar).await.unwrap().is_some());
        assert!(
            !recipients::link(&backend, &token).await.unwrap(),
            "not agreed yet"
        );
    }
    // Links that are mailed later still lead somewhere.
    let backend = process(&world, NEW, None);
    recipients::add(&backend, &actor, "late@example.net")
        .await
        .unwrap();
    testing::drain_jobs(&backend).await.unwrap();
    // Whoever still has the old key alone does not come up with other secrets: it does not come up.
    assert!(held(&process(&world, OLD, None), &actor).await.is_none());
    let stored = sqlx::query!("SELECT key_id, sealed FROM secret_roots");
    let stored = stored.fetch_one(&world.owner).await.unwrap();
    assert_eq!(stored.key_id, Some(key(NEW).id()));
}

#[sqlx::test(migrations = "../../migrations")]
async fn processes_that_start_at_once_in_a_new_database_agree(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let url = "https://example.org/hook";
    webhook::set(&world.backend, &actor, url).await.unwrap();
    calendar::create(&world.backend, &actor).await.unwrap();
    sqlx::query!("DELETE FROM secret_roots")
        .execute(&world.owner)
        .await
        .unwrap();
    let processes: Vec<Backend> = (0..6).map(|_| process(&world, OLD, None)).collect();
    let all = processes.iter().map(|backend| held(backend, &actor));
    let all = futures_util::future::join_all(all).await;
    assert!(all.iter().all(|one| one.is_some() && *one == all[0]));
    assert_ne!(
        all[0].as_ref(),
        held(&world.backend, &actor).await.as_ref(),
        "a new root is random"
    );
    world.expect_leftover_jobs("the webhook's address is nobody's");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_database_from_before_there_was_a_root_keeps_its_secrets(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    sqlx::query!(
        "UPDATE secret_roots SET key_id = NULL, nonce = NULL, sealed = NULL, sealed_at = NULL"
    )
    .execute(&world.owner)
    .await
    .unwrap();
    let first = process(&world, OLD, None);
    calendar::create(&first, &actor).await.unwrap();
    let url = "https://example.org/hook";
    webhook::set(&first, &actor, url).await.unwrap();
    let row = sqlx::query_scalar!("SELECT webhook_id FROM webhooks");
    let webhook_id = row.fetch_one(&world.owner).await.unwrap();
    let (secret, _) = held(&first, &actor).await.unwrap();
    assert_eq!(
        secret,
        backend::outside::poster::secret_of(&key(OLD), webhook_id)
    );
    let later = process(&world, NEW, Some(OLD));
    assert_eq!(held(&later, &actor).await.unwrap().0, secret);
}
