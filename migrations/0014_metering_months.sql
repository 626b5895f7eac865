-- Cell. Closed months.

-- A UTC month whose usage is final: later changes are booked as corrections in the month in which they arrive. A cell closes
-- its months by itself, once all of its accounts are settled.
CREATE TABLE months (
    month_at     timestamptz CONSTRAINT months_pkey PRIMARY KEY,
    watermark_at timestamptz NOT NULL,
    -- The watermark had not passed 72 hours after the month's end: closed with what was known, and a finding.
    is_forced    boolean     NOT NULL,
    closed_at    timestamptz NOT NULL
);
CREATE TRIGGER months_are_append_only BEFORE UPDATE OR DELETE ON months
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER months_are_never_emptied BEFORE TRUNCATE ON months
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

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
CREATE TRIGGER account_months_are_append_only BEFORE UPDATE OR DELETE ON account_months
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER account_months_are_never_emptied BEFORE TRUNCATE ON account_months
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
