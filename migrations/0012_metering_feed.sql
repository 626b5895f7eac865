-- Cell. The orchestrator's feed as received. Words and ids of the outside world are compared byte by byte (COLLATE "C"),
-- whatever the language of the cluster: these columns are the keys of the largest tables, and each row stored is compared
-- with many others. Not partitioned by month yet: docs/decisions/0004-partitions.md says why.

-- Where we are in a feed. One row per feed; the cursor moves in the transaction that stores the events.
CREATE TABLE feed_cursors (
    feed         text        CONSTRAINT feed_cursors_pkey PRIMARY KEY,
    epoch        text,
    seq          bigint      NOT NULL DEFAULT 0 CONSTRAINT feed_cursors_seq_counts CHECK (seq >= 0),
    -- How far the present round of reading old events again has come: a feed rewritten far behind the cursor is found too.
    rechecked    bigint      NOT NULL DEFAULT 0 CONSTRAINT feed_cursors_rechecked_counts CHECK (rechecked >= 0),
    watermark_at timestamptz,
    -- The watermark up to which every account is settled too: what pages call "as of".
    settled_at   timestamptz,
    answered_at  timestamptz,
    -- A gap, a rewritten event or a new epoch stops the feed until a person has looked; the word says which.
    stopped_at   timestamptz,
    stop_reason  text        CONSTRAINT feed_cursors_reason_is_known
                             CHECK (stop_reason IN ('gap', 'rewritten', 'epoch_changed')),
    CONSTRAINT feed_cursors_stop_has_a_reason CHECK ((stopped_at IS NULL) = (stop_reason IS NULL))
);

-- Every event ever received, kept for ever: the proof that nothing is counted twice. Of the cell and not of an account: ids
-- of the outside world are unique across accounts, and an event may name an account that is not ours. Without a foreign key
-- to feed_cursors, which would cost a look-up per event (docs/decisions/0006-cohorts-and-foreign-keys.md).
CREATE TABLE feed_log (
    feed           text COLLATE "C" NOT NULL,
    epoch          text COLLATE "C" NOT NULL,
    seq            bigint      NOT NULL,
    event_id       uuid        NOT NULL,
    content_sha256 bytea       NOT NULL,
    account_id     uuid        NOT NULL,
    -- Set when the event could not become a feed_events row: an unknown account or nonsense. Kept, shown, never billed.
    set_aside      text        CONSTRAINT feed_log_reason_is_known CHECK (set_aside IN ('unknown_account', 'malformed')),
    body           jsonb       CONSTRAINT feed_log_set_aside_keeps_its_body CHECK ((set_aside IS NULL) = (body IS NULL)),
    received_at    timestamptz NOT NULL,
    CONSTRAINT feed_log_pkey PRIMARY KEY (feed, epoch, seq),
    CONSTRAINT feed_log_event_key UNIQUE (event_id)
);
CREATE INDEX feed_log_set_aside ON feed_log (received_at) WHERE set_aside IS NOT NULL;
CREATE TRIGGER feed_log_is_append_only BEFORE UPDATE OR DELETE ON feed_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER feed_log_is_never_emptied BEFORE TRUNCATE ON feed_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The same events by tenant, in the columns that the fold reads. The account was looked up as the event was stored, so no
-- foreign key looks again (0006). The feed and its epoch come last in the key: they are the same in nearly all rows.
CREATE TABLE feed_events (
    account_id  uuid             NOT NULL,
    feed        text COLLATE "C" NOT NULL,
    epoch       text COLLATE "C" NOT NULL,
    seq         bigint           NOT NULL,
    event_id    uuid             NOT NULL,
    sandbox_id  text COLLATE "C" NOT NULL,
    key_id      uuid,
    parent_id   text,
    kind        text COLLATE "C" NOT NULL CONSTRAINT feed_events_kind_is_known
                CHECK (kind IN ('created', 'hibernated', 'resumed', 'destroyed', 'unreachable', 'reachable')),
    occurred_at timestamptz      NOT NULL,
    recorded_at timestamptz      NOT NULL,
    image       text             NOT NULL,
    region      text             NOT NULL,
    vcpus       integer          NOT NULL,
    mem_mib     integer          NOT NULL,
    cpu_ms      bigint,
    CONSTRAINT feed_events_pkey PRIMARY KEY (account_id, seq, feed, epoch)
);
CREATE INDEX feed_events_by_sandbox ON feed_events (account_id, sandbox_id, seq);
CREATE TRIGGER feed_events_are_append_only BEFORE UPDATE OR DELETE ON feed_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER feed_events_are_never_emptied BEFORE TRUNCATE ON feed_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Accounts with events that are not settled yet, and the last of these. Not a column of meters: then storing a page of the
-- feed would write rows that settling holds for as long as a batch takes, and give up after lock_timeout. Settling takes a
-- row away at its very end, so the puller waits for a commit and no more. Few rows, however many accounts there are.
CREATE TABLE pending_events (
    account_id uuid   CONSTRAINT pending_events_pkey PRIMARY KEY
                      CONSTRAINT pending_events_account_fkey REFERENCES accounts,
    seq        bigint NOT NULL CONSTRAINT pending_events_seq_counts CHECK (seq > 0)
);
