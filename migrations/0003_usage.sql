-- From the orchestrator's feed to rated usage: what came in, what it adds up to, what it costs by the hour.
-- Not partitioned by month yet: docs/decisions/0004-partitions.md says why and when.

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

-- Every event ever received, kept for ever: the proof that nothing is counted twice. Ids of the outside world are
-- unique across tenants, so they stand here and not in feed_events.
CREATE TABLE feed_log (
    feed           text        NOT NULL CONSTRAINT feed_log_feed_fkey REFERENCES feed_cursors,
    epoch          text        NOT NULL,
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

-- The same events by tenant, in the columns that the fold reads.
CREATE TABLE feed_events (
    account_id  uuid        NOT NULL CONSTRAINT feed_events_account_fkey REFERENCES accounts,
    feed        text        NOT NULL,
    epoch       text        NOT NULL,
    seq         bigint      NOT NULL,
    event_id    uuid        NOT NULL,
    sandbox_id  text        NOT NULL,
    key_id      uuid,
    parent_id   text,
    kind        text        NOT NULL CONSTRAINT feed_events_kind_is_known
                            CHECK (kind IN ('created', 'hibernated', 'resumed', 'destroyed', 'unreachable', 'reachable')),
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    image       text        NOT NULL,
    region      text        NOT NULL,
    vcpus       integer     NOT NULL,
    mem_mib     integer     NOT NULL,
    cpu_ms      bigint,
    CONSTRAINT feed_events_pkey PRIMARY KEY (account_id, feed, epoch, seq)
);
CREATE INDEX feed_events_by_sandbox ON feed_events (account_id, sandbox_id, seq);

-- How far an account's events are settled into slices and transfers. Its row is the lock that serialises settling.
CREATE TABLE meters (
    account_id     uuid        CONSTRAINT meters_pkey PRIMARY KEY
                               CONSTRAINT meters_account_fkey REFERENCES accounts,
    ingested_seq   bigint      NOT NULL DEFAULT 0,
    settled_seq    bigint      NOT NULL DEFAULT 0,
    -- Open intervals are posted up to this whole hour; what ran after it is shown live.
    settled_until  timestamptz,
    running        integer     NOT NULL DEFAULT 0,
    -- A settling that broke waits here, visible, while other accounts go on.
    failed_at      timestamptz,
    retry_at       timestamptz
);
CREATE INDEX meters_behind ON meters (account_id) WHERE ingested_seq > settled_seq;
CREATE INDEX meters_running ON meters (settled_until) WHERE running > 0;

-- What the fold of a sandbox's events says now. A cache: it can be thrown away and refolded.
CREATE TABLE sandboxes (
    account_id   uuid        NOT NULL CONSTRAINT sandboxes_account_fkey REFERENCES accounts,
    sandbox_id   text        NOT NULL,
    state        text        NOT NULL CONSTRAINT sandboxes_state_is_known
                             CHECK (state IN ('running', 'hibernated', 'destroyed')),
    image        text        NOT NULL,
    region       text        NOT NULL,
    vcpus        integer     NOT NULL,
    mem_mib      integer     NOT NULL,
    key_id       uuid,
    parent_id    text,
    created_at   timestamptz NOT NULL,
    destroyed_at timestamptz,
    CONSTRAINT sandboxes_pkey PRIMARY KEY (account_id, sandbox_id)
);
CREATE INDEX sandboxes_newest_first ON sandboxes (account_id, created_at DESC, sandbox_id DESC);
CREATE INDEX sandboxes_by_state ON sandboxes (account_id, state, created_at DESC, sandbox_id DESC);

CREATE TABLE intervals (
    account_id uuid        NOT NULL,
    sandbox_id text        NOT NULL,
    ordinal    integer     NOT NULL CONSTRAINT intervals_ordinal_counts CHECK (ordinal >= 0),
    started_at timestamptz NOT NULL,
    ended_at   timestamptz,
    CONSTRAINT intervals_pkey PRIMARY KEY (account_id, sandbox_id, ordinal),
    CONSTRAINT intervals_sandbox_fkey FOREIGN KEY (account_id, sandbox_id) REFERENCES sandboxes,
    CONSTRAINT intervals_never_negative CHECK (ended_at >= started_at)
);
-- At most one interval of a sandbox is open: a second one would bill it twice.
CREATE UNIQUE INDEX intervals_one_open ON intervals (account_id, sandbox_id) WHERE ended_at IS NULL;

-- The price book. Insert-only; the first row is the one the Terms state. Bounds are whole UTC hours, so that a slice of
-- one hour never straddles a change. Overlap and short notice are refused here, not by good manners.
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE TABLE prices (
    price_id           uuid        CONSTRAINT prices_pkey PRIMARY KEY,
    sku                text        NOT NULL,
    vcpu_hour_microusd bigint      NOT NULL CONSTRAINT prices_vcpu_is_not_negative CHECK (vcpu_hour_microusd >= 0),
    gib_hour_microusd  bigint      NOT NULL CONSTRAINT prices_gib_is_not_negative CHECK (gib_hour_microusd >= 0),
    grain_ms           integer     NOT NULL CONSTRAINT prices_grain_divides_an_hour
                                   CHECK (grain_ms > 0 AND 3600000 % grain_ms = 0),
    is_first           boolean     NOT NULL DEFAULT false,
    announced_at       timestamptz NOT NULL,
    during             tstzrange   NOT NULL,
    CONSTRAINT prices_no_overlap EXCLUDE USING gist (sku WITH =, during WITH &&),
    CONSTRAINT prices_bounds_are_hours CHECK (
        date_trunc('hour', lower(during), 'UTC') = lower(during)
        AND (upper_inf(during) OR date_trunc('hour', upper(during), 'UTC') = upper(during))),
    -- Terms 4: prices may change with 30 days' notice.
    CONSTRAINT prices_notice_is_30_days CHECK (is_first OR lower(during) >= announced_at + interval '30 days')
);
CREATE UNIQUE INDEX prices_one_first ON prices (sku) WHERE is_first;

-- Terms 4: $0.041 per hour of 1 vCPU + 1 GiB, per second; as $0.026 + $0.015 by decisions.md 3. Not customer data,
-- and nothing can be rated without it, so it is part of the schema.
INSERT INTO prices (price_id, sku, vcpu_hour_microusd, gib_hour_microusd, grain_ms, is_first, announced_at, during)
VALUES ('01890000-0000-7000-8000-000000000041', 'sandbox', 26000, 15000, 1000, true,
        '2020-01-01 00:00:00+00', tstzrange('2020-01-01 00:00:00+00', NULL));

-- Rated usage: one sandbox, one UTC hour. Absolute, not a delta: refolding writes the same row again.
CREATE TABLE slices (
    account_id uuid           NOT NULL,
    sandbox_id text           NOT NULL,
    hour_at    timestamptz    NOT NULL,
    price_id   uuid           NOT NULL CONSTRAINT slices_price_fkey REFERENCES prices,
    billed_ms  bigint         NOT NULL CONSTRAINT slices_fit_an_hour CHECK (billed_ms BETWEEN 1 AND 3600000),
    ticks      numeric(38, 0) NOT NULL CONSTRAINT slices_ticks_are_not_negative CHECK (ticks >= 0),
    CONSTRAINT slices_pkey PRIMARY KEY (account_id, sandbox_id, hour_at),
    CONSTRAINT slices_sandbox_fkey FOREIGN KEY (account_id, sandbox_id) REFERENCES sandboxes
);
CREATE INDEX slices_by_hour ON slices (account_id, hour_at);
