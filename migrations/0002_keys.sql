-- API keys: what the owner sees, and the hash that is pushed to the orchestrator. The key itself is nowhere.

-- Uniqueness of the hash holds across tenants, so it stands in a small table of its own (decisions.md 2).
CREATE TABLE key_hashes (
    sha256     bytea CONSTRAINT key_hashes_pkey PRIMARY KEY,
    account_id uuid  NOT NULL,
    key_id     uuid  NOT NULL
);

CREATE TABLE keys (
    account_id   uuid        NOT NULL CONSTRAINT keys_account_fkey REFERENCES accounts,
    key_id       uuid        NOT NULL,
    name         text        NOT NULL CONSTRAINT keys_name_is_short CHECK (char_length(name) BETWEEN 1 AND 60),
    region       text        NOT NULL,
    public_id    text        NOT NULL CONSTRAINT keys_public_id_is_base62 CHECK (public_id ~ '^[0-9A-Za-z]{12}$'),
    last_four    text        NOT NULL CONSTRAINT keys_last_four_is_base62 CHECK (last_four ~ '^[0-9A-Za-z]{4}$'),
    sha256       bytea       NOT NULL,
    created_by   uuid        NOT NULL CONSTRAINT keys_creator_fkey REFERENCES users (user_id),
    created_at   timestamptz NOT NULL,
    -- When the orchestrator confirmed the key and its removal: until then the page says "on its way".
    pushed_at    timestamptz,
    removed_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    CONSTRAINT keys_pkey PRIMARY KEY (account_id, key_id)
);
CREATE INDEX keys_newest_first ON keys (account_id, created_at DESC, key_id DESC);
