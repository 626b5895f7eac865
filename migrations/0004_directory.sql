-- Directory. What leads from what somebody brings (a session, a key, a link) to the account it is about. Each row stands for
-- a row of a cell and is written in the transaction that writes that one. account_id is a bare id: the account may live in
-- another database.

-- Which accounts a person belongs to. As what, their membership says, in the account's cell.
CREATE TABLE user_accounts (
    user_id    uuid        NOT NULL CONSTRAINT user_accounts_user_fkey REFERENCES users,
    account_id uuid        NOT NULL,
    -- A person's accounts are offered in the order in which they joined them.
    joined_at  timestamptz NOT NULL,
    CONSTRAINT user_accounts_pkey PRIMARY KEY (user_id, account_id)
);

-- A key's hash is unique across all accounts: two accounts with one key would pay for each other.
CREATE TABLE key_hashes (
    sha256     bytea CONSTRAINT key_hashes_pkey PRIMARY KEY,
    account_id uuid  NOT NULL,
    key_id     uuid  NOT NULL
);

-- Secret links that open something of one account without a session. Who follows one brings its token and nothing else.
CREATE TABLE token_accounts (
    sha256     bytea CONSTRAINT token_accounts_pkey PRIMARY KEY,
    kind       text  NOT NULL CONSTRAINT token_accounts_kind_is_known CHECK (kind IN ('recipient', 'calendar')),
    account_id uuid  NOT NULL
);
