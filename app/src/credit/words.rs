//! What the credit pages call things.

use backend::credit::GrantReason;

/// Why a grant was given, in words.
pub const fn reason(reason: GrantReason) -> &'static str {
    match reason {
        GrantReason::SignUp => "Sign-up credit",
        GrantReason::Goodwill => "Goodwill",
        GrantReason::Incident => "Incident",
    }
}
