-- The schema, its owner, the four group roles and the version table.
--
-- Roles belong to the whole cluster, so several databases may create them at once: a role that
-- appeared meanwhile is as good as one made here. A user who may not create roles gets a sentence
-- saying who can prepare them.

DO $roles$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'rewardd_owner', 'rewardd_submit', 'rewardd_read', 'rewardd_work', 'rewardd_admin']
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = wanted);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION
                    'role "%": expected it to exist or the right to create it, got neither as "%"',
                    wanted, current_user
                    USING ERRCODE = '42501',
                        HINT = 'Let a superuser run deploy/postgres/roles.sql first.';
        END;
    END LOOP;
    IF NOT pg_has_role(current_user, 'rewardd_owner', 'MEMBER') THEN
        BEGIN
            EXECUTE format('GRANT rewardd_owner TO %I', current_user);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION
                'role "%": expected a member of rewardd_owner, got one that is not', current_user
                USING ERRCODE = '42501',
                    HINT = 'Let a superuser run deploy/postgres/roles.sql first.';
        END;
    END IF;
    -- Creating a schema for another role takes the right to create in this database.
    IF NOT has_database_privilege(current_database(), 'CREATE') THEN
        RAISE EXCEPTION
            'database "%": expected the right to create schemas, got none as "%"',
            current_database(), current_user
            USING ERRCODE = '42501',
                HINT = format(
                    'GRANT CREATE ON DATABASE %I TO %I;', current_database(), current_user);
    END IF;
END
$roles$;

CREATE SCHEMA rewardd AUTHORIZATION rewardd_owner;

-- From here on, and in every later migration, objects are made by their owner.
SET LOCAL ROLE rewardd_owner;

COMMENT ON SCHEMA rewardd IS
    'Jobs for the reward-model daemon. The functions are the interface; tables are private. '
    'Submit with rewardd.enqueue; read rewardd.job_status, rewardd.result, rewardd.pair.';

-- A function of this owner is callable by nobody until a migration grants it.
ALTER DEFAULT PRIVILEGES FOR ROLE rewardd_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

GRANT USAGE ON SCHEMA rewardd TO rewardd_submit, rewardd_read, rewardd_work, rewardd_admin;

CREATE TABLE rewardd.schema_version (
    version int PRIMARY KEY CHECK (version > 0),
    name text NOT NULL,
    breaking boolean NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE rewardd.schema_version IS 'One row for each migration applied to this database.';
COMMENT ON COLUMN rewardd.schema_version.version IS 'Number of the migration, from 1.';
COMMENT ON COLUMN rewardd.schema_version.name IS 'File name without number and extension.';
COMMENT ON COLUMN rewardd.schema_version.breaking IS
    'Whether programs that know only earlier versions must stop working with this database.';
COMMENT ON COLUMN rewardd.schema_version.applied_at IS 'When it was applied.';

CREATE FUNCTION rewardd.schema_version() RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
RETURN (SELECT max(v.version) FROM rewardd.schema_version v);
COMMENT ON FUNCTION rewardd.schema_version() IS
    'The version of this schema: the number of the newest migration applied.';

CREATE FUNCTION rewardd.breaking_version() RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
RETURN (SELECT coalesce(max(v.version), 0) FROM rewardd.schema_version v WHERE v.breaking);
COMMENT ON FUNCTION rewardd.breaking_version() IS
    'The number of the newest breaking migration applied, 0 for none. A program that knows only '
    'versions below it must refuse this database.';

REVOKE ALL ON FUNCTION rewardd.schema_version(), rewardd.breaking_version() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.schema_version(), rewardd.breaking_version()
    TO rewardd_submit, rewardd_read, rewardd_work, rewardd_admin;
