-- Part of `make bench`: fills a migrated, empty database with one month of events of many accounts, as if they had been
-- pulled and never settled. Deterministic. Variables: accounts, each (sandboxes of an account).
CREATE TEMP TABLE fresh AS
SELECT n, ('00000000-0000-7000-8001-' || lpad(to_hex(n), 12, '0'))::uuid AS account_id,
       ('00000000-0000-7000-8002-' || lpad(to_hex(n), 12, '0'))::uuid AS grant_id,
       ('00000000-0000-7000-8003-' || lpad(to_hex(n), 12, '0'))::uuid AS promo_id,
       date_trunc('hour', now() - interval '31 days', 'UTC') AS began FROM generate_series(1, :accounts) AS n;
INSERT INTO accounts (account_id, name, region, created_at)
SELECT account_id, 'bench', 'us', began FROM fresh;
INSERT INTO ledger_accounts (account_id, ledger_account_id, kind, is_tracked)
SELECT account_id, grant_id, 'grant', true FROM fresh UNION ALL SELECT account_id, promo_id, 'promo_cost', false FROM fresh;
INSERT INTO grants (account_id, grant_id, reason, amount_ticks, priority, starts_at, granted_at)
SELECT account_id, grant_id, 'sign_up', 5000 * 36864000000000::numeric, 0, began, began FROM fresh;
INSERT INTO transfers (account_id, transfer_id, debit_id, credit_id, ticks, kind, key, booked_at)
SELECT account_id, gen_random_uuid(), promo_id, grant_id, 5000 * 36864000000000::numeric, 'grant', 'grant:sign_up', began
FROM fresh;
-- Runs of 5 minutes to 8 hours spread over 30 days; in the order of the accounts, which is all the same to the fold.
CREATE TEMP TABLE lives AS
SELECT f.account_id, row_number() OVER (ORDER BY f.n, s) AS life,
       f.began + make_interval(secs => (s * 7919 + f.n * 104729) % 2500000) AS created_at,
       make_interval(secs => 300 + (s * 6271 + f.n * 3571) % 28500) AS length, 1 + s % 2 AS vcpus
FROM fresh AS f CROSS JOIN generate_series(1, :each) AS s;
INSERT INTO feed_events (account_id, feed, epoch, seq, event_id, sandbox_id, kind, occurred_at, recorded_at, image, region,
                         vcpus, mem_mib, cpu_ms)
SELECT l.account_id, 'orchestrator', 'bench', 2 * l.life - 1 + e.at, gen_random_uuid(), 'run' || lpad(to_hex(l.life), 16, '0'),
       e.kind, l.created_at + e.at * l.length, l.created_at + e.at * l.length, 'node:22-slim', 'us', l.vcpus,
       l.vcpus * 1024, CASE e.at WHEN 1 THEN 1000 END
FROM lives AS l CROSS JOIN (VALUES (0, 'created'), (1, 'destroyed')) AS e (at, kind);
INSERT INTO pending_events (account_id, seq) SELECT account_id, max(seq) FROM feed_events GROUP BY account_id;
INSERT INTO feed_cursors (feed, epoch, seq, watermark_at, answered_at)
SELECT 'orchestrator', 'bench', max(seq), now(), now() FROM feed_events
ON CONFLICT (feed) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, watermark_at = excluded.watermark_at;
