-- What settling many events at once waited for: the rows that the puller writes too, and comparisons of text.

-- Accounts with events that are not settled yet, and the last of these. It was a column of meters: then storing a page of
-- the feed wrote rows that settling holds for as long as a lot takes, and gave up after lock_timeout. Settling takes a row
-- away at its very end, so the puller waits for a commit and no more. Few rows, however many accounts there are.
CREATE TABLE news (
    account_id uuid   CONSTRAINT news_pkey PRIMARY KEY
                      CONSTRAINT news_account_fkey REFERENCES accounts,
    seq        bigint NOT NULL CONSTRAINT news_seq_counts CHECK (seq > 0)
);
INSERT INTO news (account_id, seq) SELECT account_id, ingested_seq FROM meters WHERE ingested_seq > settled_seq;
DROP INDEX meters_behind;
ALTER TABLE meters DROP COLUMN ingested_seq;
-- A meter that was never settled, or was set back to be settled from the first event on.
CREATE INDEX meters_never_settled ON meters (account_id) WHERE settled_until IS NULL;

-- Words and ids of the outside world are compared byte by byte, whatever the language of the cluster: these columns are the
-- keys of the largest tables, and each row stored is compared with many others.
ALTER TABLE feed_log
    ALTER COLUMN feed TYPE text COLLATE "C", ALTER COLUMN epoch TYPE text COLLATE "C";
-- The feed and its epoch come last in the key: they are the same in nearly all rows.
ALTER TABLE feed_events
    DROP CONSTRAINT feed_events_pkey,
    ALTER COLUMN sandbox_id TYPE text COLLATE "C", ALTER COLUMN kind TYPE text COLLATE "C",
    ALTER COLUMN feed TYPE text COLLATE "C", ALTER COLUMN epoch TYPE text COLLATE "C",
    ADD CONSTRAINT feed_events_pkey PRIMARY KEY (account_id, seq, feed, epoch);
ALTER TABLE sandboxes
    ALTER COLUMN sandbox_id TYPE text COLLATE "C", ALTER COLUMN state TYPE text COLLATE "C";
ALTER TABLE intervals ALTER COLUMN sandbox_id TYPE text COLLATE "C";
ALTER TABLE slices ALTER COLUMN sandbox_id TYPE text COLLATE "C";
ALTER TABLE incidents ALTER COLUMN sandbox_id TYPE text COLLATE "C";

-- Each index of sandboxes is paid by every start and every end. By state only those that are not destroyed are looked for:
-- they are few, and the others are nearly all. By end, waste has an index of its own (0009).
DROP INDEX sandboxes_by_state;
DROP INDEX sandboxes_ended;
CREATE INDEX sandboxes_alive ON sandboxes (account_id, state, created_at DESC, sandbox_id DESC) WHERE state <> 'destroyed';
