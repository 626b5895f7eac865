//! How a mail ends: sent, put off, or at once and for good when its address takes none.

use backend::alerts;
use backend::alerts::recipients::{self, MailFailure};
use backend::authority::actor::Actor;
use backend::testing;
use domain::id::RecipientId;
use peers::mail::MailFault;
use sqlx::PgPool;

use crate::world::World;

const OPS: &str = "ops@example.net";

/// Who is asked, with whether mail gets through to them.
async fn asked(world: &World, actor: &Actor) -> (RecipientId, Option<MailFailure>) {
    let mut view = world.view(actor).await;
    let page = alerts::read(&mut view, None).await.unwrap();
    let mut rows = page.recipients.iter().filter(|row| row.user_id.is_none());
    let row = rows.next().unwrap();
    (row.recipient_id, row.mail_failure)
}

/// How the newest mail that asks somebody ended, and the job that sent it: attempts, whether it is done, its last failure.
async fn ended(world: &World) -> (Option<String>, i32, bool, Option<String>) {
    let mail = sqlx::query!(
        "SELECT m.failure, j.attempt, j.finished_at, j.last_failure FROM mails AS m
         JOIN jobs AS j ON j.unique_key = 'send-mail:' || m.mail_id
         WHERE m.template = 'confirm_recipient' ORDER BY m.created_at DESC LIMIT 1"
    );
    let mail = mail.fetch_one(testing::pool(&world.backend)).await.unwrap();
    let done = mail.finished_at.is_some();
    (mail.failure, mail.attempt, done, mail.last_failure)
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_address_that_takes_no_mail_ends_it_at_once_and_the_account_sees_it(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    world.mail.fault(MailFault::Refuse550, 1);
    recipients::add(&world.backend, &ada, OPS).await.unwrap();
    world.work().await;
    let undeliverable = Some("undeliverable".to_owned());
    assert_eq!(ended(&world).await, (undeliverable, 1, true, None));
    let queue = testing::queue(&world.backend).await.unwrap();
    assert_eq!(
        queue,
        (0, 0),
        "no job waits for it, and none is dead for it"
    );
    let (id, failure) = asked(&world, &ada).await;
    assert_eq!(failure, Some(MailFailure::Undeliverable));
    // The mailbox was mended: asked again, it is seen to work.
    recipients::resend(&world.backend, &ada, id).await.unwrap();
    assert_eq!(asked(&world, &ada).await, (id, None));
    world.work().await;
    assert_eq!(ended(&world).await, (None, 1, true, None));
    let mails = world.mail.mails();
    assert!(mails.iter().any(|mail| mail.to[0] == OPS));
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_address_that_our_server_cannot_write_to_ends_it_at_once(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    recipients::add(&world.backend, &ada, OPS).await.unwrap();
    // The catcher does not offer SMTPUTF8, as many servers do not.
    let other = sqlx::query!(
        "UPDATE alert_recipients SET email = 'käthe@example.net' WHERE email IS NOT NULL"
    );
    other.execute(&world.owner).await.unwrap();
    world.work().await;
    let undeliverable = Some("undeliverable".to_owned());
    assert_eq!(ended(&world).await, (undeliverable, 1, true, None));
    let (_, failure) = asked(&world, &ada).await;
    assert_eq!(failure, Some(MailFailure::Undeliverable));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_mail_that_is_put_off_is_tried_again_and_given_up_without_an_alarm(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    world.mail.fault(MailFault::Refuse451, 2);
    recipients::add(&world.backend, &ada, OPS).await.unwrap();
    world.work().await;
    let put_off = Some("mail_put_off".to_owned());
    assert_eq!(ended(&world).await, (None, 1, false, put_off.clone()));
    assert_eq!(asked(&world, &ada).await.1, None, "nothing is known yet");
    // The last of a day's attempts.
    let last = sqlx::query!(
        "UPDATE jobs SET attempt = 39, run_at = now() WHERE kind = 'send-mail' AND finished_at IS NULL"
    );
    last.execute(testing::pool(&world.backend)).await.unwrap();
    world.work().await;
    assert_eq!(ended(&world).await, (put_off.clone(), 40, true, put_off));
    let (_, failure) = asked(&world, &ada).await;
    assert_eq!(failure, Some(MailFailure::Undeliverable));
}
