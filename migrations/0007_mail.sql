-- Cell. Mails: which text, to whom, sent when. The words are code; the address is read when the mail is sent.

-- Of the cell and not of an account, as the job that sends it is: the two commit together, and a mail to a person about
-- their address has no account. recipient_id and about are bare ids: what they name may be removed, and then the mail says
-- that it was sent, and the mail that is still to be sent is not.
CREATE TABLE mails (
    mail_id         uuid        CONSTRAINT mails_pkey PRIMARY KEY,
    -- Exactly one of the two names where it goes: a person's address, or a recipient of an account's alerts.
    user_id         uuid,
    account_id      uuid,
    recipient_id    uuid,
    -- Which text; the program knows them all, as it knows the kinds of jobs.
    template        text        NOT NULL,
    -- What it is about, as its text knows: a confirmation, the delivery of an alert.
    about           uuid,
    created_at      timestamptz NOT NULL,
    sent_at         timestamptz,
    CONSTRAINT mails_go_to_one CHECK ((user_id IS NULL) <> (recipient_id IS NULL)),
    CONSTRAINT mails_recipient_has_an_account CHECK (recipient_id IS NULL OR account_id IS NOT NULL)
);
CREATE INDEX mails_by_user ON mails (user_id, created_at);
CREATE INDEX mails_by_account ON mails (account_id, created_at) WHERE account_id IS NOT NULL;
