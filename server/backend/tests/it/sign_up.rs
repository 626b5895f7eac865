//! Sign-up, the opening of the account, and sign-in: what happens once, what never shows, and what two at once may not do.

use backend::alerts::recipients;
use backend::credit;
use backend::failure::Failure;
use backend::identity::sign_in;
use backend::sign_up::opening::{self, Link, Opening};
use backend::sign_up::sign_up;
use backend::testing;
use domain::alert::AlertRefusal;
use domain::id::UserId;
use domain::identity::SignInRefusal;
use domain::money::{Cents, Ticks};
use domain::sign_up::{OpeningProblem, OpeningRefusal, SignUpRefusal};
use sqlx::PgPool;
use time::Duration;

use crate::world::{World, opening};

/// Signs up and gives the token of the mail.
async fn asked(world: &World, email: &str) -> String {
    sign_up(&world.backend, email).await.unwrap();
    world.work().await;
    world.token(email)
}

async fn open(world: &World, token: &str) -> Result<UserId, Vec<OpeningProblem>> {
    match opening::open(&world.backend, token, None, opening()).await {
        Ok(user_id) => Ok(user_id),
        Err(Failure::Refused(OpeningRefusal(problems))) => Err(problems),
        Err(other) => unreachable!("{other:?}"),
    }
}

/// Runs them at the same time, all against one pool.
async fn at_once<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures_util::future::join_all(all).await
}

async fn users(world: &World) -> i64 {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM users"#)
        .fetch_one(testing::pool(&world.backend))
        .await
        .unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_new_account_has_fifty_dollars_and_is_known_to_the_orchestrator(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("Ada@Example.org").await;
    let credit = credit::read(&mut world.view(&actor).await).await.unwrap();
    assert_eq!(credit.remaining, Ticks::from_cents(Cents(5_000)));
    assert_eq!(credit.grants.len(), 1);
    let tenant = format!("tenants/{}", actor.account_id());
    let exchanges = world.control().exchanges();
    assert!(
        exchanges
            .iter()
            .any(|exchange| exchange.path.ends_with(&tenant) && exchange.status == 200)
    );
    assert_eq!(testing::queue(&world.backend).await.unwrap(), (0, 0));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_known_address_gets_another_mail_and_no_link(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer("ada@example.org").await;
    sign_up(&world.backend, "ADA@example.ORG").await.unwrap();
    world.work().await;
    let mails = world.mail.mails();
    let told = mails.last().unwrap();
    assert!(told.subject.contains("already have"), "{}", told.subject);
    assert!(!told.text.contains("/open-account/"), "{}", told.text);
    assert_eq!(users(&world).await, 1);
}

/// Counted per address and not per caller, under a lock, and by the day too; who asks too often still has a link that works.
#[sqlx::test(migrations = "../../migrations")]
async fn nobodys_inbox_is_filled_and_nobodys_address_is_blocked(pool: PgPool) {
    let world = World::new(pool).await;
    for hour in 1..=24_usize {
        let spellings = ["ada@example.org", "ADA@example.org"];
        let all =
            at_once((0..8).map(|number| sign_up(&world.backend, spellings[number % 2]))).await;
        assert!(all.iter().all(Result::is_ok), "all get the same answer");
        world.work().await;
        let sent = world.mail.mails().len();
        assert_eq!(sent, (3 * hour).min(10), "after {hour} hours");
        world.backend.clock().advance(Duration::seconds(3_601));
    }
    let token = world.token("ada@example.org");
    assert!(open(&world, &token).await.is_ok());
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_problem_is_named_at_once(pool: PgPool) {
    let world = World::new(pool).await;
    let token = asked(&world, "ada@example.org").await;
    let typed = Opening {
        password: "short".into(),
        country: "IR".into(),
        terms: false,
        aup: true,
        dpa: false,
        export_statement: false,
        leaving: String::new(),
    };
    let Err(Failure::Refused(OpeningRefusal(problems))) =
        opening::open(&world.backend, &token, None, typed).await
    else {
        unreachable!("must be refused");
    };
    let expected = [
        OpeningProblem::PasswordTooShort,
        OpeningProblem::CountryRefused,
        OpeningProblem::TermsMissing,
        OpeningProblem::DpaMissing,
        OpeningProblem::ExportStatementMissing,
    ];
    assert_eq!(problems, expected);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_link_works_once_for_a_day_and_credit_is_given_once(pool: PgPool) {
    let world = World::new(pool).await;
    let token = asked(&world, "ada@example.org").await;
    assert_eq!(open(&world, "x").await, Err(vec![OpeningProblem::LinkDead]));

    let outcomes = at_once((0..20).map(|_| open(&world, &token))).await;
    let (opened, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(opened.len(), 1);
    let already = Err(vec![OpeningProblem::AlreadyOpen]);
    assert!(refused.iter().all(|outcome| *outcome == already));
    let user_id = *opened[0].as_ref().unwrap();
    let actor = testing::actor(&world.backend, user_id).await.unwrap();
    assert_eq!(
        credit::read(&mut world.view(&actor).await)
            .await
            .unwrap()
            .given,
        Ticks::from_cents(Cents(5_000))
    );

    let token = asked(&world, "bob@example.org").await;
    world.backend.clock().advance(Duration::hours(24));
    let late = opening::link(&world.backend, &token).await.unwrap();
    assert!(matches!(late, Link::Dead));
    assert_eq!(
        open(&world, &token).await,
        Err(vec![OpeningProblem::LinkDead])
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_two_links_of_an_address_the_first_opened_wins(pool: PgPool) {
    let world = World::new(pool).await;
    let first = asked(&world, "ada@example.org").await;
    let second = asked(&world, "Ada@Example.org").await;
    assert_ne!(first, second);
    let all = at_once(
        [&first, &second]
            .into_iter()
            .map(|token| open(&world, token)),
    )
    .await;
    assert_eq!(all.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for token in [&first, &second] {
        let link = opening::link(&world.backend, token).await.unwrap();
        assert!(matches!(link, Link::AlreadyOpen(_)));
        assert_eq!(
            open(&world, token).await,
            Err(vec![OpeningProblem::AlreadyOpen])
        );
    }
    assert_eq!(users(&world).await, 1);
}

/// A sign-up leaves an address for a day and nothing else; then nothing at all, and a mail that was still to be sent is not.
#[sqlx::test(migrations = "../../migrations")]
async fn a_pending_sign_up_is_an_address_for_a_day(pool: PgPool) {
    let world = World::new(pool).await;
    asked(&world, "ada@example.org").await;
    sign_up(&world.backend, "late@example.org").await.unwrap();
    let pending = async || {
        sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM pending_sign_ups"#)
            .fetch_one(testing::pool(&world.backend))
            .await
            .unwrap()
    };
    testing::sweep(&world.backend).await.unwrap();
    assert_eq!((pending().await, users(&world).await), (2, 0));
    world.backend.clock().advance(Duration::hours(24));
    testing::sweep(&world.backend).await.unwrap();
    assert_eq!(pending().await, 0);
    world.work().await;
    assert_eq!(world.mail.mails().len(), 1, "only the one of before");
}

#[sqlx::test(migrations = "../../migrations")]
async fn only_the_right_pair_signs_in(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let id = sign_in::sign_in(
        &world.backend,
        " Ada@Example.org ",
        "three quiet rivers meet",
    )
    .await
    .unwrap();
    assert_eq!(id, actor.user_id());
    for (email, password) in [
        ("ada@example.org", "three quiet rivers meeT"),
        ("bob@example.org", "three quiet rivers meet"),
        ("", ""),
        ("ada@example.org", &"x".repeat(100_000)),
    ] {
        let outcome = sign_in::sign_in(&world.backend, email, password).await;
        assert!(matches!(
            outcome,
            Err(Failure::Refused(SignInRefusal::WrongPair))
        ));
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_mail_server_that_is_away_loses_no_mail(pool: PgPool) {
    let world = World::new(pool).await;
    let settings = testing::settings(&world.orchestrator.url(), "smtp://127.0.0.1:1").unwrap();
    let away = testing::backend(testing::pool(&world.backend).clone(), settings).unwrap();
    sign_up(&away, "ada@example.org").await.unwrap();
    testing::drain_jobs(&away).await.unwrap();
    assert_eq!(
        testing::queue(&away).await.unwrap(),
        (1, 0),
        "the mail waits"
    );
    sqlx::query!("UPDATE jobs SET run_at = now() WHERE finished_at IS NULL")
        .execute(testing::pool(&away))
        .await
        .unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
    assert_eq!(world.mail.mails().len(), 1);
}

/// One person, one $50: every spelling of a domain is one address, from sign-up to sign-in and on the list of recipients.
#[sqlx::test(migrations = "../../migrations")]
async fn one_address_in_any_script_is_one_person(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@müller.example").await;
    assert_eq!(actor.email().as_str(), "ada@xn--mller-kva.example");
    for spelling in [
        "ada@xn--mller-kva.example",
        "Ada@MÜLLER.example",
        "ada@mu\u{308}ller.example",
        "ａｄａ@ｍüｌｌｅｒ.example",
    ] {
        sign_up(&world.backend, spelling).await.unwrap();
        // The count is per address, in whatever spelling.
        world.backend.clock().advance(Duration::hours(1));
        world.work().await;
        let mails = world.mail.mails();
        let told = mails.last().unwrap();
        assert!(told.subject.contains("already have"), "{spelling}");
        assert!(told.to[0].is_ascii(), "{:?}", told.to);
        let id = sign_in::sign_in(&world.backend, spelling, "three quiet rivers meet").await;
        assert_eq!(id.unwrap(), actor.user_id(), "{spelling}");
        let outcome = recipients::add(&world.backend, &actor, spelling).await;
        let is_there = matches!(outcome, Err(Failure::Refused(AlertRefusal::AlreadyThere)));
        assert!(is_there, "{spelling}: a member");
    }
    let refused = sign_up(&world.backend, "käthe@example.org").await;
    assert!(matches!(
        refused,
        Err(Failure::Refused(SignUpRefusal::EmailNotAscii))
    ));
    let refused = recipients::add(&world.backend, &actor, "käthe@example.org").await;
    assert!(matches!(
        refused,
        Err(Failure::Refused(AlertRefusal::EmailNotAscii))
    ));
    assert_eq!(users(&world).await, 1);
}

/// Composed or decomposed, as keyboards and systems send it, a password is one.
#[sqlx::test(migrations = "../../migrations")]
async fn a_password_is_one_in_any_form_of_its_accents(pool: PgPool) {
    let world = World::new(pool).await;
    let (together, apart) = ("grüne Zebras öfter", "gru\u{308}ne Zebras o\u{308}fter");
    for (email, chosen) in [("ada@example.org", together), ("bob@example.org", apart)] {
        let token = asked(&world, email).await;
        let typed = Opening {
            password: chosen.to_owned(),
            ..opening()
        };
        let user_id = opening::open(&world.backend, &token, None, typed).await;
        let user_id = user_id.unwrap();
        world.work().await;
        for given in [together, apart] {
            let signed_in = sign_in::sign_in(&world.backend, email, given).await;
            assert_eq!(signed_in.unwrap(), user_id, "{email}");
        }
    }
}
