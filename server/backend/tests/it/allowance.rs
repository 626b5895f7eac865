//! Our own computation of the end held to the vectors of docs/allowance-vectors.json, which the orchestrator's is held to too; and
//! what is told: the contract's form, and anew with every push.

use domain::credit::Grant;
use domain::forecast::{self, Cause, Limit, Present, Run};
use domain::id::{GrantId, PriceId};
use domain::moment::Moment;
use domain::money::{MicroDollars, Ticks};
use domain::price::Price;
use domain::sandbox::Size;
use peers::contract;
use serde_json::Value;
use sqlx::PgPool;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::outlook::turn;
use crate::world::World;

const VECTORS: &str = include_str!("../../../../docs/allowance-vectors.json");

fn moment(text: &Value) -> Option<Moment> {
    let text = text.as_str()?;
    Some(OffsetDateTime::parse(text, &Rfc3339).unwrap().into())
}

fn ticks(text: &Value) -> Ticks {
    Ticks::new(text.as_str().unwrap().parse().unwrap()).unwrap()
}

fn grant((id, grant): (u128, &Value)) -> Grant {
    Grant {
        grant_id: GrantId(Uuid::from_u128(id)),
        // The order of the list is the order in which they pay.
        priority: i32::try_from(id).unwrap(),
        starts_at: moment(&grant["starts_at"]).unwrap_or(Moment::MIN),
        ends_at: moment(&grant["ends_at"]),
        granted_at: Moment::MIN,
        remaining: ticks(&grant["ticks"]),
    }
}

fn price(price: &Value) -> Price {
    Price {
        price_id: PriceId(Uuid::nil()),
        vcpu_hour: MicroDollars(price["vcpu_hour"].as_i64().unwrap()),
        gib_hour: MicroDollars(price["gib_hour"].as_i64().unwrap()),
        grain_ms: price["grain_ms"].as_i64().unwrap(),
        from: moment(&price["from"]).unwrap_or(Moment::MIN),
        until: moment(&price["until"]),
    }
}

fn run(run: &Value) -> Run {
    let number = |field: &str| i32::try_from(run[field].as_i64().unwrap()).unwrap();
    Run {
        size: Size::new(number("vcpus"), number("mem_mib")).unwrap(),
        count: 1,
        from: moment(&run["from"]).unwrap(),
        until: moment(&run["until"]),
    }
}

#[test]
fn our_own_end_is_that_of_every_vector() {
    let document: Value = serde_json::from_str(VECTORS).unwrap();
    // We compute from the present alone; what is asked later than that is the orchestrator's.
    let vectors = document["vectors"].as_array().unwrap();
    let vectors: Vec<_> = vectors.iter().filter(|one| one["now"].is_null()).collect();
    assert!(vectors.len() >= 25, "{}", vectors.len());
    for vector in vectors {
        let allowance = &vector["allowance"];
        let list = |field: &str| allowance[field].as_array().unwrap().iter();
        let grants: Vec<Grant> = (1..).zip(list("grants")).map(grant).collect();
        let book: Vec<Price> = list("prices").map(price).collect();
        let running: Vec<Run> = vector["runs"].as_array().unwrap().iter().map(run).collect();
        let limit = Some(&allowance["limit"]).filter(|limit| !limit.is_null());
        let present = Present {
            as_of: moment(&allowance["as_of"]).unwrap(),
            grants: &grants,
            running: &running,
            book: &book,
            limit: limit.map(|limit| Limit {
                monthly: ticks(&limit["monthly"]),
                spent: ticks(&limit["spent"]),
            }),
        };
        let zero = forecast::zero(&present).unwrap();
        let expected = moment(&vector["end"]["at"]).map(|at| {
            let cause = vector["end"]["cause"].as_str().unwrap();
            (at, Cause::parse(cause).unwrap())
        });
        assert_eq!(
            zero.map(|zero| (zero.at, zero.cause)),
            expected,
            "{}",
            vector["name"]
        );
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_push_carries_the_allowance_and_keeps_the_contract(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    turn(&world).await;
    backend::limit::set(&world.backend, &actor, "$20")
        .await
        .unwrap();
    turn(&world).await;
    let id = world.start(&key).await;
    turn(&world).await;
    turn(&world).await;
    world.control().advance_ms(90_000).unwrap();
    world.destroy(&key, &id).await;
    turn(&world).await;
    let exchanges = world.control().exchanges();
    let tenant = format!("tenants/{}", actor.account_id());
    let pushes: Vec<_> = exchanges
        .iter()
        .filter(|one| one.method == "PUT" && one.path.ends_with(&tenant))
        .collect();
    for push in &pushes {
        assert_eq!(contract::check(push), Ok(()), "{push:#?}");
    }
    let sent: Vec<Value> = pushes
        .iter()
        .map(|push| serde_json::from_str(push.request.as_deref().unwrap()).unwrap())
        .collect();
    // Activated, the limit, the start, the end; not when nothing changed.
    let generations: Vec<_> = sent
        .iter()
        .map(|push| push["generation"].as_i64())
        .collect();
    let sorted: Vec<_> = (1..).take(sent.len()).map(Some).collect();
    assert_eq!(generations, sorted, "each once");
    assert!(
        sent.iter()
            .all(|push| push["allowance"]["as_of"].is_string()),
        "{sent:#?}"
    );
    assert_eq!(
        sent[0]["allowance"]["grants"][0]["ticks"],
        "184320000000000000"
    );
    let last = &sent.last().unwrap()["allowance"];
    let left = 184_320_000_000_000_000_i128 - 90_000 * 41_000 * 1_024;
    assert_eq!(last["grants"][0]["ticks"], left.to_string());
    assert_eq!(
        last["limit"]["spent"],
        (90_000_i128 * 41_000 * 1_024).to_string()
    );
}
