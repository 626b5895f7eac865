-- Two narrow indexes for pages that must not walk an account's whole past.

-- The statement by kind. Usage is nearly all of the ledger and is found by transfers_newest_first; what is left is rare and
-- would be looked for among millions of usage lines. Partial, so that posting usage does not pay for it.
CREATE INDEX transfers_beside_usage ON transfers (account_id, kind, booked_at DESC, transfer_id DESC)
    WHERE kind <> 'usage';

-- Sandboxes that may have been idle: a life of ten minutes or more of which the processors worked under one percent. Billed
-- time is at most the life, so whatever is idle by billed time is in here; most sandboxes are not, and cost nothing here.
CREATE INDEX sandboxes_maybe_idle ON sandboxes (account_id, coalesce(destroyed_at, 'infinity') DESC, sandbox_id DESC)
    WHERE cpu_ms IS NOT NULL AND (destroyed_at IS NULL OR (destroyed_at - created_at >= '10 minutes'::interval
        AND cpu_ms * 100 < extract(epoch FROM destroyed_at - created_at) * 1000 * vcpus));
