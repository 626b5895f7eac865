-- Cell. What the orchestrator is told is left, and when timers end what runs.

-- What the end of an account is computed from (`Allowance` in docs/orchestrator.yaml), as it travels: the orchestrator moves the
-- end by itself with each start and stop while we are away. With the generation that it was made for, because one generation
-- must not be sent with two contents; not a table of its own, because it changes with `generation` and `run_until` and is read
-- with them. None: nothing was computed yet. The basis is a hash of what the orchestrator cannot derive from an older one.
ALTER TABLE accounts
    ADD COLUMN allowance       jsonb,
    ADD COLUMN allowance_basis bytea,
    ADD CONSTRAINT accounts_allowance_has_a_basis CHECK ((allowance IS NULL) = (allowance_basis IS NULL));

-- When the auto-destroy timer of what started will destroy it, as its start says. A command restarts it, which is no event:
-- what has passed is not known any more.
ALTER TABLE feed_events ADD COLUMN destroy_at timestamptz;
ALTER TABLE sandboxes ADD COLUMN destroy_at timestamptz;
