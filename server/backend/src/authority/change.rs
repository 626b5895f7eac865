//! A change that a person makes: authorised before it begins, audited by the commit that ends it, and one transaction in
//! between. No other type gives a person's request a transaction that writes; the work of jobs and loops has its own.

use std::fmt::Display;
use std::ops::{Deref, DerefMut};

use domain::act::{Act, Denial};
use domain::id::{AccountId, UserId};
use sqlx::{PgConnection, Postgres, Transaction};
use time::OffsetDateTime;

use crate::Backend;
use crate::audit;
use crate::authority::actor::Actor;
use crate::failure::{Broken, Failure};
use crate::queue::{self, Job};

impl Actor {
    /// Begins a change. Asked before anything is parsed, so that who may not do it learns nothing of what they typed.
    /// That their role may not do it is noted: whoever tries what is not theirs is of interest to the account.
    pub(crate) async fn begin<R>(&self, backend: &Backend, act: Act) -> Result<Change, Failure<R>> {
        if let Err(denial) = self.may(act) {
            if matches!(denial, Denial::Forbidden(_)) {
                self.note_denied(backend, act).await?;
            }
            return Err(Failure::Denied(denial));
        }
        Ok(Change {
            tx: backend.pool().begin().await?,
            act,
            account_id: self.account_id,
            user_id: self.user_id,
            now: backend.clock().now(),
        })
    }
}

impl Actor {
    async fn note_denied(&self, backend: &Backend, act: Act) -> Result<(), Broken> {
        let mut db = backend.pool().acquire().await?;
        let by = (self.account_id, Some(self.user_id));
        let now = backend.clock().now();
        audit::append(&mut db, by, audit::ACT_DENIED, word_of(act)?, now).await
    }
}

/// A change by a member of an account. Derefs to its connection. Dropped, it changes nothing.
pub(crate) struct Change {
    tx: Transaction<'static, Postgres>,
    act: Act,
    account_id: AccountId,
    user_id: UserId,
    now: OffsetDateTime,
}

impl Change {
    pub(crate) const fn account_id(&self) -> AccountId {
        self.account_id
    }

    pub(crate) const fn user_id(&self) -> UserId {
        self.user_id
    }

    /// When, by our clock.
    pub(crate) const fn now(&self) -> OffsetDateTime {
        self.now
    }

    pub(crate) async fn enqueue<J: Job>(&mut self, job: &J) -> Result<(), Broken> {
        queue::enqueue(&mut self.tx, self.account_id, job, self.now).await
    }

    /// Commits, with the line of the audit log: what the act was about, by id and without anything that somebody typed.
    pub(crate) async fn commit(mut self, subject: impl Display + Send) -> Result<(), Broken> {
        let line = Line {
            account_id: self.account_id,
            user_id: Some(self.user_id),
            subject: subject.to_string(),
        };
        write(&mut self.tx, self.act, &line, self.now).await?;
        Ok(self.tx.commit().await?)
    }
}

impl Deref for Change {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.tx
    }
}

impl DerefMut for Change {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.tx
    }
}

/// A change by somebody without a session: a stranger who signs up, or the holder of a mailed link. Which account it
/// belongs to is known only on the way, so its commit is told.
pub(crate) struct OpenChange {
    tx: Transaction<'static, Postgres>,
    act: Act,
    now: OffsetDateTime,
}

pub(crate) struct Line {
    pub(crate) account_id: AccountId,
    /// Who did it; none for the holder of a link.
    pub(crate) user_id: Option<UserId>,
    pub(crate) subject: String,
}

impl OpenChange {
    /// Begins a change that anybody may make.
    pub(crate) async fn begin<R>(backend: &Backend, act: Act) -> Result<Self, Failure<R>> {
        Ok(Self {
            tx: backend.pool().begin().await?,
            act,
            now: backend.clock().now(),
        })
    }

    /// When, by our clock.
    pub(crate) const fn now(&self) -> OffsetDateTime {
        self.now
    }

    /// Commits with the first line of the audit log and the others: one for each account that the act touched.
    pub(crate) async fn commit(mut self, first: Line, others: &[Line]) -> Result<(), Broken> {
        for line in std::iter::once(&first).chain(others) {
            write(&mut self.tx, self.act, line, self.now).await?;
        }
        Ok(self.tx.commit().await?)
    }
}

impl Deref for OpenChange {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.tx
    }
}

impl DerefMut for OpenChange {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.tx
    }
}

async fn write(
    db: &mut PgConnection,
    act: Act,
    line: &Line,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let by = (line.account_id, line.user_id);
    audit::append(db, by, word_of(act)?, &line.subject, now).await
}

/// Only what no member does is without a word.
fn word_of(act: Act) -> Result<&'static str, Broken> {
    let word = act.rule().word;
    word.ok_or_else(|| Broken::new("a change of an act without a word"))
}
