-- Cell. Whatever the feed says is kept, as it was said; and how often in a row pulling broke.

-- A line that cannot become an event was kept as jsonb, which refuses what JSON allows: U+0000 in a string, a number of 400
-- digits, half a surrogate pair. One such line then stopped metering for everybody, for ever. Kept as bytes it can hold
-- anything, and what a person looks at later is what was said and not what a parser made of it. What was set aside before is
-- carried over as the text that jsonb makes of it.
ALTER TABLE feed_log ADD COLUMN raw bytea;
ALTER TABLE feed_log DISABLE TRIGGER feed_log_is_append_only;
UPDATE feed_log SET raw = convert_to(body::text, 'UTF8') WHERE body IS NOT NULL;
ALTER TABLE feed_log ENABLE TRIGGER feed_log_is_append_only;
ALTER TABLE feed_log DROP COLUMN body;
-- A line may name neither itself nor an account that can be read. Its place is its number, which the feed's order tells. Only
-- a line that counts has its id here: then an id that comes a second time is found by the constraint, at no cost to
-- the others, and one that was set aside does not stand in the way of its own correction.
ALTER TABLE feed_log ALTER COLUMN event_id DROP NOT NULL;
ALTER TABLE feed_log ALTER COLUMN account_id DROP NOT NULL;
ALTER TABLE feed_log DROP CONSTRAINT feed_log_reason_is_known;
ALTER TABLE feed_log ADD CONSTRAINT feed_log_reason_is_known
    CHECK (set_aside IN ('unknown_account', 'malformed', 'repeated', 'refused'));
ALTER TABLE feed_log ADD CONSTRAINT feed_log_set_aside_keeps_what_was_said
    CHECK (set_aside IS NULL OR raw IS NOT NULL);
ALTER TABLE feed_log ADD CONSTRAINT feed_log_what_counts_has_a_name
    CHECK (set_aside IS NOT NULL OR (event_id IS NOT NULL AND account_id IS NOT NULL));

-- A puller that breaks again and again is neither a feed that stopped nor an orchestrator that is silent: a row of its own
-- kind, which ten in a row turn into an alarm. In the cursor's row, because the pull that succeeds writes it anyway.
ALTER TABLE feed_cursors ADD COLUMN failures integer NOT NULL DEFAULT 0
    CONSTRAINT feed_cursors_failures_count CHECK (failures >= 0);
