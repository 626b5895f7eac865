-- Cell. What waits to happen and what comes again. Both tables are of the cell, not of an account: a worker of the cell asks
-- for what is due, whoever it is about, so no key starts with account_id and none refers to accounts.

-- Work that leaves the process. Enqueued in the business transaction, leased by a token that every later write carries,
-- tried a bounded number of times, then dead and visible. Payloads hold ids only.
CREATE TABLE jobs (
    job_id       uuid        CONSTRAINT jobs_pkey PRIMARY KEY,
    account_id   uuid,
    kind         text        NOT NULL,
    payload      jsonb       NOT NULL,
    -- Names one logical effect (`push-tenant:<account>:<generation>`): enqueuing it twice is one job.
    unique_key   text        NOT NULL,
    attempt      integer     NOT NULL DEFAULT 0,
    run_at       timestamptz NOT NULL,
    lease_token  uuid,
    leased_until timestamptz,
    finished_at  timestamptz,
    dead_at      timestamptz,
    -- The class of the last failure, never its text: texts can hold what a peer sent.
    last_failure text,
    created_at   timestamptz NOT NULL,
    CONSTRAINT jobs_lease_is_whole CHECK ((lease_token IS NULL) = (leased_until IS NULL)),
    CONSTRAINT jobs_end_once CHECK (finished_at IS NULL OR dead_at IS NULL)
);
CREATE UNIQUE INDEX jobs_one_live ON jobs (unique_key) WHERE finished_at IS NULL AND dead_at IS NULL;
CREATE INDEX jobs_due ON jobs (run_at, job_id) WHERE finished_at IS NULL AND dead_at IS NULL AND lease_token IS NULL;
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE lease_token IS NOT NULL;
CREATE INDEX jobs_dead ON jobs (dead_at) WHERE dead_at IS NOT NULL;
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

-- Recurring work. Due rows are claimed by an update that moves due_at on, so several replicas run each turn once.
CREATE TABLE schedules (
    name   text        CONSTRAINT schedules_pkey PRIMARY KEY,
    due_at timestamptz NOT NULL,
    -- Where a check that goes round in pieces will go on; empty at the start of a round.
    place  text        NOT NULL DEFAULT ''
);
