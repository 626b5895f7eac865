//! Whom we send to at somebody else's wish: counted per address and per host across all accounts, also of several at the
//! same moment; and refused for ever by whoever has the address.

use std::fmt::Debug;

use backend::alerts;
use backend::alerts::recipients::{self, MailFailure};
use backend::alerts::webhook;
use backend::authority::actor::Actor;
use backend::failure::Failure::{self, Refused};
use backend::targets;
use backend::testing;
use domain::alert::AlertRefusal;
use domain::ceilings::{WEBHOOK_TEST_EVERY_S, WEBHOOK_TESTS_PER_DAY};
use domain::id::RecipientId;
use domain::target::TargetRefusal;
use domain::webhook::WebhookRefusal;
use serde_json::Value;
use sqlx::PgPool;
use time::Duration;

use crate::outlook::{turn, with_seconds};
use crate::receiver::Receiver;
use crate::world::World;

const VICTIM: &str = "victim@example.net";

/// Mails to an address.
fn mails(world: &World, to: &str) -> Vec<peers::mail::Mail> {
    let mails = world.mail.mails().into_iter();
    let theirs = mails.filter(|mail| mail.to.iter().any(|one| one == to));
    theirs.collect()
}

/// The token behind a path in the newest mail to an address that has one.
fn token(world: &World, to: &str, path: &str) -> String {
    let mails = mails(world, to);
    let mut rests = mails
        .iter()
        .rev()
        .filter_map(|mail| mail.text.split(path).nth(1));
    let rest = rests.next().unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

async fn recipient(world: &World, actor: &Actor, email: &str) -> recipients::RecipientRow {
    let mut view = world.view(actor).await;
    let page = alerts::read(&mut view, None).await.unwrap();
    let mut rows = page.recipients.into_iter();
    rows.find(|row| row.email == email).unwrap()
}

/// Why something was refused; none when it was done.
fn refused<T: Debug, R: Copy + Debug>(outcome: &Result<T, Failure<R>>) -> Option<R> {
    if let Err(Refused(refusal)) = outcome {
        return Some(*refusal);
    }
    assert!(outcome.is_ok(), "{outcome:?}");
    None
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_address_is_asked_a_few_times_whichever_accounts_ask(pool: PgPool) {
    let world = World::new(pool).await;
    let (ada, bob, eve) = (
        world.customer("ada@example.org").await,
        world.customer("bob@example.org").await,
        world.customer("eve@example.org").await,
    );
    // Three accounts at once, and two mails a day.
    let add = |actor| recipients::add(&world.backend, actor, VICTIM);
    let (one, two, three) = tokio::join!(add(&ada), add(&bob), add(&eve));
    let outcomes = [one, two, three].map(|outcome| refused(&outcome));
    let sent = outcomes.iter().filter(|refusal| refusal.is_none()).count();
    assert_eq!(sent, 2, "{outcomes:?}");
    assert!(outcomes.contains(&Some(AlertRefusal::AddressAskedTooOften)));
    world.work().await;
    assert_eq!(mails(&world, VICTIM).len(), 2);

    // Sixteen at once on the next day, of whom some are on the list: two go out, and one on the day after is the fifth.
    let asking = if outcomes[0].is_none() { &ada } else { &bob };
    let id: RecipientId = recipient(&world, asking, VICTIM).await.recipient_id;
    for expected in [4, 5, 5] {
        world
            .backend
            .clock()
            .advance(Duration::DAY + Duration::SECOND);
        let again = (0..8).map(|_| recipients::resend(&world.backend, asking, id));
        let outcomes = futures_util::future::join_all(again).await;
        for outcome in &outcomes {
            let refusal = refused(outcome);
            assert!(matches!(
                refusal,
                None | Some(AlertRefusal::AddressAskedTooOften)
            ));
        }
        world.work().await;
        assert_eq!(mails(&world, VICTIM).len(), expected);
    }
    // Taking the address off the list and putting it there again is no way around it.
    recipients::remove(&world.backend, asking, id)
        .await
        .unwrap();
    let refusal = refused(&add(asking).await);
    assert_eq!(refusal, Some(AlertRefusal::AddressAskedTooOften));
    world.backend.clock().advance(Duration::days(31));
    add(asking).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_refusal_holds_for_every_account_until_they_take_it_back(pool: PgPool) {
    let world = World::new(pool).await;
    let (ada, bob) = (
        world.customer("ada@example.org").await,
        world.customer("bob@example.org").await,
    );
    recipients::add(&world.backend, &ada, VICTIM).await.unwrap();
    world.work().await;
    let (refusal, agreement) = (
        token(&world, VICTIM, "/no-more-mail/"),
        token(&world, VICTIM, "/alert-recipient/"),
    );
    assert!(!targets::link(&world.backend, &refusal).await.unwrap());
    targets::refuse(&world.backend, &refusal).await.unwrap();
    targets::refuse(&world.backend, &refusal).await.unwrap();
    assert!(targets::link(&world.backend, &refusal).await.unwrap());
    for typed in [VICTIM, " Victim@EXAMPLE.net ", "victim+a@example.net"] {
        let outcome = recipients::add(&world.backend, &bob, typed).await;
        assert_eq!(refused(&outcome), Some(AlertRefusal::Unwanted), "{typed}");
    }
    let id = recipient(&world, &ada, VICTIM).await.recipient_id;
    let again = recipients::resend(&world.backend, &ada, id).await;
    assert_eq!(refused(&again), Some(AlertRefusal::Unwanted));
    let agreed = recipients::agree(&world.backend, &agreement).await;
    assert_eq!(refused(&agreed), Some(AlertRefusal::RefusedByThem));
    // It holds when the account that asked is out of the way, and years later.
    recipients::remove(&world.backend, &ada, id).await.unwrap();
    world.backend.clock().advance(Duration::days(2_000));
    let outcome = recipients::add(&world.backend, &bob, VICTIM).await;
    assert_eq!(refused(&outcome), Some(AlertRefusal::Unwanted));
    world.work().await;
    assert_eq!(mails(&world, VICTIM).len(), 1);
    targets::allow(&world.backend, &refusal).await.unwrap();
    assert!(!targets::link(&world.backend, &refusal).await.unwrap());
    recipients::add(&world.backend, &bob, VICTIM).await.unwrap();
    world.work().await;
    assert_eq!(mails(&world, VICTIM).len(), 2);
    assert_eq!(token(&world, VICTIM, "/no-more-mail/"), refusal, "for ever");

    let cut = &refusal[..refusal.len() - 1];
    let swapped = format!("{}{}", &refusal[43..], &refusal[..43]);
    let another = format!("{}A{}", &refusal[..20], &refusal[21..]);
    let not_hex = "\u{e9}".repeat(60);
    for token in ["", "x", cut, &swapped, &another, &agreement, &not_hex] {
        let outcome = targets::refuse(&world.backend, token).await;
        let unknown = matches!(outcome, Err(Refused(TargetRefusal::LinkUnknown)));
        assert!(unknown, "{token}");
    }
    let stored = sqlx::query_scalar!(
        r#"SELECT to_jsonb(t)::text AS "row!" FROM targets AS t WHERE kind = 'mail'"#
    );
    for row in stored.fetch_all(&world.owner).await.unwrap() {
        assert!(!row.contains("victim"), "{row}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_refuses_gets_no_alert_that_they_agreed_to_but_all_of_their_own(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    let ada = with_seconds(&world, "ada@example.org", 1_000).await;
    let bob = world.customer("bob@example.org").await;
    recipients::add(&world.backend, &ada, VICTIM).await.unwrap();
    // Bob has Ada asked, who has an account of her own.
    recipients::add(&world.backend, &bob, "ada@example.org")
        .await
        .unwrap();
    world.work().await;
    let agreement = token(&world, VICTIM, "/alert-recipient/");
    recipients::agree(&world.backend, &agreement).await.unwrap();
    for email in [VICTIM, "ada@example.org"] {
        let refusal = token(&world, email, "/no-more-mail/");
        targets::refuse(&world.backend, &refusal).await.unwrap();
    }
    let key = world.key(&ada).await;
    world.start(&key).await;
    world.control().advance_ms(600_000).unwrap();
    turn(&world).await;
    let alerted = |to: &str| {
        let mails = mails(&world, to);
        mails
            .iter()
            .filter(|mail| mail.subject.contains("Isorun credit"))
            .count()
    };
    assert_eq!((alerted(VICTIM), alerted("ada@example.org")), (0, 1));
    let row = recipient(&world, &ada, VICTIM).await;
    assert_eq!(row.mail_failure, Some(MailFailure::Unwanted));
    let page = alerts::read(&mut world.view(&ada).await, None)
        .await
        .unwrap();
    let deliveries = page.history.rows.iter().flat_map(|told| &told.deliveries);
    let given_up = deliveries.filter(|one| one.given_up_at.is_some());
    let classes: Vec<_> = given_up.map(|one| one.last_failure.as_deref()).collect();
    assert_eq!(classes, [Some("unwanted")]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_tests_that_are_asked_for_at_once_one_goes_out(pool: PgPool) {
    let world = World::new(pool).await;
    let receiver = Receiver::start().await;
    let (ada, bob) = (
        world.customer("ada@example.org").await,
        world.customer("bob@example.org").await,
    );
    let backend = &world.backend;
    for actor in [&ada, &bob] {
        webhook::set(backend, actor, &receiver.url).await.unwrap();
    }
    let test = |actor| webhook::test(backend, actor);
    let outcomes = tokio::join!(test(&ada), test(&ada), test(&ada), test(&ada));
    let outcomes = [outcomes.0, outcomes.1, outcomes.2, outcomes.3];
    let mut outcomes = outcomes.map(|outcome| refused(&outcome));
    outcomes.sort_by_key(Option::is_some);
    let held = Some(WebhookRefusal::TooManyTests);
    assert_eq!(outcomes, [None, held, held, held]);
    // Setting it anew, or removing it, forgets its tests and not that they were sent. Another port of the host is the host.
    webhook::set(backend, &ada, "http://127.0.0.2:9/")
        .await
        .unwrap();
    assert_eq!(refused(&test(&ada).await), held, "by the account");
    webhook::remove(backend, &ada).await.unwrap();
    webhook::set(backend, &ada, "http://127.0.0.1:9/")
        .await
        .unwrap();
    assert_eq!(refused(&test(&ada).await), held);
    assert_eq!(refused(&test(&bob).await), held, "by the host");
    world.work().await;

    webhook::set(backend, &ada, &receiver.url).await.unwrap();
    let pause = Duration::seconds(WEBHOOK_TEST_EVERY_S) + Duration::SECOND;
    backend.clock().advance(pause);
    let (one, two) = tokio::join!(test(&ada), test(&bob));
    let outcomes = [refused(&one), refused(&two)];
    assert!(
        outcomes.contains(&None) && outcomes.contains(&held),
        "{outcomes:?}"
    );
    world.work().await;
    backend.clock().advance(pause);
    test(&ada).await.unwrap();
    world.work().await;
    // The first was posted to where the webhook led by then, which is nowhere.
    let posts = receiver.posts();
    let ids: Vec<Value> = posts
        .iter()
        .map(|post| serde_json::from_str::<Value>(&post.body).unwrap()["id"].clone())
        .collect();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1], "each test has an id of its own");

    // A day's tests, of which the account's own log keeps count.
    let sent = sqlx::query!(
        "INSERT INTO audit_events (audit_event_id, account_id, action, happened_at)
         SELECT gen_random_uuid(), $1, 'webhook.tested', now() - interval '1 hour' FROM generate_series(1, $2)",
        bob.account_id().0,
        i32::try_from(WEBHOOK_TESTS_PER_DAY).unwrap()
    );
    sent.execute(testing::pool(backend)).await.unwrap();
    backend.clock().advance(pause);
    let refusal = refused(&test(&bob).await);
    assert_eq!(refusal, Some(WebhookRefusal::TestsUsedUp));
    assert_eq!(refused(&test(&ada).await), None, "the host is everybody's");
    world.work().await;
}
