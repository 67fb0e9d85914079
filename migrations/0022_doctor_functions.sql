-- Looking after: is the schema what the migrations made it, is any shard forgotten, is any work
-- without a daemon.
--
-- The migrator calls _record_objects at the end of each migration, so what is recorded is what the
-- migrations made, in the words of the server. Another major version of PostgreSQL may word it
-- differently; then only presence is compared. What was already out of order before a migration
-- stays on record as it should be, unless the migration itself made it anew.

CREATE TABLE rewardd.schema_object (
    kind text NOT NULL,
    name text NOT NULL,
    parent text,
    definition text NOT NULL,
    server_major int NOT NULL,
    PRIMARY KEY (kind, name)
);
COMMENT ON TABLE rewardd.schema_object IS
    'What the schema is made of, as the last migration left it: what check_schema compares with.';
COMMENT ON COLUMN rewardd.schema_object.kind IS
    'schema, function, type, table, column, view, sequence, index, constraint, trigger, rule or '
    'grant.';
COMMENT ON COLUMN rewardd.schema_object.name IS
    'Its name; of a function with the types of its arguments, of a grant what it says.';
COMMENT ON COLUMN rewardd.schema_object.parent IS
    'Kind and name of what it is part of, such as the table of an index.';
COMMENT ON COLUMN rewardd.schema_object.definition IS
    'The statement that makes it; of a table, column, sequence, type or schema a description.';
COMMENT ON COLUMN rewardd.schema_object.server_major IS
    'The major version of PostgreSQL that worded the definition.';

-- Whatever could change the server's wording is set here.
CREATE FUNCTION rewardd._objects() RETURNS TABLE (
    kind text, name text, parent text, definition text, removal text, owner text, target text)
LANGUAGE sql STABLE SET search_path = pg_catalog SET quote_all_identifiers = off
SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO' SET "IntervalStyle" = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex'
AS $function$
    WITH owned AS MATERIALIZED (
        SELECT 'schema' AS kind, n.nspname::text AS name, 'SCHEMA rewardd' AS target,
            'SCHEMA rewardd' AS granted, n.nspowner AS owner,
            coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl, 'schema' AS definition
        FROM pg_namespace n
        WHERE n.nspname = 'rewardd'
        UNION ALL
        SELECT 'function', substr(p.oid::regprocedure::text, 9),
            'ROUTINE ' || p.oid::regprocedure, 'ROUTINE ' || p.oid::regprocedure, p.proowner,
            coalesce(p.proacl, acldefault('f', p.proowner)), pg_get_functiondef(p.oid)
        FROM pg_proc p
        WHERE p.pronamespace = 'rewardd'::regnamespace AND p.prokind IN ('f', 'p')
        UNION ALL
        SELECT 'type', t.typname::text, format('TYPE rewardd.%I', t.typname),
            format('TYPE rewardd.%I', t.typname), t.typowner, NULL,
            string_agg(e.enumlabel::text, ', ' ORDER BY e.enumsortorder)
        FROM pg_type t
        JOIN pg_enum e ON e.enumtypid = t.oid
        WHERE t.typnamespace = 'rewardd'::regnamespace
        GROUP BY t.typname, t.typowner
        UNION ALL
        SELECT k.kind, c.relname::text, format('%s rewardd.%I', upper(k.kind), c.relname),
            format('%s rewardd.%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                c.relname),
            c.relowner, coalesce(c.relacl, acldefault(
                CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)),
            CASE c.relkind
                WHEN 'v' THEN format('CREATE OR REPLACE VIEW rewardd.%I%s AS%s', c.relname,
                    ' WITH (' || array_to_string(c.reloptions, ', ') || ')',
                    chr(10) || rtrim(pg_get_viewdef(c.oid), ';'))
                WHEN 'S' THEN format('CREATE SEQUENCE rewardd.%I', c.relname)
                ELSE concat_ws(', ', 'table', CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
                    CASE WHEN c.relrowsecurity THEN 'row security' END,
                    CASE WHEN c.relforcerowsecurity THEN 'forced row security' END) END
        FROM pg_class c
        CROSS JOIN LATERAL (
            SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind) AS k
        WHERE c.relnamespace = 'rewardd'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
            -- The sequence of an identity column is part of the column.
            AND NOT (c.relkind = 'S' AND EXISTS (
                SELECT FROM pg_depend d
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i'))
    ), acl AS (
        SELECT o.kind, o.name, o.granted, o.owner, '' AS columns, o.acl FROM owned o
        UNION ALL
        SELECT o.kind, o.name, o.granted, o.owner, format(' (%I)', a.attname), a.attacl
        FROM owned o
        JOIN pg_class c ON c.relnamespace = 'rewardd'::regnamespace AND c.relname = o.name
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
        WHERE o.kind IN ('table', 'view')
    ), part AS (
        SELECT c.oid, c.relname, 'table ' || c.relname AS parent,
            format('TABLE rewardd.%I', c.relname) AS target
        FROM pg_class c
        WHERE c.relnamespace = 'rewardd'::regnamespace AND c.relkind IN ('r', 'p')
    )
    SELECT o.kind, o.name, NULL, o.definition, 'DROP ' || o.target, pg_get_userbyid(o.owner)::text,
        o.target
    FROM owned o
    UNION ALL
    SELECT 'grant', g.name, a.kind || ' ' || a.name,
        format('GRANT %s ON %s TO %s%s', g.what, a.granted, g.role,
            CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END),
        format('REVOKE %s ON %s FROM %s', g.what, a.granted, g.role), NULL, NULL
    FROM acl a
    CROSS JOIN LATERAL (
        SELECT x.is_grantable, x.privilege_type || a.columns AS what,
            CASE WHEN x.grantee = 0 THEN 'PUBLIC'
                ELSE quote_ident(pg_get_userbyid(x.grantee)::text) END AS role,
            concat(x.privilege_type, a.columns, ' on ', a.kind, ' ', a.name, ' to ',
                CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee)::text END,
                CASE WHEN x.is_grantable THEN ' with grant option' END) AS name
        FROM aclexplode(a.acl) x
        WHERE x.grantee <> a.owner
    ) AS g
    UNION ALL
    SELECT 'column', concat(p.relname, '.', a.attname), p.parent,
        concat_ws(' ', format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attnotnull THEN 'NOT NULL' END,
            CASE a.attidentity WHEN 'a' THEN 'GENERATED ALWAYS AS IDENTITY'
                WHEN 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY' END,
            CASE a.attgenerated WHEN 's' THEN 'GENERATED ALWAYS AS' END,
            'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)),
        format('ALTER %s DROP COLUMN %I', p.target, a.attname), NULL, NULL
    FROM part p
    JOIN pg_attribute a ON a.attrelid = p.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT 'index', c.relname::text, p.parent, pg_get_indexdef(c.oid),
        format('DROP INDEX rewardd.%I', c.relname), NULL, NULL
    FROM part p
    JOIN pg_index i ON i.indrelid = p.oid
    JOIN pg_class c ON c.oid = i.indexrelid
    -- The index of a constraint is part of the constraint.
    WHERE NOT EXISTS (
        SELECT FROM pg_constraint n WHERE n.conindid = c.oid AND n.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 'constraint', concat(p.relname, '.', n.conname), p.parent,
        format('ALTER %s ADD CONSTRAINT %I %s', p.target, n.conname, pg_get_constraintdef(n.oid)),
        format('ALTER %s DROP CONSTRAINT %I', p.target, n.conname), NULL, NULL
    FROM part p
    JOIN pg_constraint n ON n.conrelid = p.oid
    -- NOT NULL is a constraint of its own from PostgreSQL 18 on; here it belongs to the column.
    WHERE n.contype <> 'n'
    UNION ALL
    SELECT 'trigger', concat(p.relname, '.', t.tgname), p.parent,
        pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'O' THEN ''
            ELSE format('; ALTER %s %s TRIGGER %I', p.target, CASE t.tgenabled WHEN 'D'
                THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, t.tgname)
            END,
        format('DROP TRIGGER %I ON rewardd.%I', t.tgname, p.relname), NULL, NULL
    FROM part p
    JOIN pg_trigger t ON t.tgrelid = p.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT 'rule', concat(c.relname, '.', r.rulename), concat(o.kind, ' ', o.name),
        rtrim(pg_get_ruledef(r.oid), ';'),
        format('DROP RULE %I ON rewardd.%I', r.rulename, c.relname), NULL, NULL
    FROM owned o
    JOIN pg_class c ON c.relnamespace = 'rewardd'::regnamespace AND c.relname = o.name
    JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename <> '_RETURN'
    WHERE o.kind IN ('table', 'view')
$function$;
COMMENT ON FUNCTION rewardd._objects() IS
    'The objects of this schema as they are now: the statements that would make and remove each, '
    'its owner, and how ALTER calls it.';

CREATE FUNCTION rewardd._compare_objects() RETURNS TABLE (
    kind text, name text, parent text, fault text, recorded text, present text, removal text)
LANGUAGE sql STABLE
AS $function$
    SELECT c.kind, c.name, c.parent, c.fault, c.recorded, c.present, c.removal
    FROM (
        SELECT coalesce(r.kind, p.kind) AS kind, coalesce(r.name, p.name) AS name,
            coalesce(r.parent, p.parent) AS parent, r.definition AS recorded,
            coalesce(p.definition, '') AS present, p.removal,
            CASE WHEN p.name IS NULL THEN 'missing'
                WHEN r.name IS NULL THEN 'unexpected'
                WHEN r.server_major <> current_setting('server_version_num')::int / 10000
                    THEN 'not_compared'
                WHEN r.definition <> coalesce(p.definition, '') THEN 'changed' END AS fault
        FROM rewardd.schema_object r
        FULL JOIN rewardd._objects() p ON p.kind = r.kind AND p.name = r.name
    ) AS c
    WHERE c.fault IS NOT NULL
$function$;
COMMENT ON FUNCTION rewardd._compare_objects() IS
    'The objects of this schema that are not as recorded, each with both definitions.';

CREATE FUNCTION rewardd._schema_drift() RETURNS jsonb
LANGUAGE sql STABLE
RETURN (
    SELECT coalesce(jsonb_object_agg(concat(c.kind, ' ', c.name),
        CASE WHEN c.fault <> 'missing' THEN c.present END), '{}')
    FROM rewardd._compare_objects() c
    WHERE c.fault <> 'not_compared');
COMMENT ON FUNCTION rewardd._schema_drift() IS
    'The objects that are not as recorded, with their present definitions or null. The migrator '
    'asks before it changes anything.';

CREATE FUNCTION rewardd._record_objects(drift jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
AS $function$
DECLARE
    untouched text[];
BEGIN
    SELECT coalesce(array_agg(d.key), '{}') INTO untouched
    FROM jsonb_each_text(coalesce(drift, '{}')) d
    LEFT JOIN rewardd._objects() o ON concat(o.kind, ' ', o.name) = d.key
    WHERE coalesce(o.definition, '') = coalesce(d.value, '')
        AND (o.name IS NULL) = (d.value IS NULL);
    DELETE FROM rewardd.schema_object r WHERE concat(r.kind, ' ', r.name) <> ALL (untouched);
    INSERT INTO rewardd.schema_object (kind, name, parent, definition, server_major)
    SELECT o.kind, o.name, o.parent, coalesce(o.definition, ''),
        current_setting('server_version_num')::int / 10000
    FROM rewardd._objects() o
    WHERE concat(o.kind, ' ', o.name) <> ALL (untouched);
END
$function$;
COMMENT ON FUNCTION rewardd._record_objects(jsonb) IS
    'Records the objects of this schema as what they should be, except those of drift that are '
    'still as it has them: they keep their record, or have none. Called by the migrator.';

CREATE FUNCTION rewardd.check_schema() RETURNS TABLE (
    kind text, name text, fault text, expected text, found text, repair text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
    WITH compared AS MATERIALIZED (
        SELECT c.* FROM rewardd._compare_objects() c
    ), present AS MATERIALIZED (
        SELECT o.* FROM rewardd._objects() o
    )
    SELECT c.kind, c.name, c.fault, c.recorded,
        CASE WHEN c.fault <> 'missing' THEN c.present END,
        CASE WHEN c.fault = 'unexpected' THEN c.removal
            WHEN c.kind IN ('schema', 'table', 'column', 'type', 'sequence')
                OR c.fault = 'not_compared' THEN NULL
            WHEN c.fault = 'missing' THEN concat_ws('; ', rtrim(c.recorded, chr(10)), (
                SELECT string_agg(g.recorded, '; ' ORDER BY g.name)
                FROM compared g
                WHERE g.parent = concat(c.kind, ' ', c.name) AND g.fault = 'missing'))
            WHEN c.kind IN ('function', 'view') THEN rtrim(c.recorded, chr(10))
            ELSE concat_ws('; ', c.removal, c.recorded) END
    FROM compared c
    -- What is part of something missing or unexpected goes without saying.
    WHERE NOT EXISTS (
        SELECT FROM compared p
        WHERE p.fault = c.fault AND p.fault IN ('missing', 'unexpected')
            AND concat(p.kind, ' ', p.name) = c.parent)
    UNION ALL
    SELECT p.kind, p.name, 'owner', 'rewardd_owner', p.owner,
        format('ALTER %s OWNER TO rewardd_owner', p.target)
    FROM present p
    WHERE p.owner <> 'rewardd_owner' AND NOT EXISTS (
        SELECT FROM compared c
        WHERE c.kind = p.kind AND c.name = p.name AND c.fault = 'unexpected')
    UNION ALL
    SELECT p.kind, p.name, 'public', NULL, p.definition, p.removal
    FROM present p
    WHERE p.kind = 'grant' AND p.definition LIKE 'GRANT % TO PUBLIC' AND NOT EXISTS (
        SELECT FROM compared c WHERE c.kind = 'grant' AND c.name = p.name)
    UNION ALL
    SELECT 'index', c.relname::text, 'invalid', NULL, NULL,
        format('REINDEX INDEX rewardd.%I', c.relname)
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'rewardd'::regnamespace AND NOT (i.indisvalid AND i.indisready)
    ORDER BY 1, 2, 3
$function$;
COMMENT ON FUNCTION rewardd.check_schema() IS
$comment$What of this schema is not as the migrations left it; no row when all is well.

fault            missing; changed (its definition is another); unexpected (no migration made it);
                 owner (it does not belong to rewardd_owner); public (PUBLIC has a privilege since
                 before there was a record); invalid (an index whose building was cut off);
                 not_compared (recorded under another major version of PostgreSQL, so only its
                 presence was checked)
expected, found  the definitions, or the owners; NULL where there is none
repair           the statements that put it right, for a member of rewardd_owner to run after
                 SET ROLE rewardd_owner, and for a superuser where the fault is owner; NULL where
                 data may be lost, or nothing is to be done

Roles: rewardd_submit, rewardd_read, rewardd_work, rewardd_admin.$comment$;

CREATE FUNCTION rewardd.check_shards(patience interval DEFAULT '30 minutes')
RETURNS TABLE (
    fault text, job_id bigint, shard_id bigint, daemon_id bigint, since timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    -- How long what daemons look for every second may take.
    grace constant interval := interval '1 minute';
BEGIN
    IF patience IS NULL OR patience < interval '0' THEN
        RAISE EXCEPTION 'patience: expected an interval from 0 on, got %',
            coalesce(patience::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Half an hour is usual.';
    END IF;
    RETURN QUERY
        SELECT CASE WHEN d.daemon_id IS NULL OR d.stopped_at IS NOT NULL
                OR d.lease_until < clock_timestamp() THEN 'orphaned' ELSE 'silent' END,
            s.job_id, s.shard_id, s.daemon_id, s.progress_at
        FROM rewardd.shard s
        LEFT JOIN rewardd.daemon d ON d.daemon_id = s.daemon_id
        WHERE s.state = 'running' AND (
            s.progress_at < clock_timestamp() - patience
            OR d.daemon_id IS NULL
            OR least(d.stopped_at, d.lease_until) < clock_timestamp() - grace)
        UNION ALL
        SELECT 'overdue', s.job_id, s.shard_id, NULL, s.run_at
        FROM rewardd.shard s
        WHERE s.state = 'scheduled' AND s.run_at < clock_timestamp() - grace
            -- One that is full does not claim, and so does not look.
            AND EXISTS (
                SELECT FROM rewardd.daemon d
                WHERE d.stopped_at IS NULL AND d.idle AND NOT d.draining
                    AND d.lease_until >= clock_timestamp())
        UNION ALL
        SELECT 'unsettled', j.job_id, NULL, NULL, j.created_at
        FROM rewardd.job j
        WHERE j.finished_at IS NULL AND NOT EXISTS (
            SELECT FROM rewardd.shard s
            WHERE s.job_id = j.job_id AND s.state IN ('scheduled', 'ready', 'running'))
        ORDER BY 5
        LIMIT 100;
END
$function$;
COMMENT ON FUNCTION rewardd.check_shards(interval) IS
$comment$The shards that are stuck, longest first, at most 100; no row when all is well.

fault  orphaned (running, though its daemon is gone: rescue has not come for a minute); silent
       (running, and no progress for as long as patience); overdue (still scheduled a minute after
       its time, although a daemon is idle); unsettled (a job that has not ended, though no shard of
       it is open).

Errors: 22023 patience. Roles: rewardd_read, rewardd_work, rewardd_admin.$comment$;

CREATE FUNCTION rewardd.check_queues() RETURNS TABLE (
    fault text, queue text, model text, shards bigint, since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
    WITH lane AS MATERIALIZED (
        SELECT s.queue, s.model, count(*) AS shards, min(s.run_at) AS since
        FROM rewardd.shard s
        WHERE s.state = 'ready' OR s.state = 'scheduled' AND s.run_at < clock_timestamp()
        GROUP BY s.queue, s.model
    )
    SELECT CASE WHEN q.paused_at IS NULL THEN 'unserved' ELSE 'paused' END, l.queue, l.model,
        l.shards, coalesce(q.paused_at, l.since)
    FROM lane l
    LEFT JOIN rewardd.queue q ON q.name = l.queue
    WHERE q.paused_at IS NOT NULL OR NOT EXISTS (
        SELECT FROM rewardd.daemon d
        WHERE d.stopped_at IS NULL AND NOT d.draining AND d.lease_until >= clock_timestamp()
            AND l.queue = ANY (d.queues) AND l.model = ANY (d.models))
    ORDER BY 1, 2, 3
$function$;
COMMENT ON FUNCTION rewardd.check_queues() IS
$comment$Work that waits and that nobody will take: one row for each queue and model, with the
number of shards; no row when all is well. The model of a train job is train/<base>, as daemons
offer it.

fault  paused (the queue is, since then); unserved (no live daemon that is not draining works this
       queue with this model; the oldest shard waits since then).

Roles: rewardd_read, rewardd_work, rewardd_admin.$comment$;

REVOKE ALL ON FUNCTION rewardd.check_schema(), rewardd.check_shards(interval),
    rewardd.check_queues() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.check_schema()
    TO rewardd_submit, rewardd_read, rewardd_work, rewardd_admin;
GRANT EXECUTE ON FUNCTION rewardd.check_shards(interval), rewardd.check_queues()
    TO rewardd_read, rewardd_work, rewardd_admin;
