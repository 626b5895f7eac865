//! A round of work that is done in bounded turns: where it stands, and whether it wants to go on at once.

use domain::id::AccountId;

/// Where a round stands after a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Where it goes on; the next turn gets it back.
    pub text: String,
    /// It wants to go on at once.
    pub more: bool,
}

/// The place after a page of accounts: the last of them, or a new round when the page was not full.
pub(crate) fn next(accounts: &[AccountId], limit: i64) -> Place {
    match accounts.last() {
        Some(last) if i64::try_from(accounts.len()) == Ok(limit) => Place {
            text: last.to_string(),
            more: true,
        },
        _ => Place::default(),
    }
}
