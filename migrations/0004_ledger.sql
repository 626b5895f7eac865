-- The ledger: single-row transfers between two accounts of one tenant, append-only, balanced by construction
-- (reference/billing.md 1.6). System accounts (promo_cost, revenue, overrun) exist per tenant, so a transfer never
-- leaves its tenant and no hot row queues all writers; company totals are sums on read.

CREATE TABLE ledger_accounts (
    account_id        uuid           NOT NULL CONSTRAINT ledger_accounts_account_fkey REFERENCES accounts,
    ledger_account_id uuid           NOT NULL,
    kind              text           NOT NULL CONSTRAINT ledger_accounts_kind_is_known
                                     CHECK (kind IN ('grant', 'promo_cost', 'revenue', 'overrun')),
    -- A tracked account keeps its balance in this row; the others are summed on read.
    is_tracked        boolean        NOT NULL,
    debit_ticks       numeric(38, 0) NOT NULL DEFAULT 0,
    credit_ticks      numeric(38, 0) NOT NULL DEFAULT 0,
    CONSTRAINT ledger_accounts_pkey PRIMARY KEY (account_id, ledger_account_id),
    -- A grant can be spent to zero and never beyond.
    CONSTRAINT ledger_accounts_grants_are_bounded CHECK (kind <> 'grant' OR credit_ticks >= debit_ticks)
);
CREATE UNIQUE INDEX ledger_accounts_one_of_each_system ON ledger_accounts (account_id, kind) WHERE kind <> 'grant';

-- Credit given to an account. Its money is in the ledger account of the same id.
CREATE TABLE grants (
    account_id   uuid        NOT NULL,
    grant_id     uuid        NOT NULL,
    reason       text        NOT NULL CONSTRAINT grants_reason_is_known CHECK (reason IN ('sign_up')),
    amount_cents bigint      NOT NULL CONSTRAINT grants_amount_is_positive CHECK (amount_cents > 0),
    priority     integer     NOT NULL,
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz CONSTRAINT grants_end_after_start CHECK (ends_at > starts_at),
    granted_at   timestamptz NOT NULL,
    CONSTRAINT grants_pkey PRIMARY KEY (account_id, grant_id),
    CONSTRAINT grants_ledger_account_fkey FOREIGN KEY (account_id, grant_id)
        REFERENCES ledger_accounts (account_id, ledger_account_id)
);
-- Terms 4: new accounts receive $50, once.
CREATE UNIQUE INDEX grants_one_sign_up ON grants (account_id) WHERE reason = 'sign_up';

CREATE TABLE transfers (
    account_id   uuid           NOT NULL,
    transfer_id  uuid           NOT NULL,
    debit_id     uuid           NOT NULL,
    credit_id    uuid           NOT NULL,
    ticks        numeric(38, 0) NOT NULL CONSTRAINT transfers_ticks_are_positive CHECK (ticks > 0),
    kind         text           NOT NULL CONSTRAINT transfers_kind_is_known
                                CHECK (kind IN ('grant', 'usage', 'correction', 'overrun')),
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

-- Moves the stored balances with the transfers, in one statement, locking rows in the order of their ids. FOR NO KEY
-- UPDATE: FOR UPDATE would fight the FOR KEY SHARE that the foreign keys take, and deadlock (billing.md 1.6, measured).
CREATE FUNCTION transfers_move_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM ledger_accounts AS la
        WHERE la.is_tracked AND EXISTS (SELECT 1 FROM fresh AS f WHERE f.account_id = la.account_id
            AND la.ledger_account_id IN (f.debit_id, f.credit_id))
        ORDER BY la.account_id, la.ledger_account_id FOR NO KEY UPDATE;
    UPDATE ledger_accounts AS la
        SET debit_ticks = la.debit_ticks + moved.debit, credit_ticks = la.credit_ticks + moved.credit
        FROM (SELECT side.account_id, side.id, sum(side.debit) AS debit, sum(side.credit) AS credit
              FROM (SELECT account_id, debit_id AS id, ticks AS debit, 0 AS credit FROM fresh
                    UNION ALL SELECT account_id, credit_id, 0, ticks FROM fresh) AS side
              GROUP BY side.account_id, side.id) AS moved
        WHERE la.is_tracked AND la.account_id = moved.account_id AND la.ledger_account_id = moved.id;
    RETURN NULL;
END $$;
CREATE TRIGGER transfers_move_balances AFTER INSERT ON transfers
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION transfers_move_balances();

-- Append-only: a mistake is corrected by a transfer the other way, never by an edit.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER transfers_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER feed_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON feed_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER feed_events_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON feed_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER prices_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON prices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
