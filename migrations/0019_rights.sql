-- Both groups. The rights of the application, which may append to money and never change it. Last of the files that make the
-- schema, because a grant on all tables covers those that exist. Tables of later files get theirs by the default privileges
-- set here; one of them that is append-only takes UPDATE and DELETE away again in its own file (a test looks).

-- Triggers stop accidents; rights stop the application. Its pool works as isorun_app (`role` is set when it connects), which
-- may add to these tables and not change them. Roles belong to the cluster, so another database may have made it already. A
-- login without the right to make roles must find it there and be its member (docs/decisions/0008-checks.md says how).
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'isorun_app') THEN
        CREATE ROLE isorun_app NOLOGIN;
    END IF;
-- Two databases migrated at once make it at once.
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$
BEGIN
    EXECUTE format('GRANT isorun_app TO %I', current_user);
EXCEPTION
    WHEN unique_violation OR internal_error THEN NULL;
    WHEN insufficient_privilege THEN
        IF NOT pg_has_role(current_user, 'isorun_app', 'MEMBER') THEN
            RAISE;
        END IF;
END $$;
GRANT USAGE ON SCHEMA public TO isorun_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO isorun_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO isorun_app;
REVOKE UPDATE, DELETE ON transfers, feed_log, feed_events, prices, price_bindings, price_notices, audit_events,
    months, account_months, ledger_days FROM isorun_app;
-- What was migrated is the migrator's to write; without it when the files are applied by hand.
DO $$
BEGIN
    IF to_regclass('_sqlx_migrations') IS NOT NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON _sqlx_migrations FROM isorun_app;
    END IF;
END $$;
