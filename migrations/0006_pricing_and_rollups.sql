-- What issue 3 adds below the pages: prices bound to one account and to its notice, grants of every kind in exact ticks,
-- usage summed per hour and cohort, and the incidents that credit themselves.

-- A negotiated price: from some whole hour on an account is rated by another sku of the price book. Without a row it is
-- 'sandbox'. Insert-only like the book itself; the exclusion keeps one hour from having two prices.
CREATE TABLE price_bindings (
    account_id uuid        NOT NULL CONSTRAINT price_bindings_account_fkey REFERENCES accounts,
    sku        text        NOT NULL,
    during     tstzrange   NOT NULL,
    bound_at   timestamptz NOT NULL,
    CONSTRAINT price_bindings_no_overlap EXCLUDE USING gist (account_id WITH =, during WITH &&),
    CONSTRAINT price_bindings_bounds_are_hours CHECK (
        date_trunc('hour', lower(during), 'UTC') = lower(during)
        AND (upper_inf(during) OR date_trunc('hour', upper(during), 'UTC') = upper(during)))
);

-- The proof that an account was told of a price (Terms 4). A price applies to an account from the later of its own start
-- and 30 days after this, rounded up to the hour; to an account opened later it applies at once. No row: never.
CREATE TABLE price_notices (
    account_id uuid        NOT NULL CONSTRAINT price_notices_account_fkey REFERENCES accounts,
    price_id   uuid        NOT NULL CONSTRAINT price_notices_price_fkey REFERENCES prices,
    told_at    timestamptz NOT NULL,
    CONSTRAINT price_notices_pkey PRIMARY KEY (account_id, price_id)
);
-- A successor ends the price before it: the one change that a price allows, once, and 30 days ahead at the least (Terms 4).
-- Without it no second price could ever be listed, because an open range overlaps every later one.
DROP TRIGGER prices_are_append_only ON prices;
CREATE FUNCTION prices_may_only_be_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'during') IS DISTINCT FROM (to_jsonb(OLD) - 'during') OR lower(NEW.during) IS DISTINCT FROM lower(OLD.during)
        OR NOT upper_inf(OLD.during) OR upper_inf(NEW.during) OR upper(NEW.during) < now() + interval '30 days' THEN
        RAISE EXCEPTION 'a price can only be ended, once, and 30 days ahead' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER prices_may_only_be_ended BEFORE UPDATE ON prices
    FOR EACH ROW EXECUTE FUNCTION prices_may_only_be_ended();
CREATE TRIGGER prices_are_never_removed BEFORE DELETE OR TRUNCATE ON prices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_bindings_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON price_bindings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_notices_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON price_notices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Grants state their amount in ticks: what an incident gives back is exact, and rarely a whole cent. Both ends are whole
-- hours, because usage is booked by the hour and an hour has one answer.
ALTER TABLE grants ADD COLUMN amount_ticks numeric(38, 0);
UPDATE grants SET amount_ticks = amount_cents::numeric * 36864000000000;
ALTER TABLE grants
    ALTER COLUMN amount_ticks SET NOT NULL,
    DROP COLUMN amount_cents,
    ADD COLUMN note text NOT NULL DEFAULT '' CONSTRAINT grants_note_is_short CHECK (char_length(note) <= 200),
    DROP CONSTRAINT grants_reason_is_known,
    ADD CONSTRAINT grants_reason_is_known CHECK (reason IN ('sign_up', 'goodwill', 'incident')),
    ADD CONSTRAINT grants_amount_is_positive CHECK (amount_ticks > 0),
    ADD CONSTRAINT grants_bounds_are_hours CHECK (
        date_trunc('hour', starts_at, 'UTC') = starts_at
        AND (ends_at IS NULL OR date_trunc('hour', ends_at, 'UTC') = ends_at));
ALTER TABLE ledger_accounts
    DROP CONSTRAINT ledger_accounts_kind_is_known,
    ADD CONSTRAINT ledger_accounts_kind_is_known
        CHECK (kind IN ('grant', 'promo_cost', 'goodwill', 'revenue', 'overrun', 'breakage'));
-- How often the end of a grant was booked: once, and again if a late correction gave something back after it.
ALTER TABLE grants ADD COLUMN expiries integer NOT NULL DEFAULT 0;
CREATE INDEX grants_to_expire ON grants (ends_at) WHERE expiries = 0 AND ends_at IS NOT NULL;
-- expiry: what is left of a grant at its end goes to breakage.
ALTER TABLE transfers
    DROP CONSTRAINT transfers_kind_is_known,
    ADD CONSTRAINT transfers_kind_is_known CHECK (kind IN ('grant', 'usage', 'correction', 'overrun', 'expiry'));

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
INSERT INTO cohorts (account_id, cohort_id, key_id, image, region, vcpus, mem_mib)
SELECT account_id, gen_random_uuid(), key_id, image, region, vcpus, mem_mib FROM sandboxes
GROUP BY account_id, key_id, image, region, vcpus, mem_mib;

ALTER TABLE sandboxes ADD COLUMN cohort_id uuid,
    -- Processor milliseconds used, as the feed or the orchestrator's list last said; what waste is judged by.
    ADD COLUMN cpu_ms bigint,
    ADD COLUMN cpu_seen_at timestamptz;
UPDATE sandboxes AS s SET cohort_id = c.cohort_id FROM cohorts AS c
WHERE (c.account_id, c.image, c.region, c.vcpus, c.mem_mib) = (s.account_id, s.image, s.region, s.vcpus, s.mem_mib)
    AND c.key_id IS NOT DISTINCT FROM s.key_id;
ALTER TABLE sandboxes ALTER COLUMN cohort_id SET NOT NULL;
CREATE INDEX sandboxes_ended ON sandboxes (account_id, destroyed_at DESC) WHERE destroyed_at IS NOT NULL;

-- The sum of slices per hour and cohort. Moved by the same deltas in the same transaction as the slices; check R3 compares.
CREATE TABLE usage_hours (
    account_id uuid           NOT NULL,
    hour_at    timestamptz    NOT NULL,
    cohort_id  uuid           NOT NULL,
    billed_ms  bigint         NOT NULL CONSTRAINT usage_hours_ms_are_not_negative CHECK (billed_ms >= 0),
    ticks      numeric(38, 0) NOT NULL CONSTRAINT usage_hours_ticks_are_not_negative CHECK (ticks >= 0),
    CONSTRAINT usage_hours_pkey PRIMARY KEY (account_id, hour_at, cohort_id)
);
INSERT INTO usage_hours (account_id, hour_at, cohort_id, billed_ms, ticks)
SELECT l.account_id, l.hour_at, s.cohort_id, sum(l.billed_ms)::bigint, sum(l.ticks)
FROM slices AS l JOIN sandboxes AS s USING (account_id, sandbox_id) GROUP BY l.account_id, l.hour_at, s.cohort_id;

-- These foreign keys cost a look-up per row of the three largest tables. Their rows are written by the fold alone, in
-- the transaction that wrote what they point to, and checks R1 and R3 compare them with the feed (docs/decisions/0006).
ALTER TABLE intervals DROP CONSTRAINT intervals_sandbox_fkey;
ALTER TABLE slices DROP CONSTRAINT slices_sandbox_fkey, DROP CONSTRAINT slices_price_fkey;
ALTER TABLE feed_log DROP CONSTRAINT feed_log_feed_fkey;
ALTER TABLE feed_events DROP CONSTRAINT feed_events_account_fkey;
ALTER TABLE sandboxes DROP CONSTRAINT sandboxes_account_fkey;

-- A stretch in which the orchestrator had lost a sandbox that was billed. What it cost comes back as a grant that names it.
CREATE TABLE incidents (
    account_id  uuid           NOT NULL CONSTRAINT incidents_account_fkey REFERENCES accounts,
    incident_id uuid           NOT NULL,
    sandbox_id  text           NOT NULL,
    started_at  timestamptz    NOT NULL,
    ended_at    timestamptz    NOT NULL,
    billed_ms   bigint         NOT NULL,
    ticks       numeric(38, 0) NOT NULL CONSTRAINT incidents_ticks_are_not_negative CHECK (ticks >= 0),
    -- None when nothing was billed in it, or nothing of it was paid.
    grant_id    uuid,
    -- How often it gave something back: once, and again if it turns out longer or its hours dearer.
    revision    integer        NOT NULL DEFAULT 0,
    noted_at    timestamptz    NOT NULL,
    -- When it was weighed; none while its last hour is still being booked.
    credited_at timestamptz,
    CONSTRAINT incidents_pkey PRIMARY KEY (account_id, incident_id),
    CONSTRAINT incidents_once UNIQUE (account_id, sandbox_id, started_at),
    CONSTRAINT incidents_grant_fkey FOREIGN KEY (account_id, grant_id) REFERENCES grants
);
CREATE INDEX incidents_by_end ON incidents (account_id, ended_at DESC);
CREATE INDEX incidents_to_weigh ON incidents (ended_at) WHERE credited_at IS NULL;

-- Settling books thousands of transfers of many accounts in one statement. The first form of this function compared each
-- tracked account with each transfer; this one joins by key. What it does is the same: lock in the order of ids, move.
CREATE OR REPLACE FUNCTION transfers_move_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM (SELECT account_id, debit_id AS id FROM fresh UNION SELECT account_id, credit_id FROM fresh) AS side
        JOIN ledger_accounts AS la ON la.account_id = side.account_id AND la.ledger_account_id = side.id
        WHERE la.is_tracked ORDER BY la.account_id, la.ledger_account_id FOR NO KEY UPDATE OF la;
    UPDATE ledger_accounts AS la
        SET debit_ticks = la.debit_ticks + moved.debit, credit_ticks = la.credit_ticks + moved.credit
        FROM (SELECT side.account_id, side.id, sum(side.debit) AS debit, sum(side.credit) AS credit
              FROM (SELECT account_id, debit_id AS id, ticks AS debit, 0 AS credit FROM fresh
                    UNION ALL SELECT account_id, credit_id, 0, ticks FROM fresh) AS side
              GROUP BY side.account_id, side.id) AS moved
        WHERE la.is_tracked AND la.account_id = moved.account_id AND la.ledger_account_id = moved.id;
    RETURN NULL;
END $$;
