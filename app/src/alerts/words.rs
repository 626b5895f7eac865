//! The sentences of `words` that are about limit, alerts, webhook and calendar. Same rules, same shape.

use domain::limits::{
    RECIPIENT_DAYS, RECIPIENT_MAILS_PER_DAY, RECIPIENTS_MAX, WEBHOOK_TEST_EVERY_S,
    WEBHOOK_URL_CHARS_MAX,
};
use domain::refusal::{AlertRefusal, CalendarRefusal, LimitRefusal, WebhookRefusal};

use crate::action::flash::Done;
use crate::action::problem::Problem;

fn problem(field: Option<&'static str>, text: impl Into<String>) -> Problem {
    Problem {
        field,
        text: text.into(),
    }
}

pub fn limit(refusal: LimitRefusal) -> Problem {
    let field = Some("monthly");
    match refusal {
        LimitRefusal::Empty => problem(
            field,
            "Enter an amount, such as 25. To have no limit, remove it.",
        ),
        LimitRefusal::Malformed => problem(
            field,
            "This is not an amount of dollars. Enter one like 25 or 25.50.",
        ),
        LimitRefusal::TooHigh => problem(field, "The limit is too high: $1,000,000 at most."),
        LimitRefusal::Forbidden => problem(
            None,
            "Your role in this account may not change the limit. Ask an owner, admin or billing member.",
        ),
    }
}

pub fn alert(refusal: AlertRefusal) -> Problem {
    let field = Some("recipient");
    match refusal {
        AlertRefusal::EmailEmpty => problem(field, "Enter the e-mail address that is to be told."),
        AlertRefusal::EmailMalformed => problem(
            field,
            "This is not an e-mail address to send alerts to. Enter one like ops@example.org.",
        ),
        AlertRefusal::AlreadyThere => problem(field, "This address is on the list already."),
        AlertRefusal::TooMany => problem(
            field,
            format!(
                "{RECIPIENTS_MAX} recipients exist, which is the limit. Remove one, or use the address of a mailing list."
            ),
        ),
        AlertRefusal::AskedTooOften => problem(
            field,
            format!(
                "{RECIPIENT_MAILS_PER_DAY} mails that ask somebody to agree were sent within a day, which is the limit. Try again tomorrow."
            ),
        ),
        AlertRefusal::NotFound => problem(
            None,
            "There is no such recipient to change, or they have agreed already.",
        ),
        AlertRefusal::LinkUnknown => problem(
            None,
            format!(
                "This link is older than {RECIPIENT_DAYS} days, was ended, or is not ours. Whoever manages the account can send a new one."
            ),
        ),
        AlertRefusal::Forbidden => problem(
            None,
            "Your role in this account may not change alerts. Ask an owner, admin or billing member.",
        ),
    }
}

pub fn webhook(refusal: WebhookRefusal) -> Problem {
    let field = Some("url");
    match refusal {
        WebhookRefusal::Empty => problem(field, "Enter the address that alerts are posted to."),
        WebhookRefusal::Malformed => problem(
            field,
            format!(
                "This is not an address to post to. Enter one like https://example.org/hook, {WEBHOOK_URL_CHARS_MAX} characters at most."
            ),
        ),
        WebhookRefusal::NotHttps => problem(
            field,
            "The address must start with https://, so that nobody on the way can read or change an alert.",
        ),
        WebhookRefusal::HasCredentials => problem(
            field,
            "The address holds a name or a password before the @. Leave it out; the signature proves that a post is ours.",
        ),
        WebhookRefusal::PortRefused => problem(
            field,
            "This port is not posted to. Use 443, or one from 1024 on.",
        ),
        WebhookRefusal::NotPublic => problem(
            field,
            "This address is not on the public internet, so it cannot be posted to.",
        ),
        WebhookRefusal::NotSet => problem(None, "No webhook is set, or it was removed meanwhile."),
        WebhookRefusal::TooManyTests => problem(
            None,
            format!(
                "A test was sent a moment ago. Wait {WEBHOOK_TEST_EVERY_S} seconds before the next."
            ),
        ),
        WebhookRefusal::Forbidden => problem(
            None,
            "Your role in this account may not change the webhook. Ask an owner, admin or billing member.",
        ),
    }
}

pub fn calendar(refusal: CalendarRefusal) -> Problem {
    match refusal {
        CalendarRefusal::AlreadyThere => {
            problem(None, "You have a calendar link already; it is shown below.")
        }
        CalendarRefusal::NotFound => problem(
            None,
            "There is no calendar link to revoke, or it was revoked already.",
        ),
    }
}

/// Title and sentence about what was done; said of anything that `words` does not name itself.
pub fn done(done: Done) -> (&'static str, &'static str) {
    match done {
        Done::LimitSet => (
            "Limit set",
            "It counts from the first of this month, UTC. The orchestrator is told within a second.",
        ),
        Done::LimitRemoved => ("Limit removed", "Only the credit ends what runs now."),
        Done::AlertsChosen => ("Alerts saved", "From now on these are given, each once."),
        Done::RecipientAdded => ("Recipient added", "They are told of the next alert."),
        Done::RecipientAsked => (
            "Mail sent",
            "A mail asks them to agree. They are told of alerts once they have.",
        ),
        Done::RecipientRemoved => ("Recipient removed", "They are told of nothing from now on."),
        Done::RecipientAgreed => (
            "Agreed",
            "Alerts of the account come to your address from now on.",
        ),
        Done::RecipientStopped => ("Ended", "No alert comes to your address any more."),
        Done::WebhookSet => (
            "Webhook set",
            "The next alert is posted to it. Send a test to see that it works.",
        ),
        Done::WebhookRenewed => (
            "New secret",
            "Posts are signed with it from now on; the old one signs nothing any more.",
        ),
        Done::WebhookRemoved => ("Webhook removed", "Nothing is posted any more."),
        Done::WebhookTested => (
            "Test on its way",
            "Load this page again in a few seconds to see how it went.",
        ),
        Done::CalendarCreated => (
            "Calendar link made",
            "Add the address below to your calendar program. Whoever has it can read it.",
        ),
        Done::CalendarRevoked => ("Calendar link revoked", "It opens nothing from now on."),
        Done::MailSent
        | Done::EmailConfirmed
        | Done::KeyRevoked
        | Done::TimeoutSet
        | Done::SignedOut => ("Done", "It is done."),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::action::ActionError;

    pub fn every_error() -> Vec<ActionError> {
        use {AlertRefusal as A, CalendarRefusal as C, LimitRefusal as L, WebhookRefusal as W};
        let mut errors: Vec<ActionError> = Vec::new();
        errors.extend([L::Empty, L::Malformed, L::TooHigh, L::Forbidden].map(ActionError::Limit));
        let alerts = [
            A::EmailEmpty,
            A::EmailMalformed,
            A::AlreadyThere,
            A::TooMany,
            A::AskedTooOften,
            A::NotFound,
            A::LinkUnknown,
            A::Forbidden,
        ];
        errors.extend(alerts.map(ActionError::Alert));
        let webhooks = [
            W::Empty,
            W::Malformed,
            W::NotHttps,
            W::HasCredentials,
            W::PortRefused,
            W::NotPublic,
            W::NotSet,
            W::TooManyTests,
            W::Forbidden,
        ];
        errors.extend(webhooks.map(ActionError::Webhook));
        errors.extend([C::AlreadyThere, C::NotFound].map(ActionError::Calendar));
        errors
    }
}
