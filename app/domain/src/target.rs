//! Why a refusal of mail was not noted. What is sent to whom, and how often, is `backend`'s.

use strum::EnumIter;

/// Why a person could not refuse mail, or allow it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub enum TargetRefusal {
    /// The link is not ours.
    LinkUnknown,
}
