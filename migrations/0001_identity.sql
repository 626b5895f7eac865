-- Who can sign in and what is billed: users, accounts, memberships, acceptances, verifications, sessions.
-- Keys, sandboxes and money have migrations of their own. Ids are UUIDv7 and made by the application.

-- A person. The address as typed lives here; its canonical form lives in user_emails, which alone enforces uniqueness.
CREATE TABLE users (
    user_id           uuid        CONSTRAINT users_pkey PRIMARY KEY,
    email             text        NOT NULL,
    password_hash     text        NOT NULL,
    country           text        NOT NULL CONSTRAINT users_country_is_a_code CHECK (country ~ '^[A-Z]{2}$'),
    email_verified_at timestamptz,
    created_at        timestamptz NOT NULL
);

-- Unique across all tenants, so it is a small table of its own: `users` can then be distributed without a global index.
CREATE TABLE user_emails (
    canonical  text        CONSTRAINT user_emails_pkey PRIMARY KEY,
    user_id    uuid        NOT NULL CONSTRAINT user_emails_user_fkey REFERENCES users,
    created_at timestamptz NOT NULL,
    CONSTRAINT user_emails_one_per_user UNIQUE (user_id)
);

-- What is billed. `generation` numbers the states pushed to the orchestrator; an older one is ignored there.
CREATE TABLE accounts (
    account_id   uuid        CONSTRAINT accounts_pkey PRIMARY KEY,
    name         text        NOT NULL,
    region       text        NOT NULL CONSTRAINT accounts_region_is_two_letters CHECK (region ~ '^[a-z]{2}$'),
    generation   bigint      NOT NULL DEFAULT 0 CONSTRAINT accounts_generation_grows CHECK (generation >= 0),
    activated_at timestamptz,
    created_at   timestamptz NOT NULL
);

CREATE TABLE memberships (
    account_id uuid        NOT NULL CONSTRAINT memberships_account_fkey REFERENCES accounts,
    user_id    uuid        NOT NULL CONSTRAINT memberships_user_fkey REFERENCES users,
    role       text        NOT NULL CONSTRAINT memberships_role_is_known
                           CHECK (role IN ('owner', 'admin', 'billing', 'developer', 'viewer')),
    created_at timestamptz NOT NULL,
    CONSTRAINT memberships_pkey PRIMARY KEY (account_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id, created_at);

-- What was agreed to, in which version, when (Terms 13 to 15). One row per document: proof, so never updated.
CREATE TABLE acceptances (
    account_id    uuid        NOT NULL CONSTRAINT acceptances_account_fkey REFERENCES accounts,
    acceptance_id uuid        NOT NULL,
    user_id       uuid        NOT NULL CONSTRAINT acceptances_user_fkey REFERENCES users,
    document      text        NOT NULL CONSTRAINT acceptances_document_is_known
                              CHECK (document IN ('terms', 'aup', 'dpa', 'export_statement')),
    version       text        NOT NULL,
    accepted_at   timestamptz NOT NULL,
    CONSTRAINT acceptances_pkey PRIMARY KEY (account_id, acceptance_id),
    CONSTRAINT acceptances_once_per_version UNIQUE (account_id, user_id, document, version)
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

-- Signed-in browsers. The id is stored hashed: a leaked table opens no session. The owner has a column of its own, so
-- that "end all sessions of this person" is one delete. Visitors have no row.
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
