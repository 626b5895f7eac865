-- Directory. Signing up leaves an address and nothing else, until its owner opens the account from the mail.

-- Who asked for an account with an address: nobody knows yet whether it was its owner. So there is no person, no password and no
-- account here, nothing that a stranger could prepare and nothing that keeps an address from its owner. A row is made for an
-- address that has an account too, because making it must not tell; the mail is then another. Several rows of one address may
-- stand beside each other: the first one opened wins, by user_emails. A row is deleted a day after it was made, opened or not.
CREATE TABLE pending_sign_ups (
    sign_up_id   uuid        CONSTRAINT pending_sign_ups_pkey PRIMARY KEY,
    -- As typed, for the mail and for the person who opens the account.
    email        text        NOT NULL,
    -- The form in which addresses are compared, as in user_emails. Not unique, see above.
    canonical    text        NOT NULL,
    -- The token is derived from the id by a secret key when the mail is sent; only its hash is looked up.
    token_sha256 bytea       NOT NULL CONSTRAINT pending_sign_ups_token_key UNIQUE,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    CONSTRAINT pending_sign_ups_end_later CHECK (expires_at > created_at)
);
-- How many mails went to an address lately.
CREATE INDEX pending_sign_ups_by_address ON pending_sign_ups (canonical, created_at);
CREATE INDEX pending_sign_ups_by_expiry ON pending_sign_ups (expires_at);

-- There are no unconfirmed people any more: whoever is in users has opened their account from a mail to their address. Those who
-- never confirmed go, whatever password somebody chose for them, and their addresses are free. What they could have had is
-- nothing: no credit, no key.
DELETE FROM sessions USING users WHERE sessions.user_id = users.user_id AND users.email_verified_at IS NULL;
DELETE FROM user_emails USING users WHERE user_emails.user_id = users.user_id AND users.email_verified_at IS NULL;
DELETE FROM user_accounts USING users WHERE user_accounts.user_id = users.user_id AND users.email_verified_at IS NULL;
DROP TABLE verifications;
DELETE FROM users WHERE email_verified_at IS NULL;
ALTER TABLE users DROP COLUMN email_verified_at;
