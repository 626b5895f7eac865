//! Both sides of the model test beside each other: rated hours, balances, and the moment of zero.

use backend::watch;
use domain::moment::Moment;
use num_bigint::BigInt;
use num_rational::BigRational;

use super::Case;
use super::oracle::{HOUR, Happened, OVERRUN, ratio};
use super::zero::Timers;

impl Case<'_> {
    /// Settles both and compares.
    pub async fn settle(&mut self) {
        self.world.meter().await;
        let happened = self.happened();
        self.oracle
            .settle(&happened, self.world.control().now().unwrap().0);
        self.compare().await;
        self.compare_zero().await;
    }

    /// Computes what is due of the future, as often as the worker would, and compares the moment of zero.
    async fn compare_zero(&self) {
        watch::round(&self.world.backend).await.unwrap();
        let as_of = self.world.control().now().unwrap().0;
        let expected = self
            .oracle
            .zero(&self.happened(), as_of, &self.timers(as_of).await);
        let row = sqlx::query!(
            "SELECT zero_at, cause FROM forecasts WHERE account_id = $1",
            self.actor.account_id().0
        );
        let row = row.fetch_one(&self.world.owner).await.unwrap();
        let found = row.zero_at.map(|at| Moment::from(at).unix_ms());
        match expected {
            // Who is at its end keeps the moment at which that was last found.
            Some((at, _)) if at <= as_of => assert!(found.is_some_and(|found| found <= as_of)),
            Some((at, cause)) => assert_eq!((found, row.cause.as_deref()), (Some(at), Some(cause))),
            None => assert_eq!(found, None),
        }
    }

    /// The timers that we know of.
    async fn timers(&self, as_of: i64) -> Timers {
        let rows = sqlx::query!(
            r#"SELECT sandbox_id, destroy_at AS "destroy_at!" FROM sandboxes
               WHERE account_id = $1 AND state = 'running' AND destroy_at IS NOT NULL"#,
            self.actor.account_id().0
        );
        let rows = rows.fetch_all(&self.world.owner).await.unwrap().into_iter();
        rows.map(|row| (row.sandbox_id, Moment::from(row.destroy_at).unix_ms()))
            .filter(|(_, at)| *at > as_of)
            .collect()
    }

    pub fn happened(&self) -> Vec<Happened> {
        let account = self.actor.account_id().0;
        let events = self.world.control().events().unwrap();
        events
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
            .collect()
    }

    pub async fn compare(&self) {
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
