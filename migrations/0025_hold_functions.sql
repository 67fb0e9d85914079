-- Setting jobs aside and taking them up again, and cancelling without waiting for the daemons.

CREATE FUNCTION rewardd._lock_job(job_id bigint) RETURNS rewardd.job
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    job rewardd.job;
BEGIN
    -- Shards before the job, as everywhere.
    PERFORM FROM rewardd.shard s
    WHERE s.job_id = _lock_job.job_id AND s.state IN ('scheduled', 'ready', 'held', 'running')
    ORDER BY s.shard_id
    FOR UPDATE;
    SELECT j.* INTO job FROM rewardd.job j WHERE j.job_id = _lock_job.job_id FOR UPDATE;
    RETURN job;
END
$function$;
COMMENT ON FUNCTION rewardd._lock_job(bigint) IS
    'Locks the live shards of a job, then the job, and returns it.';

CREATE OR REPLACE FUNCTION rewardd._stop_shards(job_id bigint) RETURNS void
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    busy bigint;
    waiting constant rewardd.shard_state := CASE
        WHEN rewardd._is_cancelled(_stop_shards.job_id) THEN 'cancelled' ELSE 'held' END;
BEGIN
    UPDATE rewardd.shard s
    SET state = waiting
    WHERE s.job_id = _stop_shards.job_id AND s.state IN ('scheduled', 'ready', 'held')
        AND s.state <> waiting;
    FOR busy IN
        WITH stopping AS (
            UPDATE rewardd.shard s
            SET cancel_requested = true
            WHERE s.job_id = _stop_shards.job_id AND s.state = 'running' AND NOT s.cancel_requested
            RETURNING s.daemon_id
        )
        SELECT DISTINCT t.daemon_id FROM stopping t
    LOOP
        PERFORM pg_notify('rewardd_daemon_' || busy, 'cancel');
    END LOOP;
END
$function$;
COMMENT ON FUNCTION rewardd._stop_shards(bigint) IS
    'Cancels the waiting shards of a cancelled job and holds those of another, and asks the daemons of the '
    'running ones to stop.';

CREATE FUNCTION rewardd._revoke_shards(job_id bigint) RETURNS int
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    shard rewardd.shard;
    revoked int := 0;
BEGIN
    FOR shard IN
        SELECT s.*
        FROM rewardd.shard s
        WHERE s.job_id = _revoke_shards.job_id AND s.state = 'running'
        ORDER BY s.shard_id
        FOR UPDATE
    LOOP
        PERFORM rewardd._end_shard(shard, CASE
            WHEN shard.items_done + shard.items_failed = shard.item_count THEN 'done'
            ELSE 'cancelled' END::rewardd.shard_state, 0, NULL, 'revoked');
        PERFORM pg_notify('rewardd_daemon_' || shard.daemon_id, 'cancel');
        revoked := revoked + 1;
    END LOOP;
    RETURN revoked;
END
$function$;
COMMENT ON FUNCTION rewardd._revoke_shards(bigint) IS
    'Ends the running shards of a cancelled job: their lease tokens are worthless from now on.';

CREATE FUNCTION rewardd._request_cancel(job_id bigint, event text, error text, data jsonb)
RETURNS void
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
BEGIN
    -- A held job whose daemons have not stopped yet runs on until they have.
    UPDATE rewardd.job j
    SET cancel_requested_at = clock_timestamp(), held_at = NULL, error = _request_cancel.error,
        state = CASE WHEN j.state = 'held' THEN 'running' ELSE j.state END
    WHERE j.job_id = _request_cancel.job_id;
    PERFORM rewardd._log(event, _request_cancel.job_id, NULL, NULL, jsonb_strip_nulls(data));
    PERFORM rewardd._stop_shards(_request_cancel.job_id);
END
$function$;
COMMENT ON FUNCTION rewardd._request_cancel(bigint, text, text, jsonb) IS
    'Marks a locked job as to be cancelled and stops its shards. _settle_job ends it.';

DROP FUNCTION rewardd.cancel(bigint, text);
CREATE FUNCTION rewardd.cancel(job_id bigint, reason text DEFAULT NULL, force boolean DEFAULT false)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    job rewardd.job;
    is_new boolean;
BEGIN
    PERFORM _check_owner(cancel.job_id);
    job := _lock_job(cancel.job_id);
    IF job.state IN ('completed', 'failed') THEN
        RAISE EXCEPTION 'job %: expected a job that has not ended, got one that is %',
            job.job_id, job.state
            USING ERRCODE = '55000', HINT = 'There is nothing left to cancel.';
    END IF;
    is_new := job.state <> 'cancelled' AND job.cancel_requested_at IS NULL;
    IF is_new THEN
        PERFORM _request_cancel(cancel.job_id, 'cancel_requested',
            concat_ws(': ', format('cancelled by "%s"', session_user), left(reason, 500)),
            jsonb_build_object('by', session_user, 'reason', left(reason, 500)));
    END IF;
    IF force AND job.state <> 'cancelled' THEN
        PERFORM _revoke_shards(cancel.job_id);
    END IF;
    IF is_new THEN
        PERFORM _settle_job(cancel.job_id);
    END IF;
    SELECT j.* INTO job FROM rewardd.job j WHERE j.job_id = cancel.job_id;
    RETURN job.state;
END
$function$;
COMMENT ON FUNCTION rewardd.cancel(bigint, text, boolean) IS
$comment$Cancels a job. What waits or is held is cancelled at once; daemons that run parts of it are told to
stop and the job ends when they have. Results stored so far are kept. Cancelling again changes
nothing.

force  does not wait for the daemons: their lease tokens are revoked, the job has ended when this
       returns, and what they send afterwards is refused. Also for a job that is being cancelled.

Returns the state: cancelled, or running while daemons are stopping.

Errors: P0002 no such job of the caller, 55000 already completed or failed.
Role: rewardd_submit for own jobs, rewardd_admin for any.$comment$;

CREATE FUNCTION rewardd.hold(job_id bigint, reason text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    job rewardd.job;
BEGIN
    PERFORM _check_owner(hold.job_id);
    job := _lock_job(hold.job_id);
    IF job.finished_at IS NOT NULL OR job.cancel_requested_at IS NOT NULL THEN
        RAISE EXCEPTION 'job %: expected a job that has not ended, got one that is %', job.job_id,
            CASE WHEN job.finished_at IS NULL THEN 'being cancelled' ELSE job.state::text END
            USING ERRCODE = '55000', HINT = 'Only what is waiting or running can be held.';
    ELSIF job.held_at IS NULL THEN
        UPDATE rewardd.job j
        SET held_at = clock_timestamp(), state = 'held'
        WHERE j.job_id = hold.job_id;
        PERFORM _log('held', hold.job_id, NULL, NULL, jsonb_strip_nulls(
            jsonb_build_object('by', session_user, 'reason', left(reason, 500))));
        PERFORM _stop_shards(hold.job_id);
    END IF;
    RETURN 'held';
END
$function$;
COMMENT ON FUNCTION rewardd.hold(bigint, text) IS
$comment$Sets a job aside until it is released. Nothing more of it is claimed; daemons that run parts of
it stop within a second and give back what they have not finished, which costs no attempt. Results
stored so far are kept. Holding again changes nothing. A job whose last items are finished at that
moment ends.

Returns held.

Errors: P0002 no such job of the caller, 55000 ended or being cancelled.
Role: rewardd_submit for own jobs, rewardd_admin for any.$comment$;

CREATE FUNCTION rewardd.release(job_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    job rewardd.job;
    moment constant timestamptz := clock_timestamp();
BEGIN
    PERFORM _check_owner(release.job_id);
    job := _lock_job(release.job_id);
    IF job.held_at IS NULL THEN
        RAISE EXCEPTION 'job %: expected a held job, got one that is %', job.job_id, job.state
            USING ERRCODE = '55000', HINT = 'rewardd.hold sets a job aside.';
    END IF;
    UPDATE rewardd.shard s
    SET state = CASE WHEN s.run_at > moment THEN 'scheduled' ELSE 'ready' END::rewardd.shard_state
    WHERE s.job_id = release.job_id AND s.state = 'held';
    -- A daemon that has not stopped yet may go on; one that has noticed gives its shard back.
    UPDATE rewardd.shard s
    SET cancel_requested = false
    WHERE s.job_id = release.job_id AND s.state = 'running' AND s.cancel_requested;
    UPDATE rewardd.job j
    SET held_at = NULL, state = CASE
        WHEN EXISTS (
            SELECT FROM rewardd.shard s
            WHERE s.job_id = release.job_id AND s.state = 'running') THEN 'running'
        WHEN EXISTS (
            SELECT FROM rewardd.shard s
            WHERE s.job_id = release.job_id AND s.state = 'ready') THEN 'ready'
        ELSE 'scheduled' END::rewardd.job_state
    WHERE j.job_id = release.job_id
    RETURNING j.* INTO job;
    PERFORM _log('hold_released', release.job_id, NULL, NULL, jsonb_build_object('by', session_user));
    PERFORM _wake(job.queue);
    RETURN job.state;
END
$function$;
COMMENT ON FUNCTION rewardd.release(bigint) IS
$comment$Takes up a held job again where it was: ready, or scheduled if its time is still to come.

Returns the state: ready, scheduled, or running if a daemon had not stopped yet.

Errors: P0002 no such job of the caller, 55000 not held.
Role: rewardd_submit for own jobs, rewardd_admin for any.$comment$;

REVOKE ALL ON FUNCTION rewardd.cancel(bigint, text, boolean), rewardd.hold(bigint, text),
    rewardd.release(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.cancel(bigint, text, boolean), rewardd.hold(bigint, text),
    rewardd.release(bigint) TO rewardd_submit, rewardd_admin;

-- A column at the end.

CREATE OR REPLACE VIEW rewardd.queue_status AS
SELECT q.name, q.paused_at, coalesce(c.scheduled, 0) AS scheduled, coalesce(c.ready, 0) AS ready,
    coalesce(c.running, 0) AS running, coalesce(c.held, 0) AS held
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

-- A held job is not stuck.

CREATE OR REPLACE FUNCTION rewardd.check_shards(patience interval DEFAULT '30 minutes')
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
            WHERE s.job_id = j.job_id AND s.state IN ('scheduled', 'ready', 'held', 'running'))
        ORDER BY 5
        LIMIT 100;
END
$function$;
