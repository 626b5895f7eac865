//! Random lives of sandboxes for the usage pages, around the days on which calendars are odd.

use backend::testing;
use serde_json::{Value, json};

use crate::world::World;

/// A plain generator, so that a failure repeats itself.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap() % limit
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let index = self.below(i64::try_from(all.len()).unwrap());
        &all[usize::try_from(index).unwrap()]
    }
}

/// Around these moments sandboxes live (Unix seconds).
const AROUND: [i64; 6] = [
    1_709_164_800, // 29 Feb 2024
    1_772_928_000, // 8 Mar 2026, New York springs forward
    1_774_742_400, // 29 Mar 2026, Amsterdam springs forward
    1_775_001_600, // 1 Apr 2026
    1_792_886_400, // 25 Oct 2026, Amsterdam falls back
    1_793_491_200, // 1 Nov 2026, New York falls back
];

/// Random lives through the orchestrator's feed, settled as they would be.
pub async fn live(world: &World, sandboxes: i64) {
    let account: uuid::Uuid = {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests look at tables as they are"
        )]
        sqlx::query_scalar("SELECT account_id FROM accounts LIMIT 1")
            .fetch_one(testing::pool(&world.backend))
            .await
            .unwrap()
    };
    let keys = [
        Value::Null,
        json!("01890000-0000-7000-8000-00000000000a"),
        json!("01890000-0000-7000-8000-00000000000b"),
    ];
    let mut random = Random(42);
    let mut events: Vec<Value> = Vec::new();
    for number in 0..sandboxes {
        let mut at = (random.of(&AROUND) - 86_400) * 1_000 + random.below(2 * 86_400_000);
        let (image, region) = (
            random.of(&["node:22", "=cmd|' /C calc'!A0", "python:3.12-slim"]),
            random.of(&["us", "eu"]),
        );
        let (vcpus, mem_mib) = random.of(&[(1, 1_024), (2, 4_096), (1, 700), (8, 16_384)]);
        let key = random.of(&keys).clone();
        let mut kinds = vec!["created"];
        for _ in 0..random.below(3) {
            kinds.extend(["hibernated", "resumed"]);
        }
        kinds.push("destroyed");
        for kind in kinds {
            let stamp = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000)
                .unwrap();
            let stamp = stamp
                .format(time::macros::format_description!(
                    "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
                ))
                .unwrap();
            events.push(json!({
                "account": account, "sandbox_id": format!("run{number:04}"), "kind": kind, "occurred_at": stamp, "image": image,
                "region": region, "vcpus": vcpus, "mem_mib": mem_mib, "key_id": key,
            }));
            at += random.below(30_000_000);
        }
    }
    world
        .control()
        .append(serde_json::from_value(json!(events)).unwrap())
        .unwrap();
    world.meter().await;
}
