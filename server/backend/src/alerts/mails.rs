//! The words of mails about alerts. As in `identity::mails`: one link, one action, and nothing that anybody typed.

use domain::alert::Kind;
use domain::ceilings::{
    RECIPIENT_ASKS_PER_DAY, RECIPIENT_ASKS_PER_TARGET_DAYS, RECIPIENT_DAYS, TARGET_DAYS,
};
use domain::forecast::Cause;
use domain::id::{AccountId, DeliveryId, RecipientId};
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};
use url::Url;

use crate::Backend;
use crate::alerts::recipients;
use crate::alerts::store;
use crate::alerts::store::AlertRow;
use crate::mail::letter::{Attempt, Letter};
use crate::mail::send::{PUT_OFF, UNDELIVERABLE, UNWANTED};
use crate::mail::{MailRow, To};
use crate::outside::letter::{Words, base, compose, compose_for_stranger};
use crate::queue::JobError;
use crate::secret::recipient_token;
use crate::targets;

/// Agree to be told of an account's alerts.
pub struct RecipientLetter;

impl Letter for RecipientLetter {
    const NAME: &'static str = "confirm_recipient";

    async fn write(backend: &Backend, mail: &MailRow, _: bool) -> Result<Option<Words>, JobError> {
        let (account_id, recipient_id) = recipient(mail)?;
        let mut db = backend.pool().acquire().await?;
        let Some(email) = recipients::email(&mut db, account_id, recipient_id).await? else {
            // Removed before they were asked.
            return Ok(None);
        };
        drop(db);
        let settings = backend.settings();
        let token = recipient_token(backend.root().await?, recipient_id.0);
        let refusal = targets::refusal_token(backend, &email).await?;
        let origin = &settings.public_origin;
        Ok(Some(confirm_recipient(origin, &token, &refusal)))
    }

    async fn note(backend: &Backend, mail: &MailRow, attempt: Attempt) -> Result<(), JobError> {
        note_reach(backend, mail, attempt).await
    }
}

/// Credit or a limit comes to its end. What becomes of it stands in the history of alerts.
pub struct AlertLetter;

impl Letter for AlertLetter {
    const NAME: &'static str = "alert";

    async fn write(
        backend: &Backend,
        mail: &MailRow,
        is_user: bool,
    ) -> Result<Option<Words>, JobError> {
        let (account_id, recipient_id) = recipient(mail)?;
        let delivery_id = mail
            .about
            .map(DeliveryId)
            .ok_or(JobError::Fail("no_alert"))?;
        let mut db = backend.pool().acquire().await?;
        let Some(row) = store::undelivered(&mut db, account_id, delivery_id).await? else {
            // Given up before.
            return Ok(None);
        };
        let settings = backend.settings();
        // Users end them on the page; nobody else can get there.
        let root = backend.root().await?;
        let token = (!is_user).then(|| recipient_token(root, recipient_id.0));
        let words = alert(&settings.public_origin, account_id, token.as_deref(), &row);
        Ok(Some(words))
    }

    async fn note(backend: &Backend, mail: &MailRow, attempt: Attempt) -> Result<(), JobError> {
        let (account_id, _) = recipient(mail)?;
        let delivery_id = mail
            .about
            .map(DeliveryId)
            .ok_or(JobError::Fail("no_alert"))?;
        note_reach(backend, mail, attempt).await?;
        let now = backend.clock().now();
        let mut db = backend.pool().acquire().await?;
        match attempt {
            Attempt::Sent => store::delivered(&mut db, account_id, delivery_id, now).await?,
            Attempt::Failed(class) => {
                store::failed(&mut db, account_id, delivery_id, class, None).await?;
            }
            Attempt::GivenUp(class) => {
                store::failed(&mut db, account_id, delivery_id, class, Some(now)).await?;
            }
        }
        Ok(())
    }
}

/// Keeps with the recipient whether mail gets through to them, for whoever manages the account.
async fn note_reach(backend: &Backend, mail: &MailRow, attempt: Attempt) -> Result<(), JobError> {
    let (account_id, recipient_id) = recipient(mail)?;
    let failure = match attempt {
        Attempt::Sent => None,
        Attempt::GivenUp(class @ (UNDELIVERABLE | UNWANTED)) => Some(class),
        Attempt::GivenUp(PUT_OFF) => Some(UNDELIVERABLE),
        Attempt::Failed(_) | Attempt::GivenUp(_) => return Ok(()),
    };
    let mut db = backend.pool().acquire().await?;
    Ok(recipients::note_reach(&mut db, account_id, recipient_id, failure).await?)
}

fn recipient(mail: &MailRow) -> Result<(AccountId, RecipientId), JobError> {
    match mail.to {
        To::Recipient(account_id, recipient_id) => Ok((account_id, recipient_id)),
        To::User(_) | To::SignUp(_) => Err(JobError::Fail("no_recipient")),
    }
}

/// Agree to be told of an account's alerts.
#[must_use]
fn confirm_recipient(origin: &Url, token: &str, refusal: &str) -> Words {
    let link = format!("{}alert-recipient/{token}", base(origin));
    let no_more = format!("{}no-more-mail/{refusal}", base(origin));
    compose_for_stranger(
        "Agree to receive alerts of an Isorun account",
        &[
            "Somebody who pays for an Isorun account wants its alerts sent to this address: when its credit or its monthly limit comes to an end.".to_owned(),
            format!("No alert is sent unless you agree. The link works for {RECIPIENT_DAYS} days, and ends the alerts again later."),
        ],
        ("Agree, or see what it is", &link),
        &format!(
            "If you do not know of this, do nothing. You can be asked again, by this account or another: at most \
             {RECIPIENT_ASKS_PER_DAY} such mails a day and {RECIPIENT_ASKS_PER_TARGET_DAYS} in {TARGET_DAYS} days. You can \
             end that for every account, for ever:"
        ),
        Some(("Never write to me again", &no_more)),
    )
}

/// Credit or a limit comes to its end. With a token it goes to somebody who cannot sign in, and leads to where they end it.
#[must_use]
fn alert(origin: &Url, account_id: AccountId, token: Option<&str>, row: &AlertRow) -> Words {
    let subject = subject(row);
    let said = [
        format!("{} {}", what(row), ahead(row)),
        format!(
            "Account {account_id}. Exact up to the moment the alert was raised, {}.",
            written(row.raised_at)
        ),
    ];
    match token {
        None => compose(
            &subject,
            &said,
            ("Limit and alerts", &format!("{}alerts", base(origin))),
            "To end these mails, take your address off the list there.",
        ),
        Some(token) => compose(
            &subject,
            &said,
            (
                "End these mails",
                &format!("{}alert-recipient/{token}", base(origin)),
            ),
            "To change the limit or the credit, write to whoever manages the account.",
        ),
    }
}

fn subject(row: &AlertRow) -> String {
    let threshold = row.alert.threshold;
    match (row.alert.kind, threshold) {
        (Kind::CreditPercent, 100..) => "Isorun credit is used up".to_owned(),
        (Kind::CreditPercent, _) => format!("{threshold} % of the Isorun credit is used"),
        (Kind::CreditHours, 1) => "Isorun credit ends within 1 hour".to_owned(),
        (Kind::CreditHours, _) => format!("Isorun credit ends within {threshold} hours"),
        (Kind::LimitPercent, 100..) => "The monthly Isorun limit is reached".to_owned(),
        (Kind::LimitPercent, _) => format!("{threshold} % of the monthly Isorun limit is spent"),
        (Kind::LimitHours, 1) => "The monthly Isorun limit is reached within 1 hour".to_owned(),
        (Kind::LimitHours, _) => {
            format!("The monthly Isorun limit is reached within {threshold} hours")
        }
    }
}

fn what(row: &AlertRow) -> String {
    let left = row.left.dollars_floor();
    match (row.alert.kind.cause(), row.left.is_positive()) {
        (Cause::Credit, true) => format!("{left} of credit is left."),
        (Cause::Credit, false) => "No credit is left.".to_owned(),
        (Cause::Limit, true) => format!("{left} is left until the monthly limit."),
        (Cause::Limit, false) if row.zero_at.is_none() => format!(
            "The monthly limit was reached in {}.",
            month(row.alert.epoch)
        ),
        (Cause::Limit, false) => "The monthly limit is reached.".to_owned(),
    }
}

fn ahead(row: &AlertRow) -> String {
    let stops = "running sandboxes hibernate and new ones are refused";
    match (row.left.is_positive(), row.zero_at, row.alert.kind.cause()) {
        (true, Some(at), _) => format!("At the present pace it ends on {}: then {stops}.", written(at)),
        (true, None, _) => format!("At the present pace no end is in sight. When it ends, {stops}."),
        (false, _, Cause::Credit) => {
            "Running sandboxes hibernate and new ones are refused. Hibernated sandboxes cost nothing and go on when there is credit.".to_owned()
        }
        (false, None, Cause::Limit) => {
            "Running sandboxes were hibernated then. A new month has begun, so they can be resumed.".to_owned()
        }
        (false, Some(_), Cause::Limit) => {
            "Running sandboxes hibernate and new ones are refused until the month ends (UTC) or the limit is raised.".to_owned()
        }
    }
}

/// 202611 as `November 2026`.
fn month(number: i32) -> String {
    let name = u8::try_from(number % 100)
        .ok()
        .and_then(|month| time::Month::try_from(month).ok());
    name.map_or_else(String::new, |name| format!("{name} {}", number / 100))
}

fn written(at: OffsetDateTime) -> String {
    let format =
        format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
    at.to_offset(UtcOffset::UTC)
        .format(format)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use domain::alert::{Alert, HOURS, PERCENTS};
    use domain::id::AlertId;
    use domain::money::{Cents, Ticks};
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn every_alert_has_words_of_its_own() {
        let mut subjects = Vec::new();
        for kind in Kind::ALL {
            let thresholds: &[i32] = match kind {
                Kind::CreditPercent | Kind::LimitPercent => &PERCENTS,
                Kind::CreditHours | Kind::LimitHours => &HOURS,
            };
            for threshold in thresholds {
                for left in [0, 2_500] {
                    let row = AlertRow {
                        alert_id: AlertId(Uuid::nil()),
                        alert: Alert {
                            kind,
                            epoch: 1,
                            threshold: *threshold,
                        },
                        left: Ticks::from_cents(Cents(left)),
                        zero_at: Some(datetime!(2026-11-26 02:14 UTC)),
                        raised_at: datetime!(2026-11-24 12:00 UTC),
                    };
                    let origin = Url::parse("https://app.isorun.ai").unwrap();
                    let words = alert(&origin, AccountId(Uuid::nil()), None, &row);
                    assert!(
                        !words.text.contains('!') && !words.text.to_lowercase().contains("please"),
                        "{}",
                        words.text
                    );
                    assert!(
                        words.text.contains("\nhttps://app.isorun.ai/alerts\n"),
                        "{}",
                        words.text
                    );
                    let other = alert(&origin, AccountId(Uuid::nil()), Some("tok"), &row);
                    assert!(
                        other
                            .text
                            .contains("\nhttps://app.isorun.ai/alert-recipient/tok\n")
                    );
                    if left > 0 {
                        assert!(
                            words.text.contains("$25.00")
                                && words.text.contains("26 Nov 2026, 02:14 UTC")
                        );
                    }
                    subjects.push(words.subject);
                }
            }
        }
        subjects.sort();
        subjects.dedup();
        assert_eq!(subjects.len(), 12);
    }
}
