//! The program is killed at a random moment while sandboxes run, and stays dead past the moment at which credit or limit
//! ends. While it is dead customers start, fork, hibernate and resume, those too who ran nothing before and of whom no end was
//! known. What the orchestrator then says happened is compared with a walk second by second: usage past zero is 0 s. Then
//! the program comes back, and the books hold exactly what ran.

use std::collections::BTreeMap;
use std::time::Duration;

use peers::mail::MailCatcher;
use peers::orchestrator::{Event, Orchestrator};
use sqlx::PgPool;
use stand::outside::Outside;

use crate::customer::Customer;
use crate::program::Dashboard;
use crate::{ask, settled};

const CUSTOMERS: u32 = 6;
/// Those who run nothing before the program dies.
const IDLE: u32 = 2;
/// Virtual seconds in a real one.
const SPEED: u32 = 20;
/// Sizes, mixed.
const SIZES: [(u32, u32); 5] = [(1, 1_024), (2, 1_536), (4, 8_192), (8, 700), (1, 512)];
/// Ticks in a cent.
const CENT: i128 = 36_864_000_000_000;

/// What ends an account.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Credit of so many ticks.
    Credit(i128),
    /// A limit of so many cents, with more credit than that.
    Limit(i128),
}

impl End {
    fn ticks(self) -> i128 {
        match self {
            Self::Credit(ticks) => ticks,
            Self::Limit(cents) => cents * CENT,
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn nothing_runs_past_zero_while_the_program_is_dead(pool: PgPool) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let outside = Outside::start().await.unwrap();
    let (orchestrator, mail) = (&outside.orchestrator, &outside.mail);
    let mut program = Dashboard::new(&pool, &outside);
    program.start();
    let customers = arrive(&program.url(), orchestrator, mail).await;

    // Time starts to run with the sandboxes, a third of an hour at least before the first end.
    orchestrator.control().set_speed(SPEED).unwrap();
    let (mut ends, mut running) = (BTreeMap::new(), Vec::new());
    for (index, customer) in (0_i64..).zip(&customers) {
        let sizes = [0, 1, 2].map(|n| SIZES[usize::try_from(index + n).unwrap() % SIZES.len()]);
        let rate: i128 = sizes.iter().map(|size| rate(*size)).sum();
        let seconds = i128::from(1_500 + backend::random::jitter_ms(900));
        let end = if index % 3 == 2 {
            End::Limit((rate * seconds).div_euclid(CENT))
        } else {
            End::Credit(rate * seconds + i128::from(backend::random::jitter_ms(1_000_000)))
        };
        let account = bound(&pool, customer.email(), end).await;
        ends.insert(account, end);
        let mut ids = Vec::new();
        if index >= i64::from(CUSTOMERS - IDLE) {
            running.push(ids);
            continue;
        }
        for size in sizes {
            ids.push(customer.start_sized(orchestrator, size).await.unwrap());
        }
        customer.turn(orchestrator, &ids[0], "hibernate").await;
        if index % 2 == 0 {
            customer.turn(orchestrator, &ids[0], "resume").await;
        }
        running.push(ids);
    }
    pushed(&pool, orchestrator).await;
    let wait = backend::random::jitter_ms(1_500).unsigned_abs();
    tokio::time::sleep(Duration::from_millis(wait)).await;
    program.kill();

    let zeros_of_before = zeros(orchestrator, &ends);
    let now = orchestrator.control().now().unwrap().0;
    assert!(
        zeros_of_before.values().all(|zero| *zero > now),
        "killed before the first end: {now} {zeros_of_before:?}"
    );
    go_on(orchestrator, &customers, &mut running).await;
    let zeros = zeros(orchestrator, &ends);
    assert_ne!(
        zeros, zeros_of_before,
        "what was done while it was dead counts"
    );
    orchestrator.control().advance_ms(6 * 3_600_000).unwrap();
    let events = orchestrator.control().events().unwrap();
    for (account, zero) in &zeros {
        assert_eq!(
            last_run(&events, account),
            *zero,
            "{account} {:?}",
            ends[account]
        );
    }
    for customer in &customers {
        assert_eq!(
            customer.start_sized(orchestrator, (1, 1_024)).await,
            Err(402)
        );
    }

    program.start();
    settled(&pool).await;
    program.kill();
    balance(&pool, &events, &ends, &zeros).await;
}

/// What customers do while the program is dead: ten minutes in which one more sandbox is started, forked, hibernated or resumed.
async fn go_on(orchestrator: &Orchestrator, customers: &[Customer], running: &mut [Vec<String>]) {
    let pick = |most: usize| {
        let most = i64::try_from(most).unwrap();
        usize::try_from(backend::random::jitter_ms(most)).unwrap()
    };
    for round in 0..10 {
        for (customer, ids) in customers.iter().zip(running.iter_mut()) {
            // At its end nothing starts any more, which is looked at below.
            if ids.is_empty() || round % 3 == 0 {
                let size = SIZES[pick(SIZES.len() - 1)];
                ids.extend(customer.start_sized(orchestrator, size).await);
            } else {
                let id = &ids[pick(ids.len() - 1)];
                let verb = ["hibernate", "resume", "fork", "resume"][pick(3)];
                customer.try_turn(orchestrator, id, verb).await;
            }
        }
        let control = orchestrator.control();
        control
            .advance_ms(backend::random::jitter_ms(60_000))
            .unwrap();
    }
    // Something runs to the end, whatever was hibernated.
    for customer in customers {
        let _ = customer.start_sized(orchestrator, SIZES[0]).await;
    }
}

/// Customers with a key each.
async fn arrive(url: &str, orchestrator: &Orchestrator, mail: &MailCatcher) -> Vec<Customer> {
    let mut customers: Vec<Customer> = (0..CUSTOMERS).map(Customer::new).collect();
    for round in 0.. {
        for customer in customers.iter_mut().filter(|customer| !customer.has_key()) {
            customer.step(url, orchestrator, mail).await;
        }
        if customers.iter().all(Customer::has_key) {
            break;
        }
        assert!(round < 600, "no key for {customers:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // A key works once the orchestrator has it.
    tokio::time::sleep(Duration::from_secs(1)).await;
    customers
}

/// Ticks per second of a size.
fn rate((vcpus, mem_mib): (u32, u32)) -> i128 {
    1_000 * (26_000 * 1_024 * i128::from(vcpus) + 15_000 * i128::from(mem_mib))
}

/// Leaves an account so much, and gives its id.
async fn bound(pool: &PgPool, email: &str, end: End) -> String {
    let sql = match end {
        End::Credit(_) => {
            "WITH account AS (SELECT account_id FROM memberships JOIN users USING (user_id) WHERE email = $1),
                  revenue AS (INSERT INTO ledger_accounts (account_id, ledger_account_id, kind, is_tracked)
                              SELECT account_id, gen_random_uuid(), 'revenue', false FROM account
                              RETURNING account_id, ledger_account_id),
                  spent AS (INSERT INTO transfers (account_id, transfer_id, debit_id, credit_id, ticks, kind, key,
                                                   service_hour, booked_at)
                            SELECT account_id, gen_random_uuid(), grant_id, ledger_account_id, amount_ticks - $2::text::numeric,
                                   'usage', 'before', '2026-01-01 00:00:00+00', now()
                            FROM grants JOIN revenue USING (account_id) RETURNING account_id)
             UPDATE forecasts SET due_at = '-infinity' WHERE account_id = (SELECT account_id FROM spent)
             RETURNING account_id::text"
        }
        End::Limit(_) => {
            "WITH limited AS (INSERT INTO spending_limits (account_id, monthly_cents, set_at)
                              SELECT account_id, $2::text::bigint, now() FROM memberships JOIN users USING (user_id)
                              WHERE email = $1 RETURNING account_id)
             UPDATE forecasts SET due_at = '-infinity' WHERE account_id = (SELECT account_id FROM limited)
             RETURNING account_id::text"
        }
    };
    let amount = match end {
        End::Credit(ticks) => ticks,
        End::Limit(cents) => cents,
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "a test makes an account poor, which nobody's code does"
    )]
    let account = sqlx::query_scalar(sql).bind(email).bind(amount.to_string());
    account.fetch_one(pool).await.unwrap()
}

/// Waits until the orchestrator has been told of everything that has happened.
async fn pushed(pool: &PgPool, orchestrator: &Orchestrator) {
    let happened = i64::try_from(orchestrator.control().events().unwrap().len()).unwrap();
    for _ in 0..200 {
        let (waiting, stored): (i64, i64) = ask(
            pool,
            "SELECT (SELECT count(*) FROM forecasts WHERE due_at = '-infinity')
                    + (SELECT count(*) FROM pending_events)
                    + (SELECT count(*) FROM jobs WHERE kind = 'push-tenant' AND finished_at IS NULL)
                    + (SELECT count(*) FROM accounts AS a WHERE run_until IS NULL AND EXISTS (
                           SELECT FROM sandboxes AS s WHERE s.account_id = a.account_id AND s.state = 'running')),
                    (SELECT count(*) FROM feed_log)",
        )
        .await;
        if (waiting, stored) == (0, happened) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the orchestrator was not told in time");
}

/// Kind, as the feed writes it.
fn kind(event: &Event) -> String {
    serde_json::to_value(&event.kind)
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

/// The moment at which each account ends if everything goes on as it does, by a walk from second to second.
fn zeros(orchestrator: &Orchestrator, ends: &BTreeMap<String, End>) -> BTreeMap<String, i64> {
    let events = orchestrator.control().events().unwrap();
    let has_run = |account: &&String| {
        let mut events = events.iter();
        events.any(|event| event.account.to_string() == **account)
    };
    ends.iter()
        .filter(|(account, _)| has_run(account))
        .map(|(account, end)| (account.clone(), walk(&events, account, end.ticks())))
        .collect()
}

fn walk(events: &[Event], account: &str, most: i128) -> i64 {
    let mine: Vec<&Event> = events
        .iter()
        .filter(|event| event.account.to_string() == *account)
        .collect();
    let mut running: BTreeMap<&str, i128> = BTreeMap::new();
    let mut spent = 0_i128;
    let mut second = mine[0].occurred_at.0.div_euclid(1_000);
    let mut ahead = mine.into_iter().peekable();
    loop {
        // Whole seconds count by the absolute grid, so what begins or ends inside one does so at its start.
        while let Some(event) =
            ahead.next_if(|event| event.occurred_at.0.div_euclid(1_000) <= second)
        {
            match kind(event).as_str() {
                "created" | "resumed" => {
                    let size = (
                        u32::try_from(event.vcpus).unwrap(),
                        u32::try_from(event.mem_mib).unwrap(),
                    );
                    running.insert(&event.sandbox_id, rate(size));
                }
                _ => drop(running.remove(event.sandbox_id.as_str())),
            }
        }
        if spent >= most {
            return second * 1_000;
        }
        spent += running.values().sum::<i128>();
        second += 1;
    }
}

/// The last moment at which a sandbox of the account ran.
fn last_run(events: &[Event], account: &str) -> i64 {
    let mut running: BTreeMap<&str, ()> = BTreeMap::new();
    let mut last = 0;
    for event in events
        .iter()
        .filter(|event| event.account.to_string() == *account)
    {
        if matches!(kind(event).as_str(), "created" | "resumed") {
            running.insert(&event.sandbox_id, ());
        } else if running.remove(event.sandbox_id.as_str()).is_some() {
            last = event.occurred_at.0;
        }
    }
    assert!(running.is_empty(), "{account} still runs {running:?}");
    last
}

/// Usage booked is what ran up to zero, and beyond the credit lies no more than the rest of the second in which it ended.
async fn balance(
    pool: &PgPool,
    events: &[Event],
    ends: &BTreeMap<String, End>,
    zeros: &BTreeMap<String, i64>,
) {
    for (account, end) in ends {
        let mine = events
            .iter()
            .filter(|event| event.account.to_string() == *account);
        let mut since: BTreeMap<&str, i64> = BTreeMap::new();
        let (mut due, mut last_second) = (0_i128, 0_i128);
        for event in mine {
            let second = event.occurred_at.0.div_euclid(1_000);
            let size = (
                u32::try_from(event.vcpus).unwrap(),
                u32::try_from(event.mem_mib).unwrap(),
            );
            if matches!(kind(event).as_str(), "created" | "resumed") {
                since.insert(&event.sandbox_id, second);
            } else if let Some(start) = since.remove(event.sandbox_id.as_str()) {
                due += i128::from(second - start) * rate(size);
                if event.occurred_at.0 == zeros[account] {
                    last_second += rate(size);
                }
            }
        }
        let (booked, overrun) = booked(pool, account).await;
        assert_eq!(booked, due, "{account} {end:?}: the books hold what ran");
        let beyond = due - end.ticks();
        assert!(
            (0..last_second).contains(&beyond),
            "{account} {end:?}: {beyond} of {last_second}"
        );
        let expected = if matches!(end, End::Credit(_)) {
            beyond
        } else {
            0
        };
        assert_eq!(overrun, expected, "{account} {end:?}");
    }
}

/// Ticks booked for hours of this test, and those beyond credit.
async fn booked(pool: &PgPool, account: &str) -> (i128, i128) {
    let sql =
        "SELECT coalesce(sum(CASE kind WHEN 'correction' THEN -ticks ELSE ticks END), 0)::text,
                      coalesce(sum(ticks) FILTER (WHERE kind = 'overrun'), 0)::text
               FROM transfers WHERE account_id = $1::uuid AND kind <> 'grant' AND key <> 'before'";
    #[expect(clippy::disallowed_methods, reason = "a test's own question")]
    let row = sqlx::query_as(sql).bind(account);
    let (booked, overrun): (String, String) = row.fetch_one(pool).await.unwrap();
    (booked.parse().unwrap(), overrun.parse().unwrap())
}
