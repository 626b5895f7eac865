//! Warnings from the meter to inboxes and receivers: each once per epoch, in order, only the most urgent sent.

use backend::alerts;
use backend::alerts::recipients;
use backend::alerts::webhook;
use backend::authority::actor::Actor;
use backend::failure::Failure::Refused;
use backend::limit;
use backend::outside::poster;
use backend::testing;
use domain::alert::{AlertRefusal, Wanted};
use domain::forecast::next_month;
use domain::id::RecipientId;
use domain::limit::LimitRefusal;
use domain::moment::{DAY_MS, HOUR_MS, Moment};
use domain::webhook::WebhookRefusal;
use sqlx::PgPool;

use crate::outlook::{turn, with_seconds};
use crate::receiver::Receiver;
use crate::world::World;

/// Warnings of an account in the order of their giving: kind, threshold, ways out.
async fn given(world: &World, actor: &Actor) -> Vec<(String, i32, i64)> {
    let rows = sqlx::query!(
        r#"SELECT kind, threshold, (SELECT count(*) FROM alert_deliveries AS d WHERE d.account_id = a.account_id
                                    AND d.alert_id = a.alert_id) AS "ways!"
           FROM alerts AS a WHERE account_id = $1 ORDER BY raised_at, kind, threshold"#,
        actor.account_id().0
    );
    let rows = rows.fetch_all(testing::pool(&world.backend)).await.unwrap();
    rows.into_iter()
        .map(|row| (row.kind, row.threshold, row.ways))
        .collect()
}

fn subjects(world: &World, to: &str) -> Vec<String> {
    let mails = world.mail.mails();
    let mine = mails
        .into_iter()
        .filter(|mail| mail.to.iter().any(|one| one == to));
    let mut mine: Vec<_> = mine
        .filter(|mail| mail.subject.contains("Isorun"))
        .collect();
    mine.sort_by_key(|mail| mail.received_at);
    mine.into_iter().map(|mail| mail.subject).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn each_warning_is_given_once_and_in_order(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    // Sixty hours of one sandbox: long enough for the hours to come apart from the percents.
    let actor = with_seconds(&world, "ada@example.org", 216_000).await;
    let key = world.key(&actor).await;
    world.start(&key).await;
    turn(&world).await;
    assert_eq!(given(&world, &actor).await, []);
    for _ in 0..31 {
        world.control().advance_ms(2 * 3_600_000).unwrap();
        // Twice, and jobs in between: looking again gives nothing twice.
        turn(&world).await;
        turn(&world).await;
    }
    let kinds = |rows: &[(String, i32, i64)]| -> Vec<(String, i32)> {
        rows.iter()
            .map(|(kind, threshold, _)| (kind.clone(), *threshold))
            .collect()
    };
    let percent = |threshold| ("credit_percent".to_owned(), threshold);
    let hours = |threshold| ("credit_hours".to_owned(), threshold);
    let rows = given(&world, &actor).await;
    assert_eq!(
        kinds(&rows),
        [
            percent(50),
            hours(24),
            percent(80),
            percent(95),
            hours(1),
            percent(100)
        ]
    );
    let said: Vec<String> = subjects(&world, "ada@example.org");
    let said = said
        .iter()
        .filter(|subject| !subject.starts_with("Open your"));
    assert_eq!(
        said.map(String::as_str).collect::<Vec<_>>(),
        [
            "50 % of the Isorun credit is used",
            "Isorun credit ends within 24 hours",
            "80 % of the Isorun credit is used",
            "95 % of the Isorun credit is used",
            "Isorun credit is used up",
        ],
        "the last hour and the end came between two looks: one mail"
    );
    let page = alerts::read(&mut world.view(&actor).await, None)
        .await
        .unwrap();
    let covered = page.history.rows.iter().filter(|told| told.is_covered);
    assert_eq!(
        covered.map(|told| told.alert.threshold).collect::<Vec<_>>(),
        [1]
    );
    let through = page.history.rows.iter().flat_map(|told| &told.deliveries);
    assert!(
        through.clone().count() == 5 && through.into_iter().all(|one| one.delivered_at.is_some())
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_not_wanted_is_not_given_and_limits_have_months_of_their_own(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    let actor = with_seconds(&world, "ada@example.org", 1_000_000).await;
    let wanted = Wanted {
        percents: vec![80, 7],
        hours: vec![],
    };
    alerts::choose(&world.backend, &actor, &wanted)
        .await
        .unwrap();
    limit::set(&world.backend, &actor, "0.10").await.unwrap();
    let key = world.key(&actor).await;
    world.start(&key).await;
    world.control().advance_ms(3 * 3_600_000).unwrap();
    turn(&world).await;
    turn(&world).await;
    assert_eq!(
        given(&world, &actor).await,
        [("limit_percent".to_owned(), 80, 1)]
    );
    for (typed, refusal) in [
        ("", LimitRefusal::Empty),
        ("ten", LimitRefusal::Malformed),
        ("1000000.01", LimitRefusal::TooHigh),
    ] {
        let outcome = limit::set(&world.backend, &actor, typed).await;
        assert!(
            matches!(outcome, Err(Refused(found)) if found == refusal),
            "{typed}"
        );
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_limit_reached_in_a_month_that_ended_while_nobody_looked_is_told(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    let now = Moment::from_unix_ms(world.control().now().unwrap().0);
    let noon = next_month(now).plus_ms(-12 * HOUR_MS);
    let noon = if noon > now {
        noon
    } else {
        next_month(noon.plus_ms(DAY_MS)).plus_ms(-12 * HOUR_MS)
    };
    world.control().advance_ms(noon.since_ms(now)).unwrap();
    let actor = with_seconds(&world, "ada@example.org", 1_000_000).await;
    limit::set(&world.backend, &actor, "0.10").await.unwrap();
    let key = world.key(&actor).await;
    world.start(&key).await;
    turn(&world).await;
    assert_eq!(
        given(&world, &actor).await,
        [("limit_hours".to_owned(), 24, 1)]
    );
    // Three hours later the limit is reached; the month ends nine hours after that.
    world.control().advance_ms(2 * DAY_MS).unwrap();
    turn(&world).await;
    turn(&world).await;
    let missed = (
        ("limit_percent".to_owned(), 100, 1),
        domain::alert::month_number(noon),
    );
    let rows = given(&world, &actor).await;
    assert_eq!(rows.last(), Some(&missed.0), "{rows:?}");
    assert_eq!(rows.len(), 2, "once, and nothing of the new month");
    let epoch = sqlx::query_scalar!("SELECT epoch FROM alerts WHERE threshold = 100");
    assert_eq!(epoch.fetch_one(&world.owner).await.unwrap(), missed.1);
    let mails = world.mail.mails();
    let told = mails
        .iter()
        .find(|mail| mail.subject.contains("limit is reached") && !mail.subject.contains("within"));
    assert!(
        told.unwrap().text.contains("was reached in"),
        "{}",
        told.unwrap().text
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn alerts_are_posted_signed_retried_and_given_up(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    let receiver = Receiver::start().await;
    let actor = with_seconds(&world, "ada@example.org", 1_000).await;
    webhook::set(&world.backend, &actor, &receiver.url)
        .await
        .unwrap();
    webhook::test(&world.backend, &actor).await.unwrap();
    assert!(matches!(
        webhook::test(&world.backend, &actor).await,
        Err(Refused(WebhookRefusal::TooManyTests))
    ));
    testing::drain_jobs(&world.backend).await.unwrap();
    let page = alerts::read(&mut world.view(&actor).await, None)
        .await
        .unwrap();
    let hook = page.webhook.unwrap();
    assert!(hook.test_ended_at.is_some() && hook.test_failure.is_none());

    // A redirect is not followed; then it fails, then it works.
    receiver.answers("302 Found\r\nlocation: http://127.0.0.1:1/");
    let key = world.key(&actor).await;
    world.start(&key).await;
    world.control().advance_ms(2_000_000).unwrap();
    turn(&world).await;
    let last = |page: &alerts::Alerts| page.webhook.as_ref().unwrap().last.clone().unwrap();
    let page = alerts::read(&mut world.view(&actor).await, None)
        .await
        .unwrap();
    assert_eq!(last(&page).last_failure.as_deref(), Some("status_302"));
    receiver.answers("200 OK");
    due_now(&world).await;
    let page = alerts::read(&mut world.view(&actor).await, None)
        .await
        .unwrap();
    assert!(last(&page).delivered_at.is_some() && last(&page).last_failure.is_none());
    let posts = receiver.posts();
    assert_eq!(posts.len(), 3, "a test, a failure, a success");
    assert_eq!(
        posts[1].body, posts[2].body,
        "the same post, by the same id"
    );
    let secret = hook.secret.unwrap();
    for post in &posts {
        let line = post
            .head
            .lines()
            .find(|line| line.starts_with(poster::SIGNATURE))
            .unwrap();
        let at: i64 = line
            .split("t=")
            .nth(1)
            .unwrap()
            .split(',')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        assert!(
            line.ends_with(&poster::signature(&secret, at, &post.body)),
            "{line}"
        );
    }
    assert!(
        posts[2].body.contains("\"threshold\":100"),
        "{}",
        posts[2].body
    );

    // One that never answers well is given up, and no job of ours is dead for it.
    receiver.answers("500 Oh");
    sqlx::query!("UPDATE alert_deliveries SET delivered_at = NULL WHERE webhook_id IS NOT NULL")
        .execute(testing::pool(&world.backend))
        .await
        .unwrap();
    let again = sqlx::query!(
        "UPDATE jobs SET finished_at = NULL, attempt = 15, run_at = now() WHERE kind = 'send-webhook'"
    );
    again.execute(testing::pool(&world.backend)).await.unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
    let page = alerts::read(&mut world.view(&actor).await, None)
        .await
        .unwrap();
    assert!(last(&page).given_up_at.is_some());
    assert_eq!(last(&page).last_failure.as_deref(), Some("status_500"));
    assert_eq!(testing::queue(&world.backend).await.unwrap(), (0, 0));
}

async fn due_now(world: &World) {
    sqlx::query!("UPDATE jobs SET run_at = now() WHERE finished_at IS NULL")
        .execute(testing::pool(&world.backend))
        .await
        .unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
}

fn link(world: &World, to: &str) -> String {
    let mails = world.mail.mails();
    let mine = mails
        .iter()
        .filter(|mail| mail.to.iter().any(|one| one == to));
    let text = &mine.max_by_key(|mail| mail.received_at).unwrap().text;
    let rest = text.split("/alert-recipient/").nth(1).unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_address_is_told_only_while_it_agrees(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    let actor = with_seconds(&world, "ada@example.org", 1_000).await;
    let ops = "ops@example.net";
    assert!(
        recipients::add(&world.backend, &actor, "Ops@Example.net")
            .await
            .unwrap()
    );
    assert!(matches!(
        recipients::add(&world.backend, &actor, ops).await,
        Err(Refused(AlertRefusal::AlreadyThere))
    ));
    assert!(matches!(
        recipients::add(&world.backend, &actor, "ada@example.org").await,
        Err(Refused(AlertRefusal::AlreadyThere))
    ));
    testing::drain_jobs(&world.backend).await.unwrap();
    let token = link(&world, ops);
    assert!(!recipients::link(&world.backend, &token).await.unwrap());
    assert!(matches!(
        recipients::agree(&world.backend, "not-a-token").await,
        Err(Refused(AlertRefusal::LinkUnknown))
    ));

    let key = world.key(&actor).await;
    world.start(&key).await;
    world.control().advance_ms(550_000).unwrap();
    turn(&world).await;
    assert_eq!(
        subjects(&world, ops).len(),
        1,
        "only the question: they have not agreed"
    );
    recipients::agree(&world.backend, &token).await.unwrap();
    recipients::agree(&world.backend, &token).await.unwrap();
    world.control().advance_ms(300_000).unwrap();
    turn(&world).await;
    assert_eq!(
        subjects(&world, ops).last().unwrap(),
        "80 % of the Isorun credit is used"
    );
    assert_eq!(link(&world, ops), token, "the mail leads to where it ends");
    recipients::stop(&world.backend, &token).await.unwrap();
    assert!(recipients::link(&world.backend, &token).await.is_err());
    world.control().advance_ms(300_000).unwrap();
    turn(&world).await;
    assert_eq!(subjects(&world, ops).len(), 2);
    assert_eq!(
        subjects(&world, "ada@example.org").last().unwrap(),
        "Isorun credit is used up"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn invitations_are_few_and_end(pool: PgPool) {
    let world = World::new(pool).await;
    let (ada, bob) = (
        world.customer("ada@example.org").await,
        world.customer("bob@example.org").await,
    );
    for number in 0..9 {
        let email = format!("ops{number}@example.net");
        recipients::add(&world.backend, &ada, &email).await.unwrap();
    }
    assert!(matches!(
        recipients::add(&world.backend, &ada, "more@example.net").await,
        Err(Refused(AlertRefusal::TooMany))
    ));
    let page = alerts::read(&mut world.view(&ada).await, None)
        .await
        .unwrap();
    let id: RecipientId = page.recipients.last().unwrap().recipient_id;
    assert!(matches!(
        recipients::remove(&world.backend, &bob, id).await,
        Err(Refused(AlertRefusal::NotFound))
    ));
    recipients::resend(&world.backend, &ada, id).await.unwrap();
    assert!(matches!(
        recipients::resend(&world.backend, &ada, id).await,
        Err(Refused(AlertRefusal::AskedTooOften))
    ));
    testing::drain_jobs(&world.backend).await.unwrap();
    let token = link(&world, "ops8@example.net");
    world.backend.clock().advance(time::Duration::days(15));
    assert!(
        recipients::agree(&world.backend, &token).await.is_err(),
        "two weeks are over"
    );
    // A removed address gets nothing that waits.
    recipients::remove(&world.backend, &ada, id).await.unwrap();
}
