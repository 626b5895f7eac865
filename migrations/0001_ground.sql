-- What several subjects stand on: one extension and one trigger function. No table.
--
-- The schema has two groups. The *directory* knows people and which account something belongs to: it is small, and what a
-- request is asked first. A *cell* holds accounts with everything of theirs; there may be several of them one day, each a
-- database of its own. So no foreign key leads from one group to the other, and what a cell knows of a person is a bare id.
-- Each file belongs to one group and says so in its first line; docs/data-map.toml has the same for each table.

-- Exclusion constraints that compare an id or a word for equality beside a range.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Append-only: a mistake is corrected by a row that says so, never by an edit. A table that is append-only has two triggers
-- of this function, one for UPDATE OR DELETE and one for TRUNCATE: a database that spreads tables over several machines
-- accepts the first on its parts and the second on the whole only.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
