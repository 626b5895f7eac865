//! Accounts are settled in batches and pieces: one that breaks holds up nobody, and the size of the pieces changes nothing.

use backend::metering::pull::{self, Pulled};
use backend::testing::metering::{self, Pending, Settled};
use domain::ceilings::SETTLED_EVENTS_PER_ACCOUNT;
use domain::moment::HOUR_MS;
use peers::orchestrator::Kind;
use sqlx::PgPool;

use crate::meter::{event, sums_that_differ};
use crate::world::World;

/// Ticks that are rated and not booked, or the other way round, in any hour of any account.
async fn unbooked(pool: &PgPool) -> i64 {
    let rows = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM
               (SELECT account_id, hour_at, sum(ticks) AS ticks FROM slices GROUP BY account_id, hour_at) AS rated
           FULL JOIN
               (SELECT account_id, service_hour AS hour_at, sum(CASE kind WHEN 'correction' THEN -ticks ELSE ticks END) AS ticks
                FROM transfers WHERE service_hour IS NOT NULL GROUP BY account_id, service_hour) AS booked
               USING (account_id, hour_at)
           WHERE coalesce(rated.ticks, 0) <> coalesce(booked.ticks, 0)"#
    );
    rows.fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_account_that_breaks_holds_up_nobody(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await.account_id().0;
    let bob = world.customer("bob@example.org").await.account_id().0;
    world.control().set_speed(0).unwrap();
    let pool = &world.owner;
    // The newest, so that it is not the first of its batch.
    sqlx::query!("CREATE FUNCTION refuse_newest() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF NEW.account_id = (SELECT account_id FROM accounts ORDER BY created_at DESC LIMIT 1) THEN RAISE EXCEPTION 'no'; END IF;
             RETURN NEW;
         END $$").execute(pool).await.unwrap();
    sqlx::query!("CREATE TRIGGER refuse_newest BEFORE INSERT ON slices FOR EACH ROW EXECUTE FUNCTION refuse_newest()")
        .execute(pool)
        .await
        .unwrap();
    for (account, name) in [(ada, "runa"), (bob, "runb")] {
        let life = vec![
            event(&world, account, name, Kind::Created, HOUR_MS),
            event(&world, account, name, Kind::Destroyed, 60_000),
        ];
        world.control().append(life).unwrap();
    }
    world.meter().await;
    let settled = sqlx::query_scalar!("SELECT DISTINCT account_id FROM slices");
    assert_eq!(settled.fetch_all(pool).await.unwrap(), [ada]);
    let broken = sqlx::query_scalar!("SELECT account_id FROM meters WHERE failed_at IS NOT NULL");
    assert_eq!(broken.fetch_all(pool).await.unwrap(), [bob]);

    sqlx::query!("DROP TRIGGER refuse_newest ON slices")
        .execute(pool)
        .await
        .unwrap();
    sqlx::query!(
        "UPDATE meters SET retry_at = now() - interval '1 second' WHERE retry_at IS NOT NULL"
    )
    .execute(pool)
    .await
    .unwrap();
    world.meter().await;
    assert_eq!(unbooked(pool).await, 0);
    let broken = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM meters WHERE failed_at IS NOT NULL"#
    );
    assert_eq!(broken.fetch_one(pool).await.unwrap(), 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_large_account_is_settled_in_pieces_to_the_same_end(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("events are put into the tables by hand");
    let ada = world.customer("ada@example.org").await.account_id().0;
    world.control().set_speed(0).unwrap();
    let lives = SETTLED_EVENTS_PER_ACCOUNT / 2 + 500;
    let mut page = Vec::new();
    for life in 0..lives {
        let ago = 20 * HOUR_MS - life * 10_000;
        page.push(event(
            &world,
            ada,
            &format!("run{life}"),
            Kind::Created,
            ago,
        ));
        if life % 10 > 0 {
            page.push(event(
                &world,
                ada,
                &format!("run{life}"),
                Kind::Destroyed,
                ago - 7_000_000,
            ));
        }
    }
    world.control().append(page).unwrap();
    world.meter().await;
    world.control().advance_ms(2 * HOUR_MS).unwrap();
    world.meter().await;
    let pool = &world.owner;
    assert_eq!((sums_that_differ(pool).await, unbooked(pool).await), (0, 0));
    let stored = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM sandboxes) AS "sandboxes!", (SELECT running FROM meters) AS "running!",
                  (SELECT settled_at = watermark_at FROM feed_cursors) AS "settled!",
                  (SELECT sum(billed_ms)::bigint FROM usage_hours) AS "ms!",
                  (SELECT sum(least(coalesce(ended_at, (SELECT settled_until FROM meters)), (SELECT settled_until FROM meters))
                              - started_at) FROM intervals) IS NOT NULL AS "ran!""#
    );
    let stored = stored.fetch_one(pool).await.unwrap();
    assert_eq!(stored.sandboxes, lives);
    assert_eq!(i64::from(stored.running), (lives + 9) / 10);
    assert!(
        stored.settled && stored.ran && stored.ms > 0,
        "everything up to the watermark is settled"
    );
    // Piece by piece or at once: replayed from the first event, nothing moves.
    let transfers = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM transfers"#);
    let before = transfers.fetch_one(pool).await.unwrap();
    sqlx::query!("UPDATE meters SET settled_seq = 0, settled_until = NULL")
        .execute(pool)
        .await
        .unwrap();
    world.meter().await;
    let transfers = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM transfers"#);
    assert_eq!(transfers.fetch_one(pool).await.unwrap(), before);
    assert_eq!((sums_that_differ(pool).await, unbooked(pool).await), (0, 0));
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_puller_does_not_wait_for_settling(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await.account_id().0;
    world.control().set_speed(0).unwrap();
    let born = event(&world, ada, "runa", Kind::Created, HOUR_MS);
    world.control().append(vec![born]).unwrap();
    world.meter().await;
    // As a batch that takes long holds it.
    let mut settling = world.owner.begin().await.unwrap();
    sqlx::query!("SELECT account_id FROM meters FOR NO KEY UPDATE")
        .fetch_all(&mut *settling)
        .await
        .unwrap();
    let gone = event(&world, ada, "runa", Kind::Destroyed, 60_000);
    world.control().append(vec![gone]).unwrap();
    let pulled = pull::pull(&world.backend).await.unwrap();
    assert!(
        matches!(pulled, Pulled::Stored { events: 1, .. }),
        "{pulled:?}"
    );
    settling.rollback().await.unwrap();

    world.meter().await;
    let left = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM pending_events"#);
    assert_eq!(left.fetch_one(&world.owner).await.unwrap(), 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn news_that_come_while_settling_stay(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await.account_id();
    let mut db = world.owner.acquire().await.unwrap();
    metering::add_pending(&mut db, &[ada.0], &[8])
        .await
        .unwrap();
    let settled = |seq| Settled {
        account_id: ada,
        seq,
        until: time::OffsetDateTime::UNIX_EPOCH,
        at: None,
    };
    metering::take_pending(&mut db, &[settled(7)])
        .await
        .unwrap();
    let left = sqlx::query_scalar!("SELECT seq FROM pending_events");
    assert_eq!(left.fetch_all(&mut *db).await.unwrap(), [8]);
    metering::take_pending(&mut db, &[settled(8)])
        .await
        .unwrap();
    let left = sqlx::query_scalar!("SELECT seq FROM pending_events");
    assert_eq!(left.fetch_all(&mut *db).await.unwrap(), [0_i64; 0]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_arrives_while_settling_waits_for_the_next_round(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await.account_id();
    world.control().set_speed(0).unwrap();
    let kinds = [
        Kind::Created,
        Kind::Hibernated,
        Kind::Resumed,
        Kind::Destroyed,
    ];
    let life = kinds.map(|kind| event(&world, ada.0, "runa", kind, 60_000));
    world.control().append(life.to_vec()).unwrap();
    pull::pull(&world.backend).await.unwrap();
    let stored = sqlx::query!("SELECT feed, epoch, seq FROM feed_events ORDER BY seq");
    let stored = stored.fetch_all(&world.owner).await.unwrap();
    let seq = |place: usize| stored[place].seq;
    let mut db = world.owner.acquire().await.unwrap();
    // The third is pending; the fourth came after it was counted, or belongs to the next piece.
    for (is_whole, want) in [
        (true, vec![seq(0), seq(1), seq(2)]),
        (false, vec![seq(0), seq(1), seq(2), seq(3)]),
    ] {
        let pending = Pending {
            account_id: ada,
            after: seq(1),
            last: seq(2),
            is_whole,
        };
        let feed = (stored[0].feed.as_str(), stored[0].epoch.as_str());
        let read = metering::of_touched(&mut db, feed, &[pending])
            .await
            .unwrap();
        let read: Vec<i64> = read.iter().map(|row| row.event.seq).collect();
        assert_eq!(read, want, "{is_whole}");
    }
}
