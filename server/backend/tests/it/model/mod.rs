//! The model test: random commands against the real thing (PostgreSQL, orchestrator, HTTP) and against the oracle beside
//! this file; after each settling both must agree to the tick (reference/billing.md 2). Crashes drop the settling wherever
//! it happens to be. MODEL_SEED repeats a run.

mod oracle;

use std::time::Duration;

use backend::actor::Actor;
use backend::store::ledger::{self, GrantReason, NewGrant, NewTransfer, System, TransferKind};
use backend::{random, worker};
use domain::id::{GrantId, LedgerAccountId};
use domain::moment::Moment;
use domain::money::{Cents, Ticks};
use num_bigint::BigInt;
use num_rational::BigRational;
use oracle::{Grant, HOUR, Happened, OVERRUN, Oracle, ratio};
use peers::orchestrator::{Appended, Kind, Stamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;
use sqlx::PgPool;

use crate::checks::{open, run_all};
use crate::world::World;

const CASES: u8 = 10;

/// What may happen. Sandboxes are meant by number, modulo how many there are.
#[derive(Clone, Debug)]
enum Command {
    Start {
        vcpus: i64,
        mem_mib: i64,
    },
    Turn {
        which: usize,
        verb: &'static str,
    },
    Pass {
        ms: i64,
    },
    /// An event that comes late, out of order, or makes no sense where it stands.
    Say {
        which: usize,
        kind: usize,
        back_ms: i64,
    },
    /// An event of nobody's.
    Foreign,
    Give {
        cents: i64,
        priority: i32,
        starts_h: i64,
        lasts_h: Option<i64>,
    },
    /// Settling that is cut off after so many microseconds.
    Crash {
        after_us: u64,
    },
    /// The meters forget how far they were.
    Replay,
    Settle,
}

const KINDS: [Kind; 6] = [
    Kind::Created,
    Kind::Hibernated,
    Kind::Resumed,
    Kind::Destroyed,
    Kind::Unreachable,
    Kind::Reachable,
];

fn command() -> impl Strategy<Value = Command> {
    use Command::{Crash, Foreign, Give, Pass, Replay, Say, Settle, Start, Turn};
    let size = (
        prop::sample::select(vec![1_i64, 2, 8]),
        prop::sample::select(vec![512_i64, 700, 1_024, 16_384]),
    );
    let verb = prop::sample::select(vec!["hibernate", "resume", "destroy"]);
    let pass = prop_oneof![1..5_000_i64, 1..4_000_000_i64, 1..60_000_000_i64];
    let give = (
        1..3_000_i64,
        0..3_i32,
        -30..30_i64,
        prop::option::of(1..60_i64),
    );
    prop_oneof![
        4 => size.prop_map(|(vcpus, mem_mib)| Start { vcpus, mem_mib }),
        6 => (0..40_usize, verb).prop_map(|(which, verb)| Turn { which, verb }),
        6 => pass.prop_map(|ms| Pass { ms }),
        3 => (0..40_usize, 0..4_usize, -7_200_000..60_000_000_i64)
            .prop_map(|(which, kind, back_ms)| Say { which, kind, back_ms }),
        1 => Just(Foreign),
        1 => give.prop_map(|(cents, priority, starts_h, lasts_h)| Give { cents, priority, starts_h, lasts_h }),
        3 => (0..30_000_u64).prop_map(|after_us| Crash { after_us }),
        1 => Just(Replay),
        4 => Just(Settle),
    ]
}

/// A customer with the oracle's idea of them.
struct Case<'a> {
    world: &'a World,
    actor: Actor,
    key: String,
    oracle: Oracle,
    sandboxes: Vec<String>,
}

impl Case<'_> {
    async fn perform(&mut self, command: &Command) {
        let control = self.world.control();
        match command {
            Command::Start { vcpus, mem_mib } => {
                let body =
                    json!({ "image": "node:22", "vcpus": vcpus, "mem_mib": mem_mib, "timeout": 0 });
                let (status, run) = self
                    .world
                    .call(reqwest::Method::POST, "runs", &self.key, Some(body))
                    .await;
                assert_eq!(status, 201, "{run}");
                self.sandboxes.push(run["id"].as_str().unwrap().to_owned());
            }
            Command::Turn { which, verb } => {
                let Some(id) = self.sandbox(*which) else {
                    return;
                };
                let (method, path) = match *verb {
                    "destroy" => (reqwest::Method::DELETE, format!("runs/{id}")),
                    verb => (reqwest::Method::POST, format!("runs/{id}/{verb}")),
                };
                // Refused when it does not fit; then nothing happened.
                let _ = self.world.call(method, &path, &self.key, None).await;
            }
            Command::Pass { ms } => drop(control.advance_ms(*ms).unwrap()),
            Command::Say {
                which,
                kind,
                back_ms,
            } => {
                let id = self
                    .sandbox(*which)
                    .unwrap_or_else(|| "run-said".to_owned());
                let now = control.now().unwrap().0;
                let event = Appended {
                    account: Some(self.actor.account_id().0),
                    sandbox_id: Some(id),
                    kind: Some(KINDS[*kind].clone()),
                    occurred_at: Some(Stamp(now - back_ms)),
                    ..Appended::default()
                };
                control.append(vec![event]).unwrap();
            }
            Command::Foreign => drop(control.append(vec![Appended::default()]).unwrap()),
            Command::Give {
                cents,
                priority,
                starts_h,
                lasts_h,
            } => {
                self.give((*cents, *priority), (*starts_h, *lasts_h)).await;
            }
            Command::Crash { after_us } => {
                let work = worker::meter(&self.world.backend);
                let _ = tokio::time::timeout(Duration::from_micros(*after_us), work).await;
                self.settle().await;
            }
            Command::Replay => {
                sqlx::query!(
                    "UPDATE meters SET settled_seq = 0, settled_until = NULL WHERE account_id = $1",
                    self.actor.account_id().0
                )
                .execute(self.world.backend.pool())
                .await
                .unwrap();
                self.settle().await;
            }
            Command::Settle => self.settle().await,
        }
    }

    fn sandbox(&self, which: usize) -> Option<String> {
        let count = self.sandboxes.len();
        (count > 0).then(|| self.sandboxes[which % count].clone())
    }

    async fn give(
        &mut self,
        (cents, priority): (i64, i32),
        (starts_h, lasts_h): (i64, Option<i64>),
    ) {
        // What is not settled yet was there before this grant.
        self.settle().await;
        let hour = self.world.control().now().unwrap().0.div_euclid(HOUR) * HOUR;
        let starts = hour + starts_h * HOUR;
        let ends = lasts_h.map(|hours| starts + hours * HOUR);
        let now = self.world.backend.clock().now();
        let grant_id = GrantId(random::id(now));
        let amount = Ticks::from_cents(Cents(cents));
        let account_id = self.actor.account_id();
        let mut tx = self.world.backend.pool().begin().await.unwrap();
        let grant = NewGrant {
            grant_id,
            reason: GrantReason::Goodwill,
            amount,
            priority,
            starts_at: Moment::from_unix_ms(starts),
            ends_at: ends.map(Moment::from_unix_ms),
            note: "",
        };
        ledger::insert_grant(&mut tx, account_id, &grant, now)
            .await
            .unwrap();
        let from = ledger::system_account(&mut tx, account_id, System::PromoCost, now)
            .await
            .unwrap();
        let transfer = NewTransfer {
            debit: from,
            credit: LedgerAccountId(grant_id.0),
            ticks: amount,
            kind: TransferKind::Grant,
            key: format!("grant:{grant_id}"),
            service_hour: None,
        };
        ledger::append(&mut tx, account_id, &[transfer], now)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        self.oracle.grants.push(Grant {
            id: grant_id.to_string(),
            priority,
            starts,
            ends,
            left: ratio(cents, 100),
        });
    }

    /// Settles both and compares.
    async fn settle(&mut self) {
        self.world.meter().await;
        let account = self.actor.account_id().0;
        let events = self.world.control().events().unwrap();
        let happened: Vec<Happened> = events
            .into_iter()
            .filter(|event| event.account == account)
            .map(|event| Happened {
                kind: serde_json::to_value(&event.kind)
                    .unwrap()
                    .as_str()
                    .unwrap()
                    .to_owned(),
                sandbox: event.sandbox_id,
                occurred: event.occurred_at.0,
                recorded: event.recorded_at.0,
                vcpus: event.vcpus,
                mem_mib: event.mem_mib,
            })
            .collect();
        self.oracle
            .settle(&happened, self.world.control().now().unwrap().0);
        self.compare().await;
    }

    async fn compare(&self) {
        let account = self.actor.account_id().0;
        let pool = &self.world.owner;
        let slices = sqlx::query!(
            "SELECT sandbox_id, hour_at, billed_ms, ticks FROM slices WHERE account_id = $1 ORDER BY sandbox_id, hour_at",
            account
        );
        let found: Vec<((String, i64), (i64, BigRational))> = slices
            .fetch_all(pool)
            .await
            .unwrap()
            .into_iter()
            .map(|row| {
                (
                    (row.sandbox_id, row.hour_at.unix_timestamp() * 1_000),
                    (row.billed_ms / 1_000, dollars(row.ticks)),
                )
            })
            .collect();
        let expected: Vec<_> = self.oracle.usage.clone().into_iter().collect();
        assert_eq!(found, expected, "usage per sandbox and hour");
        let rows = sqlx::query!(
            r#"SELECT la.ledger_account_id, la.kind, la.credit_ticks - la.debit_ticks AS "stored!",
                      coalesce((SELECT sum(CASE WHEN t.credit_id = la.ledger_account_id THEN t.ticks ELSE -t.ticks END)
                       FROM transfers AS t WHERE t.account_id = $1 AND la.ledger_account_id IN (t.debit_id, t.credit_id)), 0)
                       AS "folded!" FROM ledger_accounts AS la WHERE la.account_id = $1"#,
            account
        );
        let mut sum = ratio(0, 1);
        let mut overrun = ratio(0, 1);
        for row in rows.fetch_all(pool).await.unwrap() {
            sum += dollars(row.folded);
            if row.kind == "grant" {
                assert_eq!(
                    row.stored, row.folded,
                    "stored balance is the fold of its transfers"
                );
                let grant = self
                    .oracle
                    .grants
                    .iter()
                    .find(|grant| grant.id == row.ledger_account_id.to_string());
                assert_eq!(
                    dollars(row.stored),
                    grant.unwrap().left,
                    "balance of a grant"
                );
            } else if row.kind == OVERRUN {
                overrun -= dollars(row.folded);
            }
        }
        assert_eq!(sum, ratio(0, 1), "the ledger adds up to nothing");
        assert_eq!(overrun, self.oracle.overrun());
    }
}

/// Ticks as dollars: a micro-dollar by 3,600,000 ms by 1,024 MiB.
fn dollars(ticks: rust_decimal::Decimal) -> BigRational {
    let ticks: BigInt = ticks.normalize().to_string().parse().unwrap();
    BigRational::from_integer(ticks) / ratio(1_000_000, 1) / ratio(HOUR * 1_024, 1)
}

#[sqlx::test(migrations = "../../migrations")]
async fn random_lives_with_crashes_agree_with_the_oracle(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "a failing run is repeated by its seed"
    )]
    let seed = std::env::var("MODEL_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(41_u8);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for case in 0..CASES {
        let commands = prop::collection::vec(command(), 40)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let actor = world.customer(&format!("ada{case}@example.org")).await;
        let key = world.key(&actor).await;
        let account = actor.account_id().0;
        let signed_up =
            sqlx::query_scalar!("SELECT grant_id FROM grants WHERE account_id = $1", account);
        let signed_up = signed_up.fetch_one(&world.owner).await.unwrap();
        let mut oracle = Oracle::new();
        oracle.grants.push(Grant {
            id: signed_up.to_string(),
            priority: 0,
            starts: i64::MIN,
            ends: None,
            left: ratio(50, 1),
        });
        let mut case = Case {
            world: &world,
            actor,
            key,
            oracle,
            sandboxes: Vec::new(),
        };
        let began = std::time::Instant::now();
        for (index, command) in commands.iter().enumerate() {
            println!(
                "seed {seed} {index} {} ms: {command:?}",
                began.elapsed().as_millis()
            );
            case.perform(command).await;
        }
        case.settle().await;
    }
    run_all(&world).await;
    // The feed was told things that the orchestrator does not do, at odd times, and nobody stopped at zero: R2, R7 and the
    // skew findings say so.
    let mut found = open(&world).await;
    found.retain(|(check, _)| ["r1", "r3", "r4"].contains(&check.as_str()));
    assert_eq!(found, [], "and the checks of the books find nothing");
}
