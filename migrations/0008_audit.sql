-- Cell. Who did what, when, to what.

-- Append-only; ids and words, no addresses.
CREATE TABLE audit_events (
    audit_event_id uuid        NOT NULL,
    account_id     uuid        NOT NULL CONSTRAINT audit_events_account_fkey REFERENCES accounts,
    actor_id       uuid,
    action         text        NOT NULL,
    subject_id     text,
    happened_at    timestamptz NOT NULL,
    CONSTRAINT audit_events_pkey PRIMARY KEY (account_id, audit_event_id)
);
CREATE INDEX audit_events_newest_first ON audit_events (account_id, happened_at DESC, audit_event_id DESC);
CREATE TRIGGER audit_events_are_append_only BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_are_never_emptied BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
