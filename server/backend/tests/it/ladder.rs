//! Guessing a password: each failure makes the next try wait, from wherever it comes; what is known of an address does not show; and
//! its owner gets in, and is told.

use backend::failure::{Broken, Failure};
use backend::identity::sign_in::{self, KnownBrowser};
use backend::testing;
use domain::ceilings::SIGN_IN_FAILURES_TOLD;
use domain::identity::{SignInRefusal, wait_s};
use futures_util::future::join_all;
use sqlx::PgPool;
use time::Duration;

use crate::world::World;

const KNOWN: &str = "ada@example.org";
const UNKNOWN: &str = "nobody@example.org";
const WRONG: &str = "not the password at all";

async fn refused(world: &World, email: &str, password: &str) -> Option<SignInRefusal> {
    match sign_in::sign_in(&world.backend, email, password).await {
        Ok(_) => None,
        Err(Failure::Refused(refusal)) => Some(refusal),
        Err(other) => unreachable!("{other:?}"),
    }
}

async fn lines(world: &World, word: &str) -> i64 {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM audit_events WHERE action = $1"#,
        word
    )
    .fetch_one(testing::pool(&world.backend))
    .await
    .unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_hundred_guesses_at_once_are_not_two_hundred_checked(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer(KNOWN).await;
    let mut checked = 0;
    for _ in 0..6 {
        let guesses = (0..34).map(|_| refused(&world, KNOWN, WRONG));
        let refusals = join_all(guesses).await;
        checked += refusals
            .iter()
            .filter(|refusal| **refusal == Some(SignInRefusal::WrongPair))
            .count();
    }
    // Five before the first wait; and what a slow machine lets pass in the seconds that this takes.
    assert!((5..=8).contains(&checked), "{checked}");
    assert_eq!(
        lines(&world, "user.sign_in_failed").await,
        i64::try_from(checked).unwrap(),
        "each that was checked is in the log of the account, and no other"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn known_or_not_the_ladder_and_its_words_are_the_same(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer(KNOWN).await;
    let mut told = Vec::new();
    for email in [KNOWN, UNKNOWN] {
        let mut answers = Vec::new();
        for failures in 1..=14 {
            answers.push(refused(&world, email, WRONG).await);
            let wait = wait_s(failures);
            if wait > 0 {
                let refusal = refused(&world, email, stand::world::PASSWORD).await;
                assert!(
                    matches!(refusal, Some(SignInRefusal::Wait { seconds }) if (wait - 2..=wait).contains(&seconds)),
                    "{failures}: {refusal:?}, also with the right password"
                );
            }
            world.backend.clock().advance(Duration::seconds(wait));
        }
        told.push(answers);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], vec![Some(SignInRefusal::WrongPair); 14]);
    let stored = sqlx::query!("SELECT address_hmac, failures FROM sign_in_tries");
    let stored = stored
        .fetch_all(testing::pool(&world.backend))
        .await
        .unwrap();
    assert_eq!(stored.len(), 2, "a row for each");
    for row in stored {
        assert_eq!((row.address_hmac.len(), row.failures), (32, 14));
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_owner_gets_in_after_the_wait_and_then_all_is_forgotten(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer(KNOWN).await;
    let before = lines(&world, "user.signed_in").await;
    for failures in 1..=20 {
        assert_eq!(
            refused(&world, KNOWN, WRONG).await,
            Some(SignInRefusal::WrongPair)
        );
        world
            .backend
            .clock()
            .advance(Duration::seconds(wait_s(failures)));
    }
    // Written differently, it is the same address.
    assert_eq!(
        refused(&world, " ADA@Example.org ", stand::world::PASSWORD).await,
        None
    );
    assert_eq!(lines(&world, "user.signed_in").await, before + 1);
    for _ in 0..4 {
        assert_eq!(
            refused(&world, KNOWN, WRONG).await,
            Some(SignInRefusal::WrongPair)
        );
    }
    assert_eq!(refused(&world, KNOWN, stand::world::PASSWORD).await, None);
}

#[sqlx::test(migrations = "../../migrations")]
async fn after_a_day_without_a_try_nothing_is_left_of_it(pool: PgPool) {
    let world = World::new(pool).await;
    for _ in 0..5 {
        refused(&world, UNKNOWN, WRONG).await;
    }
    assert!(matches!(
        refused(&world, UNKNOWN, WRONG).await,
        Some(SignInRefusal::Wait { .. })
    ));
    world.backend.clock().advance(Duration::hours(25));
    for _ in 0..4 {
        assert_eq!(
            refused(&world, UNKNOWN, WRONG).await,
            Some(SignInRefusal::WrongPair)
        );
    }
    world.backend.clock().advance(Duration::hours(25));
    testing::sweep(&world.backend).await.unwrap();
    let left = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM sign_in_tries"#);
    let left = left.fetch_one(testing::pool(&world.backend)).await;
    assert_eq!(left.unwrap(), 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_owner_is_told_once_a_day_and_nobody_else(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer(KNOWN).await;
    let mails = async || {
        testing::drain_jobs(&world.backend).await.unwrap();
        let mails = world.mail.mails().into_iter();
        mails
            .filter(|mail| mail.subject.contains("Failed sign-ins"))
            .count()
    };
    let guess = async |email: &str, times: i32| {
        for _ in 0..times {
            refused(&world, email, WRONG).await;
            world.backend.clock().advance(Duration::minutes(15));
        }
    };
    guess(UNKNOWN, SIGN_IN_FAILURES_TOLD + 2).await;
    guess(KNOWN, SIGN_IN_FAILURES_TOLD - 1).await;
    assert_eq!(mails().await, 0);
    guess(KNOWN, 5).await;
    assert_eq!(mails().await, 1);
    // A day has 96 quarters of an hour.
    guess(KNOWN, 97).await;
    assert_eq!(mails().await, 2);
    let mail = world.mail.mails().pop().unwrap();
    assert!(!mail.text.contains("ada@"), "no address in a text");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_try_that_found_no_place_in_the_queue_does_not_count(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer(KNOWN).await;
    // A flood of other addresses fills the queue; each is on a ladder of its own.
    let flood: Vec<String> = (0..300)
        .map(|number| format!("{number}@example.net"))
        .collect();
    let tries = flood
        .iter()
        .map(|email| sign_in::sign_in(&world.backend, email, WRONG));
    let outcomes = join_all(tries).await;
    let is_busy = |outcome: &Result<_, Failure<SignInRefusal>>| matches!(outcome, Err(Failure::Broken(broken)) if Broken::is_busy(broken));
    let busy = outcomes.iter().filter(|outcome| is_busy(outcome)).count();
    let counted =
        sqlx::query_scalar!(r#"SELECT coalesce(sum(failures), 0) AS "sum!" FROM sign_in_tries"#);
    let counted = counted
        .fetch_one(testing::pool(&world.backend))
        .await
        .unwrap();
    assert_eq!(
        counted,
        300 - i64::try_from(busy).unwrap(),
        "{busy} found no place"
    );
    assert_eq!(refused(&world, KNOWN, stand::world::PASSWORD).await, None);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_browser_that_was_let_in_before_is_not_shut_out_by_others(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer(KNOWN).await;
    world.customer("eve@example.org").await;
    let from = async |browser: Option<&KnownBrowser>, email: &str, password: &str| {
        sign_in::sign_in_from(&world.backend, browser, email, password).await
    };
    let (_, browser) = from(None, KNOWN, stand::world::PASSWORD).await.unwrap();
    let (_, of_eve) = from(None, "eve@example.org", stand::world::PASSWORD)
        .await
        .unwrap();
    for _ in 0..6 {
        refused(&world, KNOWN, WRONG).await;
    }
    let waits = |outcome: &Result<_, Failure<SignInRefusal>>| {
        matches!(outcome, Err(Failure::Refused(SignInRefusal::Wait { .. })))
    };
    assert!(waits(&from(None, KNOWN, stand::world::PASSWORD).await));
    let other = from(Some(&of_eve), KNOWN, stand::world::PASSWORD).await;
    assert!(waits(&other), "known with another address is not known");
    let (_, again) = from(Some(&browser), KNOWN, stand::world::PASSWORD)
        .await
        .unwrap();
    assert_eq!(again, browser);
    assert!(
        waits(&from(None, KNOWN, stand::world::PASSWORD).await),
        "that was theirs alone"
    );
    // A known browser climbs too.
    for _ in 0..5 {
        from(Some(&browser), KNOWN, WRONG).await.unwrap_err();
    }
    assert!(waits(
        &from(Some(&browser), KNOWN, stand::world::PASSWORD).await
    ));
}
