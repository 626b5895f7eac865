//! Every ceiling in one place, with its reason. A list, a field or a loop without a number from here is a defect.

/// Characters of an e-mail address: RFC 5321 4.5.3.1.3 leaves 254 for the address in a path of 256.
pub const EMAIL_CHARS_MAX: usize = 254;
/// Bytes before the `@`: RFC 5321 4.5.3.1.1.
pub const EMAIL_LOCAL_BYTES_MAX: usize = 64;
/// Code points of a password, least: NIST SP 800-63B-4 asks for 15 where the password is the only factor.
pub const PASSWORD_CHARS_MIN: usize = 15;
/// Code points of a password, most: bounds the hashing input; ASVS 6.2.9 asks for at least 64.
pub const PASSWORD_CHARS_MAX: usize = 128;
/// Characters of what is noted beside a grant: one line of the statement.
pub const GRANT_NOTE_CHARS_MAX: usize = 200;
/// Characters of a key's name: fits one table cell and a log line.
pub const KEY_NAME_CHARS_MAX: usize = 60;
/// Live keys of an account: far above what people name by hand, low enough to list and push in one go.
pub const KEYS_PER_ACCOUNT_MAX: usize = 100;
/// Characters of a sandbox id: the known ones have 19 to 23.
pub const SANDBOX_ID_CHARS_MAX: usize = 64;
/// Characters of an image name kept from the feed; registries allow 255.
pub const IMAGE_CHARS_MAX: usize = 255;
/// Rows of one page of any list.
pub const PAGE_ROWS: i64 = 50;
/// Characters of what is searched for: a whole image name or id of the usual kind; more finds nothing more.
pub const SEARCH_CHARS_MAX: usize = 100;
/// Sandboxes that one search looks through, the newest first: a tenth of a second on two cores.
pub const SANDBOXES_SEARCHED_MAX: i64 = 50_000;
/// Rows of the short list of running sandboxes on the overview.
pub const OVERVIEW_ROWS: i64 = 5;
/// Events asked from the feed at once: about 5 MB of JSON, and the most that the contract allows.
pub const FEED_EVENTS_PER_PULL: u32 = 10_000;
/// Accounts settled in one round before the worker looks at the feed again.
pub const SETTLED_ACCOUNTS_PER_ROUND: i64 = 200;
/// New events settled in one transaction, besides those of the account that fills it: about 30 MB with all that follows.
pub const SETTLED_EVENTS_PER_BATCH: i64 = 10_000;
/// New events of one account settled at once: a large account is settled in pieces, so that a batch stays within bounds.
pub const SETTLED_EVENTS_PER_ACCOUNT: i64 = 10_000;
/// Hours that a sign-up waits for its account to be opened: long enough for a mail that is read the next morning.
pub const SIGN_UP_HOURS: i64 = 24;
/// Mails about signing up to one address per hour, whoever asks, so that nobody's inbox can be filled through us.
pub const SIGN_UP_MAILS_PER_HOUR: i64 = 3;
/// The same per day. No more than a link lives, so that whoever gets no other mail has one whose link works.
pub const SIGN_UP_MAILS_PER_DAY: i64 = 10;
/// Passwords that wait to be hashed, besides those that are: two or three seconds of work; more are told to come again.
pub const PASSWORDS_WAITING_MAX: usize = 64;
/// Failed sign-ins in a row of which the owner of the address is told by mail.
pub const SIGN_IN_FAILURES_TOLD: i32 = 10;
/// Hours after the last try in which failed sign-ins are forgotten.
pub const SIGN_IN_FAILURES_HOURS: i64 = 24;
/// Forms that one person sends at once; then one a second. Nobody types that fast.
pub const FORMS_PER_PERSON: u32 = 60;
/// Forms that all people of one account send at once; then four a second.
pub const FORMS_PER_ACCOUNT: u32 = 240;
/// Idle hours after which a customer's session ends: a night and a day away from the desk.
pub const SESSION_IDLE_HOURS: i64 = 24;
/// Days after which a customer's session ends in any case, however busy: what was stolen does not serve for ever.
pub const SESSION_ABSOLUTE_DAYS: i64 = 14;
/// Free credit of a new account in cents (Terms 4).
pub const SIGN_UP_CREDIT_CENTS: i64 = 5_000;
/// Minutes that the auto-destroy timer of an idle sandbox can be set to with one click.
pub const SANDBOX_TIMEOUT_MINUTES: [i64; 3] = [5, 15, 60];
/// Entries of one downloaded statement: about 12 MB; the file says where the next one starts.
pub const STATEMENT_ROWS_MAX: usize = 100_000;
/// Days on one page of the statement: a month.
pub const STATEMENT_DAYS: usize = 31;
/// Entries read for one page of the statement: the hours of a month, and as many others as anybody is given in one.
pub const STATEMENT_ENTRIES: usize = 800;
/// Days of one burn-down: a year and a day; older ones are in the statement.
pub const BURN_DOWN_DAYS_MAX: i64 = 366;
/// Running sandboxes that a what-if offers to stop, the dearest first.
pub const WHAT_IF_ROWS: usize = 50;
/// Days of one worked-out cost: a year, and a leap day.
pub const ESTIMATE_DAYS_MAX: i64 = 366;
/// Sandboxes that a what-if starts at most: far above what an account may run.
pub const WHAT_IF_COUNT_MAX: u32 = 10_000;
/// Days that the waste page looks back.
pub const WASTE_DAYS: i64 = 30;
/// Sandboxes looked at for waste, the last to end first.
pub const WASTE_ROWS_MAX: i64 = 10_000;
/// Billed minutes below which nothing is called waste: starting up is no idling.
pub const WASTE_MINUTES_MIN: i64 = 10;
/// Most that a monthly limit can be, in cents: $1,000,000 is beyond what anybody spends here.
pub const MONTHLY_LIMIT_CENTS_MAX: i64 = 100_000_000;
/// Alert recipients of an account, members and others together: more is a mailing list, which has an address of its own.
pub const RECIPIENTS_MAX: i64 = 10;
/// Days in which an invited recipient can agree: long enough for a holiday.
pub const RECIPIENT_DAYS: i64 = 14;
/// Mails of one account that ask somebody to agree, per day, so that nobody's inbox can be filled through us.
pub const RECIPIENT_MAILS_PER_DAY: i64 = 10;
/// Mails per day that ask one address to agree, whichever accounts want it: a second one is for the mail that was lost.
pub const RECIPIENT_ASKS_PER_DAY: i64 = 2;
/// The same in [`TARGET_DAYS`] days: who does not answer five has answered.
pub const RECIPIENT_ASKS_PER_TARGET_DAYS: i64 = 5;
/// Days for which it is kept how often an address or a host was sent something: the longest that a ceiling looks back.
pub const TARGET_DAYS: i64 = 30;
/// Characters of a webhook's address, as it is posted to: percent-encoded, its host in ASCII.
pub const WEBHOOK_URL_CHARS_MAX: usize = 500;
/// Attempts at posting one alert: with the back-off of jobs about four hours, after which it is old news.
pub const WEBHOOK_ATTEMPTS_MAX: i32 = 16;
/// Seconds between two tests of an account, and between two to one host by any account: a test is no way to hammer somebody.
pub const WEBHOOK_TEST_EVERY_S: i64 = 10;
/// Tests of an account per day: far above what setting a receiver up takes.
pub const WEBHOOK_TESTS_PER_DAY: i64 = 100;
/// Accounts whose forecast is computed in one turn of the worker.
pub const FORECASTS_PER_ROUND: i64 = 200;
/// Milliseconds after which a forecast is computed again though nothing is known to change: the sweep behind the rest.
pub const FORECAST_SWEEP_MS: i64 = 3_600_000;
/// Days that one usage page can cover: a year and a month, so that a year can be seen with its neighbour.
pub const USAGE_DAYS_MAX: i64 = 400;
/// Cells of one file of usage, each a row of its own in CSV: about 10 MB. Beyond it the file is refused, never cut or folded.
pub const USAGE_FILE_CELLS_MAX: usize = 50_000;
/// Rated hours that a page reads one by one, where sums per hour are not enough (by sandbox, single intervals): below a
/// tenth of a second on two cores.
pub const USAGE_SLICES_MAX: i64 = 200_000;
