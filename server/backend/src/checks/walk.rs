//! Walking accounts: one that breaks is logged and counted, the others go on.

use domain::id::AccountId;

use crate::failure::Broken;

pub(crate) fn guard(account_id: AccountId, looked: Result<(), Broken>) {
    if let Err(broken) = looked {
        tracing::error!(account.id = %account_id, cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "check broke; other accounts go on");
        metrics::counter!("checks_broken_total").increment(1);
    }
}
