-- Queues with settings of their own: how many shards may run at once, how long ended jobs are kept, and who may
-- submit. Later files obey them: claim_shards the first, prune the second, enqueue the third.

ALTER TABLE rewardd.queue
    ADD COLUMN max_running int CHECK (max_running > 0),
    ADD COLUMN retention interval CHECK (retention >= interval '1 minute');
COMMENT ON TABLE rewardd.queue IS
    'A named lane with a pause switch, a limit of running shards and a retention of its own.';
COMMENT ON COLUMN rewardd.queue.max_running IS
    'How many of its shards may run at once over all daemons; NULL for no limit.';
COMMENT ON COLUMN rewardd.queue.retention IS
    'How long after its end a job is kept; NULL for ever.';

ALTER TABLE rewardd.job ADD COLUMN pruned_items int;
CREATE INDEX job_ended ON rewardd.job (queue, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX job_pruned ON rewardd.job (job_id) WHERE pruned_items IS NOT NULL;
COMMENT ON COLUMN rewardd.job.pruned_items IS
    'How many of its items are removed already, from the first on; NULL unless the job is being removed.';

CREATE OR REPLACE FUNCTION rewardd._check_owner(job_id bigint) RETURNS void
LANGUAGE plpgsql STABLE
AS $function$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (
        SELECT FROM rewardd.job j
        WHERE j.job_id = _check_owner.job_id AND j.pruned_items IS NULL
            AND (j.submitted_by = session_user
                OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER')))
    THEN
        -- The same words for a job of somebody else: its existence is not the caller's business.
        RAISE EXCEPTION 'job %: expected a job submitted by "%", got none with this number',
            coalesce(_check_owner.job_id::text, 'NULL'), session_user
            USING ERRCODE = 'P0002', HINT = 'rewardd.job_status lists your jobs.';
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._check_owner(bigint) IS
    'Raises P0002 unless the session''s user submitted the job or is an administrator, and for a job that is '
    'being removed.';

CREATE TABLE rewardd.queue_grant (
    queue text NOT NULL,
    verb text NOT NULL CHECK (verb IN ('submit')),
    role name NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    granted_by name NOT NULL DEFAULT session_user,
    PRIMARY KEY (queue, verb, role)
);
COMMENT ON TABLE rewardd.queue_grant IS
    'Who may do what with a queue. A queue without a grant of a verb is open to all who may do it at all.';
COMMENT ON COLUMN rewardd.queue_grant.queue IS 'Name of the queue.';
COMMENT ON COLUMN rewardd.queue_grant.verb IS 'submit: enqueue jobs there.';
COMMENT ON COLUMN rewardd.queue_grant.role IS 'A role; its members may too.';
COMMENT ON COLUMN rewardd.queue_grant.granted_at IS 'When it was granted.';
COMMENT ON COLUMN rewardd.queue_grant.granted_by IS 'The login role that granted it.';

CREATE FUNCTION rewardd._check_queue(name text) RETURNS void
LANGUAGE plpgsql STABLE
AS $function$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT FROM rewardd.queue q WHERE q.name = _check_queue.name) THEN
        RAISE EXCEPTION 'queue: expected an existing queue, got %',
            coalesce(to_jsonb(left(_check_queue.name, 80))::text, 'nothing')
            USING ERRCODE = 'P0002', HINT = 'rewardd.queue_status lists them.';
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._check_queue(text) IS 'Raises P0002 unless there is such a queue.';

CREATE FUNCTION rewardd._check_queue_grant(submitter name, queue text) RETURNS void
LANGUAGE plpgsql STABLE
AS $function$
#variable_conflict use_column
DECLARE
    -- The other argument would give it a collation that the index has not.
    lane constant text COLLATE "default" := queue;
BEGIN
    IF NOT EXISTS (
        SELECT FROM rewardd.queue_grant g WHERE g.queue = lane AND g.verb = 'submit')
    THEN
        RETURN;
    END IF;
    -- A role that was dropped since, or a submitter that was, grants nothing.
    IF EXISTS (
        SELECT FROM rewardd.queue_grant g
        JOIN pg_catalog.pg_roles r ON r.rolname = g.role
        JOIN pg_catalog.pg_roles s ON s.rolname = submitter
        WHERE g.queue = lane AND g.verb = 'submit' AND pg_has_role(s.oid, r.oid, 'MEMBER'))
    THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'queue %: expected a submitter it is granted to, got "%"',
        to_jsonb(left(lane, 80))::text, submitter
        USING ERRCODE = '42501', HINT = 'An administrator grants it with rewardd.grant_queue.';
END
$function$;
COMMENT ON FUNCTION rewardd._check_queue_grant(name, text) IS
    'Raises 42501 unless the submitter may enqueue into the queue: nobody is granted it, or the submitter is.';

CREATE FUNCTION rewardd._check_grant(queue text, role name, verb text) RETURNS void
LANGUAGE plpgsql STABLE
AS $function$
#variable_conflict use_column
BEGIN
    PERFORM rewardd._check_queue(_check_grant.queue);
    IF (_check_grant.verb = 'submit') IS NOT TRUE THEN
        RAISE EXCEPTION 'verb: expected submit, got %',
            coalesce(to_jsonb(left(_check_grant.verb, 80))::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Leave it out.';
    ELSIF _check_grant.role IS NULL THEN
        RAISE EXCEPTION 'role: expected the name of a role, got nothing'
            USING ERRCODE = '22023', HINT = 'Name the role whose members may submit.';
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._check_grant(text, name, text) IS
    'Raises P0002 for an unknown queue, 22023 for another argument that cannot be.';

CREATE FUNCTION rewardd.grant_queue(queue text, role name, verb text DEFAULT 'submit')
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    PERFORM _check_grant(grant_queue.queue, grant_queue.role, grant_queue.verb);
    IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = grant_queue.role) THEN
        RAISE EXCEPTION 'role: expected an existing role, got %',
            to_jsonb(grant_queue.role::text)::text
            USING ERRCODE = 'P0002', HINT = 'CREATE ROLE makes one.';
    END IF;
    INSERT INTO rewardd.queue_grant (queue, verb, role)
    VALUES (grant_queue.queue, grant_queue.verb, grant_queue.role)
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
$function$;
COMMENT ON FUNCTION rewardd.grant_queue(text, name, text) IS
$comment$Lets a role and its members submit to a queue, and closes the queue to all who are not granted it.
Without any grant a queue is open to every submitter; submitters need rewardd_submit as well. Jobs that wait
already stay. Schedules are checked each time, as their owner; retry as whoever retries.

verb  submit, the only one.

Returns whether the grant is new.

Errors: P0002 no such queue or role, 22023. Role: rewardd_admin.$comment$;

CREATE FUNCTION rewardd.revoke_queue(queue text, role name, verb text DEFAULT 'submit')
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    found_one boolean;
BEGIN
    PERFORM _check_grant(revoke_queue.queue, revoke_queue.role, revoke_queue.verb);
    DELETE FROM rewardd.queue_grant g
    WHERE g.queue = revoke_queue.queue AND g.verb = revoke_queue.verb
        AND g.role = revoke_queue.role;
    found_one := FOUND;
    RETURN CASE WHEN NOT found_one THEN 'not granted'
        WHEN EXISTS (
            SELECT FROM rewardd.queue_grant g
            WHERE g.queue = revoke_queue.queue AND g.verb = revoke_queue.verb) THEN 'revoked'
        ELSE 'open' END;
END
$function$;
COMMENT ON FUNCTION rewardd.revoke_queue(text, name, text) IS
$comment$Takes back what grant_queue gave; the role may have been dropped since. Jobs that wait already stay.

Returns revoked; open (that was the last grant: the queue is open to every submitter again); or not granted.

Errors: P0002 no such queue, 22023. Role: rewardd_admin.$comment$;

CREATE FUNCTION rewardd.set_queue_limit(name text, max_running int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    PERFORM _check_queue(set_queue_limit.name);
    IF set_queue_limit.max_running < 1 THEN
        RAISE EXCEPTION 'max_running: expected a number from 1 on, got %',
            set_queue_limit.max_running
            USING ERRCODE = '22023',
                HINT = 'Give NULL for no limit; rewardd.pause_queue stops a queue.';
    END IF;
    UPDATE rewardd.queue q
    SET max_running = set_queue_limit.max_running
    WHERE q.name = set_queue_limit.name;
    PERFORM _wake(set_queue_limit.name);
END
$function$;
COMMENT ON FUNCTION rewardd.set_queue_limit(text, int) IS
    'Sets how many shards of the queue may run at once over all daemons, NULL for no limit. What runs '
    'goes on, also above a lowered limit. Errors: P0002, 22023. Role: rewardd_admin.';

CREATE FUNCTION rewardd.set_queue_retention(name text, retention interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    PERFORM _check_queue(set_queue_retention.name);
    IF set_queue_retention.retention < interval '1 minute' THEN
        RAISE EXCEPTION 'retention: expected an interval from 1 minute on, got %',
            set_queue_retention.retention
            USING ERRCODE = '22023', HINT = 'Give NULL to keep jobs for ever.';
    END IF;
    UPDATE rewardd.queue q
    SET retention = set_queue_retention.retention
    WHERE q.name = set_queue_retention.name;
END
$function$;
COMMENT ON FUNCTION rewardd.set_queue_retention(text, interval) IS
    'Sets how long after its end a job of the queue is kept with all that came of it, NULL for ever. '
    'rewardd.prune, which daemons call, removes what is older. Errors: P0002, 22023. Role: rewardd_admin.';

REVOKE ALL ON FUNCTION rewardd.grant_queue(text, name, text),
    rewardd.revoke_queue(text, name, text), rewardd.set_queue_limit(text, int),
    rewardd.set_queue_retention(text, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.grant_queue(text, name, text),
    rewardd.revoke_queue(text, name, text), rewardd.set_queue_limit(text, int),
    rewardd.set_queue_retention(text, interval) TO rewardd_admin;

-- A queue with max_running is claimed from by one daemon at a time: its row is locked, then the running shards are
-- counted, at most max_running of them, by an index of their own. A queue without costs nothing more. claim_shards
-- takes the locks first, in the order of names, before it locks any shard or job.

CREATE INDEX shard_running_queue ON rewardd.shard (queue) WHERE state = 'running';

CREATE FUNCTION rewardd._count_running(queue text, at_most int) RETURNS int
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
BEGIN
    RETURN (
        SELECT count(*)
        FROM (
            SELECT FROM rewardd.shard s
            WHERE s.state = 'running' AND s.queue = _count_running.queue
            LIMIT at_most
        ) AS running);
END
$function$;
COMMENT ON FUNCTION rewardd._count_running(text, int) IS
    'How many shards of the queue run, counted up to a number.';

CREATE FUNCTION rewardd._has_work(models text[], queue text) RETURNS boolean
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    moment constant timestamptz := clock_timestamp();
BEGIN
    RETURN EXISTS (
            SELECT FROM unnest(models) AS m (label)
            CROSS JOIN LATERAL (
                SELECT FROM rewardd.shard s
                WHERE s.state = 'ready' AND s.queue = _has_work.queue AND s.model = m.label
                LIMIT 1
            ) AS one)
        -- Of any queue: what is due is made ready after this.
        OR EXISTS (
            SELECT FROM rewardd.shard s WHERE s.state = 'scheduled' AND s.run_at <= moment);
END
$function$;
COMMENT ON FUNCTION rewardd._has_work(text[], text) IS
    'Whether a shard of the queue is ready for one of the models, or any shard is due.';

CREATE FUNCTION rewardd._lock_limits(
    models text[], queues text[], OUT limited text[], OUT rooms int[])
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    lane record;
    most int;
    room int;
BEGIN
    limited := '{}';
    rooms := '{}';
    FOR lane IN
        SELECT q.name, q.max_running
        FROM rewardd.queue q
        WHERE q.name = ANY (queues) AND q.max_running IS NOT NULL AND q.paused_at IS NULL
        ORDER BY q.name
    LOOP
        most := lane.max_running;
        room := most - rewardd._count_running(lane.name, most);
        -- Where there is nothing to take no lock is taken: a lock is written to disk.
        IF room > 0 AND rewardd._has_work(models, lane.name) THEN
            SELECT coalesce(q.max_running, 2147483647) INTO most
            FROM rewardd.queue q
            WHERE q.name = lane.name
            FOR UPDATE;
            -- Again, now that no other claim is under way.
            room := most - rewardd._count_running(lane.name, most);
        ELSE
            room := 0;
        END IF;
        limited := limited || lane.name;
        rooms := rooms || greatest(room, 0);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION rewardd._lock_limits(text[], text[]) IS
    'Which of the queues have a limit of running shards, and how many more each may start. Those with room '
    'and work stay locked against other claims until the end of the transaction.';

-- Columns at the end.

CREATE OR REPLACE VIEW rewardd.queue_status AS
SELECT q.name, q.paused_at, coalesce(c.scheduled, 0) AS scheduled, coalesce(c.ready, 0) AS ready,
    coalesce(c.running, 0) AS running, coalesce(c.held, 0) AS held, q.max_running, q.retention,
    ARRAY(
        SELECT g.role::text FROM rewardd.queue_grant g
        WHERE g.queue = q.name AND g.verb = 'submit'
        ORDER BY g.role) AS submitters
FROM rewardd.queue q
LEFT JOIN (
    SELECT s.queue, count(*) FILTER (WHERE s.state = 'scheduled')::int AS scheduled,
        count(*) FILTER (WHERE s.state = 'ready')::int AS ready,
        count(*) FILTER (WHERE s.state = 'running')::int AS running,
        count(*) FILTER (WHERE s.state = 'held')::int AS held
    FROM rewardd.shard s
    WHERE s.state IN ('scheduled', 'ready', 'running') OR s.state = 'held'
    GROUP BY s.queue
) AS c ON c.queue = q.name;
COMMENT ON VIEW rewardd.queue_status IS
    'Queues, how many shards are in each live state, and their settings: max_running and retention are NULL '
    'for no limit, submitters is empty where every submitter may enqueue.';
