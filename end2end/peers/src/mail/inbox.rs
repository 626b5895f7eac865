//! Mails and waiting for them, and the fault switches. No network.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mail_parser::{MessageParser, PartType};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::{outside::real_ms, stamp::Stamp};

const MAX_MAILS: usize = 1_000;

/// A mail as it arrived: its envelope, and the parts that a person would read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// Counts from 1 in order of arrival.
    pub id: u64,
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    pub subject: String,
    /// The first plain text part, empty if there is none.
    pub text: String,
    /// The first HTML part.
    pub html: Option<String>,
    pub received_at: Stamp,
}

/// How taking a mail fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailFault {
    /// 451 to the recipient: try again later.
    Refuse451,
    /// 550 to the recipient: never try again.
    Refuse550,
    /// No answer after the content for up to 60 seconds; the mail is not kept.
    Hang,
    /// The mail is kept, but the connection closes before the sender is told.
    DropAfterData,
}

#[derive(Default)]
struct Contents {
    last_id: u64,
    mails: VecDeque<Mail>,
    fault: Option<(MailFault, u32)>,
}

#[derive(Default)]
pub(super) struct Inbox {
    contents: Mutex<Contents>,
    arrived: Notify,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn all(&self) -> Vec<Mail> {
        self.lock().mails.iter().cloned().collect()
    }

    pub(super) fn get(&self, id: u64) -> Option<Mail> {
        self.lock().mails.iter().find(|mail| mail.id == id).cloned()
    }

    pub(super) fn clear(&self) {
        self.lock().mails.clear();
    }

    pub(super) fn take(&self, from: &str, to: Vec<String>, content: &[u8]) {
        let message = MessageParser::default().parse(content);
        let parts = message.iter().flat_map(|message| &message.parts);
        let (mut text, mut html) = (None, None);
        for part in parts {
            match &part.body {
                PartType::Text(body) if text.is_none() => text = Some(body.to_string()),
                PartType::Html(body) if html.is_none() => html = Some(body.to_string()),
                _ => {}
            }
        }
        let subject = message
            .as_ref()
            .and_then(|message| message.subject())
            .unwrap_or_default()
            .to_owned();
        let mut contents = self.lock();
        contents.last_id += 1;
        let mail = Mail {
            id: contents.last_id,
            from: from.to_owned(),
            to,
            subject,
            text: text.unwrap_or_default(),
            html,
            received_at: Stamp(real_ms()),
        };
        contents.mails.push_back(mail);
        if contents.mails.len() > MAX_MAILS {
            contents.mails.pop_front();
        }
        drop(contents);
        self.arrived.notify_waiters();
    }

    /// The newest mail to an address with an id above `after`, as soon as there is one.
    pub(super) async fn next(&self, to: &str, after: u64) -> Mail {
        loop {
            // Listening starts before looking, so that a mail between the two is not missed.
            let arrived = self.arrived.notified();
            if let Some(mail) = self.newest(to, after) {
                return mail;
            }
            arrived.await;
        }
    }

    fn newest(&self, to: &str, after: u64) -> Option<Mail> {
        self.lock()
            .mails
            .iter()
            .rev()
            .find(|mail| mail.id > after && mail.is_to(to))
            .cloned()
    }

    pub(super) fn fault(&self, fault: MailFault, times: u32) {
        self.lock().fault = (times > 0).then_some((fault, times));
    }

    pub(super) fn clear_faults(&self) {
        self.lock().fault = None;
    }

    /// Uses up one turn of the switch if it is one of these.
    pub(super) fn take_fault(&self, which: &[MailFault]) -> Option<MailFault> {
        let mut contents = self.lock();
        let (fault, times) = contents.fault.filter(|(fault, _)| which.contains(fault))?;
        contents.fault = (times > 1).then(|| (fault, times - 1));
        Some(fault)
    }
}

impl Mail {
    /// Whether an address is among the recipients; case does not matter.
    #[must_use]
    pub fn is_to(&self, address: &str) -> bool {
        self.to.iter().any(|to| to.eq_ignore_ascii_case(address))
    }
}
