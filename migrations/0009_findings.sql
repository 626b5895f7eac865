-- Cell. What checks found.

-- One open row per check, account and subject, closed by the same check when it is gone. Of the cell and not of an account:
-- some are about none, and the open ones of a check are looked at together.
CREATE TABLE findings (
    finding_id    uuid        CONSTRAINT findings_pkey PRIMARY KEY,
    account_id    uuid,
    -- 'r1' to 'r7' (docs/adding-a-check.md), 'skew', 'month'.
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
