-- Cell. Which ledger day was sealed last, beside the days themselves. A chain shows that a link in its middle is gone, not
-- that its last one is: without this row the newest day could be removed, and was then sealed anew from whatever transfers
-- there are by then, without a finding. It moves with each day sealed, so it is no append-only table; who rewrites both still
-- contradicts the log in which each day was said.
CREATE TABLE ledger_head (
    is_only boolean NOT NULL DEFAULT true CONSTRAINT ledger_head_pkey PRIMARY KEY
                    CONSTRAINT ledger_head_is_the_only_row CHECK (is_only),
    day_at  date    NOT NULL,
    sha256  bytea   NOT NULL
);
INSERT INTO ledger_head (day_at, sha256) SELECT day_at, sha256 FROM ledger_days ORDER BY day_at DESC LIMIT 1;
