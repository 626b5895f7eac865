//! What the orchestrator is told is left, so that it lowers and moves the end by itself with each start and stop while this
//! program is dead. The formula it computes by is `Allowance` in docs/orchestrator.yaml; ours is `domain::forecast`.

use domain::credit;
use domain::id::AccountId;
use domain::moment::Moment;
use domain::money::Ticks;
use domain::price::Price;
use serde_json::json;
use sqlx::PgConnection;

use crate::Backend;
use crate::accounts::{self, Told};
use crate::credit::standing::Standing;
use crate::failure::Broken;
use crate::forecast::Figures;
use crate::metering::live;
use crate::outside::orchestrator::wire::{
    AllowanceGrant, AllowanceLimit, AllowancePrice, AllowancePut,
};
use crate::secret::sha256;

/// The allowance, and a hash of all that the orchestrator cannot derive from an older one: with another hash it must be told
/// anew, with the same one it knows already.
pub(crate) fn of(figures: &Figures) -> Result<(serde_json::Value, [u8; 32]), Broken> {
    let present = figures.present();
    let (as_of, live) = (present.as_of, &figures.standing.live);
    let limit = present.limit.map(|limit| AllowanceLimit {
        monthly: limit.monthly.to_string(),
        spent: limit.spent.to_string(),
    });
    let put = AllowancePut {
        as_of: as_of.into(),
        after: live.counted.clone(),
        grants: grants(figures, as_of),
        limit,
        prices: present
            .book
            .iter()
            .filter(|price| price.until.is_none_or(|until| until > as_of))
            .map(|price| row(price, as_of))
            .collect(),
    };
    Ok((serde_json::to_value(put)?, basis(figures)?))
}

/// What is left, in the order in which it pays; neighbours that pay in the same hours are one.
fn grants(figures: &Figures, as_of: Moment) -> Vec<AllowanceGrant> {
    let pays = |grant: &&credit::Grant| {
        grant.remaining.is_positive() && grant.ends_at.is_none_or(|end| end > as_of)
    };
    let mut order: Vec<&credit::Grant> = figures.present().grants.iter().filter(pays).collect();
    order.sort_by_key(|grant| credit::turn(grant));
    let mut hours: Vec<(Option<Moment>, Option<Moment>, Ticks)> = Vec::new();
    for grant in order {
        let from = Some(grant.starts_at).filter(|from| *from > as_of.hour());
        match hours
            .last_mut()
            .filter(|last| (last.0, last.1) == (from, grant.ends_at))
        {
            Some((.., left)) => *left = left.saturating_add(grant.remaining),
            None => hours.push((from, grant.ends_at, grant.remaining)),
        }
    }
    let put = |(from, until, left): (Option<Moment>, Option<Moment>, Ticks)| AllowanceGrant {
        ticks: left.to_string(),
        starts_at: from.map(Into::into),
        ends_at: until.map(Into::into),
    };
    hours.into_iter().map(put).collect()
}

fn row(price: &Price, as_of: Moment) -> AllowancePrice {
    AllowancePrice {
        from: Some(price.from)
            .filter(|from| *from > as_of)
            .map(Into::into),
        until: price.until.map(Into::into),
        vcpu_hour: price.vcpu_hour.0,
        gib_hour: price.gib_hour.0,
        grain_ms: price.grain_ms,
    }
}

/// What runs and what it costs the orchestrator knows better than we do. It does not know what was given, the limit, the
/// prices, how we read its events, and, where nothing runs, a correction of what is left.
fn basis(figures: &Figures) -> Result<[u8; 32], Broken> {
    let (present, standing) = (figures.present(), &figures.standing);
    let given: Vec<_> = standing
        .burned
        .stored()
        .iter()
        .filter(|row| row.grant.ends_at.is_none_or(|end| end > present.as_of))
        .map(|row| {
            let grant = &row.grant;
            let idle = present
                .running
                .is_empty()
                .then(|| grant.remaining.to_string());
            json!([
                grant.grant_id,
                row.amount.to_string(),
                grant.priority,
                grant.starts_at,
                grant.ends_at,
                idle
            ])
        })
        .collect();
    let prices: Vec<_> = present
        .book
        .iter()
        .filter(|price| price.until.is_none_or(|until| until > present.as_of))
        .map(|price| {
            json!([
                price.until,
                price.vcpu_hour.0,
                price.gib_hour.0,
                price.grain_ms
            ])
        })
        .collect();
    let limit = present.limit.map(|limit| limit.monthly.to_string());
    let all = json!([standing.live.counted, given, limit, prices]);
    Ok(sha256(&serde_json::to_vec(&all)?))
}

/// What an account is told with its first generation, in the transaction that activates it: nothing may be let in without an
/// end, however soon this program dies.
///
/// # Errors
/// When the database fails or an hour has no price.
pub(crate) async fn first(
    backend: &Backend,
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<(), Broken> {
    let live = live::read(backend, db, account_id).await?;
    let standing = Standing::read(db, account_id, live).await?;
    let figures = Figures::of(standing);
    let end = figures.zero()?.map(|zero| (zero.at.into(), zero.cause));
    let (allowance, basis) = of(&figures)?;
    let told = Told {
        end,
        allowance,
        basis,
    };
    accounts::tell_first(db, account_id, &told).await
}
