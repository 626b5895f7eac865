-- Directory. The root secret, sealed.

-- What long-lived secrets are derived from (the signing secrets of webhooks, the tokens of calendar links and of links in mails):
-- random bytes, encrypted under SECRET_KEY. So SECRET_KEY can be changed by sealing this one row again, and none of those
-- secrets changes with it (docs/decisions/0017-two-keys.md). key_id names the key that sealed it, and says nothing about it.
-- One row, because whatever is derived must be derived alike by every process.
CREATE TABLE secret_roots (
    secret_root_id smallint    CONSTRAINT secret_roots_pkey PRIMARY KEY
                               CONSTRAINT secret_roots_there_is_one CHECK (secret_root_id = 1),
    key_id         text,
    nonce          bytea,
    sealed         bytea,
    sealed_at      timestamptz,
    CONSTRAINT secret_roots_are_whole_or_empty
        CHECK (num_nulls(key_id, nonce, sealed, sealed_at) IN (0, 4))
);
-- A database that had people before there was a root derived from SECRET_KEY itself. Its root is that key: an empty row says so
-- to the first process that starts, which seals it.
INSERT INTO secret_roots (secret_root_id) SELECT 1 WHERE EXISTS (SELECT FROM users);
