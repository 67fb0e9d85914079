-- The roles of rewardd, for a database administrator to run once in a cluster, as a superuser:
--
--     psql -v migrator=alice -f deploy/postgres/roles.sql
--
-- Only needed where the user who runs `rewardctl migrate` may not create roles. Running it again
-- changes nothing. The migrator also needs the right to create a schema in the database:
--
--     GRANT CREATE ON DATABASE rewards TO alice;
--
-- Afterwards give each service its own login role and the least it needs:
--
--     CREATE ROLE captions LOGIN PASSWORD '…' IN ROLE rewardd_submit;  -- submits, sees its own jobs
--     CREATE ROLE dashboard LOGIN PASSWORD '…' IN ROLE rewardd_read;   -- sees all jobs
--     CREATE ROLE rewardd LOGIN PASSWORD '…' IN ROLE rewardd_work;     -- the daemons
--     CREATE ROLE operator LOGIN PASSWORD '…' IN ROLE rewardd_admin, rewardd_read, rewardd_submit;
--
-- A submitter is known by the role it logs in with (session_user): do not share one login between
-- services that must not see each other's jobs.

\set ON_ERROR_STOP on

SELECT format('CREATE ROLE %I NOLOGIN', r.name)
FROM unnest(ARRAY[
    'rewardd_owner', 'rewardd_submit', 'rewardd_read', 'rewardd_work', 'rewardd_admin']) AS r (name)
WHERE NOT EXISTS (SELECT FROM pg_roles p WHERE p.rolname = r.name)
\gexec

COMMENT ON ROLE rewardd_owner IS 'Owns the schema rewardd. Nobody logs in as it.';
COMMENT ON ROLE rewardd_submit IS 'May enqueue, and see, cancel and retry its own jobs.';
COMMENT ON ROLE rewardd_read IS 'May see all jobs, daemons and queues.';
COMMENT ON ROLE rewardd_work IS 'May claim work and store results: the daemons.';
COMMENT ON ROLE rewardd_admin IS 'May cancel and retry any job, pause queues and drain daemons.';

-- The migrator makes objects in the owner's name.
\if :{?migrator}
GRANT rewardd_owner TO :"migrator";
\endif
