-- Directory. Failed sign-ins in a row, by address.

-- The ladder: each failure makes the next try wait longer, whoever makes it and from wherever, and a success forgets the row.
-- The key is a keyed hash of the address, so that the table names nobody, and an address that is not known here has its row
-- like any other: nothing in it tells the two apart. Rows without a try for a day are swept.
CREATE TABLE sign_in_tries (
    address_hmac bytea       CONSTRAINT sign_in_tries_pkey PRIMARY KEY,
    -- Counted before the password is checked, so that tries at the same time cannot all be the first one.
    failures     integer     NOT NULL CONSTRAINT sign_in_tries_failures_are_counted CHECK (failures >= 0),
    tried_at     timestamptz NOT NULL,
    -- Until then nothing is checked.
    next_at      timestamptz NOT NULL
);
CREATE INDEX sign_in_tries_by_try ON sign_in_tries (tried_at);
