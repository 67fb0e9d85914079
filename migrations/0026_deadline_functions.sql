-- Deadlines: a job that is not needed after some time must not hold a queue until then.

ALTER TABLE rewardd.job ADD COLUMN deadline_at timestamptz;
COMMENT ON COLUMN rewardd.job.deadline_at IS
    'When it is cancelled unless it has ended; NULL for never, and once it was.';
CREATE INDEX job_deadline ON rewardd.job (deadline_at)
    WHERE finished_at IS NULL AND deadline_at IS NOT NULL;

CREATE FUNCTION rewardd.set_deadline(job_id bigint, deadline timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    job rewardd.job;
BEGIN
    PERFORM _check_owner(set_deadline.job_id);
    SELECT j.* INTO job FROM rewardd.job j WHERE j.job_id = set_deadline.job_id FOR UPDATE;
    IF NOT isfinite(deadline) OR deadline <= job.run_at THEN
        RAISE EXCEPTION 'deadline: expected a time after %, when the job may start, got %',
            job.run_at, deadline
            USING ERRCODE = '22023', HINT = 'Give NULL for no deadline.';
    ELSIF job.finished_at IS NOT NULL THEN
        RAISE EXCEPTION 'job %: expected a job that has not ended, got one that is %', job.job_id,
            job.state
            USING ERRCODE = '55000', HINT = 'There is nothing left to stop.';
    END IF;
    UPDATE rewardd.job j SET deadline_at = deadline WHERE j.job_id = set_deadline.job_id;
END
$function$;
COMMENT ON FUNCTION rewardd.set_deadline(bigint, timestamptz) IS
$comment$Has a job cancelled when it has not ended by that time, within about a second as long as a
daemon runs; results stored until then are kept. NULL takes a deadline away. In the transaction of
enqueue: SELECT rewardd.set_deadline(rewardd.enqueue(...), now() + interval '2 hours').
A job that is retried has no deadline any more.

Errors: P0002 no such job of the caller, 22023 not after the job's run_at, 55000 ended.
Role: rewardd_submit for own jobs, rewardd_admin for any.$comment$;
REVOKE ALL ON FUNCTION rewardd.set_deadline(bigint, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.set_deadline(bigint, timestamptz)
    TO rewardd_submit, rewardd_admin;

CREATE FUNCTION rewardd._expire_jobs() RETURNS void
LANGUAGE plpgsql
AS $function$
DECLARE
    -- A variable, because a volatile call in the condition cannot use the index.
    moment constant timestamptz := clock_timestamp();
    late constant bigint[] := ARRAY(
        SELECT j.job_id
        FROM rewardd.job j
        WHERE j.finished_at IS NULL AND j.deadline_at <= moment
        ORDER BY j.deadline_at
        LIMIT 100);
    job rewardd.job;
BEGIN
    IF late = '{}' THEN
        RETURN;
    END IF;
    -- All shards, then all jobs, in the one order of every function.
    PERFORM FROM rewardd.shard s
    WHERE s.job_id = ANY (late) AND s.state IN ('scheduled', 'ready', 'held', 'running')
    ORDER BY s.shard_id
    FOR UPDATE;
    FOR job IN
        SELECT j.* FROM rewardd.job j WHERE j.job_id = ANY (late) ORDER BY j.job_id FOR UPDATE
    LOOP
        -- Another daemon may have been here, or the caller may have thought again.
        CONTINUE WHEN job.finished_at IS NOT NULL OR job.deadline_at IS NULL
            OR job.deadline_at > moment;
        UPDATE rewardd.job j SET deadline_at = NULL WHERE j.job_id = job.job_id;
        CONTINUE WHEN job.cancel_requested_at IS NOT NULL;
        PERFORM rewardd._request_cancel(job.job_id, 'deadline_passed',
            format('cancelled: its deadline was %s', job.deadline_at),
            jsonb_build_object('deadline', job.deadline_at));
        PERFORM rewardd._settle_job(job.job_id);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION rewardd._expire_jobs() IS
    'Cancels the jobs whose deadline has passed, at most 100.';

CREATE OR REPLACE FUNCTION rewardd.rescue() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
DECLARE
    shard rewardd.shard;
    rescued int := 0;
BEGIN
    PERFORM _bury_daemons();
    PERFORM _expire_jobs();
    -- Any stopped daemon, not only those just buried: a claim that committed late is found too.
    FOR shard IN
        SELECT s.*
        FROM rewardd.shard s
        WHERE s.state = 'running' AND EXISTS (
            SELECT FROM rewardd.daemon d
            WHERE d.daemon_id = s.daemon_id AND d.stopped_at IS NOT NULL)
        ORDER BY s.job_id, s.shard_id
        FOR UPDATE OF s SKIP LOCKED
    LOOP
        PERFORM _rescue_shard(shard);
        rescued := rescued + 1;
    END LOOP;
    RETURN rescued;
END
$function$;
COMMENT ON FUNCTION rewardd.rescue() IS
$comment$Returns the shards of dead daemons to the queue, and cancels jobs whose deadline has passed;
every daemon calls it about once a second.
Dead is a daemon whose lease ended, or that held its advisory lock, lost it, and has not sent a
heartbeat for 3.5 seconds. Its tokens become worthless: should it still live, its writes are refused
as lost.
The attempt is given back and a crash counted; a checkpoint that stores something sets the count to
zero. From the third crash a shard is halved; a single item fails with daemon_crashed.

Returns the number of shards taken from the dead. Role: rewardd_work.$comment$;

-- Columns at the end.

CREATE OR REPLACE VIEW rewardd.job_status WITH (security_barrier) AS
SELECT j.job_id, j.kind, j.task, j.model, j.queue, j.priority::int AS priority, j.state,
    j.items_total,
    CASE WHEN j.finished_at IS NULL THEN p.items_done ELSE j.items_done END AS items_done,
    CASE WHEN j.finished_at IS NULL THEN p.items_failed ELSE j.items_failed END AS items_failed,
    j.shards_total, coalesce(p.shards_running, 0) AS shards_running, j.created_at, j.run_at,
    j.started_at, j.finished_at, j.cancel_requested_at, j.submitted_by, j.idempotency_key, j.error,
    j.options, j.held_at, j.deadline_at
FROM rewardd.job j
CROSS JOIN LATERAL (
    -- Empty for an ended job, whose totals are in its own row.
    SELECT coalesce(sum(s.items_done), 0)::int AS items_done,
        coalesce(sum(s.items_failed), 0)::int AS items_failed,
        count(*) FILTER (WHERE s.state = 'running')::int AS shards_running
    FROM rewardd.shard s
    WHERE s.job_id = j.job_id AND j.finished_at IS NULL
) AS p
WHERE j.submitted_by = session_user OR (
    SELECT pg_has_role(session_user, 'rewardd_read', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_work', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'));
