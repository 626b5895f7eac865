//! Whatever a line of the feed holds: it is kept as it was said, it stops nobody's metering, and an end that can be understood
//! ends. Contradictions, which stop a feed, are in `feed`; any lines at all in `feed_any`.

use backend::credit;
use backend::metering::live;
use backend::metering::pull::{self, Pulled};
use backend::metering::recheck;
use domain::money::Ticks;
use peers::orchestrator::{Appended, Fault, Kind, Plane, Switch};
use serde_json::{Value, json};
use sqlx::{Executor as _, PgPool};

use crate::checks::open;
use crate::world::World;

/// Lets the feed say `line` where an event of nobody stood; its number.
pub fn say(world: &World, line: impl FnOnce(&Value) -> Vec<u8>) -> i64 {
    let event = world.control().append(vec![Appended::default()]).unwrap();
    let event = event.into_iter().next().unwrap();
    let line = line(&serde_json::to_value(&event).unwrap());
    world.control().damage(event.seq, line);
    i64::try_from(event.seq).unwrap()
}

/// Why a line was set aside and what was kept of it.
pub async fn aside(world: &World, seq: i64) -> (Option<String>, Option<Vec<u8>>) {
    let row = sqlx::query!("SELECT set_aside, raw FROM feed_log WHERE seq = $1", seq);
    let row = row.fetch_one(&world.owner).await.unwrap();
    (row.set_aside, row.raw)
}

/// The feed goes on: all of it is in the log, and nothing stopped.
pub async fn goes_on(world: &World) {
    let row = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM feed_log) AS "lines!", seq, failures, stop_reason FROM feed_cursors"#
    );
    let row = row.fetch_one(&world.owner).await.unwrap();
    let said = world.control().events().unwrap().len();
    assert_eq!(
        (
            usize::try_from(row.lines).unwrap(),
            row.failures,
            row.stop_reason
        ),
        (said, 0, None)
    );
    assert_eq!(usize::try_from(row.seq).unwrap(), said);
}

pub async fn spent(world: &World, actor: &backend::authority::actor::Actor) -> Ticks {
    credit::read(&mut world.view(actor).await)
        .await
        .unwrap()
        .spent
}

fn with(event: &Value, field: &str, value: Value) -> Vec<u8> {
    let mut event = event.clone();
    event[field] = value;
    event.to_string().into_bytes()
}

/// Lines that are nobody's, each with the reason why it is set aside.
fn of_nobody(world: &World) -> Vec<(i64, &'static str)> {
    let (nobody, nonsense) = ("unknown_account", "malformed");
    let raw = |line: &[u8]| say(world, |_| line.to_vec());
    let event = |field, value: Value| say(world, |event| with(event, field, value));
    let deep = format!("{}1{}", "[".repeat(3_000), "]".repeat(3_000));
    let large = format!("1{}", "0".repeat(400));
    vec![
        // What jsonb refuses.
        (event("image", json!("a\0b")), nobody),
        (event("seq", json!("first")), nobody),
        (event("account", json!("ada")), nonsense),
        (raw(b"null"), nonsense),
        (raw(b"[]"), nonsense),
        (raw(b"{}"), nonsense),
        (raw(br#""\ud800""#), nonsense),
        (raw(large.as_bytes()), nonsense),
        (raw(deep.as_bytes()), nonsense),
        (raw(b"{\"image\":\"\xff\xfe\"}"), nonsense),
    ]
}

/// Lines that name an account of ours and are no events all the same.
fn of_an_account(world: &World, account: &Value, first: Value) -> Vec<(i64, &'static str)> {
    let nonsense = [
        ("sandbox_id", json!("run\0")),
        ("kind", json!("exploded")),
        ("vcpus", json!(4_294_967_297_i64)),
        ("mem_mib", json!(1.5)),
        ("region", json!("x".repeat(200_000))),
        ("recorded_at", json!("9999-12-31T23:59:59.999Z")),
        ("recorded_at", json!("1999-12-31T23:59:59.999Z")),
        ("event_id", json!(7)),
    ];
    let lines = nonsense.map(|(field, value)| (field, value, "malformed"));
    let lines = lines.into_iter().chain([("event_id", first, "repeated")]);
    let said = lines.map(|(field, value, reason)| {
        let seq = say(world, |event| {
            let mut event = event.clone();
            event["account"] = account.clone();
            with(&event, field, value)
        });
        (seq, reason)
    });
    said.collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_line_of_any_content_is_kept_and_the_others_go_on(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    let key = world.key(&ada).await;
    world.control().set_speed(0).unwrap();
    let id = world.start(&key).await;
    let first = json!(world.control().events().unwrap()[0].event_id);
    let mut said = of_nobody(&world);
    said.extend(of_an_account(&world, &json!(ada.account_id().0), first));
    world.control().advance_ms(5_000).unwrap();
    world.destroy(&key, &id).await;
    world.meter().await;
    goes_on(&world).await;
    assert_eq!(spent(&world, &ada).await, world.due(&id));
    for (seq, reason) in said {
        let (why, raw) = aside(&world, seq).await;
        assert_eq!(why.as_deref(), Some(reason), "{seq}");
        assert!(raw.is_some_and(|raw| !raw.is_empty()), "{seq}");
    }
    // To the byte, whatever it is.
    let odd = b"{ \"n\" : 1e999, \"t\":\"\\u0000\\ud800 \xc3\x28\" }".to_vec();
    let seq = say(&world, |_| odd.clone());
    world.meter().await;
    assert_eq!(
        aside(&world, seq).await,
        (Some("malformed".to_owned()), Some(odd))
    );
    // Read again it is the same line.
    assert!(matches!(
        recheck::recheck(&world.backend).await.unwrap(),
        Pulled::Stored { more: false, .. }
    ));
    goes_on(&world).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn numbers_that_postgresql_cannot_hold_are_left_out(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("no sandbox stands behind the events");
    let ada = world.customer("ada@example.org").await;
    world.control().set_speed(0).unwrap();
    // In an index of sandboxes it is multiplied by a hundred.
    let born = |cpu_ms| Appended {
        account: Some(ada.account_id().0),
        sandbox_id: Some("runa".into()),
        cpu_ms: Some(cpu_ms),
        ..Appended::default()
    };
    world.control().append(vec![born(i64::MAX)]).unwrap();
    world.control().advance_ms(5_000).unwrap();
    let gone = Appended {
        kind: Some(Kind::Destroyed),
        ..born(i64::MIN)
    };
    world.control().append(vec![gone]).unwrap();
    world.meter().await;
    let failed = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM meters WHERE failed_at IS NOT NULL"#
    );
    assert_eq!(failed.fetch_one(&world.owner).await.unwrap(), 0);
    assert_eq!(spent(&world, &ada).await, world.due("runa"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_the_database_does_not_take_is_set_aside_alone(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    let key = world.key(&ada).await;
    world.control().set_speed(0).unwrap();
    // What nobody thought of.
    sqlx::query!(
        "CREATE FUNCTION refuse_some() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF NEW.image = 'strange' THEN RAISE EXCEPTION 'no' USING ERRCODE = '22P05'; END IF;
             RETURN NEW;
         END $$"
    )
    .execute(&world.owner)
    .await
    .unwrap();
    sqlx::query!("CREATE TRIGGER refuse_some BEFORE INSERT ON feed_events FOR EACH ROW EXECUTE FUNCTION refuse_some()")
        .execute(&world.owner)
        .await
        .unwrap();
    let id = world.start(&key).await;
    let strange = (0..3).map(|_| Appended {
        account: Some(ada.account_id().0),
        image: Some("strange".into()),
        ..Appended::default()
    });
    let strange = world.control().append(strange.collect()).unwrap();
    world.control().advance_ms(5_000).unwrap();
    world.destroy(&key, &id).await;
    world.meter().await;
    goes_on(&world).await;
    assert_eq!(spent(&world, &ada).await, world.due(&id));
    for event in strange {
        let (why, raw) = aside(&world, i64::try_from(event.seq).unwrap()).await;
        assert_eq!(why.as_deref(), Some("refused"));
        assert!(raw.is_some());
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn more_than_is_read_at_once_is_asked_for_in_pieces(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    let key = world.key(&ada).await;
    world.control().set_speed(0).unwrap();
    let id = world.start(&key).await;
    let long = json!("x".repeat(6 * 1024 * 1024));
    for _ in 0..4 {
        say(&world, |event| with(event, "image", long.clone()));
    }
    world.control().advance_ms(5_000).unwrap();
    world.destroy(&key, &id).await;
    world.meter().await;
    goes_on(&world).await;
    assert_eq!(spent(&world, &ada).await, world.due(&id));
}

/// Which sandbox ended and when is enough to bill it no longer.
#[sqlx::test(migrations = "../../migrations")]
async fn an_end_with_a_malformed_field_ends_billing(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("each end that came damaged is one");
    let ada = world.customer("ada@example.org").await;
    let key = world.key(&ada).await;
    world.control().set_speed(0).unwrap();
    let damages = [
        ("event_id", json!("seven")),
        ("key_id", json!(7)),
        ("image", json!(null)),
        ("region", json!("\u{0}")),
        ("vcpus", json!(0)),
        ("mem_mib", json!("much")),
        ("recorded_at", json!("yesterday")),
        ("occurred_at", json!(null)),
    ];
    let mut due = Ticks::ZERO;
    let mut ids = Vec::new();
    for verb in ["destroy", "hibernate"] {
        for (field, value) in &damages {
            let id = world.start(&key).await;
            world.control().advance_ms(5_000).unwrap();
            match verb {
                "destroy" => world.destroy(&key, &id).await,
                verb => world.act(&key, &id, verb).await,
            }
            let event = world.control().events().unwrap().pop().unwrap();
            let line = with(&serde_json::to_value(&event).unwrap(), field, value.clone());
            world.control().damage(event.seq, line);
            due = due.saturating_add(world.due(&id));
            ids.push(id);
        }
        world.meter().await;
    }
    world.control().advance_ms(7_200_000).unwrap();
    world.meter().await;
    goes_on(&world).await;
    assert_eq!(spent(&world, &ada).await, due);
    let running =
        sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM intervals WHERE ended_at IS NULL"#);
    assert_eq!(running.fetch_one(&world.owner).await.unwrap(), 0);
    let damaged = ("feed".to_owned(), "end_damaged".to_owned());
    let found: Vec<_> = open(&world).await;
    assert_eq!(found, vec![damaged; ids.len()], "a person looks at each");
    let kept = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM feed_log WHERE set_aside IS NULL AND raw IS NOT NULL"#
    );
    let kept = kept.fetch_one(&world.owner).await.unwrap();
    assert_eq!(usize::try_from(kept).unwrap(), ids.len(), "as it was said");
    // Read again they are found again, and nothing else.
    recheck::recheck(&world.backend).await.unwrap();
    assert_eq!(open(&world).await, found);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_puller_that_breaks_ten_times_in_a_row_is_an_alarm_of_its_own(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    world.key(&ada).await;
    world.meter().await;
    let failing = async || {
        let live = live::of(&mut world.view(&ada).await).await.unwrap();
        (live.feed.failing, live.feed.stopped)
    };
    let garbage = Switch {
        plane: Plane::Feed,
        fault: Fault::Garbage,
        times: 10,
    };
    world.control().fault(garbage).unwrap();
    for turn in 0..10 {
        assert_eq!(
            (failing().await, open(&world).await),
            ((false, false), vec![]),
            "{turn}"
        );
        pull::pull(&world.backend).await.unwrap();
    }
    assert_eq!(failing().await, (true, false));
    let alarm = ("feed".to_owned(), "pulls_break".to_owned());
    assert_eq!(open(&world).await, [alarm]);
    // And it is over with the first page that is kept.
    pull::pull(&world.backend).await.unwrap();
    assert_eq!(
        (failing().await, open(&world).await),
        ((false, false), vec![])
    );
    // An orchestrator that is silent is no break of ours.
    for _ in 0..12 {
        let silent = Switch {
            plane: Plane::Feed,
            fault: Fault::Refuse,
            times: 1,
        };
        world.control().fault(silent).unwrap();
        pull::pull(&world.backend).await.unwrap();
    }
    assert_eq!(
        (failing().await, open(&world).await),
        ((false, false), vec![])
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_puller_whose_database_refuses_is_counted_too(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer("ada@example.org").await;
    sqlx::query!(
        "CREATE FUNCTION refuse_all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$"
    )
    .execute(&world.owner)
    .await
    .unwrap();
    sqlx::query!("CREATE TRIGGER refuse_all BEFORE INSERT ON feed_log FOR EACH ROW EXECUTE FUNCTION refuse_all()")
        .execute(&world.owner)
        .await
        .unwrap();
    world.control().append(vec![Appended::default()]).unwrap();
    for _ in 0..10 {
        assert!(pull::pull(&world.backend).await.is_err());
    }
    assert_eq!(
        open(&world).await,
        [("feed".to_owned(), "pulls_break".to_owned())]
    );
    let sql = "DROP TRIGGER refuse_all ON feed_log";
    world.owner.execute(sql).await.unwrap();
    pull::pull(&world.backend).await.unwrap();
    goes_on(&world).await;
    assert_eq!(open(&world).await, []);
}
