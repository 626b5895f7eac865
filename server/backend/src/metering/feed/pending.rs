//! Which accounts have events that are not settled yet. The puller adds, settling takes away; in the order of the ids, so
//! that neither waits for the other in a circle.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::failure::Broken;
use crate::metering::meters::Settled;

/// Notes the last event stored per account, in the transaction of the events.
pub(in crate::metering) async fn add(
    db: &mut PgConnection,
    accounts: &[Uuid],
    seqs: &[i64],
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO pending_events (account_id, seq)
         SELECT account_id, max(seq) FROM unnest($1::uuid[], $2::bigint[]) AS u (account_id, seq)
         GROUP BY account_id ORDER BY account_id
         ON CONFLICT ON CONSTRAINT pending_events_pkey DO UPDATE SET seq = greatest(pending_events.seq, excluded.seq)",
        accounts,
        seqs
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes away what is settled now. What the puller added meanwhile stays. To be the last statement before the
/// commit, because the puller waits for it.
pub(in crate::metering) async fn take(
    db: &mut PgConnection,
    settled: &[Settled],
) -> Result<(), Broken> {
    let accounts: Vec<Uuid> = settled.iter().map(|row| row.account_id.0).collect();
    let seqs: Vec<i64> = settled.iter().map(|row| row.seq).collect();
    sqlx::query!(
        "WITH done AS (
             SELECT n.account_id FROM pending_events AS n
             JOIN unnest($1::uuid[], $2::bigint[]) AS u (account_id, seq) USING (account_id)
             WHERE n.seq <= u.seq ORDER BY n.account_id FOR UPDATE OF n)
         DELETE FROM pending_events USING done WHERE pending_events.account_id = done.account_id",
        &accounts,
        &seqs
    )
    .execute(db)
    .await?;
    Ok(())
}
