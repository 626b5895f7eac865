-- Part of `make bench`: ten million intervals of one account over the last thirty days, written as settling would have
-- written them: one second-grained interval of ten minutes inside one hour per sandbox, its slice, the sums per cohort and
-- hour, and per cohort and day, in the order of time. Give the account as :account and how many as :intervals. Forty
-- cohorts, each busy in every hour: 4 keys, 5 images, 2 sizes. The cost of a page grows with days (or hours, where buckets end inside UTC days)
-- times cohorts, not with intervals.
\set ON_ERROR_STOP on
SET synchronous_commit = off;
SET statement_timeout = 0;

INSERT INTO cohorts (account_id, cohort_id, key_id, image, region, vcpus, mem_mib)
SELECT :'account', gen_random_uuid(), ('01890000-0000-7000-8000-00000000000' || k)::uuid, 'image:' || i, 'us', 1 << s, 1024 << s
FROM generate_series(1, 4) AS k, generate_series(1, 5) AS i, generate_series(0, 1) AS s
ON CONFLICT DO NOTHING;

CREATE TEMPORARY TABLE seed_kinds AS
SELECT row_number() OVER (ORDER BY key_id, image, vcpus) - 1 AS number, * FROM cohorts
WHERE account_id = :'account' AND image LIKE 'image:%';

CREATE TEMPORARY TABLE seed AS
SELECT 'runseed' || n AS sandbox_id, k.cohort_id, k.key_id, k.image, k.vcpus, k.mem_mib,
       date_trunc('hour', now()) - interval '1 hour' * (719 - n::bigint * 718 / :intervals) AS hour_at,
       interval '1 second' * (n % 2900) AS offset_in
FROM generate_series(1, :intervals) AS n JOIN seed_kinds AS k ON k.number = n % 40;

-- Ten million rows go in faster without the indexes that only pages use; they are made again as they were.
CREATE TEMPORARY TABLE seed_indexes AS
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
WHERE indrelid IN ('sandboxes'::regclass, 'intervals'::regclass, 'slices'::regclass) AND NOT indisprimary;
SELECT format('DROP INDEX %s', name) FROM seed_indexes \gexec

INSERT INTO sandboxes (account_id, sandbox_id, state, image, region, vcpus, mem_mib, key_id, created_at, destroyed_at, cohort_id)
SELECT :'account', sandbox_id, 'destroyed', image, 'us', vcpus, mem_mib, key_id, hour_at + offset_in,
       hour_at + offset_in + interval '10 minutes', cohort_id FROM seed;
INSERT INTO intervals (account_id, sandbox_id, ordinal, started_at, ended_at)
SELECT :'account', sandbox_id, 0, hour_at + offset_in, hour_at + offset_in + interval '10 minutes' FROM seed;
INSERT INTO slices (account_id, sandbox_id, hour_at, price_id, billed_ms, ticks)
SELECT :'account', sandbox_id, hour_at, '01890000-0000-7000-8000-000000000041', 600000,
       600000::numeric * (26000 * 1024 * vcpus + 15000 * mem_mib) FROM seed;
INSERT INTO usage_hours (account_id, hour_at, cohort_id, billed_ms, ticks)
SELECT :'account', hour_at, cohort_id, count(*) * 600000, sum(600000::numeric * (26000 * 1024 * vcpus + 15000 * mem_mib))
FROM seed GROUP BY hour_at, cohort_id ORDER BY hour_at;
INSERT INTO usage_days (account_id, day_at, cohort_id, billed_ms, ticks)
SELECT account_id, date_trunc('day', hour_at, 'UTC'), cohort_id, sum(billed_ms), sum(ticks)
FROM usage_hours WHERE account_id = :'account' GROUP BY 1, 2, 3 ORDER BY 2;
SET maintenance_work_mem = '512MB';
SELECT definition FROM seed_indexes \gexec
ANALYZE sandboxes, intervals, slices, usage_hours, usage_days, cohorts;
