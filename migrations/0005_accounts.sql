-- Cell. What is billed, who belongs to it, and what was agreed to for it.

-- What is billed. `generation` numbers the states pushed to the orchestrator; an older one is ignored there.
CREATE TABLE accounts (
    account_id   uuid        CONSTRAINT accounts_pkey PRIMARY KEY,
    name         text        NOT NULL,
    region       text        NOT NULL CONSTRAINT accounts_region_is_two_letters CHECK (region ~ '^[a-z]{2}$'),
    generation   bigint      NOT NULL DEFAULT 0 CONSTRAINT accounts_generation_grows CHECK (generation >= 0),
    activated_at timestamptz,
    created_at   timestamptz NOT NULL,
    -- What the orchestrator is told: past this moment nothing of the account runs. None: no end is in sight.
    run_until    timestamptz
);

-- The role of a person in an account. That they belong to it, user_accounts says too, for who asks by person.
CREATE TABLE memberships (
    account_id uuid        NOT NULL CONSTRAINT memberships_account_fkey REFERENCES accounts,
    user_id    uuid        NOT NULL,
    role       text        NOT NULL CONSTRAINT memberships_role_is_known
                           CHECK (role IN ('owner', 'admin', 'billing', 'developer', 'viewer')),
    created_at timestamptz NOT NULL,
    CONSTRAINT memberships_pkey PRIMARY KEY (account_id, user_id)
);

-- What was agreed to, in which version, when (Terms 13 to 15). One row per document: proof, so never updated.
CREATE TABLE acceptances (
    account_id    uuid        NOT NULL CONSTRAINT acceptances_account_fkey REFERENCES accounts,
    acceptance_id uuid        NOT NULL,
    user_id       uuid        NOT NULL,
    document      text        NOT NULL CONSTRAINT acceptances_document_is_known
                              CHECK (document IN ('terms', 'aup', 'dpa', 'export_statement')),
    version       text        NOT NULL,
    accepted_at   timestamptz NOT NULL,
    CONSTRAINT acceptances_pkey PRIMARY KEY (account_id, acceptance_id),
    CONSTRAINT acceptances_once_per_version UNIQUE (account_id, user_id, document, version)
);
