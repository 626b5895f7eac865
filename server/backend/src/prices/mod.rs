//! The price book: what is listed, what was agreed with an account, and what it was told. How these make the account's own
//! book is `domain::price`'s.

use std::collections::HashMap;
use std::sync::Arc;

use domain::id::AccountId;
use domain::moment::Moment;
use domain::money::MicroDollars;
use domain::price::{Binding, Listed, Notice, Price, SANDBOX_SKU, book_of};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Backend;
use crate::db::moment;
use crate::failure::Broken;

/// Prices of all skus; sixteen years of monthly changes of ten skus.
const LISTED_MAX: i64 = 2_000;
/// Agreements and notices of one batch of accounts.
const AGREED_MAX: i64 = 400_000;

/// The prices that anybody may see: those of sandboxes, as listed.
pub struct PriceList {
    /// Oldest first, without a gap; one that is announced may lie ahead.
    pub prices: Vec<Price>,
    /// When they were read.
    pub now: OffsetDateTime,
}

impl PriceList {
    /// What rules now; none before the first.
    #[must_use]
    pub fn current(&self) -> Option<&Price> {
        let now = moment(self.now);
        self.prices.iter().find(|price| price.covers(now))
    }
}

/// Reads the list for whoever asks: it is nobody's data.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "prices.list")]
pub async fn list(backend: &Backend) -> Result<PriceList, Broken> {
    let mut db = backend.pool().acquire().await?;
    let listed = listed(&mut db).await?;
    let of_sandboxes = listed.into_iter().filter(|row| row.sku == SANDBOX_SKU);
    Ok(PriceList {
        prices: of_sandboxes.map(|row| row.price).collect(),
        now: backend.clock().now(),
    })
}

/// The price book of one account, oldest first.
pub(crate) async fn book(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Arc<[Price]>, Broken> {
    let mut books = books(db, &[account_id]).await?;
    books
        .remove(&account_id)
        .ok_or_else(|| Broken::new("account without a price book"))
}

/// The price books of accounts; one that is unknown is missing. Accounts rated alike share one.
pub(crate) async fn books(
    db: &mut PgConnection,
    accounts: &[AccountId],
) -> Result<HashMap<AccountId, Arc<[Price]>>, Broken> {
    let ids: Vec<Uuid> = accounts.iter().map(|id| id.0).collect();
    let listed = listed(db).await?;
    let mut bindings = bindings(db, &ids).await?;
    let mut notices = notices(db, &ids).await?;
    let opened = sqlx::query!(
        "SELECT account_id, created_at FROM accounts WHERE account_id = ANY($1)",
        &ids
    );
    let mut books: HashMap<AccountId, Arc<[Price]>> = HashMap::new();
    let mut shared: Option<Arc<[Price]>> = None;
    for row in opened.fetch_all(db).await? {
        let account_id = row.account_id.into();
        let bindings = bindings.remove(&account_id).unwrap_or_default();
        let notices = notices.remove(&account_id).unwrap_or_default();
        let book = book_of(&listed, &bindings, &notices, moment(row.created_at));
        let book = match shared.take().filter(|shared| shared[..] == book[..]) {
            Some(same) => same,
            None => book.into(),
        };
        shared = Some(Arc::clone(&book));
        books.insert(account_id, book);
    }
    Ok(books)
}

async fn listed(db: &mut PgConnection) -> Result<Vec<Listed>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT price_id, sku, vcpu_hour_microusd, gib_hour_microusd, grain_ms, is_first,
                  lower(during) AS "from!", upper(during) AS until
           FROM prices ORDER BY sku, lower(during) LIMIT $1"#,
        LISTED_MAX
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Listed {
            sku: row.sku,
            is_first: row.is_first,
            price: Price {
                price_id: row.price_id.into(),
                vcpu_hour: MicroDollars(row.vcpu_hour_microusd),
                gib_hour: MicroDollars(row.gib_hour_microusd),
                grain_ms: i64::from(row.grain_ms),
                from: moment(row.from),
                until: row.until.map(moment),
            },
        })
        .collect())
}

async fn bindings(
    db: &mut PgConnection,
    accounts: &[Uuid],
) -> Result<HashMap<AccountId, Vec<Binding>>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT account_id, sku, bound_at, lower(during) AS "from?", upper(during) AS until
           FROM price_bindings WHERE account_id = ANY($1) ORDER BY account_id, lower(during) LIMIT $2"#,
        accounts,
        AGREED_MAX
    )
    .fetch_all(db)
    .await?;
    let mut bindings: HashMap<AccountId, Vec<Binding>> = HashMap::new();
    for row in rows {
        let binding = Binding {
            sku: row.sku,
            from: row.from.map_or(Moment::MIN, moment),
            until: row.until.map(moment),
            bound_at: moment(row.bound_at),
        };
        bindings
            .entry(row.account_id.into())
            .or_default()
            .push(binding);
    }
    Ok(bindings)
}

async fn notices(
    db: &mut PgConnection,
    accounts: &[Uuid],
) -> Result<HashMap<AccountId, Vec<Notice>>, Broken> {
    let rows = sqlx::query!(
        "SELECT account_id, price_id, told_at FROM price_notices WHERE account_id = ANY($1)
         ORDER BY account_id, told_at LIMIT $2",
        accounts,
        AGREED_MAX
    )
    .fetch_all(db)
    .await?;
    let mut notices: HashMap<AccountId, Vec<Notice>> = HashMap::new();
    for row in rows {
        let notice = Notice {
            price_id: row.price_id.into(),
            told_at: moment(row.told_at),
        };
        notices
            .entry(row.account_id.into())
            .or_default()
            .push(notice);
    }
    Ok(notices)
}
