-- Directory. Whom we send to at somebody else's wish, and how often: an address that an account wants asked, a host that an
-- account's webhook is tested with. Counted across all accounts, because ten accounts of one person hit one inbox; so it is of
-- no account, and stands in the directory.

-- Only a keyed hash of the address or the host, so that the table tells nobody whom we know. Its row is the lock under which
-- uses are counted: whoever wants to send reserves first, and two at once count one after the other. A refusal has no end: it
-- holds for every account there is and will be, until whoever has the address takes it back.
CREATE TABLE targets (
    target_id   uuid        CONSTRAINT targets_pkey PRIMARY KEY,
    kind        text        NOT NULL CONSTRAINT targets_kind_is_known CHECK (kind IN ('mail', 'host')),
    hmac_sha256 bytea       NOT NULL,
    -- When something was last sent to it; what is at rest and not refused is forgotten.
    used_at     timestamptz NOT NULL,
    refused_at  timestamptz,
    CONSTRAINT targets_once UNIQUE (kind, hmac_sha256),
    CONSTRAINT targets_only_mail_is_refused CHECK (refused_at IS NULL OR kind = 'mail')
);
CREATE INDEX targets_at_rest ON targets (used_at) WHERE refused_at IS NULL;

-- One thing that was sent. Kept for as long as a ceiling looks back.
CREATE TABLE target_uses (
    use_id    uuid        CONSTRAINT target_uses_pkey PRIMARY KEY,
    target_id uuid        NOT NULL CONSTRAINT target_uses_target_fkey REFERENCES targets ON DELETE CASCADE,
    -- What it was, a closed word of whoever sent it: each is counted for itself.
    purpose   text        NOT NULL,
    used_at   timestamptz NOT NULL
);
CREATE INDEX target_uses_by_target ON target_uses (target_id, purpose, used_at);
CREATE INDEX target_uses_by_age ON target_uses (used_at);
