-- Cell. The ledger: single-row transfers between two accounts of one tenant, append-only, balanced by construction. System
-- accounts (promo_cost, revenue, overrun ...) exist per tenant, so a transfer never leaves its tenant and no hot row queues
-- all writers; company totals are sums on read. Not partitioned by month yet: docs/decisions/0004-partitions.md says why.

CREATE TABLE ledger_accounts (
    account_id        uuid           NOT NULL CONSTRAINT ledger_accounts_account_fkey REFERENCES accounts,
    ledger_account_id uuid           NOT NULL,
    kind              text           NOT NULL CONSTRAINT ledger_accounts_kind_is_known
                                     CHECK (kind IN ('grant', 'promo_cost', 'goodwill', 'revenue', 'overrun', 'breakage')),
    -- A tracked account keeps its balance in this row; the others are summed on read.
    is_tracked        boolean        NOT NULL,
    debit_ticks       numeric(38, 0) NOT NULL DEFAULT 0,
    credit_ticks      numeric(38, 0) NOT NULL DEFAULT 0,
    CONSTRAINT ledger_accounts_pkey PRIMARY KEY (account_id, ledger_account_id),
    -- A grant can be spent to zero and never beyond.
    CONSTRAINT ledger_accounts_grants_are_bounded CHECK (kind <> 'grant' OR credit_ticks >= debit_ticks)
);
CREATE UNIQUE INDEX ledger_accounts_one_of_each_system ON ledger_accounts (account_id, kind) WHERE kind <> 'grant';

-- Credit given to an account. Its money is in the ledger account of the same id. The amount is in ticks: what an incident
-- gives back is exact, and rarely a whole cent. Both ends are whole hours, because usage is booked by the hour and an hour
-- has one answer.
CREATE TABLE grants (
    account_id   uuid           NOT NULL,
    grant_id     uuid           NOT NULL,
    reason       text           NOT NULL CONSTRAINT grants_reason_is_known
                                CHECK (reason IN ('sign_up', 'goodwill', 'incident')),
    amount_ticks numeric(38, 0) NOT NULL CONSTRAINT grants_amount_is_positive CHECK (amount_ticks > 0),
    note         text           NOT NULL DEFAULT '' CONSTRAINT grants_note_is_short CHECK (char_length(note) <= 200),
    priority     integer        NOT NULL,
    starts_at    timestamptz    NOT NULL,
    ends_at      timestamptz    CONSTRAINT grants_end_after_start CHECK (ends_at > starts_at),
    -- How often its end was booked: once, and again if a late correction gave something back after it.
    expiries     integer        NOT NULL DEFAULT 0,
    granted_at   timestamptz    NOT NULL,
    CONSTRAINT grants_pkey PRIMARY KEY (account_id, grant_id),
    CONSTRAINT grants_ledger_account_fkey FOREIGN KEY (account_id, grant_id)
        REFERENCES ledger_accounts (account_id, ledger_account_id),
    CONSTRAINT grants_bounds_are_hours CHECK (
        date_trunc('hour', starts_at, 'UTC') = starts_at
        AND (ends_at IS NULL OR date_trunc('hour', ends_at, 'UTC') = ends_at))
);
-- Terms 4: new accounts receive $50, once.
CREATE UNIQUE INDEX grants_one_sign_up ON grants (account_id) WHERE reason = 'sign_up';
CREATE INDEX grants_to_expire ON grants (ends_at) WHERE expiries = 0 AND ends_at IS NOT NULL;

CREATE TABLE transfers (
    account_id   uuid           NOT NULL,
    transfer_id  uuid           NOT NULL,
    debit_id     uuid           NOT NULL,
    credit_id    uuid           NOT NULL,
    ticks        numeric(38, 0) NOT NULL CONSTRAINT transfers_ticks_are_positive CHECK (ticks > 0),
    -- expiry: what is left of a grant at its end goes to breakage.
    kind         text           NOT NULL CONSTRAINT transfers_kind_is_known
                                CHECK (kind IN ('grant', 'usage', 'correction', 'overrun', 'expiry')),
    -- What it is for, such as `usage:<hour>:<revision>:<payer>`: booking the same thing twice is refused.
    key          text           NOT NULL,
    service_hour timestamptz,
    booked_at    timestamptz    NOT NULL,
    CONSTRAINT transfers_pkey PRIMARY KEY (account_id, transfer_id),
    CONSTRAINT transfers_once UNIQUE (account_id, key),
    CONSTRAINT transfers_have_two_sides CHECK (debit_id <> credit_id),
    CONSTRAINT transfers_debit_fkey FOREIGN KEY (account_id, debit_id) REFERENCES ledger_accounts,
    CONSTRAINT transfers_credit_fkey FOREIGN KEY (account_id, credit_id) REFERENCES ledger_accounts
);
CREATE INDEX transfers_newest_first ON transfers (account_id, booked_at DESC, transfer_id DESC);
CREATE INDEX transfers_by_hour ON transfers (account_id, service_hour);
-- The statement by kind. Usage is nearly all of the ledger and is found by transfers_newest_first; what is left is rare and
-- would be looked for among millions of usage lines. Partial, so that posting usage does not pay for it.
CREATE INDEX transfers_beside_usage ON transfers (account_id, kind, booked_at DESC, transfer_id DESC)
    WHERE kind <> 'usage';

-- Moves the stored balances with the transfers: one UPDATE by its key for each ledger account that moved, in the order of
-- ids, so that two statements that move the same accounts wait for each other and never both ways. One UPDATE that joins
-- the sums took 162 ms for 4,000 transfers where this takes 121, and is a plan that no database over several machines can
-- send to one of them. An UPDATE that leaves the key alone locks FOR NO KEY UPDATE: a stronger lock would fight the FOR KEY
-- SHARE that the foreign keys take, and deadlock.
CREATE FUNCTION transfers_move_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved record;
BEGIN
    FOR moved IN
        SELECT side.account_id, side.id, sum(side.debit) AS debit, sum(side.credit) AS credit
        FROM (SELECT account_id, debit_id AS id, ticks AS debit, 0 AS credit FROM fresh
              UNION ALL SELECT account_id, credit_id, 0, ticks FROM fresh) AS side
        GROUP BY side.account_id, side.id ORDER BY side.account_id, side.id
    LOOP
        UPDATE ledger_accounts AS la
            SET debit_ticks = la.debit_ticks + moved.debit, credit_ticks = la.credit_ticks + moved.credit
            WHERE la.account_id = moved.account_id AND la.ledger_account_id = moved.id AND la.is_tracked;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER transfers_move_balances AFTER INSERT ON transfers
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION transfers_move_balances();
CREATE TRIGGER transfers_are_append_only BEFORE UPDATE OR DELETE ON transfers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transfers_are_never_emptied BEFORE TRUNCATE ON transfers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- One link per UTC day over all transfers of the cell booked in it; each holds the hash of the day before. It is also
-- written to the log, which lies outside this database: who rewrites both tables still contradicts the log.
CREATE TABLE ledger_days (
    day_at          date           CONSTRAINT ledger_days_pkey PRIMARY KEY,
    transfers       bigint         NOT NULL,
    ticks           numeric(38, 0) NOT NULL,
    previous_sha256 bytea          NOT NULL,
    sha256          bytea          NOT NULL,
    sealed_at       timestamptz    NOT NULL
);
CREATE TRIGGER ledger_days_are_append_only BEFORE UPDATE OR DELETE ON ledger_days
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_days_are_never_emptied BEFORE TRUNCATE ON ledger_days
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
