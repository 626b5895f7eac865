-- When credit or the customer's own limit ends, who is told, and how: computed ahead, pushed ahead, said once.

-- What the orchestrator is told: past this moment nothing of the account runs. None: no end is in sight.
ALTER TABLE accounts ADD COLUMN run_until timestamptz;

-- The future of an account as its present rates imply it. `due_at` is when to compute it again: now after each lifecycle
-- event, grant, price or limit change, else the next moment at which something is known to change (reference/billing.md 1.7).
CREATE TABLE outlooks (
    account_id  uuid           CONSTRAINT outlooks_pkey PRIMARY KEY CONSTRAINT outlooks_account_fkey REFERENCES accounts,
    due_at      timestamptz    NOT NULL,
    computed_at timestamptz,
    rate_ticks  numeric(38, 0) NOT NULL DEFAULT 0,
    zero_at     timestamptz,
    cause       text           CONSTRAINT outlooks_cause_is_known CHECK (cause IN ('credit', 'limit')),
    -- A grant epoch begins with each grant that is not an incident's; warnings are given once per epoch.
    epoch       integer        NOT NULL DEFAULT 0,
    base_ticks  numeric(38, 0) NOT NULL DEFAULT 0,
    CONSTRAINT outlooks_zero_has_a_cause CHECK ((zero_at IS NULL) = (cause IS NULL))
);
CREATE INDEX outlooks_by_due ON outlooks (due_at, account_id);
INSERT INTO outlooks (account_id, due_at) SELECT account_id, now() FROM accounts WHERE activated_at IS NOT NULL;

-- The customer's own monthly limit, by UTC month. No row: no limit.
CREATE TABLE spending_limits (
    account_id    uuid        CONSTRAINT spending_limits_pkey PRIMARY KEY
                              CONSTRAINT spending_limits_account_fkey REFERENCES accounts,
    monthly_cents bigint      NOT NULL CONSTRAINT spending_limits_are_not_negative CHECK (monthly_cents >= 0),
    set_at        timestamptz NOT NULL
);

-- Which warnings an account wants: percent of credit and limit used, hours before the end. No row: all of them.
CREATE TABLE alert_settings (
    account_id uuid        CONSTRAINT alert_settings_pkey PRIMARY KEY
                           CONSTRAINT alert_settings_account_fkey REFERENCES accounts,
    percents   integer[]   NOT NULL,
    hours      integer[]   NOT NULL,
    set_at     timestamptz NOT NULL
);

-- Who is told by mail: a member, or an address that has agreed by a link. The token is derived from the id, as in
-- verifications, so only its hash is stored.
CREATE TABLE alert_recipients (
    account_id   uuid        NOT NULL CONSTRAINT alert_recipients_account_fkey REFERENCES accounts,
    recipient_id uuid        NOT NULL,
    user_id      uuid        CONSTRAINT alert_recipients_user_fkey REFERENCES users,
    email        text,
    token_sha256 bytea       CONSTRAINT alert_recipients_token_key UNIQUE,
    created_at   timestamptz NOT NULL,
    confirmed_at timestamptz,
    CONSTRAINT alert_recipients_pkey PRIMARY KEY (account_id, recipient_id),
    CONSTRAINT alert_recipients_one_of_two CHECK ((user_id IS NULL) <> (email IS NULL)),
    CONSTRAINT alert_recipients_user_once UNIQUE (account_id, user_id),
    CONSTRAINT alert_recipients_email_once UNIQUE (account_id, email)
);
INSERT INTO alert_recipients (account_id, recipient_id, user_id, created_at, confirmed_at)
SELECT account_id, gen_random_uuid(), user_id, now(), now() FROM memberships WHERE role = 'owner';

-- What was warned of, once per epoch and threshold: the unique key is the promise.
CREATE TABLE alerts (
    account_id    uuid           NOT NULL CONSTRAINT alerts_account_fkey REFERENCES accounts,
    alert_id      uuid           NOT NULL,
    kind          text           NOT NULL CONSTRAINT alerts_kind_is_known
                                 CHECK (kind IN ('credit_percent', 'credit_hours', 'limit_percent', 'limit_hours')),
    -- The grant epoch for credit, the year and month (202611) for the limit.
    epoch         integer        NOT NULL,
    threshold     integer        NOT NULL,
    left_ticks    numeric(38, 0) NOT NULL,
    zero_at       timestamptz,
    raised_at     timestamptz    NOT NULL,
    CONSTRAINT alerts_pkey PRIMARY KEY (account_id, alert_id),
    CONSTRAINT alerts_once UNIQUE (account_id, kind, epoch, threshold)
);
CREATE INDEX alerts_newest_first ON alerts (account_id, raised_at DESC, alert_id DESC);

-- Where alerts are posted as JSON, at most one address per account. Its signing secret is derived from webhook_id.
CREATE TABLE webhooks (
    account_id uuid        CONSTRAINT webhooks_pkey PRIMARY KEY CONSTRAINT webhooks_account_fkey REFERENCES accounts,
    webhook_id uuid        NOT NULL,
    url        text        NOT NULL CONSTRAINT webhooks_url_is_short CHECK (char_length(url) <= 500),
    set_at     timestamptz NOT NULL,
    -- The last test: asked for, ended, and the class of its failure when it did not get through.
    test_asked_at timestamptz,
    test_ended_at timestamptz,
    test_failure  text
);

-- One row per alert and way out: what the history page shows, and what a job marks when it got through.
CREATE TABLE alert_deliveries (
    account_id   uuid        NOT NULL,
    delivery_id  uuid        NOT NULL,
    alert_id     uuid        NOT NULL,
    -- The recipient of a mail; none for the webhook. No key: a recipient may be removed, what was sent stays known.
    recipient_id uuid,
    webhook_id   uuid,
    created_at   timestamptz NOT NULL,
    delivered_at timestamptz,
    -- The class of the last failure, such as 'unreachable' or 'status_500', never a text of theirs.
    last_failure text,
    given_up_at  timestamptz,
    CONSTRAINT alert_deliveries_pkey PRIMARY KEY (account_id, delivery_id),
    CONSTRAINT alert_deliveries_alert_fkey FOREIGN KEY (account_id, alert_id) REFERENCES alerts,
    CONSTRAINT alert_deliveries_one_way CHECK ((recipient_id IS NULL) <> (webhook_id IS NULL)),
    CONSTRAINT alert_deliveries_recipient_once UNIQUE (account_id, alert_id, recipient_id),
    CONSTRAINT alert_deliveries_webhook_once UNIQUE (account_id, alert_id, webhook_id)
);

-- Mails that are not to a user: to an alert recipient by address. Exactly one of the two names where it goes.
ALTER TABLE mails
    ALTER COLUMN user_id DROP NOT NULL,
    ADD COLUMN account_id uuid CONSTRAINT mails_account_fkey REFERENCES accounts,
    ADD COLUMN recipient_id uuid,
    ADD COLUMN delivery_id uuid,
    DROP CONSTRAINT mails_template_is_known,
    ADD CONSTRAINT mails_template_is_known
        CHECK (template IN ('verify_email', 'already_registered', 'confirm_recipient', 'alert')),
    ADD CONSTRAINT mails_go_to_one CHECK ((user_id IS NULL) <> (recipient_id IS NULL)),
    ADD CONSTRAINT mails_recipient_has_an_account CHECK (recipient_id IS NULL OR account_id IS NOT NULL);
CREATE INDEX mails_by_account ON mails (account_id, created_at) WHERE account_id IS NOT NULL;

-- The secret link of the calendar feed. Unique across tenants, hence not keyed by account. Only the hash is stored.
CREATE TABLE calendars (
    calendar_id  uuid        CONSTRAINT calendars_pkey PRIMARY KEY,
    account_id   uuid        NOT NULL CONSTRAINT calendars_account_fkey REFERENCES accounts,
    user_id      uuid        NOT NULL CONSTRAINT calendars_user_fkey REFERENCES users,
    token_sha256 bytea       NOT NULL CONSTRAINT calendars_token_key UNIQUE,
    created_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);
CREATE UNIQUE INDEX calendars_one_live ON calendars (account_id, user_id) WHERE revoked_at IS NULL;
