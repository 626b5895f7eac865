-- Directory. Signed-in browsers.

-- The id is stored hashed: a leaked table opens no session. The owner has a column of its own, so that "end all sessions of
-- this person" is one delete. Visitors have no row.
CREATE TABLE sessions (
    session_id_sha256 bytea       CONSTRAINT sessions_pkey PRIMARY KEY,
    user_id           uuid        CONSTRAINT sessions_user_fkey REFERENCES users,
    kind              text        NOT NULL CONSTRAINT sessions_kind_is_known CHECK (kind IN ('visitor', 'customer')),
    data              jsonb       NOT NULL,
    created_at        timestamptz NOT NULL,
    seen_at           timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL,
    CONSTRAINT sessions_customers_have_an_owner CHECK (kind = 'visitor' OR user_id IS NOT NULL)
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
