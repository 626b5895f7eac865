//! Sign-up, confirmation and sign-in: what happens once, what never shows, and what two at once may not do.

use backend::credit;
use backend::failure::Failure;
use backend::identity::sign_in;
use backend::sign_up;
use backend::sign_up::confirm;
use backend::testing;
use domain::identity::{SignInRefusal, VerificationRefusal};
use domain::money::{Cents, Ticks};
use domain::sign_up::{SignUpProblem, SignUpRefusal};
use sqlx::PgPool;

use crate::world::{World, sign_up};

#[sqlx::test(migrations = "../../migrations")]
async fn a_new_account_has_fifty_dollars_and_is_known_to_the_orchestrator(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("Ada@Example.org").await;
    assert!(actor.is_verified());
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
async fn a_known_address_gets_the_same_answer_and_another_mail(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer("ada@example.org").await;
    sign_up::sign_up(&world.backend, sign_up("ADA@example.ORG"))
        .await
        .unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
    let subjects: Vec<_> = world
        .mail
        .mails()
        .into_iter()
        .map(|mail| mail.subject)
        .collect();
    assert_eq!(
        subjects
            .iter()
            .filter(|subject| subject.contains("already have"))
            .count(),
        1,
        "{subjects:?}"
    );
    let users = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM users"#)
        .fetch_one(testing::pool(&world.backend));
    assert_eq!(
        users.await.unwrap(),
        1,
        "nothing of the second sign-up remains"
    );
    for _ in 0..5 {
        sign_up::sign_up(&world.backend, sign_up("ada@example.org"))
            .await
            .unwrap();
    }
    testing::drain_jobs(&world.backend).await.unwrap();
    assert_eq!(
        world.mail.mails().len(),
        1 + 3,
        "nobody's inbox is filled through us"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_problem_is_named_at_once(pool: PgPool) {
    let world = World::new(pool).await;
    let typed = sign_up::SignUp {
        email: "not an address".into(),
        password: "short".into(),
        country: "IR".into(),
        terms: false,
        aup: true,
        dpa: false,
        export_statement: false,
    };
    let Err(Failure::Refused(SignUpRefusal(problems))) =
        sign_up::sign_up(&world.backend, typed).await
    else {
        unreachable!("must be refused");
    };
    let expected = [
        SignUpProblem::EmailMalformed,
        SignUpProblem::PasswordTooShort,
        SignUpProblem::CountryRefused,
        SignUpProblem::TermsMissing,
        SignUpProblem::DpaMissing,
        SignUpProblem::ExportStatementMissing,
    ];
    assert_eq!(problems, expected);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_link_works_once_for_a_day_and_credit_is_given_once(pool: PgPool) {
    let world = World::new(pool).await;
    sign_up::sign_up(&world.backend, sign_up("ada@example.org"))
        .await
        .unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
    let token = world.token("ada@example.org");
    let unknown = confirm::confirm_email(&world.backend, "x").await;
    assert!(matches!(
        unknown,
        Err(Failure::Refused(VerificationRefusal::Unknown))
    ));

    let attempts = (0..20).map(|_| confirm::confirm_email(&world.backend, &token));
    let outcomes = futures(attempts).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let user_id = *outcomes
        .iter()
        .find_map(|outcome| outcome.as_ref().ok())
        .unwrap();
    let actor = testing::actor(&world.backend, user_id).await.unwrap();
    assert_eq!(
        credit::read(&mut world.view(&actor).await)
            .await
            .unwrap()
            .given,
        Ticks::from_cents(Cents(5_000))
    );

    sign_up::sign_up(&world.backend, sign_up("bob@example.org"))
        .await
        .unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
    world.backend.clock().advance(time::Duration::hours(24));
    let late = confirm::confirm_email(&world.backend, &world.token("bob@example.org")).await;
    assert!(matches!(
        late,
        Err(Failure::Refused(VerificationRefusal::Expired))
    ));
}

/// Runs them at the same time, all against one pool.
async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures_util::future::join_all(all).await
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_sign_ups_at_once_make_one_user(pool: PgPool) {
    let world = World::new(pool).await;
    let all =
        futures((0..8).map(|_| sign_up::sign_up(&world.backend, sign_up("ada@example.org")))).await;
    assert!(all.iter().all(Result::is_ok), "all get the same answer");
    let users = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM users"#)
        .fetch_one(testing::pool(&world.backend));
    assert_eq!(users.await.unwrap(), 1);
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
    sign_up::sign_up(&away, sign_up("ada@example.org"))
        .await
        .unwrap();
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
