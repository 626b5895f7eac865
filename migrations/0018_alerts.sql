-- Cell. Who is told of the end of credit or limit, how, and what was said.

-- Which warnings an account wants: percent of credit and limit used, hours before the end. No row: all of them.
CREATE TABLE alert_settings (
    account_id uuid        CONSTRAINT alert_settings_pkey PRIMARY KEY
                           CONSTRAINT alert_settings_account_fkey REFERENCES accounts,
    percents   integer[]   NOT NULL,
    hours      integer[]   NOT NULL,
    set_at     timestamptz NOT NULL
);

-- Who is told by mail: a member, or an address that has agreed by a link. The token is derived from the id, as in
-- verifications, so only its hash is stored; which account a token is of, token_accounts says.
CREATE TABLE alert_recipients (
    account_id   uuid        NOT NULL CONSTRAINT alert_recipients_account_fkey REFERENCES accounts,
    recipient_id uuid        NOT NULL,
    user_id      uuid,
    email        text,
    token_sha256 bytea,
    created_at   timestamptz NOT NULL,
    confirmed_at timestamptz,
    CONSTRAINT alert_recipients_pkey PRIMARY KEY (account_id, recipient_id),
    CONSTRAINT alert_recipients_one_of_two CHECK ((user_id IS NULL) <> (email IS NULL)),
    CONSTRAINT alert_recipients_user_once UNIQUE (account_id, user_id),
    CONSTRAINT alert_recipients_email_once UNIQUE (account_id, email),
    CONSTRAINT alert_recipients_token_once UNIQUE (account_id, token_sha256)
);

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
    account_id    uuid        CONSTRAINT webhooks_pkey PRIMARY KEY CONSTRAINT webhooks_account_fkey REFERENCES accounts,
    webhook_id    uuid        NOT NULL,
    url           text        NOT NULL CONSTRAINT webhooks_url_is_short CHECK (char_length(url) <= 500),
    set_at        timestamptz NOT NULL,
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

-- The secret links of calendar feeds. Only the hash is stored; which account a link is of, token_accounts says.
CREATE TABLE calendars (
    account_id   uuid        NOT NULL CONSTRAINT calendars_account_fkey REFERENCES accounts,
    calendar_id  uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    token_sha256 bytea       NOT NULL,
    created_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    CONSTRAINT calendars_pkey PRIMARY KEY (account_id, calendar_id),
    CONSTRAINT calendars_token_once UNIQUE (account_id, token_sha256)
);
CREATE UNIQUE INDEX calendars_one_live ON calendars (account_id, user_id) WHERE revoked_at IS NULL;
