//! Mail over SMTP. A mail is data until a job sends it; requests never wait for a mail server.
//! The words are each subject's, in its `mails`.

use std::error::Error as _;
use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp;
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
    /// Our mail server is away, busy, or does not let us in: try again.
    #[error("mail server away or busy")]
    Away,
    /// The mail was put off, by the server of its recipient most of the time: a full mailbox, a first acquaintance.
    #[error("mail put off")]
    PutOff,
    /// The address takes no mail, now or later.
    #[error("address takes no mail")]
    Undeliverable,
    /// This mail is refused for good, and not for its address: a person of ours must look.
    #[error("mail refused")]
    Refused,
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
        let to: Mailbox = to.parse().map_err(|_| SendError::Undeliverable)?;
        let is_ascii = to.email.to_string().is_ascii();
        let message = Message::builder()
            .message_id(Some(format!("<{mail_id}@{}>", self.host)))
            .from(self.from.clone())
            .to(to)
            .subject(words.subject.clone())
            .multipart(MultiPart::alternative_plain_html(
                words.text.clone(),
                words.html.clone(),
            ))
            .map_err(|_| SendError::Refused)?;
        // The transport's own timeout does not cover waiting for an answer, so the whole send has one.
        match tokio::time::timeout(SEND_MAX, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(verdict(&error, is_ascii)),
            Err(_) => Err(SendError::Away),
        }
    }
}

fn verdict(error: &smtp::Error, is_ascii: bool) -> SendError {
    match error.status() {
        Some(code) => {
            let text = error.source().map(ToString::to_string).unwrap_or_default();
            verdict_of_answer(code.into(), &text)
        }
        // The client gives up by itself: our server does not take addresses in other scripts (RFC 6531).
        None if error.is_client() && !is_ascii => SendError::Undeliverable,
        None => SendError::Away,
    }
}

/// What an answer of the server means, by its code and the enhanced one (RFC 3463) at the start of its text. The enhanced one
/// is believed first: it says whether it is about the address, where 550 alone may be about the sender or the content.
fn verdict_of_answer(code: u16, text: &str) -> SendError {
    match (code, enhanced(text)) {
        (421 | 454, _) => SendError::Away,
        (..500, _) => SendError::PutOff,
        // Our name and password, or that we have shown none.
        (530 | 534 | 535 | 538, _) => SendError::Away,
        // The mailbox or its domain does not exist, is malformed, moved, takes no mail (also a null MX, RFC 7505), is
        // switched off, or is in a script that its server cannot take.
        (_, Some((1, 1..=3 | 6 | 10) | (2, 1) | (4, 4) | (6, 7))) => SendError::Undeliverable,
        (_, Some(_)) => SendError::Refused,
        (521 | 550 | 551 | 553 | 556, None) => SendError::Undeliverable,
        (_, None) => SendError::Refused,
    }
}

/// Subject and detail of an enhanced status code of failure, such as 1 and 1 of `5.1.1 No such user`.
fn enhanced(text: &str) -> Option<(u16, u16)> {
    let word = text.split_whitespace().next()?;
    let (subject, detail) = word.strip_prefix("5.")?.split_once('.')?;
    Some((subject.parse().ok()?, detail.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_about_the_address_the_mail_the_server_or_the_hour() {
        use SendError as E;
        for (code, text, expected) in [
            (550, "5.1.1 <a@b.example>: user unknown", E::Undeliverable),
            (550, "mailbox unavailable", E::Undeliverable),
            (550, "5.1.2 Domain not found", E::Undeliverable),
            (
                550,
                "5.1.10 Recipient address has null MX",
                E::Undeliverable,
            ),
            (556, "5.1.10 Domain does not accept mail", E::Undeliverable),
            (553, "5.6.7 Address needs SMTPUTF8", E::Undeliverable),
            (501, "5.1.3 Bad recipient address syntax", E::Undeliverable),
            (551, "User not local", E::Undeliverable),
            (550, "5.2.1 Mailbox disabled", E::Undeliverable),
            (550, "5.7.1 Message looks like spam", E::Refused),
            (553, "5.1.8 Sender's domain not found", E::Refused),
            (552, "5.3.4 Message too big", E::Refused),
            (554, "Transaction failed", E::Refused),
            (501, "Syntax", E::Refused),
            (535, "5.7.8 Authentication failed", E::Away),
            (530, "5.7.0 Authentication required", E::Away),
            (421, "4.3.2 Shutting down", E::Away),
            (450, "4.2.1 Mailbox busy", E::PutOff),
            (451, "4.7.1 Greylisted", E::PutOff),
            (452, "4.2.2 Mailbox full", E::PutOff),
        ] {
            assert_eq!(verdict_of_answer(code, text), expected, "{code} {text}");
        }
    }
}
