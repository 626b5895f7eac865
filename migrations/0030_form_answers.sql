-- Directory. Answers of forms that were sent, so that one that is sent twice is done once.

-- By the hash of what makes a form one: its token, the browser and session it was drawn for, its address and what was typed.
-- The answer (where it leads and which cookies it sets) is sealed with a key that is made from that token: whoever has this
-- table and even SECRET_KEY opens none. No account stands here: most forms of strangers have none yet.
--
-- Unlogged: a row is worth seconds, at most an hour, and what is lost when PostgreSQL crashes is that a second press is not
-- recognised. In return no answer, sealed or not, reaches the write-ahead log, a replica or a backup.
--
-- A row without an answer is being worked on. One that has ended counts for nothing, whether it was swept yet or not: it may
-- be claimed again.
CREATE TABLE form_answers (
    form_sha256 bytea       CONSTRAINT form_answers_pkey PRIMARY KEY
                            CONSTRAINT form_answers_hash_is_whole CHECK (octet_length(form_sha256) = 32),
    -- A redirect with its cookies: each of them at most 4 KiB.
    answer      text        CONSTRAINT form_answers_answer_is_short CHECK (octet_length(answer) <= 65536),
    expires_at  timestamptz NOT NULL
);
ALTER TABLE form_answers SET UNLOGGED;
CREATE INDEX form_answers_by_expiry ON form_answers (expires_at);
