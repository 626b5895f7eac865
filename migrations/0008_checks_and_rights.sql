-- What watches the books: recurring work, findings, closed months, the chain of ledger days; and the rights of the
-- application, which may append to money and never change it.

-- Recurring work. Due rows are claimed by an update that moves due_at on, so several replicas run each turn once.
CREATE TABLE schedules (
    name   text        CONSTRAINT schedules_pkey PRIMARY KEY,
    due_at timestamptz NOT NULL,
    -- Where a check that goes round in pieces will go on; empty at the start of a round.
    place  text        NOT NULL DEFAULT ''
);

-- What a check found: one open row per check, account and subject, closed by the same check when it is gone.
CREATE TABLE findings (
    finding_id    uuid        CONSTRAINT findings_pkey PRIMARY KEY,
    account_id    uuid        CONSTRAINT findings_account_fkey REFERENCES accounts,
    -- 'r1' to 'r7' of reference/billing.md 1.13, 'skew', 'month'.
    check_name    text        NOT NULL,
    -- What is wrong, such as 'interval_missing'; closed words of the check.
    fault         text        NOT NULL,
    -- The sandbox, hour, grant or ledger account it is about; ids only.
    subject       text        NOT NULL,
    expected      text        NOT NULL,
    found         text        NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    resolved_at   timestamptz
);
CREATE UNIQUE INDEX findings_one_open ON findings (check_name, account_id, fault, subject) NULLS NOT DISTINCT
    WHERE resolved_at IS NULL;
CREATE INDEX findings_by_account ON findings (account_id, first_seen_at DESC) WHERE resolved_at IS NULL;

-- A UTC month whose usage is final: later changes are booked as corrections in the month in which they arrive.
CREATE TABLE months (
    month_at     timestamptz CONSTRAINT months_pkey PRIMARY KEY,
    watermark_at timestamptz NOT NULL,
    -- The watermark had not passed 72 hours after the month's end: closed with what was known, and a finding.
    is_forced    boolean     NOT NULL,
    closed_at    timestamptz NOT NULL
);
-- What each account had used when its month was closed. Never changed: old statements stay as they were.
CREATE TABLE account_months (
    account_id    uuid           NOT NULL CONSTRAINT account_months_account_fkey REFERENCES accounts,
    month_at      timestamptz    NOT NULL CONSTRAINT account_months_month_fkey REFERENCES months,
    usage_ticks   numeric(38, 0) NOT NULL,
    credit_ticks  numeric(38, 0) NOT NULL,
    overrun_ticks numeric(38, 0) NOT NULL,
    CONSTRAINT account_months_pkey PRIMARY KEY (account_id, month_at),
    CONSTRAINT account_months_add_up CHECK (usage_ticks = credit_ticks + overrun_ticks)
);

-- One link per UTC day over all transfers booked in it; each holds the hash of the day before. It is also written to the
-- log, which lies outside this database: who rewrites both tables still contradicts the log.
CREATE TABLE ledger_days (
    day_at          date           CONSTRAINT ledger_days_pkey PRIMARY KEY,
    transfers       bigint         NOT NULL,
    ticks           numeric(38, 0) NOT NULL,
    previous_sha256 bytea          NOT NULL,
    sha256          bytea          NOT NULL,
    sealed_at       timestamptz    NOT NULL
);

CREATE TRIGGER months_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON months
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER account_months_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON account_months
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_days_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_days
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Triggers stop accidents; rights stop the application. Its pool works as isorun_app (`role` is set when it connects), which
-- may add to these tables and not change them. Roles belong to the cluster, so another database may have made it already. A
-- login without the right to make roles must find it there and be its member (docs/decisions/0008-checks.md says how).
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'isorun_app') THEN
        CREATE ROLE isorun_app NOLOGIN;
    END IF;
-- Two databases migrated at once make it at once.
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$
BEGIN
    EXECUTE format('GRANT isorun_app TO %I', current_user);
EXCEPTION
    WHEN unique_violation OR internal_error THEN NULL;
    WHEN insufficient_privilege THEN
        IF NOT pg_has_role(current_user, 'isorun_app', 'MEMBER') THEN
            RAISE;
        END IF;
END $$;
GRANT USAGE ON SCHEMA public TO isorun_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO isorun_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO isorun_app;
REVOKE UPDATE, DELETE ON transfers, feed_log, feed_events, prices, price_bindings, price_notices, audit_events,
    months, account_months, ledger_days FROM isorun_app;
-- What was migrated is the migrator's to write; without it when the files are applied by hand.
DO $$
BEGIN
    IF to_regclass('_sqlx_migrations') IS NOT NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON _sqlx_migrations FROM isorun_app;
    END IF;
END $$;
