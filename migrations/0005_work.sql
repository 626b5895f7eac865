-- What waits to happen and what has happened: jobs, mails, audit events.

-- Work that leaves the process. Enqueued in the business transaction, leased by a token that every later write carries,
-- tried a bounded number of times, then dead and visible (reference/security.md 2.4). Payloads hold ids only.
CREATE TABLE jobs (
    job_id       uuid        CONSTRAINT jobs_pkey PRIMARY KEY,
    account_id   uuid        CONSTRAINT jobs_account_fkey REFERENCES accounts,
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

-- A mail to a person: which text, to whom, sent when. The words are code; the address is the user's row.
CREATE TABLE mails (
    mail_id         uuid        CONSTRAINT mails_pkey PRIMARY KEY,
    user_id         uuid        NOT NULL CONSTRAINT mails_user_fkey REFERENCES users,
    template        text        NOT NULL CONSTRAINT mails_template_is_known
                                CHECK (template IN ('verify_email', 'already_registered')),
    verification_id uuid        CONSTRAINT mails_verification_fkey REFERENCES verifications,
    created_at      timestamptz NOT NULL,
    sent_at         timestamptz
);
CREATE INDEX mails_by_user ON mails (user_id, created_at);

-- Who did what, when, to what. Append-only; ids and words, no addresses.
CREATE TABLE audit_events (
    audit_event_id uuid        NOT NULL,
    account_id     uuid        NOT NULL CONSTRAINT audit_events_account_fkey REFERENCES accounts,
    actor_id       uuid        CONSTRAINT audit_events_actor_fkey REFERENCES users (user_id),
    action         text        NOT NULL,
    subject_id     text,
    happened_at    timestamptz NOT NULL,
    CONSTRAINT audit_events_pkey PRIMARY KEY (account_id, audit_event_id)
);
CREATE INDEX audit_events_newest_first ON audit_events (account_id, happened_at DESC, audit_event_id DESC);
CREATE TRIGGER audit_events_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
