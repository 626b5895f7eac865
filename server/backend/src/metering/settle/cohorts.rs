//! Cohorts: sandboxes alike in key, image, region and size, by which usage is summed.
//! Summing is `sums`'; which sandbox belongs where follows from its first event.

use std::collections::HashMap;

use domain::id::{AccountId, KeyId};
use domain::sandbox::Size;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::failure::Broken;

/// What the sandboxes of a cohort have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cohort {
    pub account_id: AccountId,
    pub key_id: Option<KeyId>,
    pub image: String,
    pub region: String,
    pub size: Size,
}

/// The ids of these cohorts, making those that are new. Must run under the meters of the accounts: nobody else makes any.
pub(super) async fn ids(
    db: &mut PgConnection,
    wanted: Vec<Cohort>,
) -> Result<HashMap<Cohort, Uuid>, Broken> {
    let mut ids = stored(db, &wanted).await?;
    let fresh: Vec<Cohort> = wanted
        .into_iter()
        .filter(|cohort| !ids.contains_key(cohort))
        .collect();
    if !fresh.is_empty() {
        insert(db, &fresh).await?;
        ids.extend(stored(db, &fresh).await?);
    }
    Ok(ids)
}

/// The columns of cohorts, in the order of the arrays below.
struct Columns {
    accounts: Vec<Uuid>,
    keys: Vec<Option<Uuid>>,
    images: Vec<String>,
    regions: Vec<String>,
    vcpus: Vec<i32>,
    mem_mib: Vec<i32>,
}

fn columns(cohorts: &[Cohort]) -> Columns {
    Columns {
        accounts: cohorts.iter().map(|row| row.account_id.0).collect(),
        keys: cohorts
            .iter()
            .map(|row| row.key_id.map(|id| id.0))
            .collect(),
        images: cohorts.iter().map(|row| row.image.clone()).collect(),
        regions: cohorts.iter().map(|row| row.region.clone()).collect(),
        vcpus: cohorts.iter().map(|row| row.size.vcpus).collect(),
        mem_mib: cohorts.iter().map(|row| row.size.mem_mib).collect(),
    }
}

async fn stored(db: &mut PgConnection, wanted: &[Cohort]) -> Result<HashMap<Cohort, Uuid>, Broken> {
    let columns = columns(wanted);
    let rows = sqlx::query!(
        r#"SELECT u.at AS "at!", c.cohort_id
           FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::integer[], $6::integer[])
                WITH ORDINALITY AS u (account_id, key_id, image, region, vcpus, mem_mib, at)
           JOIN cohorts AS c ON (c.account_id, c.image, c.region, c.vcpus, c.mem_mib)
                                = (u.account_id, u.image, u.region, u.vcpus, u.mem_mib)
                AND c.key_id IS NOT DISTINCT FROM u.key_id"#,
        &columns.accounts,
        &columns.keys as &[Option<Uuid>],
        &columns.images,
        &columns.regions,
        &columns.vcpus,
        &columns.mem_mib
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let cohort = usize::try_from(row.at - 1)
                .ok()
                .and_then(|at| wanted.get(at));
            let cohort = cohort.ok_or_else(|| Broken::new("cohort that was not asked for"))?;
            Ok((cohort.clone(), row.cohort_id))
        })
        .collect()
}

async fn insert(db: &mut PgConnection, fresh: &[Cohort]) -> Result<(), Broken> {
    let columns = columns(fresh);
    sqlx::query!(
        "INSERT INTO cohorts (account_id, cohort_id, key_id, image, region, vcpus, mem_mib)
         SELECT account_id, gen_random_uuid(), key_id, image, region, vcpus, mem_mib
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::integer[], $6::integer[])
              AS u (account_id, key_id, image, region, vcpus, mem_mib)",
        &columns.accounts,
        &columns.keys as &[Option<Uuid>],
        &columns.images,
        &columns.regions,
        &columns.vcpus,
        &columns.mem_mib
    )
    .execute(db)
    .await?;
    Ok(())
}
