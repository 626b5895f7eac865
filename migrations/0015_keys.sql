-- Cell. API keys: what the owner sees, and the hash that is pushed to the orchestrator. The key itself is nowhere. That a
-- hash is unique across accounts is kept by key_hashes, in the directory; when a key was last used is metering's (key_uses).

CREATE TABLE keys (
    account_id uuid        NOT NULL CONSTRAINT keys_account_fkey REFERENCES accounts,
    key_id     uuid        NOT NULL,
    name       text        NOT NULL CONSTRAINT keys_name_is_short CHECK (char_length(name) BETWEEN 1 AND 60),
    region     text        NOT NULL,
    public_id  text        NOT NULL CONSTRAINT keys_public_id_is_base62 CHECK (public_id ~ '^[0-9A-Za-z]{12}$'),
    last_four  text        NOT NULL CONSTRAINT keys_last_four_is_base62 CHECK (last_four ~ '^[0-9A-Za-z]{4}$'),
    sha256     bytea       NOT NULL,
    created_by uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    -- When the orchestrator confirmed the key and its removal: until then the page says "on its way".
    pushed_at  timestamptz,
    removed_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT keys_pkey PRIMARY KEY (account_id, key_id)
);
CREATE INDEX keys_newest_first ON keys (account_id, created_at DESC, key_id DESC);
