-- Cell. How far an account is settled stands with the account, and why a sandbox stopped stands with the sandbox.

-- The watermark up to which this account is settled, written in the transaction of its postings. An account is settled in a
-- transaction of its own and the feed's settled moment moves when all are: whoever read postings of the former with the
-- moment of the latter burned hours of credit twice after a gap. An account that had nothing to settle keeps an old moment
-- here, and stands where the feed does. None: settled before this column was.
ALTER TABLE meters ADD COLUMN settled_at timestamptz;

-- Why it stopped, as the orchestrator says it: only hibernated and destroyed have a reason, and an older event has none.
ALTER TABLE feed_events ADD COLUMN reason text COLLATE "C" CONSTRAINT feed_events_reason_is_known
    CHECK (reason IN ('asked', 'timer', 'credit', 'limit', 'suspended', 'closed'));

-- When it last stopped running, and why. In this row, because lists show it beside the state.
ALTER TABLE sandboxes
    ADD COLUMN stopped_at  timestamptz,
    ADD COLUMN stop_reason text COLLATE "C" CONSTRAINT sandboxes_stop_reason_is_known
        CHECK (stop_reason IN ('asked', 'timer', 'credit', 'limit', 'suspended', 'closed'));

-- What ends at `run_until`, as the orchestrator was told: the feed says it of what is hibernated then.
ALTER TABLE accounts ADD COLUMN run_until_cause text CONSTRAINT accounts_run_until_cause_is_known
    CHECK (run_until_cause IN ('credit', 'limit'));
