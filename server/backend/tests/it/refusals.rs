//! Ceilings and refusals of services that no journey meets: what is refused, that it changes nothing, and that a ceiling holds
//! though many ask at once.

use backend::alerts::{recipients, webhook};
use backend::authority::actor::Actor;
use backend::failure::Failure::{self, Refused};
use backend::keys;
use backend::testing;
use domain::alert::AlertRefusal;
use domain::ceilings::KEYS_PER_ACCOUNT_MAX;
use domain::key::KeyRefusal;
use domain::webhook::WebhookRefusal;
use futures_util::future::join_all;
use sqlx::PgPool;

use crate::world::World;

/// Counts everything that a refused act could have left behind.
async fn written(world: &World) -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "one number over tables of many subjects, which no code of ours asks for"
    )]
    let written = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM audit_events) + (SELECT count(*) FROM jobs) + (SELECT count(*) FROM mails)
              + (SELECT count(*) FROM keys) + (SELECT count(*) FROM key_hashes) + (SELECT count(*) FROM webhooks)
              + (SELECT count(*) FROM alert_recipients)",
    );
    let written = written.fetch_one(testing::pool(&world.backend));
    written.await.unwrap()
}

async fn create(world: &World, actor: &Actor, count: usize) -> Vec<keys::CreatedKey> {
    let mut created = Vec::new();
    for number in 0..count {
        let name = format!("ci {number}");
        created.push(keys::create(&world.backend, actor, &name).await.unwrap());
    }
    created
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_account_has_a_hundred_live_keys_and_revoking_one_makes_room(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    let bob = world.customer("bob@example.org").await;
    let created = create(&world, &ada, KEYS_PER_ACCOUNT_MAX).await;
    let before = written(&world).await;
    let more = keys::create(&world.backend, &ada, "one more").await;
    assert!(matches!(more, Err(Refused(KeyRefusal::TooMany))));
    assert_eq!(written(&world).await, before);
    create(&world, &bob, 1).await;
    let first = created[0].key_id;
    keys::revoke(&world.backend, &ada, first).await.unwrap();
    create(&world, &ada, 1).await;
    let more = keys::create(&world.backend, &ada, "one more").await;
    assert!(matches!(more, Err(Refused(KeyRefusal::TooMany))));
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_many_who_create_the_last_key_at_once_one_does(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    create(&world, &ada, KEYS_PER_ACCOUNT_MAX - 1).await;
    let at_once = (0..8).map(|_| keys::create(&world.backend, &ada, "the last"));
    let outcomes = join_all(at_once).await;
    let (made, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (1, 7));
    let is_full = |outcome: &Result<_, Failure<KeyRefusal>>| {
        matches!(outcome, Err(Refused(KeyRefusal::TooMany)))
    };
    assert!(refused.iter().all(is_full));
}

/// A name is free again once its key is revoked, and in another account always.
#[sqlx::test(migrations = "../../migrations")]
async fn no_two_live_keys_look_alike(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    let bob = world.customer("bob@example.org").await;
    let first = keys::create(&world.backend, &ada, "ci prod").await.unwrap();
    for name in [
        "ci prod",
        "CI Prod",
        "ci  prod",
        "ｃｉ prod",
        "сі рrоd",
        " ci\u{a0}prod ",
    ] {
        let outcome = keys::create(&world.backend, &ada, name).await;
        let is_taken = matches!(outcome, Err(Refused(KeyRefusal::NameTaken)));
        assert!(is_taken, "{name:?}");
    }
    keys::create(&world.backend, &ada, "ci prod 2")
        .await
        .unwrap();
    keys::create(&world.backend, &bob, "ci prod").await.unwrap();
    keys::revoke(&world.backend, &ada, first.key_id)
        .await
        .unwrap();
    let at_once = (0..8).map(|_| keys::create(&world.backend, &ada, "ci prod"));
    let outcomes = join_all(at_once).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn nobody_is_not_put_on_the_list(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    let before = written(&world).await;
    for typed in ["", "   ", "\t\r\n"] {
        let outcome = recipients::add(&world.backend, &ada, typed).await;
        let is_empty = matches!(outcome, Err(Refused(AlertRefusal::EmailEmpty)));
        assert!(is_empty, "{typed:?}");
    }
    assert_eq!(written(&world).await, before);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_webhook_that_is_not_set_is_not_changed(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    let eve = world.customer("eve@example.org").await;
    let url = "https://example.org/hook";
    webhook::set(&world.backend, &ada, url).await.unwrap();
    let before = written(&world).await;
    let refused = [
        webhook::remove(&world.backend, &eve).await,
        webhook::renew(&world.backend, &eve).await,
        webhook::test(&world.backend, &eve).await,
    ];
    let is_not_set = |outcome: &Result<(), Failure<WebhookRefusal>>| {
        matches!(outcome, Err(Refused(WebhookRefusal::NotSet)))
    };
    assert!(refused.iter().all(is_not_set));
    assert_eq!(written(&world).await, before);
    // Removed in another window.
    webhook::remove(&world.backend, &ada).await.unwrap();
    let before = written(&world).await;
    assert!(is_not_set(&webhook::remove(&world.backend, &ada).await));
    assert!(is_not_set(&webhook::renew(&world.backend, &ada).await));
    assert!(is_not_set(&webhook::test(&world.backend, &ada).await));
    assert_eq!(written(&world).await, before);
}
