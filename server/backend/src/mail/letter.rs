//! A text that a subject mails: how it is written when it is sent, and what becomes of it. The subject owns the words and
//! the consequences; recording, sending and retrying are `send`'s.

use futures_util::future::BoxFuture;

use crate::Backend;
use crate::mail::store::MailRow;
use crate::outside::letter::Words;
use crate::queue::JobError;

/// A kind of mail.
pub trait Letter: 'static {
    /// The word in the database (`mails.template`). Stored: never rename it.
    const NAME: &'static str;

    /// The words, read and written when the mail is sent; none when there is no reason to send it any more.
    ///
    /// # Errors
    /// See [`JobError`].
    fn write(
        backend: &Backend,
        mail: &MailRow,
        is_user: bool,
    ) -> impl Future<Output = Result<Option<Words>, JobError>> + Send;

    /// Told how an attempt ended. Most letters have nobody who waits for it.
    ///
    /// # Errors
    /// See [`JobError`].
    fn note(
        _: &Backend,
        _: &MailRow,
        _: Attempt,
    ) -> impl Future<Output = Result<(), JobError>> + Send {
        std::future::ready(Ok(()))
    }
}

/// How an attempt at a mail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The mail server took it.
    Sent,
    /// It did not; there is another attempt.
    Failed(&'static str),
    /// It did not, and there is no other attempt.
    GivenUp(&'static str),
}

type Write =
    for<'a> fn(&'a Backend, &'a MailRow, bool) -> BoxFuture<'a, Result<Option<Words>, JobError>>;
type Note = for<'a> fn(&'a Backend, &'a MailRow, Attempt) -> BoxFuture<'a, Result<(), JobError>>;

/// A letter as sending knows it.
#[derive(Clone, Copy)]
pub struct Text {
    /// The word in the database.
    pub(crate) name: &'static str,
    pub(crate) write: Write,
    pub(crate) note: Note,
}

impl Text {
    /// The text that `L` is.
    #[must_use]
    pub const fn of<L: Letter>() -> Self {
        Self {
            name: L::NAME,
            write: |backend, mail, is_user| Box::pin(L::write(backend, mail, is_user)),
            note: |backend, mail, attempt| Box::pin(L::note(backend, mail, attempt)),
        }
    }

    /// The word in the database.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}
