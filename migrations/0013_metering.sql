-- Cell. From events to rated usage: what they add up to, what it costs by the hour. Nearly all of it is written by settling
-- alone, in the transaction that wrote what it points to; so these tables have no foreign keys, which would cost a look-up
-- per row of the largest tables, and the checks compare them with the feed instead
-- (docs/decisions/0006-cohorts-and-foreign-keys.md). Not partitioned by month yet: docs/decisions/0004-partitions.md.

-- How far an account's events are settled into slices and transfers. Its row is the lock that serialises settling.
CREATE TABLE meters (
    account_id    uuid        CONSTRAINT meters_pkey PRIMARY KEY
                              CONSTRAINT meters_account_fkey REFERENCES accounts,
    settled_seq   bigint      NOT NULL DEFAULT 0,
    -- Open intervals are posted up to this whole hour; what ran after it is shown live.
    settled_until timestamptz,
    running       integer     NOT NULL DEFAULT 0,
    -- A settling that broke waits here, visible, while other accounts go on.
    failed_at     timestamptz,
    retry_at      timestamptz
);
CREATE INDEX meters_running ON meters (settled_until) WHERE running > 0;
-- A meter that was never settled, or was set back to be settled from the first event on.
CREATE INDEX meters_never_settled ON meters (account_id) WHERE settled_until IS NULL;

-- When a key last created a sandbox. Not a column of keys: the feed would write rows that people change, and a key that is
-- being revoked would wait for a batch of events. Without a foreign key: the feed may name a key that is not ours.
CREATE TABLE key_uses (
    account_id   uuid        NOT NULL,
    key_id       uuid        NOT NULL,
    last_used_at timestamptz NOT NULL,
    CONSTRAINT key_uses_pkey PRIMARY KEY (account_id, key_id)
);

-- What the fold of a sandbox's events says now. A cache: it can be thrown away and folded again.
CREATE TABLE sandboxes (
    account_id   uuid             NOT NULL,
    sandbox_id   text COLLATE "C" NOT NULL,
    state        text COLLATE "C" NOT NULL CONSTRAINT sandboxes_state_is_known
                 CHECK (state IN ('running', 'hibernated', 'destroyed')),
    image        text             NOT NULL,
    region       text             NOT NULL,
    vcpus        integer          NOT NULL,
    mem_mib      integer          NOT NULL,
    key_id       uuid,
    parent_id    text,
    created_at   timestamptz      NOT NULL,
    destroyed_at timestamptz,
    cohort_id    uuid             NOT NULL,
    -- Processor milliseconds used, as the feed or the orchestrator's list last said; what waste is judged by. In this row,
    -- because the index that finds waste needs them beside the sandbox's life and size.
    cpu_ms       bigint,
    cpu_seen_at  timestamptz,
    CONSTRAINT sandboxes_pkey PRIMARY KEY (account_id, sandbox_id)
);
-- Each index of sandboxes is paid by every start and every end. By state only those that are not destroyed are looked for:
-- they are few, and the others are nearly all.
CREATE INDEX sandboxes_newest_first ON sandboxes (account_id, created_at DESC, sandbox_id DESC);
CREATE INDEX sandboxes_alive ON sandboxes (account_id, state, created_at DESC, sandbox_id DESC) WHERE state <> 'destroyed';
-- Sandboxes that may have been idle: a life of ten minutes or more of which the processors worked under one percent. Billed
-- time is at most the life, so whatever is idle by billed time is in here; most sandboxes are not, and cost nothing here.
CREATE INDEX sandboxes_maybe_idle ON sandboxes (account_id, coalesce(destroyed_at, 'infinity') DESC, sandbox_id DESC)
    WHERE cpu_ms IS NOT NULL AND (destroyed_at IS NULL OR (destroyed_at - created_at >= '10 minutes'::interval
        AND cpu_ms * 100 < extract(epoch FROM destroyed_at - created_at) * 1000 * vcpus));

CREATE TABLE intervals (
    account_id uuid             NOT NULL,
    sandbox_id text COLLATE "C" NOT NULL,
    ordinal    integer          NOT NULL CONSTRAINT intervals_ordinal_counts CHECK (ordinal >= 0),
    started_at timestamptz      NOT NULL,
    ended_at   timestamptz,
    CONSTRAINT intervals_pkey PRIMARY KEY (account_id, sandbox_id, ordinal),
    CONSTRAINT intervals_never_negative CHECK (ended_at >= started_at)
);
-- At most one interval of a sandbox is open: a second one would bill it twice.
CREATE UNIQUE INDEX intervals_one_open ON intervals (account_id, sandbox_id) WHERE ended_at IS NULL;

-- Rated usage: one sandbox, one UTC hour. Absolute, not a delta: folding again writes the same row again.
CREATE TABLE slices (
    account_id uuid             NOT NULL,
    sandbox_id text COLLATE "C" NOT NULL,
    hour_at    timestamptz      NOT NULL,
    price_id   uuid             NOT NULL,
    billed_ms  bigint           NOT NULL CONSTRAINT slices_fit_an_hour CHECK (billed_ms BETWEEN 1 AND 3600000),
    ticks      numeric(38, 0)   NOT NULL CONSTRAINT slices_ticks_are_not_negative CHECK (ticks >= 0),
    CONSTRAINT slices_pkey PRIMARY KEY (account_id, sandbox_id, hour_at)
);
CREATE INDEX slices_by_hour ON slices (account_id, hour_at);

-- Sandboxes alike in key, image, region and size. Pages group usage by these, so usage is summed per hour and cohort as it
-- is settled: a page of an account with ten million intervals then reads thousands of rows.
CREATE TABLE cohorts (
    account_id uuid    NOT NULL CONSTRAINT cohorts_account_fkey REFERENCES accounts,
    cohort_id  uuid    NOT NULL,
    key_id     uuid,
    image      text    NOT NULL,
    region     text    NOT NULL,
    vcpus      integer NOT NULL,
    mem_mib    integer NOT NULL,
    CONSTRAINT cohorts_pkey PRIMARY KEY (account_id, cohort_id),
    CONSTRAINT cohorts_are_distinct UNIQUE NULLS NOT DISTINCT (account_id, key_id, image, region, vcpus, mem_mib)
);

-- The sum of slices per hour and cohort. Moved by the same deltas in the same transaction as the slices; check R3 compares.
CREATE TABLE usage_hours (
    account_id uuid           NOT NULL,
    hour_at    timestamptz    NOT NULL,
    cohort_id  uuid           NOT NULL,
    billed_ms  bigint         NOT NULL CONSTRAINT usage_hours_ms_are_not_negative CHECK (billed_ms >= 0),
    ticks      numeric(38, 0) NOT NULL CONSTRAINT usage_hours_ticks_are_not_negative CHECK (ticks >= 0),
    CONSTRAINT usage_hours_pkey PRIMARY KEY (account_id, hour_at, cohort_id)
);

-- The sum of usage_hours per UTC day and cohort, moved by the same statement. Pages over months read it: an account with
-- forty cohorts has 28,800 sums of hours in a month and 1,200 of days, and with the former its usage page took 110 to 123 ms
-- at the 99th percentile with four readers. Check R3 compares. Not a view: it would add up the same rows for each page.
CREATE TABLE usage_days (
    account_id uuid           NOT NULL,
    -- Midnight UTC; a timestamp and not a date, so that it compares with hour_at whatever the time zone of a session.
    day_at     timestamptz    NOT NULL CONSTRAINT usage_days_begin_at_midnight
                              CHECK (day_at = date_trunc('day', day_at, 'UTC')),
    cohort_id  uuid           NOT NULL,
    billed_ms  bigint         NOT NULL CONSTRAINT usage_days_ms_are_not_negative CHECK (billed_ms >= 0),
    ticks      numeric(38, 0) NOT NULL CONSTRAINT usage_days_ticks_are_not_negative CHECK (ticks >= 0),
    CONSTRAINT usage_days_pkey PRIMARY KEY (account_id, day_at, cohort_id)
);

-- A stretch in which the orchestrator had lost a sandbox that was billed. What it cost comes back as a grant that names it.
CREATE TABLE incidents (
    account_id  uuid             NOT NULL CONSTRAINT incidents_account_fkey REFERENCES accounts,
    incident_id uuid             NOT NULL,
    sandbox_id  text COLLATE "C" NOT NULL,
    started_at  timestamptz      NOT NULL,
    ended_at    timestamptz      NOT NULL,
    billed_ms   bigint           NOT NULL,
    ticks       numeric(38, 0)   NOT NULL CONSTRAINT incidents_ticks_are_not_negative CHECK (ticks >= 0),
    -- None when nothing was billed in it, or nothing of it was paid.
    grant_id    uuid,
    -- How often it gave something back: once, and again if it turns out longer or its hours dearer.
    revision    integer          NOT NULL DEFAULT 0,
    noted_at    timestamptz      NOT NULL,
    -- When it was weighed; none while its last hour is still being booked.
    credited_at timestamptz,
    CONSTRAINT incidents_pkey PRIMARY KEY (account_id, incident_id),
    CONSTRAINT incidents_once UNIQUE (account_id, sandbox_id, started_at),
    CONSTRAINT incidents_grant_fkey FOREIGN KEY (account_id, grant_id) REFERENCES grants
);
CREATE INDEX incidents_by_end ON incidents (account_id, ended_at DESC);
CREATE INDEX incidents_to_weigh ON incidents (ended_at) WHERE credited_at IS NULL;
