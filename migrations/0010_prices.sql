-- Cell. The price book, and what of it holds for one account. Every cell has the whole book: nothing is rated without it.

-- Prices, by sku and time. Bounds are whole UTC hours, so that a slice of one hour never straddles a change. Overlap and
-- short notice are refused here, not by good manners.
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

-- A successor ends the price before it: the one change that a price allows, once, and 30 days ahead at the least (Terms 4).
-- Without it no second price could ever be listed, because an open range overlaps every later one.
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
CREATE TRIGGER prices_are_never_removed BEFORE DELETE ON prices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER prices_are_never_emptied BEFORE TRUNCATE ON prices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Terms 4: $0.041 per hour of 1 vCPU + 1 GiB, per second; listed as $0.026 + $0.015. Not customer data, and nothing can be
-- rated without it, so it is part of the schema.
INSERT INTO prices (price_id, sku, vcpu_hour_microusd, gib_hour_microusd, grain_ms, is_first, announced_at, during)
VALUES ('01890000-0000-7000-8000-000000000041', 'sandbox', 26000, 15000, 1000, true,
        '2020-01-01 00:00:00+00', tstzrange('2020-01-01 00:00:00+00', NULL));

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
CREATE TRIGGER price_bindings_are_append_only BEFORE UPDATE OR DELETE ON price_bindings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_bindings_are_never_emptied BEFORE TRUNCATE ON price_bindings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The proof that an account was told of a price (Terms 4). A price applies to an account from the later of its own start
-- and 30 days after this, rounded up to the hour; to an account opened later it applies at once. No row: never.
CREATE TABLE price_notices (
    account_id uuid        NOT NULL CONSTRAINT price_notices_account_fkey REFERENCES accounts,
    price_id   uuid        NOT NULL CONSTRAINT price_notices_price_fkey REFERENCES prices,
    told_at    timestamptz NOT NULL,
    CONSTRAINT price_notices_pkey PRIMARY KEY (account_id, price_id)
);
CREATE TRIGGER price_notices_are_append_only BEFORE UPDATE OR DELETE ON price_notices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_notices_are_never_emptied BEFORE TRUNCATE ON price_notices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
