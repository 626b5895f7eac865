//! The model test: random commands against the real thing (PostgreSQL, orchestrator, HTTP) and against the oracle beside
//! this file; after each settling both must agree to the tick, and to the millisecond on the moment of zero.
//! Crashes drop the settling wherever it happens to be. MODEL_SEED repeats a run.

mod command;
mod compare;
mod oracle;
mod silent;
mod zero;

use std::time::Duration;

use backend::authority::actor::Actor;
use backend::ledger::{GrantReason, NewGrant, NewTransfer, System, TransferKind};
use backend::limit;
use backend::testing::{self, ledger};
use backend::{random, worker};
use command::{Command, KINDS, command};
use domain::id::{GrantId, LedgerAccountId};
use domain::moment::Moment;
use domain::money::{Cents, Ticks};
use oracle::{Grant, HOUR, Oracle, Price, ratio};
use peers::orchestrator::{Appended, Stamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::checks::{open, run_all};
use crate::meter::unbind;
use crate::world::World;

const CASES: u8 = 10;

/// A customer with the oracle's idea of them.
struct Case<'a> {
    world: &'a World,
    actor: Actor,
    key: String,
    oracle: Oracle,
    sandboxes: Vec<String>,
    /// The hour up to which the account has prices of its own; Unix milliseconds.
    bound_until: i64,
}

impl<'a> Case<'a> {
    async fn new(world: &'a World, email: &str) -> Self {
        let actor = world.customer(email).await;
        let key = world.key(&actor).await;
        let account = actor.account_id().0;
        let signed_up = sqlx::query!(
            "SELECT grant_id, starts_at FROM grants WHERE account_id = $1",
            account
        );
        let signed_up = signed_up.fetch_one(&world.owner).await.unwrap();
        let mut oracle = Oracle::new();
        oracle.grants.push(Grant {
            id: signed_up.grant_id.to_string(),
            priority: 0,
            // An event may claim to be older than the account; then nobody pays for it.
            starts: signed_up.starts_at.unix_timestamp() * 1_000,
            ends: None,
            left: ratio(50, 1),
        });
        Self {
            world,
            actor,
            key,
            oracle,
            sandboxes: Vec::new(),
            bound_until: 0,
        }
    }

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
            } => self.say(*which, *kind, *back_ms),
            Command::Foreign => drop(control.append(vec![Appended::default()]).unwrap()),
            Command::Give {
                cents,
                priority,
                starts_h,
                lasts_h,
            } => {
                self.give((*cents, *priority), (*starts_h, *lasts_h)).await;
            }
            Command::Bind {
                vcpu_microusd,
                gib_microusd,
                ahead_h,
                lasts_h,
            } => {
                self.bind((*vcpu_microusd, *gib_microusd), (*ahead_h, *lasts_h))
                    .await;
            }
            Command::Crash { after_us } => {
                let work = worker::meter(&self.world.backend);
                let _ = tokio::time::timeout(Duration::from_micros(*after_us), work).await;
                self.rolled_back().await;
                self.settle().await;
            }
            Command::Replay => {
                sqlx::query!(
                    "UPDATE meters SET settled_seq = 0, settled_until = NULL WHERE account_id = $1",
                    self.actor.account_id().0
                )
                .execute(testing::pool(&self.world.backend))
                .await
                .unwrap();
                self.settle().await;
            }
            Command::Limit { cents } => self.limit(*cents).await,
            Command::Settle => self.settle().await,
        }
    }

    /// Waits until what was cut off holds no lock any more: settling passes over what is locked and comes back later.
    async fn rolled_back(&self) {
        for turn in 0.. {
            let open = sqlx::query_scalar!(
                r#"SELECT count(*) AS "count!" FROM pg_locks
                   WHERE locktype = 'relation' AND pid <> pg_backend_pid()
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"#
            );
            if open.fetch_one(&self.world.owner).await.unwrap() == 0 {
                return;
            }
            assert!(turn < 500, "what was cut off still holds its locks");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn say(&self, which: usize, kind: usize, back_ms: i64) {
        let control = self.world.control();
        let id = self.sandbox(which).unwrap_or_else(|| "run-said".to_owned());
        let event = Appended {
            account: Some(self.actor.account_id().0),
            sandbox_id: Some(id),
            kind: Some(KINDS[kind].clone()),
            occurred_at: Some(Stamp(control.now().unwrap().0 - back_ms)),
            ..Appended::default()
        };
        control.append(vec![event]).unwrap();
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
        let mut tx = testing::pool(&self.world.backend).begin().await.unwrap();
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
        self.mark_stale().await;
        self.oracle.grants.push(Grant {
            id: grant_id.to_string(),
            priority,
            starts,
            ends,
            left: ratio(cents, 100),
        });
    }

    /// Binds the account to a price of its own, after the last one that it was bound to.
    async fn bind(&mut self, (vcpu, gib): (i64, i64), (ahead_h, lasts_h): (i64, i64)) {
        let hour = self.world.control().now().unwrap().0.div_euclid(HOUR) * HOUR;
        let from = self.bound_until.max(hour + ahead_h * HOUR);
        let until = from + lasts_h * HOUR;
        let pool = testing::pool(&self.world.backend);
        let sku = format!("deal-{}-{from}", self.actor.account_id());
        let at = |ms: i64| OffsetDateTime::from(Moment::from_unix_ms(ms));
        sqlx::query!(
            "INSERT INTO prices (price_id, sku, vcpu_hour_microusd, gib_hour_microusd, grain_ms, is_first, announced_at, during)
             VALUES (gen_random_uuid(), $1, $2, $3, 1000, true, now(), tstzrange($4, NULL))",
            sku,
            vcpu,
            gib,
            at(from)
        )
        .execute(pool)
        .await
        .unwrap();
        sqlx::query!(
            "INSERT INTO price_bindings (account_id, sku, during, bound_at) VALUES ($1, $2, tstzrange($3, $4), now())",
            self.actor.account_id().0,
            sku,
            at(from),
            at(until)
        )
        .execute(pool)
        .await
        .unwrap();
        self.mark_stale().await;
        self.bound_until = until;
        self.oracle.prices.push(Price {
            from,
            vcpu: ratio(vcpu, 1_000_000),
            gib: ratio(gib, 1_000_000),
        });
        let listed = Price {
            from: until,
            ..self.oracle.prices[0].clone()
        };
        self.oracle.prices.push(listed);
    }

    async fn limit(&mut self, cents: Option<i64>) {
        let backend = &self.world.backend;
        match cents {
            Some(cents) => {
                let typed = format!("{}.{:02}", cents / 100, cents % 100);
                limit::set(backend, &self.actor, &typed).await.unwrap();
            }
            None => limit::remove(backend, &self.actor).await.unwrap(),
        }
        self.oracle.limit = cents.map(|cents| ratio(cents, 100));
    }

    /// The forecast must be due again: what a subject does with each change of credit or prices is done by hand here.
    async fn mark_stale(&self) {
        let mut db = testing::pool(&self.world.backend).acquire().await.unwrap();
        testing::mark_stale(&mut db, &[self.actor.account_id()])
            .await
            .unwrap();
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn random_lives_with_crashes_agree_with_the_oracle(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("late and invented events are part of the lives");
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
        let mut case = Case::new(&world, &format!("ada{case}@example.org")).await;
        // What is compared here is the books.
        unbind(&world, case.actor.account_id()).await;
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
