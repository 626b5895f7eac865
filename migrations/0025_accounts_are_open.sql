-- Cell. Every account is open from its first moment on, and a mail may go to somebody who is no user yet.

-- Accounts that were never activated: their people are gone (0024), and with them what told them of alerts. The account itself
-- stays as an empty row, because its audit line cannot go; nobody leads to it.
DELETE FROM alert_recipients USING accounts
WHERE alert_recipients.account_id = accounts.account_id AND accounts.activated_at IS NULL;
DELETE FROM memberships USING accounts
WHERE memberships.account_id = accounts.account_id AND accounts.activated_at IS NULL;
ALTER TABLE accounts DROP COLUMN activated_at;

-- A third place that a mail can go to: the address of a pending sign-up. A bare id, as the others: once the row is gone, there
-- is nobody to be told. Mails that asked to confirm, and whose texts are gone, are not sent any more.
DELETE FROM mails WHERE template IN ('verify_email', 'already_registered');
ALTER TABLE mails ADD COLUMN sign_up_id uuid;
ALTER TABLE mails DROP CONSTRAINT mails_go_to_one;
ALTER TABLE mails ADD CONSTRAINT mails_go_to_one CHECK (num_nonnulls(user_id, recipient_id, sign_up_id) = 1);
