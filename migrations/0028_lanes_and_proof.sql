-- Cell. Jobs in lanes, mails that will never be sent, and two more tables whose rows are proof.

-- A lane is a group of jobs with slots of its own, so that what is slow in one delays nothing in another: a customer's
-- receiver that hangs must not keep a revoked key alive. The lane stands in the row, because that is what a claim asks by;
-- which kind of job goes where is the program's to say. A program that does not know lanes yet enqueues without one, and its
-- jobs run among the upkeep: late at worst, never lost.
ALTER TABLE jobs ADD COLUMN lane text NOT NULL DEFAULT 'upkeep';
ALTER TABLE jobs ADD CONSTRAINT jobs_lane_is_known CHECK (lane IN ('keys', 'commands', 'mails', 'posts', 'upkeep'));
UPDATE jobs SET lane = CASE WHEN kind IN ('push-key', 'remove-key') THEN 'keys'
                            WHEN kind IN ('push-tenant', 'set-timeout') THEN 'commands'
                            WHEN kind = 'send-mail' THEN 'mails' ELSE 'posts' END
    WHERE kind IN ('push-key', 'remove-key', 'push-tenant', 'set-timeout', 'send-mail', 'send-webhook');
-- What runs now was claimed without lanes, and the index below allows one post of an account in flight. A lease that is
-- taken away is found lost by its worker, and the job runs again: each is safe to run twice.
UPDATE jobs SET lease_token = NULL, leased_until = NULL WHERE lane = 'posts' AND lease_token IS NOT NULL;
DROP INDEX jobs_due;
CREATE INDEX jobs_due ON jobs (lane, run_at, job_id)
    WHERE finished_at IS NULL AND dead_at IS NULL AND lease_token IS NULL;
-- One post of an account in flight, however many workers claim at the same moment: a slow receiver takes its own account's
-- turn and nobody else's.
CREATE UNIQUE INDEX jobs_one_post_in_flight ON jobs (account_id) WHERE lane = 'posts' AND lease_token IS NOT NULL;
-- Which of an account's posts is next.
CREATE INDEX jobs_posts_by_account ON jobs (account_id, run_at, job_id)
    WHERE lane = 'posts' AND finished_at IS NULL AND dead_at IS NULL;

-- A mail that will never be sent says why, by a closed word: its address takes no mail, whoever has it wants none of this
-- kind, the mail server refuses it, or nobody is there any more.
ALTER TABLE mails ADD COLUMN ended_at timestamptz;
ALTER TABLE mails ADD COLUMN failure text;
ALTER TABLE mails ADD CONSTRAINT mails_end_with_a_reason CHECK ((ended_at IS NULL) = (failure IS NULL));
ALTER TABLE mails ADD CONSTRAINT mails_end_once CHECK (sent_at IS NULL OR ended_at IS NULL);

-- The account sees which of its recipients cannot be reached, until a mail gets through to them.
ALTER TABLE alert_recipients ADD COLUMN mail_failure text;
ALTER TABLE alert_recipients ADD CONSTRAINT alert_recipients_mail_failure_is_known
    CHECK (mail_failure IN ('undeliverable', 'unwanted'));

-- What was agreed to, and which warnings were given, is proof: rows are added and never changed.
CREATE TRIGGER acceptances_are_append_only BEFORE UPDATE OR DELETE ON acceptances
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER acceptances_are_never_emptied BEFORE TRUNCATE ON acceptances
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER alerts_are_append_only BEFORE UPDATE OR DELETE ON alerts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER alerts_are_never_emptied BEFORE TRUNCATE ON alerts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE ON acceptances, alerts FROM isorun_app;
-- Of credit that was given only these columns move: what an incident turns out to be worth, and that an end was booked; of an
-- account of the ledger only its balance. Why, since when and for how long it was given, nobody who serves requests can change.
REVOKE UPDATE, DELETE ON grants, ledger_accounts FROM isorun_app;
GRANT UPDATE (amount_ticks, expiries) ON grants TO isorun_app;
GRANT UPDATE (debit_ticks, credit_ticks) ON ledger_accounts TO isorun_app;
