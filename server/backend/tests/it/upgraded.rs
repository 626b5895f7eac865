//! A PostgreSQL whose files were replaced underneath it: what fails by it is many lines, and what is the matter is one.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use backend::ledger::{NewTransfer, TransferKind};
use backend::testing::{self, ledger};
use domain::money::{Cents, Ticks};
use sqlx::{Executor as _, PgPool};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::world::World;

/// What was said as an error.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Said {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Fields(String);
        impl tracing::field::Visit for Fields {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                let _ = write!(self.0, "{}={value:?} ", field.name());
            }
        }
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        if *event.metadata().level() == tracing::Level::ERROR {
            self.0.lock().unwrap().push(fields.0);
        }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_upgrade_underneath_is_said_once_in_plain_words(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    let grant = sqlx::query!("SELECT debit_id, credit_id FROM transfers");
    let grant = grant.fetch_one(&world.owner).await.unwrap();
    // As after an upgrade: what runs looks for its library where it is not any more. Connections that have it are not touched.
    let elsewhere =
        "UPDATE pg_proc SET probin = '/nowhere/plpgsql' WHERE proname = 'plpgsql_call_handler'";
    world.owner.execute(elsewhere).await.unwrap();
    let settings = testing::settings(&world.orchestrator.url(), &world.mail.smtp_url()).unwrap();
    let backend = testing::backend(world.owner.clone(), settings).unwrap();
    let said = Said::default();
    {
        let _listening = tracing_subscriber::registry()
            .with(said.clone())
            .set_default();
        for number in 0..3 {
            let usage = NewTransfer {
                debit: grant.credit_id.into(),
                credit: grant.debit_id.into(),
                ticks: Ticks::from_cents(Cents(1)),
                kind: TransferKind::Usage,
                key: format!("usage:{number}"),
                service_hour: None,
            };
            let mut db = testing::pool(&backend).acquire().await.unwrap();
            let now = backend.clock().now();
            let booked = ledger::append(&mut db, ada.account_id(), &[usage], now).await;
            let broken = booked.err().map(|broken| broken.to_string());
            assert!(broken.unwrap_or_default().contains("/nowhere/plpgsql"));
        }
    }
    backend.close().await;
    let said = said.0.lock().unwrap().clone();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("upgraded underneath"), "{said:?}");
    assert!(
        said[0].contains("until PostgreSQL is restarted"),
        "{said:?}"
    );
    let back =
        "UPDATE pg_proc SET probin = '$libdir/plpgsql' WHERE proname = 'plpgsql_call_handler'";
    world.owner.execute(back).await.unwrap();
}
