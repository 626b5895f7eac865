//! Invariants of docs/invariants.md that no other file proves: pure properties of money and folding, and what many do at
//! once. That page says which test keeps which; the last test here holds it to its word.

use backend::ledger::{NewTransfer, System, TransferKind};
use backend::sign_up::{opening, sign_up};
use backend::testing::{self, ledger};
use domain::feed::{Event, EventKind};
use domain::id::{AccountId, LedgerAccountId};
use domain::interval;
use domain::moment::Moment;
use domain::money::{Cents, MicroDollars, TICKS_PER_CENT, Ticks};
use domain::price::Price;
use domain::sandbox::{SandboxId, Size};
use peers::orchestrator::{Appended, Kind, Stamp};
use proptest::prelude::*;
use sqlx::PgPool;
use uuid::Uuid;

use crate::world::World;

const SIZE: Size = Size {
    vcpus: 2,
    mem_mib: 700,
};

fn price() -> Price {
    Price {
        price_id: Uuid::nil().into(),
        vcpu_hour: MicroDollars(26_000),
        gib_hour: MicroDollars(15_000),
        grain_ms: 1_000,
        from: Moment::MIN,
        until: None,
    }
}

fn event(seq: i64, kind: EventKind, occurred: i64, recorded: i64) -> Event {
    Event {
        seq,
        event_id: Uuid::from_u128(seq.unsigned_abs().into()),
        account_id: AccountId(Uuid::nil()),
        sandbox_id: SandboxId::parse("run1").unwrap(),
        key_id: None,
        kind,
        occurred_at: Moment::from_unix_ms(occurred),
        recorded_at: Moment::from_unix_ms(recorded),
        image: "node:22".into(),
        region: "us".into(),
        size: SIZE,
    }
}

/// Milliseconds billed for a life of running and sleeping in turn; `at` in order, each moved by its skew.
fn billed(at: &[i64], skew: &[i64]) -> i64 {
    let kinds = [EventKind::Hibernated, EventKind::Resumed];
    let events: Vec<Event> = at
        .iter()
        .zip(skew)
        .zip(0_i64..)
        .map(|((at, skew), seq)| {
            let kind = match seq {
                0 => EventKind::Created,
                seq if seq % 2 == 1 => kinds[0],
                _ => kinds[1],
            };
            event(seq + 1, kind, at + skew, at + 20_000)
        })
        .collect();
    let intervals = interval::fold(&events).intervals;
    let horizon = Moment::from_unix_ms(at.last().copied().unwrap_or(0) + 30_000);
    let slices = interval::slices(&intervals, SIZE, &[price()], horizon).unwrap();
    slices.iter().map(|slice| slice.billed.0).sum()
}

proptest! {
    /// Invariant 3.
    #[test]
    fn pieces_in_any_order_cost_what_the_whole_costs(cuts in prop::collection::vec(0_i64..90_000_000, 2..20), seed in any::<u64>()) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let mut pieces: Vec<(i64, i64)> = cuts.windows(2).map(|pair| (pair[0], pair[1])).collect();
        let turn = usize::try_from(seed % 97).unwrap() % pieces.len();
        pieces.rotate_left(turn);
        pieces.reverse();
        let cost = |(start, end): (i64, i64)| {
            interval::cost(Moment::from_unix_ms(start), Moment::from_unix_ms(end), SIZE, &[price()]).unwrap().1
        };
        let parts: Ticks = pieces.into_iter().map(cost).sum();
        prop_assert_eq!(parts, cost((cuts[0], *cuts.last().unwrap())));
    }

    /// Invariants 5 and 6: whole cents are taken, the rest is carried; never a cent over, and nothing is lost.
    #[test]
    fn what_is_invoiced_in_all_is_the_floor_of_what_was_used_in_all(months in prop::collection::vec(0_i128..4_000_000_000_000_000_000, 1..40)) {
        let (mut carry, mut invoiced, mut used) = (Ticks::ZERO, 0_i64, 0_i128);
        for month in months {
            let due = carry.saturating_add(Ticks::new(month).unwrap());
            let (cents, rest) = due.split_cents();
            prop_assert_eq!(Ticks::from_cents(cents).saturating_add(rest), due, "net + carry out = usage + carry in");
            prop_assert!(Ticks::ZERO <= rest && rest.get() < TICKS_PER_CENT);
            (carry, invoiced, used) = (rest, invoiced + cents.0, used + month);
            prop_assert!(i128::from(invoiced) * TICKS_PER_CENT <= used);
        }
        prop_assert_eq!(i128::from(invoiced), used.div_euclid(TICKS_PER_CENT));
    }

    /// Invariant 6 at its edges, corrections below zero included.
    #[test]
    fn a_tick_below_a_cent_is_not_a_cent(cents in -10_000_i64..10_000) {
        let exact = Ticks::from_cents(Cents(cents));
        prop_assert_eq!(exact.split_cents(), (Cents(cents), Ticks::ZERO));
        let below = exact.saturating_sub(Ticks::new(1).unwrap());
        prop_assert_eq!(below.split_cents(), (Cents(cents - 1), Ticks::new(TICKS_PER_CENT - 1).unwrap()));
    }

    /// Invariant 9: what counts is the number of an event, not when it was delivered.
    #[test]
    fn a_shuffled_delivery_folds_the_same(kinds in prop::collection::vec(0_usize..6, 1..20), turn in 0_usize..20) {
        let events: Vec<Event> = kinds.iter().zip(1_i64..).map(|(kind, seq)| event(seq, EventKind::ALL[*kind], seq * 7_000, seq * 7_000)).collect();
        let mut shuffled = events.clone();
        shuffled.rotate_left(turn % events.len());
        shuffled.reverse();
        shuffled.sort_by_key(|event| event.seq);
        prop_assert_eq!(interval::fold(&shuffled), interval::fold(&events));
    }

    /// Invariant 13: clocks that are off by up to 10 s move a bill by at most that and a grain at each edge.
    #[test]
    fn skew_moves_a_bill_by_no_more_than_itself(
        gaps in prop::collection::vec(25_000_i64..9_000_000, 1..12), skews in prop::collection::vec(-10_000_i64..=10_000, 12..13),
    ) {
        let at: Vec<i64> = gaps.iter().scan(1_000_000_000, |at, gap| { *at += gap; Some(*at) }).collect();
        let (skewed, straight) = (billed(&at, &skews), billed(&at, &[0; 12]));
        prop_assert!(skewed >= 0);
        prop_assert!((skewed - straight).abs() <= i64::try_from(at.len()).unwrap() * 11_000, "{skewed} {straight}");
    }
}

/// Invariant 14: as many burners at once as like; what is taken is what was there, and nobody waits for ever.
#[sqlx::test(migrations = "../../migrations")]
async fn forty_burners_of_one_grant_take_no_more_than_it_holds(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let account_id = actor.account_id();
    let now = world.backend.clock().now();
    let grant = sqlx::query_scalar!("SELECT grant_id FROM grants")
        .fetch_one(&world.owner)
        .await
        .unwrap();
    let mut db = world.owner.acquire().await.unwrap();
    let revenue = ledger::system_account(&mut db, account_id, System::Revenue, now)
        .await
        .unwrap();
    drop(db);
    let burn = |number: usize| {
        let pool = testing::pool(&world.backend).clone();
        async move {
            let mut tx = pool.begin().await.unwrap();
            let transfer = NewTransfer {
                debit: LedgerAccountId(grant),
                credit: revenue,
                ticks: Ticks::from_cents(Cents(300)),
                kind: TransferKind::Usage,
                key: format!("burn:{number}"),
                service_hour: None,
            };
            let taken = ledger::append(&mut tx, account_id, &[transfer], now)
                .await
                .is_ok();
            taken && tx.commit().await.is_ok()
        }
    };
    let taken = futures_util::future::join_all((0..40).map(burn)).await;
    assert_eq!(
        taken.iter().filter(|taken| **taken).count(),
        16,
        "16 times $3 of $50"
    );
    let left = sqlx::query_scalar!(
        r#"SELECT credit_ticks - debit_ticks AS "left!" FROM ledger_accounts WHERE ledger_account_id = $1"#,
        grant
    );
    let left = left.fetch_one(&world.owner).await.unwrap();
    assert_eq!(left.to_string(), (TICKS_PER_CENT * 200).to_string());
}

/// Invariant 16: fifty presses at once, of two links of one address, are one account and one grant.
#[sqlx::test(migrations = "../../migrations")]
async fn fifty_openings_at_once_give_credit_once(pool: PgPool) {
    let world = World::new(pool).await;
    let mut tokens = Vec::new();
    for email in ["ada@example.org", "Ada@Example.org"] {
        sign_up(&world.backend, email).await.unwrap();
        world.work().await;
        tokens.push(world.token(email));
    }
    let all = (0..50).map(|number| {
        let (world, token) = (&world, &tokens[number % 2]);
        async move { opening::open(&world.backend, token, None, crate::world::opening()).await }
    });
    let outcomes = futures_util::future::join_all(all).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let grants = sqlx::query!(
        r#"SELECT count(*) AS "count!", sum(amount_ticks)::text AS "sum!" FROM grants"#
    );
    let grants = grants.fetch_one(&world.owner).await.unwrap();
    assert_eq!(
        (grants.count, grants.sum.as_str()),
        (1, "184320000000000000")
    );
    let transfers = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM transfers"#);
    assert_eq!(transfers.fetch_one(&world.owner).await.unwrap(), 1);
}

/// Invariant 10: told late is in the end as told in time.
#[sqlx::test(migrations = "../../migrations")]
async fn late_events_end_where_punctual_ones_do(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    let mut accounts = Vec::new();
    for email in ["punctual@example.org", "late@example.org"] {
        accounts.push(world.customer(email).await.account_id().0);
    }
    let start = world.control().now().unwrap().0;
    let life: Vec<(&str, Kind, i64)> = vec![
        ("run-a", Kind::Created, 1_000),
        ("run-b", Kind::Created, 2_000_000),
        ("run-a", Kind::Hibernated, 5_000_500),
        ("run-a", Kind::Resumed, 9_000_000),
        ("run-b", Kind::Destroyed, 9_100_000),
        ("run-a", Kind::Destroyed, 20_000_999),
    ];
    let said = |account: Uuid, (id, kind, at): &(&str, Kind, i64)| Appended {
        account: Some(account),
        sandbox_id: Some(format!("{id}-{}", account.simple())),
        kind: Some(kind.clone()),
        occurred_at: Some(Stamp(start + at)),
        ..Appended::default()
    };
    let mut passed = 0;
    for (index, step) in life.iter().enumerate() {
        world.control().advance_ms(step.2 - passed).unwrap();
        passed = step.2;
        world
            .control()
            .append(vec![said(accounts[0], step)])
            .unwrap();
        // The other hears of every second one, with the one before it, and once it settles in between.
        if index % 2 == 1 {
            let both = life[index - 1..=index]
                .iter()
                .map(|step| said(accounts[1], step));
            world.control().append(both.collect()).unwrap();
        }
        world.meter().await;
    }
    let mut hours = Vec::new();
    for account in accounts {
        let rows = sqlx::query!(
            r#"SELECT service_hour AS "hour!", sum(CASE kind WHEN 'correction' THEN -ticks ELSE ticks END)::text AS "net!"
               FROM transfers WHERE account_id = $1 AND service_hour IS NOT NULL GROUP BY service_hour ORDER BY service_hour"#,
            account
        );
        let rows = rows.fetch_all(&world.owner).await.unwrap();
        hours.push(
            rows.into_iter()
                .map(|row| (row.hour, row.net))
                .collect::<Vec<_>>(),
        );
    }
    assert!(hours[0].len() >= 5);
    assert_eq!(hours[0], hours[1]);
}

/// Every test that docs/invariants.md names exists.
#[test]
fn the_page_of_invariants_names_real_tests() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/invariants.md")).unwrap();
    let mut sources = String::new();
    for folder in [
        "app/domain/src",
        "server/backend/src",
        "server/backend/tests",
        "server/tests",
        "server/src",
        "end2end/peers/src",
        "end2end/peers/tests",
    ] {
        read(&root.join(folder), &mut sources);
    }
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit())
        .collect();
    assert_eq!(rows.len(), 31);
    for row in rows.into_iter().filter(|row| !row.contains("Lint")) {
        let names = row.split('`').skip(1).step_by(2);
        let mut count = 0;
        for name in names {
            count += 1;
            assert!(
                sources.contains(&format!("fn {name}(")),
                "no test {name}, named in: {row}"
            );
        }
        assert!(count > 0 || row.contains("Not yet"), "{row}");
    }
}

fn read(folder: &std::path::Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            into.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
