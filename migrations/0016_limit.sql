-- Cell. The customer's own monthly limit.

-- By UTC month. No row: no limit.
CREATE TABLE spending_limits (
    account_id    uuid        CONSTRAINT spending_limits_pkey PRIMARY KEY
                              CONSTRAINT spending_limits_account_fkey REFERENCES accounts,
    monthly_cents bigint      NOT NULL CONSTRAINT spending_limits_are_not_negative CHECK (monthly_cents >= 0),
    set_at        timestamptz NOT NULL
);
