//! The price book.

use domain::money::MicroDollars;
use domain::price::Price;
use sqlx::PgConnection;

use super::moment;
use crate::failure::Broken;

/// The sku of running sandboxes.
pub const SANDBOX: &str = "sandbox";

/// Every price of a sku, oldest first; at most 200, which is sixteen years of monthly changes.
pub async fn of(db: &mut PgConnection, sku: &str) -> Result<Vec<Price>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT price_id, vcpu_hour_microusd, gib_hour_microusd, grain_ms,
                  lower(during) AS "from!", upper(during) AS until
           FROM prices WHERE sku = $1 ORDER BY lower(during) LIMIT 200"#,
        sku
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Price {
            price_id: row.price_id.into(),
            vcpu_hour: MicroDollars(row.vcpu_hour_microusd),
            gib_hour: MicroDollars(row.gib_hour_microusd),
            grain_ms: i64::from(row.grain_ms),
            from: moment(row.from),
            until: row.until.map(moment),
        })
        .collect())
}
