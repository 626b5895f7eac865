//! The jobs: what leaves the process, one file per kind. Each is safe to run twice and says in its first lines why.
//! Leasing, retrying and burying are `runner`'s.

pub mod check;
pub mod close_month;
pub mod push_key;
pub mod push_tenant;
pub mod remove_key;
pub mod runner;
pub mod schedule;
pub mod seal_day;
pub mod send_mail;
pub mod send_webhook;
pub mod set_timeout;

use domain::id::AccountId;
use serde_json::Value;
use uuid::Uuid;

use crate::Backend;
use crate::failure::Broken;
use crate::orchestrator::CallError;
use crate::store::jobs::LeasedJob;

/// How one attempt at a job ends when it does not succeed. The word is stored; texts of peers never are.
#[derive(Debug)]
pub enum Trouble {
    /// Worth another attempt.
    Retry(&'static str),
    /// Never going to work: straight to the dead list.
    Fail(&'static str),
    /// Our side broke; logged with its cause, then retried.
    Broken(Broken),
}

impl<E: Into<Broken>> From<E> for Trouble {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

/// Every kind of job. The names are stored: add, never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One mail, by its id.
    SendMail,
    /// The state of a tenant, by account and generation.
    PushTenant,
    /// A key's hash, by account and key.
    PushKey,
    /// A key's removal, by account and key.
    RemoveKey,
    /// One alert posted to the account's webhook, or a test of it.
    SendWebhook,
    /// A sandbox's auto-destroy timer, by account, sandbox and minutes.
    SetTimeout,
    /// One turn of a check, by its round.
    Check,
    /// The links of ledger days that are over.
    SealDay,
    /// Months whose usage is final.
    CloseMonth,
}

impl Kind {
    /// All kinds; the coverage test walks them.
    pub const ALL: [Self; 9] = [
        Self::SendMail,
        Self::PushTenant,
        Self::PushKey,
        Self::RemoveKey,
        Self::SendWebhook,
        Self::SetTimeout,
        Self::Check,
        Self::SealDay,
        Self::CloseMonth,
    ];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendMail => "send-mail",
            Self::PushTenant => "push-tenant",
            Self::PushKey => "push-key",
            Self::RemoveKey => "remove-key",
            Self::SendWebhook => "send-webhook",
            Self::SetTimeout => "set-timeout",
            Self::Check => "check",
            Self::SealDay => "seal-day",
            Self::CloseMonth => "close-month",
        }
    }

    /// The kind of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Runs one attempt.
pub(crate) async fn run(backend: &Backend, job: &LeasedJob) -> Result<(), Trouble> {
    match Kind::parse(&job.kind) {
        Some(Kind::SendMail) => send_mail::run(backend, job).await,
        Some(Kind::PushTenant) => push_tenant::run(backend, job).await,
        Some(Kind::PushKey) => push_key::run(backend, job).await,
        Some(Kind::RemoveKey) => remove_key::run(backend, job).await,
        Some(Kind::SendWebhook) => send_webhook::run(backend, job).await,
        Some(Kind::SetTimeout) => set_timeout::run(backend, job).await,
        Some(Kind::Check) => check::run(backend, job).await,
        Some(Kind::SealDay) => seal_day::run(backend).await,
        Some(Kind::CloseMonth) => close_month::run(backend).await,
        None => Err(Trouble::Fail("unknown_kind")),
    }
}

/// What a failed call means for the job that made it. A refusal out of contract is retried too: the peer may be mended,
/// and the cap on attempts ends it.
impl From<CallError> for Retry {
    fn from(error: CallError) -> Self {
        Self(match error {
            CallError::Unreachable => "unreachable",
            CallError::Failing => "failing",
            CallError::Garbage => "garbage",
            CallError::Unknown => "unknown_id",
            CallError::Refused => "refused",
            CallError::EpochChanged => "epoch_changed",
        })
    }
}

/// A reason to try again, from a call.
pub(crate) struct Retry(&'static str);

impl Retry {
    pub(crate) const fn trouble(self) -> Trouble {
        Trouble::Retry(self.0)
    }
}

/// An id out of a payload.
pub(crate) fn payload_id(payload: &Value, name: &str) -> Result<Uuid, Trouble> {
    let text = payload.get(name).and_then(Value::as_str);
    text.and_then(|text| Uuid::parse_str(text).ok())
        .ok_or(Trouble::Fail("payload"))
}

/// The account a job belongs to.
pub(crate) fn account_of(job: &LeasedJob) -> Result<AccountId, Trouble> {
    job.account_id
        .map(AccountId::from)
        .ok_or(Trouble::Fail("payload"))
}
