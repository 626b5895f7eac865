//! Mail over SMTP. A mail is data until a job sends it; requests never wait for a mail server.
//! The words are each subject's, in its `mails`.

use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::ExposeSecret as _;

use crate::failure::Broken;
use crate::outside::letter::Words;
use crate::settings::Settings;

/// Longest one send may take in all.
const SEND_MAX: Duration = Duration::from_secs(20);

/// Sends mail. Cheap to clone; keeps a small pool of connections.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    host: String,
}

/// How sending fails, by what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The mail server is away or busy: try again.
    #[error("mail server away or busy")]
    Later,
    /// It refuses this mail for good.
    #[error("mail refused")]
    Never,
}

impl Mailer {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Broken> {
        let builder =
            AsyncSmtpTransport::<Tokio1Executor>::from_url(settings.smtp_url.expose_secret())?;
        let transport = builder.timeout(Some(Duration::from_secs(10))).build();
        let host = settings
            .public_origin
            .host_str()
            .unwrap_or("localhost")
            .to_owned();
        Ok(Self {
            transport,
            from: settings.mail_from.parse()?,
            host,
        })
    }

    /// Sends `words` to `to`. The message id is made of `mail_id`, so that a repeated send is recognisably the same mail.
    ///
    /// # Errors
    /// [`SendError`], by what to do next.
    pub async fn send(
        &self,
        mail_id: uuid::Uuid,
        to: &str,
        words: &Words,
    ) -> Result<(), SendError> {
        let to: Mailbox = to.parse().map_err(|_| SendError::Never)?;
        let message = Message::builder()
            .message_id(Some(format!("<{mail_id}@{}>", self.host)))
            .from(self.from.clone())
            .to(to)
            .subject(words.subject.clone())
            .multipart(MultiPart::alternative_plain_html(
                words.text.clone(),
                words.html.clone(),
            ))
            .map_err(|_| SendError::Never)?;
        // The transport's own timeout does not cover waiting for an answer, so the whole send has one.
        match tokio::time::timeout(SEND_MAX, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_permanent() => Err(SendError::Never),
            Ok(Err(_)) | Err(_) => Err(SendError::Later),
        }
    }
}
