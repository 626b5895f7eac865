//! Sandboxes: what may happen to one, and when its timer starts again. Rules only; handlers are in public.rs and
//! commands.rs, and what is known of a sandbox is records.rs.

use std::collections::VecDeque;

use http::StatusCode;
use serde_json::json;

use super::{
    ending::Reason,
    records::{Holder, Kind, Sandbox, Size, Status},
    state::Entry,
    transaction::Transaction,
    wire::Refusal,
};
use crate::outside::{random, random_hex};

/// Seconds that an auto-destroy timer may be set to: a year.
pub(crate) const MAX_TIMEOUT_S: u32 = 31_536_000;
/// All live sandboxes of all tenants together.
const MAX_LIVE: usize = 100_000;

/// A new id: the prefix and 16 hexadecimal digits.
pub(crate) fn new_id(prefix: &str) -> String {
    format!("{prefix}{}", random_hex())
}

impl Transaction<'_> {
    /// Starts `count` sandboxes, all or none. `parent_id` is set for forks.
    pub(crate) fn launch(
        &mut self,
        holder: Holder,
        size: &Size,
        parent_id: Option<&str>,
        count: usize,
    ) -> Result<Vec<String>, Refusal> {
        self.may_start(holder.account, count)?;
        if self.state.live.len() + count > MAX_LIVE {
            return Err(Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "capacity",
                "The orchestrator is full.",
            ));
        }
        let mut ids = Vec::with_capacity(count);
        for _ in 0..count {
            let id = new_id("run");
            let mut sandbox = Sandbox {
                id: id.clone(),
                account: holder.account,
                key_id: Some(holder.key_id),
                parent_id: parent_id.map(ToOwned::to_owned),
                image: size.image.clone(),
                region: self.region.to_owned(),
                vcpus: size.vcpus,
                mem_mib: size.mem_mib,
                disk_mib: size.disk_mib,
                created_at: self.now,
                destroyed_at: None,
                status: Status::Running,
                timeout_s: size.timeout_s,
                destroy_at: None,
                ran_ms: 0,
                running_since: Some(self.now),
                audit: VecDeque::new(),
                audit_seq: 0,
                audit_secret: random(),
            };
            sandbox.destroy_at = sandbox.timer_from(self.now);
            self.start(sandbox);
            let (event, data) = match parent_id {
                Some(parent) => (
                    "sandbox.forked",
                    json!({"parent": parent, "image": size.image}),
                ),
                None => (
                    "sandbox.created",
                    json!({"image": size.image, "vcpus": size.vcpus, "mem_mib": size.mem_mib, "disk_mib": size.disk_mib}),
                ),
            };
            self.audit(&id, event, data);
            ids.push(id);
        }
        Ok(ids)
    }

    /// A sandbox, whoever owns it.
    pub(crate) fn sandbox(&self, id: &str) -> Result<&Sandbox, Refusal> {
        self.state
            .sandboxes
            .get(id)
            .ok_or_else(|| Refusal::not_found("run_unknown", "No such sandbox."))
    }

    /// A sandbox of this account; another tenant's does not exist.
    pub(crate) fn own_sandbox(&self, holder: Holder, id: &str) -> Result<&Sandbox, Refusal> {
        self.state
            .sandboxes
            .get(id)
            .filter(|sandbox| sandbox.account == holder.account)
            .ok_or_else(|| Refusal::not_found("run_unknown", "No such sandbox."))
    }

    pub(crate) fn hibernate(&mut self, id: &str) -> Result<(), Refusal> {
        if self.sandbox(id)?.status == Status::Destroyed {
            return Err(Refusal::conflict("destroyed", "This sandbox is destroyed."));
        }
        self.turn(id, Kind::Hibernated, self.now, Some(Reason::Asked));
        Ok(())
    }

    pub(crate) fn resume(&mut self, id: &str) -> Result<(), Refusal> {
        let sandbox = self.sandbox(id)?;
        match sandbox.status {
            Status::Running => Ok(()),
            Status::Destroyed => Err(Refusal::conflict("destroyed", "This sandbox is destroyed.")),
            Status::Hibernated => {
                self.may_start(sandbox.account, 1)?;
                self.turn(id, Kind::Resumed, self.now, None);
                Ok(())
            }
        }
    }

    pub(crate) fn destroy(&mut self, id: &str) -> Result<(), Refusal> {
        self.sandbox(id)?;
        self.turn(id, Kind::Destroyed, self.now, Some(Reason::Asked));
        Ok(())
    }

    /// Refuses work inside a sandbox that does not run; otherwise counts it as activity, which restarts the timer.
    pub(crate) fn touch(&mut self, holder: Holder, id: &str) -> Result<(), Refusal> {
        let sandbox = self.own_sandbox(holder, id)?;
        if sandbox.status != Status::Running {
            return Err(Refusal::conflict(
                "not_running",
                "This sandbox is not running.",
            ));
        }
        let entry = Entry::Timer {
            sandbox_id: id.to_owned(),
            timeout_s: sandbox.timeout_s,
            destroy_at: sandbox.timer_from(self.now),
        };
        self.record(entry);
        Ok(())
    }

    pub(crate) fn set_timeout(&mut self, id: &str, timeout_s: u32) -> Result<(), Refusal> {
        let mut sandbox = self.sandbox(id)?.clone();
        if sandbox.status == Status::Destroyed {
            return Err(Refusal::conflict("destroyed", "This sandbox is destroyed."));
        }
        sandbox.timeout_s = timeout_s;
        let destroy_at = if sandbox.status == Status::Running {
            sandbox.timer_from(self.now)
        } else {
            None
        };
        self.record(Entry::Timer {
            sandbox_id: id.to_owned(),
            timeout_s,
            destroy_at,
        });
        Ok(())
    }
}
