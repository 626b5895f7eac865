//! Answers of forms, kept for whoever sends the same form once more: claimed before the form is done, so that of several at
//! once one does it, on whichever replica. What makes two forms the same, and how an answer is sealed, is `server`'s.

mod store;

use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use crate::Backend;
use crate::failure::Broken;

/// How long a form may be worked on: twice what a request may take. After that whoever worked on it is gone, and the next to
/// send it does it.
const CLAIM: Duration = Duration::seconds(30);
/// How long it is remembered that a form was done.
const DONE: Duration = Duration::HOUR;
/// How long it is remembered that it was refused: for the second press. Later it is looked at again, because what stood in
/// the way may be gone.
const REFUSED: Duration = Duration::seconds(10);

/// What a form is known by: the hash of everything that makes it one.
pub type FormHash = [u8; 32];

/// What is to be done about a form that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Do it, then keep its answer or give the claim back.
    Yours,
    /// Somebody is doing it.
    Running,
    /// It was done or refused: the answer, as it was given to [`keep`].
    Answered(String),
}

/// Asks what is to be done about a form.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "answers.claim")]
pub async fn claim(backend: &Backend, form: &FormHash) -> Result<Claim, Broken> {
    let now = backend.clock().now();
    let mut db = backend.pool().acquire().await?;
    if store::claim(&mut db, form, now, now + CLAIM).await? {
        return Ok(Claim::Yours);
    }
    Ok(match store::answer(&mut db, form, now).await? {
        Some(Some(answer)) => Claim::Answered(answer),
        // Being worked on; or given back since the statement above, and then the next question claims it.
        Some(None) | None => Claim::Running,
    })
}

/// Keeps the answer of a form that was claimed.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "answers.keep")]
pub async fn keep(
    backend: &Backend,
    form: &FormHash,
    answer: &str,
    was_done: bool,
) -> Result<(), Broken> {
    let kept_for = if was_done { DONE } else { REFUSED };
    let until = backend.clock().now() + kept_for;
    let mut db = backend.pool().acquire().await?;
    Ok(store::keep(&mut db, form, answer, until).await?)
}

/// Gives a claim back: it came to nothing, and whoever sends the form again has it tried again.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "answers.give_back")]
pub async fn give_back(backend: &Backend, form: &FormHash) -> Result<(), Broken> {
    let mut db = backend.pool().acquire().await?;
    Ok(store::give_back(&mut db, form).await?)
}

/// Deletes what has ended; at most `limit` rows.
pub(crate) async fn delete_ended(
    db: &mut PgConnection,
    now: OffsetDateTime,
    limit: i64,
) -> Result<u64, Broken> {
    Ok(store::delete_ended(db, now, limit).await?)
}
