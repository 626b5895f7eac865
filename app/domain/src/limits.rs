//! Every ceiling in one place, with its reason. A list, a field or a loop without a number from here is a defect.

/// Characters of an e-mail address: RFC 5321 4.5.3.1.3 leaves 254 for the address in a path of 256.
pub const EMAIL_CHARS_MAX: usize = 254;
/// Bytes before the `@`: RFC 5321 4.5.3.1.1.
pub const EMAIL_LOCAL_BYTES_MAX: usize = 64;
/// Code points of a password, least: NIST SP 800-63B-4 asks for 15 where the password is the only factor.
pub const PASSWORD_CHARS_MIN: usize = 15;
/// Code points of a password, most: bounds the hashing input; ASVS 6.2.9 asks for at least 64.
pub const PASSWORD_CHARS_MAX: usize = 128;
/// Characters of a key's name: fits one table cell and a log line.
pub const KEY_NAME_CHARS_MAX: usize = 60;
/// Live keys of an account: far above what people name by hand, low enough to list and push in one go.
pub const KEYS_PER_ACCOUNT_MAX: i64 = 100;
/// Characters of a sandbox id: the known ones have 19 to 23.
pub const SANDBOX_ID_CHARS_MAX: usize = 64;
/// Characters of an image name kept from the feed; registries allow 255.
pub const IMAGE_CHARS_MAX: usize = 255;
/// Rows of one page of any list.
pub const PAGE_ROWS: i64 = 50;
/// Rows of the short list of running sandboxes on the overview.
pub const OVERVIEW_ROWS: i64 = 5;
/// Events asked from the feed at once: about 5 MB of JSON, and the most that the contract allows.
pub const FEED_EVENTS_PER_PULL: u32 = 10_000;
/// Accounts settled in one round before the worker looks at the feed again.
pub const SETTLED_ACCOUNTS_PER_ROUND: i64 = 200;
/// New events settled in one transaction, besides those of the account that fills it: about 30 MB with all that follows.
pub const SETTLED_EVENTS_PER_LOT: i64 = 10_000;
/// New events of one account settled at once: a large account is settled in pieces, so that a lot stays within bounds.
pub const SETTLED_EVENTS_PER_ACCOUNT: i64 = 10_000;
/// Hours a verification link lives: long enough for a mail that is read the next morning.
pub const VERIFICATION_HOURS: i64 = 24;
/// Verification mails per user and hour, so that nobody's inbox can be filled through us.
pub const VERIFICATION_MAILS_PER_HOUR: i64 = 3;
/// Idle hours after which a customer's session ends (decisions.md 4).
pub const SESSION_IDLE_HOURS: i64 = 24;
/// Days after which a customer's session ends in any case (decisions.md 4).
pub const SESSION_ABSOLUTE_DAYS: i64 = 14;
/// Free credit of a new account in cents (Terms 4).
pub const SIGN_UP_CREDIT_CENTS: i64 = 5_000;
/// Hours of usage that one chart can show by the hour before it turns to days.
pub const CHART_HOURS_MAX: i64 = 48;
