-- Cell. When credit or the customer's own limit ends.

-- The future of an account as its present rates imply it. `due_at` is when to compute it again: now after each lifecycle
-- event, grant, price or limit change, else the next moment at which something is known to change.
CREATE TABLE forecasts (
    account_id  uuid           CONSTRAINT forecasts_pkey PRIMARY KEY CONSTRAINT forecasts_account_fkey REFERENCES accounts,
    due_at      timestamptz    NOT NULL,
    computed_at timestamptz,
    rate_ticks  numeric(38, 0) NOT NULL DEFAULT 0,
    zero_at     timestamptz,
    cause       text           CONSTRAINT forecasts_cause_is_known CHECK (cause IN ('credit', 'limit')),
    -- A grant epoch begins with each grant that is not an incident's; warnings are given once per epoch.
    epoch       integer        NOT NULL DEFAULT 0,
    base_ticks  numeric(38, 0) NOT NULL DEFAULT 0,
    CONSTRAINT forecasts_zero_has_a_cause CHECK ((zero_at IS NULL) = (cause IS NULL))
);
CREATE INDEX forecasts_by_due ON forecasts (due_at, account_id);
