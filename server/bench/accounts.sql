-- Part of `make bench`: the accounts that the feed names, with credit. Variable: accounts. Nothing is measured here.
CREATE TEMP TABLE fresh AS
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS account_id,
       gen_random_uuid() AS grant_id, gen_random_uuid() AS promo_id FROM generate_series(1, :accounts) AS n;
INSERT INTO accounts (account_id, name, region, created_at)
SELECT account_id, 'bench', 'us', now() - interval '40 days' FROM fresh;
INSERT INTO ledger_accounts (account_id, ledger_account_id, kind, is_tracked)
SELECT account_id, grant_id, 'grant', true FROM fresh UNION ALL SELECT account_id, promo_id, 'promo_cost', false FROM fresh;
INSERT INTO grants (account_id, grant_id, reason, amount_ticks, priority, starts_at, granted_at)
SELECT account_id, grant_id, 'sign_up', 5000 * 36864000000000::numeric, 0,
       date_trunc('hour', now() - interval '40 days', 'UTC'), now() - interval '40 days' FROM fresh;
INSERT INTO transfers (account_id, transfer_id, debit_id, credit_id, ticks, kind, key, booked_at)
SELECT account_id, gen_random_uuid(), promo_id, grant_id, 5000 * 36864000000000::numeric, 'grant', 'grant:sign_up',
       now() - interval '40 days' FROM fresh;
