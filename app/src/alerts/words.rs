//! What is said about limit, alerts, webhook and calendar.

use domain::alert::AlertRefusal;
use domain::calendar::CalendarRefusal;
use domain::ceilings::{
    RECIPIENT_ASKS_PER_DAY, RECIPIENT_ASKS_PER_TARGET_DAYS, RECIPIENT_DAYS,
    RECIPIENT_MAILS_PER_DAY, RECIPIENTS_MAX, TARGET_DAYS, WEBHOOK_TEST_EVERY_S,
    WEBHOOK_TESTS_PER_DAY, WEBHOOK_URL_CHARS_MAX,
};
use domain::limit::LimitRefusal;
use domain::webhook::WebhookRefusal;

use crate::action::flash::Success;
use crate::action::problem::{Problem, Words};

pub const LIMIT_SET: Success = Success::new(
    "Limit set",
    "It counts from the first of this month, UTC. It takes effect within a second.",
);
pub const LIMIT_REMOVED: Success =
    Success::new("Limit removed", "Only the credit ends what runs now.");
pub const ALERTS_CHOSEN: Success =
    Success::new("Alerts saved", "From now on these are given, each once.");
pub const RECIPIENT_ADDED: Success =
    Success::new("Recipient added", "They are told of the next alert.");
pub const RECIPIENT_ASKED: Success = Success::new(
    "Mail sent",
    "A mail asks them to agree. They are told of alerts once they have.",
);
pub const RECIPIENT_REMOVED: Success =
    Success::new("Recipient removed", "They are told of nothing from now on.");
pub const RECIPIENT_AGREED: Success = Success::new(
    "Agreed",
    "Alerts of the account come to your address from now on.",
);
pub const RECIPIENT_STOPPED: Success =
    Success::new("Ended", "No alert comes to your address any more.");
pub const WEBHOOK_SET: Success = Success::new(
    "Webhook set",
    "The next alert is posted to it. Send a test to see that it works.",
);
pub const WEBHOOK_RENEWED: Success = Success::new(
    "New secret",
    "Posts are signed with it from now on; the old one signs nothing any more.",
);
pub const WEBHOOK_REMOVED: Success = Success::new("Webhook removed", "Nothing is posted any more.");
pub const WEBHOOK_TESTED: Success = Success::new(
    "Test on its way",
    "Load this page again in a few seconds to see how it went.",
);
pub const CALENDAR_CREATED: Success = Success::new(
    "Calendar link made",
    "Add the address below to your calendar program. Whoever has it can read it.",
);
pub const CALENDAR_REVOKED: Success =
    Success::new("Calendar link revoked", "It opens nothing from now on.");

impl Words for LimitRefusal {
    fn problem(self) -> Problem {
        match self {
            Self::Empty => Problem::in_field(
                "monthly",
                "Enter an amount, such as 25. To have no limit, remove it.",
            ),
            Self::Malformed => Problem::in_field(
                "monthly",
                "This is not an amount of dollars. Write a point before the cents, and commas only between thousands: 25, 25.50 or 1,250.50.",
            ),
            Self::TooHigh => {
                Problem::in_field("monthly", "The limit is too high: $1,000,000 at most.")
            }
        }
    }
}

impl Words for AlertRefusal {
    fn problem(self) -> Problem {
        match self {
            Self::EmailEmpty => {
                Problem::in_field("recipient", "Enter the e-mail address that is to be told.")
            }
            Self::EmailNotAscii => Problem::in_field(
                "recipient",
                "Our mail server cannot write to an address with such letters before the @. Enter one with plain letters there.",
            ),
            Self::EmailMalformed => Problem::in_field(
                "recipient",
                "This is not an e-mail address to send alerts to. Enter one like ops@example.org.",
            ),
            Self::AlreadyThere => {
                Problem::in_field("recipient", "This address is on the list already.")
            }
            Self::TooMany => Problem::in_field(
                "recipient",
                format!(
                    "{RECIPIENTS_MAX} recipients exist, which is the limit. Remove one, or use the address of a mailing list."
                ),
            ),
            Self::AskedTooOften => Problem::in_field(
                "recipient",
                format!(
                    "{RECIPIENT_MAILS_PER_DAY} mails that ask somebody to agree were sent within a day, which is the limit. Try again tomorrow."
                ),
            ),
            Self::AddressAskedTooOften => Problem::in_field(
                "recipient",
                format!(
                    "This address was asked as often as one is asked: {RECIPIENT_ASKS_PER_DAY} mails a day, {RECIPIENT_ASKS_PER_TARGET_DAYS} in {TARGET_DAYS} days, whichever account asks. Try again later, or use another address."
                ),
            ),
            Self::Unwanted => Problem::in_field(
                "recipient",
                "Whoever has this address wants no mail that an Isorun account has sent to it. They can allow it again by the link in the mail that they refused.",
            ),
            Self::RefusedByThem => Problem::in_form(
                "You refused all mail of this kind. To receive alerts, allow it again first, by the last link in the mail that asked you.",
            ),
            Self::NotFound => Problem::in_form(
                "There is no such recipient to change, or they have agreed already.",
            ),
            Self::LinkUnknown => Problem::in_form(format!(
                "This link is older than {RECIPIENT_DAYS} days, was ended, or is not ours. Whoever manages the account can send a new one."
            )),
        }
    }
}

impl Words for WebhookRefusal {
    fn problem(self) -> Problem {
        match self {
            Self::Empty => Problem::in_field("url", "Enter the address that alerts are posted to."),
            Self::Malformed => Problem::in_field(
                "url",
                "This is not an address to post to. Enter one like https://example.org/hook.",
            ),
            Self::TooLong => Problem::in_field(
                "url",
                format!(
                    "The address is too long: {WEBHOOK_URL_CHARS_MAX} characters at most, in the form in which it is posted to. Letters outside a to z take more room there."
                ),
            ),
            Self::NotHttps => Problem::in_field(
                "url",
                "The address must start with https://, so that nobody on the way can read or change an alert.",
            ),
            Self::HasCredentials => Problem::in_field(
                "url",
                "The address holds a name or a password before the @. Leave it out; the signature proves that a post is ours.",
            ),
            Self::PortRefused => Problem::in_field(
                "url",
                "This port is not posted to. Use 443, or one from 1024 on.",
            ),
            Self::NotPublic => Problem::in_field(
                "url",
                "This address is not on the public internet, so it cannot be posted to.",
            ),
            Self::NotSet => Problem::in_form("No webhook is set, or it was removed meanwhile."),
            Self::TooManyTests => Problem::in_form(format!(
                "A test was sent to this host a moment ago, by this account or another. Wait {WEBHOOK_TEST_EVERY_S} seconds before the next."
            )),
            Self::TestsUsedUp => Problem::in_form(format!(
                "This account sent {WEBHOOK_TESTS_PER_DAY} tests within a day, which is the limit. Try again tomorrow."
            )),
        }
    }
}

impl Words for CalendarRefusal {
    fn problem(self) -> Problem {
        match self {
            Self::AlreadyThere => {
                Problem::in_form("You have a calendar link already; it is shown below.")
            }
            Self::NotFound => {
                Problem::in_form("There is no calendar link to revoke, or it was revoked already.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::problem::house_style;

    #[test]
    fn refusals_follow_the_house_style() {
        house_style::<LimitRefusal>();
        house_style::<AlertRefusal>();
        house_style::<WebhookRefusal>();
        house_style::<CalendarRefusal>();
    }
}
