//! Every text that is mailed goes out once, on the way on which people get it. A new one fails here until it does.

use backend::alerts::recipients;
use backend::identity::sign_in;
use backend::registry::LETTERS;
use backend::{sign_up, testing};
use sqlx::PgPool;

use crate::outlook::{turn, with_seconds};
use crate::world::World;

#[sqlx::test(migrations = "../../migrations")]
async fn every_letter_is_sent(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    // An account is opened, and somebody tries again with its address.
    let actor = with_seconds(&world, "ada@example.org", 7_200).await;
    sign_up::sign_up(&world.backend, "ada@example.org")
        .await
        .unwrap();
    // Somebody guesses at its password.
    for _ in 0..10 {
        let guess = sign_in::sign_in(&world.backend, "ada@example.org", "not the password at all");
        guess.await.unwrap_err();
        world.backend.clock().advance(time::Duration::minutes(15));
    }
    // Somebody is asked whether they want to be told.
    recipients::add(&world.backend, &actor, "ops@example.org")
        .await
        .unwrap();
    // Half of the credit is used.
    let key = world.key(&actor).await;
    world.start(&key).await;
    world.control().advance_ms(3_700_000).unwrap();
    turn(&world).await;
    testing::drain_jobs(&world.backend).await.unwrap();
    let sent = sqlx::query_scalar!("SELECT DISTINCT template FROM mails WHERE sent_at IS NOT NULL");
    let sent = sent.fetch_all(testing::pool(&world.backend)).await.unwrap();
    for letter in LETTERS {
        assert!(
            sent.iter().any(|word| word == letter.name()),
            "nothing here mails {} yet: add what does",
            letter.name()
        );
    }
    assert_eq!(sent.len(), LETTERS.len(), "{sent:?}");
}
