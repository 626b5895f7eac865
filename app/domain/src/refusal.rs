//! Old paths, until all callers are moved.

pub use crate::alert::AlertRefusal;
pub use crate::calendar::CalendarRefusal;
pub use crate::identity::SignInRefusal;
pub use crate::identity::VerificationRefusal;
pub use crate::key::KeyRefusal;
pub use crate::limit::LimitRefusal;
pub use crate::sandbox::SandboxRefusal;
pub use crate::sign_up::SignUpProblem;
pub use crate::sign_up::SignUpRefusal;
pub use crate::usage::UsageProblem;
pub use crate::webhook::WebhookRefusal;
