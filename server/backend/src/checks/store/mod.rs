//! What the checks read of the records they compare. They own no table but findings, which `findings` writes.

pub mod books;
pub mod days;
pub mod evidence;
