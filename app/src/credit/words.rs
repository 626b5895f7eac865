//! What the credit pages call things.

use backend::credit::GrantReason;

pub const fn reason(reason: GrantReason) -> &'static str {
    match reason {
        GrantReason::SignUp => "Sign-up credit",
        GrantReason::Goodwill => "Goodwill",
        GrantReason::Incident => "Incident",
    }
}
