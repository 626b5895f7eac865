//! Any lines at all in the feed: the metering of the others goes on. Lines of one kind each are in `feed_lines`.

use backend::metering::pull::Pulled;
use backend::metering::recheck;
use backend::testing;
use domain::money::Ticks;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::feed_lines::{aside, goes_on, say, spent};
use crate::world::World;

/// Any JSON that does not name another number than its own.
fn lines(account: Uuid, now: Value) -> impl Strategy<Value = String> {
    let text = prop_oneof![
        any::<String>().prop_map(|text| json!(text).to_string()),
        "(\\\\u[0-9a-f]{4}){0,6}".prop_map(|text| format!("\"{text}\"")),
        Just("\"\\u0000\"".to_owned()),
    ];
    let number = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        "-?[1-9][0-9]{0,300}(\\.[0-9]{1,5})?(e[0-9]{1,4})?",
    ];
    let leaf = prop_oneof![
        text,
        number,
        Just("null".to_owned()),
        Just("true".to_owned())
    ];
    let value = leaf.prop_recursive(6, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5)
                .prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec(("[a-z_]{1,12}", inner), 0..5).prop_map(|all| {
                let all: Vec<String> = all
                    .into_iter()
                    .filter(|(name, _)| name != "seq")
                    .map(|(name, value)| format!("{name:?}:{value}"))
                    .collect();
                format!("{{{}}}", all.join(","))
            }),
        ]
    });
    // Events of which some fields are as they should be and the others anything.
    let fields = [
        ("account", json!(account)),
        ("sandbox_id", json!("runodd")),
        ("key_id", json!(null)),
        ("kind", json!("created")),
        ("occurred_at", now.clone()),
        ("recorded_at", now),
        ("image", json!("node")),
        ("region", json!("us")),
        ("vcpus", json!(1)),
        ("mem_mib", json!(1024)),
        ("parent_id", json!(null)),
        ("cpu_ms", json!(null)),
    ];
    let odd = prop::collection::vec((any::<u8>(), value.clone()), fields.len());
    let event = (odd, any::<u128>()).prop_map(move |(odd, id)| {
        let fields = fields.iter().zip(odd).map(|((name, right), (die, other))| {
            let value = if die < 250 { right.to_string() } else { other };
            format!("{name:?}:{value}")
        });
        let fields = fields.collect::<Vec<_>>().join(",");
        format!("{{\"event_id\":\"{}\",{fields}}}", Uuid::from_u128(id))
    });
    prop_oneof![value, event]
}

#[sqlx::test(migrations = "../../migrations")]
async fn arbitrary_lines_never_stop_the_metering_of_the_others(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("some of the lines are events of somebody");
    let ada = world.customer("ada@example.org").await;
    let bob = world.customer("bob@example.org").await.account_id().0;
    let key = world.key(&ada).await;
    world.control().set_speed(0).unwrap();
    let mut runner = TestRunner::deterministic();
    let now = serde_json::to_value(world.control().now().unwrap()).unwrap();
    let strategy = lines(bob, now);
    let mut due = Ticks::ZERO;
    let mut said = Vec::new();
    for _ in 0..6 {
        let id = world.start(&key).await;
        for _ in 0..60 {
            let line = strategy.new_tree(&mut runner).unwrap().current();
            said.push((say(&world, |_| line.clone().into_bytes()), line));
        }
        world.control().advance_ms(61_000).unwrap();
        world.destroy(&key, &id).await;
        world.meter().await;
        goes_on(&world).await;
        due = due.saturating_add(world.due(&id));
        assert_eq!(spent(&world, &ada).await, due);
    }
    let (mut kept, mut counted) = (0, 0);
    for (seq, line) in said {
        match aside(&world, seq).await {
            (Some(_), raw) => {
                assert_eq!(raw, Some(line.into_bytes()));
                kept += 1;
            }
            (None, _) => counted += 1,
        }
    }
    assert!(kept > 200 && counted > 5, "{kept} kept, {counted} counted");
    let again = recheck::recheck(&world.backend).await.unwrap();
    assert_eq!(
        again,
        Pulled::Stored {
            events: 0,
            more: false
        }
    );
    let wrong = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM findings WHERE fault LIKE 'event_%'"#
    );
    assert_eq!(
        wrong
            .fetch_one(testing::pool(&world.backend))
            .await
            .unwrap(),
        0
    );
}
