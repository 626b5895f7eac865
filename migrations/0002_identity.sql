-- Directory. People, their addresses and the confirmations of these. Ids are UUIDv7 and made by the application.

-- A person. The address as typed lives here; its canonical form lives in user_emails, which alone enforces uniqueness.
CREATE TABLE users (
    user_id           uuid        CONSTRAINT users_pkey PRIMARY KEY,
    email             text        NOT NULL,
    password_hash     text        NOT NULL,
    country           text        NOT NULL CONSTRAINT users_country_is_a_code CHECK (country ~ '^[A-Z]{2}$'),
    email_verified_at timestamptz,
    created_at        timestamptz NOT NULL
);

-- A small table of its own, keyed by the address: who signs in knows nothing else.
CREATE TABLE user_emails (
    canonical  text        CONSTRAINT user_emails_pkey PRIMARY KEY,
    user_id    uuid        NOT NULL CONSTRAINT user_emails_user_fkey REFERENCES users,
    created_at timestamptz NOT NULL,
    CONSTRAINT user_emails_one_per_user UNIQUE (user_id)
);

-- A pending confirmation of an address. The token is derived from the id by a secret key when the mail is sent, so
-- neither this table nor a job ever holds it; only its hash is looked up.
CREATE TABLE verifications (
    verification_id uuid        CONSTRAINT verifications_pkey PRIMARY KEY,
    user_id         uuid        NOT NULL CONSTRAINT verifications_user_fkey REFERENCES users,
    token_sha256    bytea       NOT NULL CONSTRAINT verifications_token_key UNIQUE,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz
);
CREATE INDEX verifications_by_user ON verifications (user_id, created_at);
