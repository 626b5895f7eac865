//! What is left and why: the balance, the statement, the burn-down and the sandbox's own arithmetic tell one story, to
//! the tick.

use backend::authority::actor::Actor;
use backend::credit;
use backend::credit::burn_down;
use backend::credit::what_if;
use backend::ledger::statement::{self, Cause, EntryKind};
use backend::overview;
use backend::sandboxes;
use backend::sandboxes::cost;
use backend::testing;
use domain::burn_down::Reach;
use domain::ceilings::PAGE_ROWS;
use domain::forecast;
use domain::money::{Cents, Ticks};
use domain::sandbox::{SandboxId, Size};
use sqlx::PgPool;

use crate::world::World;

const FIFTY: Ticks = Ticks::from_cents(Cents(5_000));
const HOUR: i64 = 3_600_000;

fn id(text: &str) -> SandboxId {
    SandboxId::parse(text).unwrap()
}

/// Two sandboxes: one ran two and a half hours and is gone, one has run for three and still runs.
async fn busy(world: &World) -> (Actor, String, String) {
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    let (gone, runs) = (world.start(&key).await, world.start(&key).await);
    world.control().advance_ms(HOUR * 5 / 2).unwrap();
    world.meter().await;
    world.destroy(&key, &gone).await;
    world.control().advance_ms(HOUR / 2).unwrap();
    world.meter().await;
    (actor, gone, runs)
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_statement_and_what_runs_add_up_to_the_balance(pool: PgPool) {
    let world = World::new(pool).await;
    let (actor, gone, runs) = busy(&world).await;
    let read = credit::read(&mut world.view(&actor).await).await.unwrap();
    let page = statement::read(&mut world.view(&actor).await, None, None, 50)
        .await
        .unwrap();
    assert_eq!(page.rows[0].balance, Some(read.balance.booked));
    assert_eq!(
        read.remaining,
        read.balance.booked.saturating_sub(read.balance.unbooked)
    );
    assert!(read.balance.unbooked.is_positive());
    let mut spent = Ticks::ZERO;
    for sandbox in [&gone, &runs] {
        let row = sandboxes::get(&mut world.view(&actor).await, &id(sandbox))
            .await
            .unwrap();
        spent = spent.saturating_add(row.unwrap().cost);
    }
    assert_eq!(read.remaining, FIFTY.saturating_sub(spent));
    assert_eq!(spent, read.spent);
    let figures = overview::figures(&mut world.view(&actor).await)
        .await
        .unwrap();
    assert_eq!(figures.balance_ticks, read.remaining.to_string());
    // Every line names what caused it.
    for row in &page.rows {
        match row.kind {
            EntryKind::Grant => assert!(matches!(row.cause, Cause::Grant(..))),
            _ => assert!(matches!(row.cause, Cause::Hour(_))),
        }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn pages_of_the_statement_continue_exactly_and_balances_cannot_be_made_up(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    let sandbox = world.start(&key).await;
    world.control().advance_ms(HOUR * 120).unwrap();
    world.destroy(&key, &sandbox).await;
    world.meter().await;
    let whole = statement::read(&mut world.view(&actor).await, None, None, 1_000)
        .await
        .unwrap();
    assert!(whole.next.is_none() && whole.rows.len() > 120);
    let (mut cursor, mut seen) = (None::<String>, Vec::new());
    for _ in 0..10 {
        let mut view = world.view(&actor).await;
        let page = statement::read(&mut view, None, cursor.as_deref(), 50);
        let page = page.await.unwrap();
        seen.extend(page.rows.iter().map(|row| (row.transfer_id, row.balance)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<_> = whole
        .rows
        .iter()
        .map(|row| (row.transfer_id, row.balance))
        .collect();
    assert_eq!(seen, expected);
    let mut balance = Ticks::ZERO;
    for row in whole.rows.iter().rev() {
        balance = balance.saturating_add(row.amount);
        assert_eq!(row.balance, Some(balance));
    }
    assert_eq!(whole.rows.last().unwrap().balance, Some(FIFTY));

    let mut view = world.view(&actor).await;
    let grants = statement::read(&mut view, Some(EntryKind::Grant), None, 50);
    let grants = grants.await.unwrap();
    assert_eq!((grants.rows.len(), grants.rows[0].balance), (1, None));
    let mut view = world.view(&actor).await;
    let usage = statement::read(&mut view, Some(EntryKind::Usage), None, 50);
    let usage = usage.await.unwrap();
    assert!(usage.next.is_some() && usage.rows.iter().all(|row| row.kind == EntryKind::Usage));
    // A cursor of another list, of another account, or edited, is the first page.
    let first = whole.rows[0].transfer_id;
    let eve = world.customer("eve@example.org").await;
    let page = statement::read(&mut world.view(&actor).await, None, None, 50)
        .await
        .unwrap();
    let next = page.next.unwrap();
    let other = statement::read(&mut world.view(&eve).await, None, Some(&next), 50)
        .await
        .unwrap();
    assert_eq!((other.rows.len(), other.rows[0].balance), (1, Some(FIFTY)));
    let edited = format!("{}A{}", &next[..20], &next[21..]);
    for junk in [usage.next.as_deref().unwrap(), &edited, "x"] {
        let page = statement::read(&mut world.view(&actor).await, None, Some(junk), 50)
            .await
            .unwrap();
        assert_eq!(page.rows[0].transfer_id, first, "{junk}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_burn_down_leads_from_nothing_to_the_balance_and_names_its_causes(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("the account runs on without credit, which nobody watches here");
    let (actor, gone, runs) = busy(&world).await;
    let line = burn_down::read(&mut world.view(&actor).await, Reach::All)
        .await
        .unwrap();
    let read = credit::read(&mut world.view(&actor).await).await.unwrap();
    assert_eq!(line.points[0].before, Ticks::ZERO);
    assert_eq!(line.points.last().unwrap().left, read.remaining);
    assert_eq!(line.points[0].change.granted, FIFTY);
    let used: Ticks = line.points.iter().map(|point| point.change.cost()).sum();
    assert_eq!(used, read.spent);
    let names: Vec<&str> = line
        .points
        .iter()
        .flat_map(|point| &point.change.used)
        .map(|(name, _)| name.as_str())
        .collect();
    assert!(
        !names.is_empty() && names.iter().all(|name| *name == "key ci"),
        "{names:?}"
    );

    // Days later, beyond the last cent: the line ends at zero and says what was not charged.
    world.control().advance_ms(HOUR * 24 * 60).unwrap();
    world.meter().await;
    let line = burn_down::read(&mut world.view(&actor).await, Reach::All)
        .await
        .unwrap();
    let read = credit::read(&mut world.view(&actor).await).await.unwrap();
    assert!(!line.grid.is_hourly() && read.overrun.is_positive());
    assert_eq!(line.points[0].before, Ticks::ZERO);
    assert_eq!(line.points.last().unwrap().left, Ticks::ZERO);
    let overrun: Ticks = line.points.iter().map(|point| point.change.overrun).sum();
    assert_eq!(overrun, read.overrun);
    let month = burn_down::read(&mut world.view(&actor).await, Reach::Month)
        .await
        .unwrap();
    assert_eq!(month.points.len(), 30);
    assert!(month.grid.is_cut);
    let _ = (gone, runs);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_sandbox_writes_its_cost_out_page_by_page(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    let sandbox = world.start(&key).await;
    for _ in 0..PAGE_ROWS + 3 {
        world.control().advance_ms(61_300).unwrap();
        world.act(&key, &sandbox, "hibernate").await;
        world.control().advance_ms(5_000).unwrap();
        world.act(&key, &sandbox, "resume").await;
    }
    world.control().advance_ms(HOUR + 700).unwrap();
    world.meter().await;
    let read = |cursor: Option<String>| {
        let (world, actor, sandbox) = (&world, &actor, id(&sandbox));
        async move {
            let mut view = world.view(actor).await;
            let life = cost::read(&mut view, &sandbox, cursor.as_deref());
            life.await.unwrap().unwrap()
        }
    };
    let first = read(None).await;
    assert!(first.intervals.rows[0].ended_at.is_none(), "newest first");
    let second = read(first.intervals.next.clone()).await;
    assert_eq!(
        (first.intervals.rows.len(), second.intervals.rows.len()),
        (50, 4)
    );
    let rows = first.intervals.rows.iter().chain(&second.intervals.rows);
    let sum: Ticks = rows.map(cost::IntervalRow::cost).sum();
    assert_eq!(sum, first.sandbox.cost);
    let none = cost::read(&mut world.view(&actor).await, &id("run0"), None).await;
    assert!(none.unwrap().is_none());
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_if_agrees_with_what_then_happens(pool: PgPool) {
    let world = World::new(pool).await;
    let (actor, _, runs) = busy(&world).await;
    let size = Size::new(2, 4_096).unwrap();
    let read = |supposed: what_if::Supposed| {
        let (world, actor) = (&world, &actor);
        async move {
            what_if::read(&mut world.view(actor).await, &supposed)
                .await
                .unwrap()
        }
    };
    let nothing = read(what_if::Supposed::default()).await;
    assert!(nothing.then.is_none());
    assert_eq!(nothing.candidates[0].sandbox_id.as_str(), runs);
    let zero = credit::read(&mut world.view(&actor).await)
        .await
        .unwrap()
        .zero;
    assert_eq!(nothing.now.zero, zero);
    let stopped = read(what_if::Supposed {
        stop: vec![id(&runs), id(&runs), id("run0")],
        start: None,
    })
    .await;
    let then = stopped.then.unwrap();
    assert_eq!((then.running, then.zero, stopped.gone), (0, None, 1));
    let more = read(what_if::Supposed {
        stop: vec![id(&runs)],
        start: Some((3, size)),
    })
    .await;
    let then = more.then.unwrap();
    assert_eq!(then.running, 3);
    assert_eq!(then.per_hour.dollars(3), "$0.336");
    assert!(then.zero.unwrap().at < zero.unwrap().at);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_own_limit_ends_it_first_and_is_named(pool: PgPool) {
    let world = World::new(pool).await;
    let (actor, ..) = busy(&world).await;
    sqlx::query!(
        "INSERT INTO spending_limits (account_id, monthly_cents, set_at) VALUES ($1, 25, now())",
        actor.account_id().0
    )
    .execute(testing::pool(&world.backend))
    .await
    .unwrap();
    let read = credit::read(&mut world.view(&actor).await).await.unwrap();
    let zero = read.zero.unwrap();
    assert_eq!(zero.cause, forecast::Cause::Limit);
    let page = overview::read(&mut world.view(&actor).await).await.unwrap();
    assert!(
        page.figures.runs_out_note.contains("limit"),
        "{:?}",
        page.figures
    );
    // $0.2255 of $0.25 are spent.
    assert!(
        page.attention
            .contains(&backend::overview::attention::Attention::LimitNear(90))
    );
    assert_eq!(page.month, read.spent);
}

#[sqlx::test(migrations = "../../migrations")]
async fn grants_that_wait_or_have_ended_are_not_credit(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    world.meter().await;
    let account_id = actor.account_id().0;
    // Straight into the tables: there is no page on which staff gives such credit.
    for (days, end, note) in [(30, None, "later"), (-10, Some(-1), "past")] {
        sqlx::query!(
            "WITH ids AS (SELECT gen_random_uuid() AS id, date_trunc('hour', now(), 'UTC') AS hour),
             la AS (INSERT INTO ledger_accounts (account_id, ledger_account_id, kind, is_tracked)
                    SELECT $1, id, 'grant', true FROM ids RETURNING ledger_account_id),
             gr AS (INSERT INTO grants (account_id, grant_id, reason, amount_ticks, priority, starts_at, ends_at, granted_at, note)
                    SELECT $1, id, 'goodwill', 36864000000000, 0, hour + make_interval(days => $2),
                           hour + make_interval(days => $3), now() - interval '10 days', $4 FROM ids)
             INSERT INTO transfers (account_id, transfer_id, debit_id, credit_id, ticks, kind, key, booked_at)
             SELECT $1, gen_random_uuid(), s.ledger_account_id, la.ledger_account_id, 36864000000000, 'grant', $4, now()
             FROM la, ledger_accounts AS s WHERE s.account_id = $1 AND s.kind = 'promo_cost'",
            account_id, days, end, note
        )
        .execute(testing::pool(&world.backend))
        .await
        .unwrap();
    }
    let cent = Ticks::from_cents(Cents(1));
    let read = credit::read(&mut world.view(&actor).await).await.unwrap();
    let balance = &read.balance;
    assert_eq!(
        (balance.left, balance.waiting, balance.ended),
        (FIFTY, cent, cent)
    );
    assert_eq!(
        balance.booked,
        FIFTY.saturating_add(cent).saturating_add(cent)
    );
    assert_eq!(read.spent, Ticks::ZERO);
    let states: Vec<_> = read
        .grants
        .iter()
        .map(|grant| (grant.note.as_str(), grant.state))
        .collect();
    assert!(states.contains(&("later", credit::GrantState::Waiting)));
    assert!(states.contains(&("past", credit::GrantState::Ended)));
    let line = burn_down::read(&mut world.view(&actor).await, Reach::All)
        .await
        .unwrap();
    assert_eq!(line.points[0].before, Ticks::ZERO);
    assert_eq!(line.points.last().unwrap().left, FIFTY);
    let ended: Ticks = line.points.iter().map(|point| point.change.ended).sum();
    assert_eq!(ended, cent);
}
