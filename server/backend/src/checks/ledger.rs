//! R4, first half: what the rows of the ledger's accounts say beside the transfers, per account: balances, grants and their
//! filling, and that everything adds up to nothing. The chain of days is `chain`'s.

use domain::id::AccountId;
use domain::money::Ticks;

use crate::Backend;
use crate::authority::view::snapshot;
use crate::checks::store::{self, ledger::BalanceRow};
use crate::failure::Broken;
use crate::findings::{self, Finding, Scope};

const NAME: &str = "r4";

pub(super) async fn look(backend: &Backend, account_id: AccountId) -> Result<(), Broken> {
    let mut tx = snapshot(backend).await?;
    let rows = store::ledger::balances(&mut tx, account_id).await?;
    tx.commit().await?;
    let findings = compare(account_id, &rows);
    let mut db = backend.pool().acquire().await?;
    let report = (Scope::Whole, findings.as_slice());
    let now = backend.clock().now();
    findings::report(&mut db, NAME, Some(account_id), report, now).await
}

fn compare(account_id: AccountId, rows: &[BalanceRow]) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut add = |fault, subject: String, expected: String, found: String| {
        out.push(Finding {
            account_id: Some(account_id),
            fault,
            subject,
            expected,
            found,
        });
    };
    for row in rows {
        let id = row.ledger_account_id.to_string();
        let sides = |(debit, credit): (Ticks, Ticks)| format!("debit {debit} credit {credit}");
        if row.is_tracked && row.stored != row.folded {
            add(
                "balance_off",
                id.clone(),
                sides(row.folded),
                sides(row.stored),
            );
        }
        if let Some((amount, filled)) = row.granted.filter(|(amount, filled)| amount != filled) {
            add(
                "grant_off",
                id,
                format!("{filled} filled"),
                format!("{amount} granted"),
            );
        }
    }
    // Each transfer has two sides of the tenant, so this fails only when one of them is nobody's.
    let debits: Ticks = rows.iter().map(|row| row.folded.0).sum();
    let credits: Ticks = rows.iter().map(|row| row.folded.1).sum();
    if debits != credits {
        let (debits, credits) = (format!("debits {debits}"), format!("credits {credits}"));
        add("ledger_uneven", account_id.to_string(), debits, credits);
    }
    out
}
