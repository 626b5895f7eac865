//! What the checks read of the records they compare. They own no table but findings, which `findings` writes.

pub(super) mod days;
pub(super) mod evidence;
pub(super) mod ledger;
