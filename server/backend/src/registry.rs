//! Every kind of job and every letter there is. A new one is a file in its subject's folder and a line here; a job of an
//! unknown name goes to the dead list. At the top, so that neither the queue nor the mail knows a subject.

use crate::accounts::tenant::PushTenant;
use crate::alerts::mails::{AlertLetter, RecipientLetter};
use crate::alerts::webhook::send::SendWebhook;
use crate::checks::job::Check;
use crate::identity::sign_in::mails::SignInFailures;
use crate::keys::push::PushKey;
use crate::keys::remove::RemoveKey;
use crate::ledger::chain::seal::SealDay;
use crate::mail::letter::Text;
use crate::mail::send::{self, SendMail};
use crate::metering::months::CloseMonth;
use crate::queue::lane::Lane;
use crate::queue::{Job, JobError, Kind, LeasedJob};
use crate::sandboxes::timeout::SetTimeout;
use crate::sign_up::mails::SignUpLetter;

/// Every kind of job; the coverage test walks them.
pub const KINDS: &[Kind] = &[
    Kind::of::<SendMail>(),
    Kind::of::<PushTenant>(),
    Kind::of::<PushKey>(),
    Kind::of::<RemoveKey>(),
    Kind::of::<SendWebhook>(),
    Kind::of::<SetTimeout>(),
    Kind::of::<Check>(),
    Kind::of::<SealDay>(),
    Kind::of::<CloseMonth>(),
];

/// Every text that is mailed.
pub const LETTERS: &[Text] = &[
    Text::of::<SignUpLetter>(),
    Text::of::<SignInFailures>(),
    Text::of::<RecipientLetter>(),
    Text::of::<AlertLetter>(),
];

impl Job for SendMail {
    const NAME: &'static str = "send-mail";
    const LANE: Lane = Lane::Mails;

    fn unique_key(&self) -> String {
        format!("send-mail:{}", self.mail_id)
    }

    async fn run(self, backend: &crate::Backend, lease: &LeasedJob) -> Result<(), JobError> {
        send::attempt(backend, LETTERS, self.mail_id, lease).await
    }
}
