//! Tenants: may an account run anything, how much, and until when; erasing one. Control plane only.

use std::sync::Arc;

use axum::extract::{Path, State as Extract};
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::{
    ending::Reason,
    records::{Kind, Standing, Status, Tenant, Wanted},
    shared::Shared,
    state::Entry,
    transaction::Transaction,
    wire::{Answer, IdempotencyKey, Payload, Refusal, Reply, uuid},
};

/// How long erasing a tenant takes, so that callers meet the 202 in between.
const ERASING_MS: i64 = 500;

pub(crate) async fn put(
    Extract(shared): Extract<Arc<Shared>>,
    Path(account): Path<String>,
    _key: IdempotencyKey,
    payload: Payload,
) -> Answer {
    let account = uuid(&account)?;
    let wanted: Wanted = payload.json()?;
    if wanted.generation == 0 {
        return Err(Refusal::invalid("generation starts at 1."));
    }
    shared
        .run(move |transaction| transaction.put_tenant(account, wanted))
        .await
}

pub(crate) async fn delete(
    Extract(shared): Extract<Arc<Shared>>,
    Path(account): Path<String>,
    _key: IdempotencyKey,
) -> Answer {
    let account = uuid(&account)?;
    shared
        .run(move |transaction| {
            let mut tenant = transaction.tenant(account)?.clone();
            if tenant.erase_at.is_none() {
                transaction.destroy_all(account);
                tenant.erase_at = Some(transaction.now.plus_ms(ERASING_MS));
                transaction.record(Entry::Tenant(Box::new(tenant)));
            }
            Ok(Reply::Json(
                StatusCode::ACCEPTED,
                json!({"account": account, "state": "erasing"}),
            ))
        })
        .await
}

impl Transaction<'_> {
    pub(crate) fn tenant(&self, account: Uuid) -> Result<&Tenant, Refusal> {
        self.state
            .tenants
            .get(&account)
            .ok_or_else(|| Refusal::not_found("tenant_unknown", "No such tenant, or it is erased."))
    }

    fn put_tenant(&mut self, account: Uuid, wanted: Wanted) -> Answer {
        if self.state.erased.contains(&account) {
            return Err(Refusal::new(
                StatusCode::GONE,
                "erased",
                "This tenant was erased and does not come back.",
            ));
        }
        if let Some(known) = self.state.tenants.get(&account) {
            if known.erase_at.is_some()
                || wanted.generation < known.wanted.generation
                || wanted == known.wanted
            {
                return self.show_tenant(account);
            }
            if wanted.generation == known.wanted.generation {
                return Err(Refusal::conflict(
                    "generation_conflict",
                    "This generation was already pushed with other content.",
                ));
            }
        }
        // A watermark may have promised that nothing more happens before now.
        let end = wanted.run_until.map(|until| until.max(self.now));
        let (stop_at, stop_why) = match wanted.state {
            Standing::Active => (end, wanted.cause.unwrap_or_default().into()),
            Standing::Suspended => (Some(self.now), Reason::Suspended),
            Standing::Closed => (Some(self.now), Reason::Closed),
        };
        let mut allowance = wanted.allowance.clone();
        if let Some(allowance) = &mut allowance {
            allowance.as_of = allowance.as_of.min(self.now);
        }
        let tenant = Tenant {
            account,
            allowance,
            wanted,
            stop_at,
            stop_why,
            erase_at: None,
        };
        self.record(Entry::Tenant(Box::new(tenant)));
        self.catch_up();
        self.show_tenant(account)
    }

    fn show_tenant(&mut self, account: Uuid) -> Answer {
        let end = self.end_again(account);
        Ok(Reply::ok(self.tenant(account)?.shown(end)?))
    }

    fn destroy_all(&mut self, account: Uuid) {
        let ids: Vec<String> = self
            .live_of(account)
            .map(|sandbox| sandbox.id.clone())
            .collect();
        for id in ids {
            self.turn(&id, Kind::Destroyed, self.now, Some(Reason::Closed));
        }
    }

    /// Whether `count` more sandboxes may start running now. A lowered `max_running` refuses new starts only;
    /// what already runs goes on.
    pub(crate) fn may_start(&mut self, account: Uuid, count: usize) -> Result<(), Refusal> {
        let end = self.end_again(account);
        let tenant = self.tenant(account)?;
        match tenant.wanted.state {
            Standing::Suspended => {
                return Err(Refusal::new(
                    StatusCode::FORBIDDEN,
                    "suspended",
                    "This account is suspended.",
                ));
            }
            Standing::Closed => {
                return Err(Refusal::new(
                    StatusCode::FORBIDDEN,
                    "closed",
                    "This account is closed.",
                ));
            }
            Standing::Active => {}
        }
        if tenant.erase_at.is_some() {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "closed",
                "This account is being erased.",
            ));
        }
        if let Some((_, why)) = end.filter(|(at, _)| *at <= self.now) {
            return Err(ended(why));
        }
        let Some(limit) = tenant.wanted.max_running else {
            return Ok(());
        };
        let running = self
            .live_of(account)
            .filter(|sandbox| sandbox.status == Status::Running)
            .count();
        if running + count > usize::try_from(limit).unwrap_or(usize::MAX) {
            return Err(Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "capacity",
                format!("This account may run {limit} sandboxes at a time."),
            ));
        }
        Ok(())
    }
}

fn ended(why: Reason) -> Refusal {
    let (code, message) = match why {
        Reason::Limit => (
            "limit_reached",
            "The monthly limit of this account is reached. Its owner can raise it in the dashboard.",
        ),
        _ => (
            "credit_exhausted",
            "The credit of this account is used up. The dashboard says where it went.",
        ),
    };
    Refusal::new(StatusCode::PAYMENT_REQUIRED, code, message)
}
