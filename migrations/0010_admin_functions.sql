-- Steering: cancel and retry of jobs; queues and daemons.

CREATE FUNCTION rewardd._check_owner(job_id bigint) RETURNS void
LANGUAGE plpgsql STABLE
AS $function$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (
        SELECT FROM rewardd.job j
        WHERE j.job_id = _check_owner.job_id AND (j.submitted_by = session_user
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
    'Raises P0002 unless the session''s user submitted the job or is an administrator.';

CREATE FUNCTION rewardd._stop_shards(job_id bigint) RETURNS void
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    busy bigint;
BEGIN
    UPDATE rewardd.shard s
    SET state = 'cancelled'
    WHERE s.job_id = _stop_shards.job_id AND s.state IN ('scheduled', 'ready');
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
    'Cancels the waiting shards of a job and asks the daemons of the running ones to stop.';

CREATE FUNCTION rewardd.cancel(job_id bigint, reason text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    job rewardd.job;
BEGIN
    PERFORM _check_owner(cancel.job_id);
    -- Shards before the job, as everywhere.
    PERFORM FROM rewardd.shard s
    WHERE s.job_id = cancel.job_id AND s.state IN ('scheduled', 'ready', 'running')
    ORDER BY s.shard_id
    FOR UPDATE;
    SELECT j.* INTO job FROM rewardd.job j WHERE j.job_id = cancel.job_id FOR UPDATE;
    IF job.state IN ('completed', 'failed') THEN
        RAISE EXCEPTION 'job %: expected a job that has not ended, got one that is %',
            job.job_id, job.state
            USING ERRCODE = '55000', HINT = 'There is nothing left to cancel.';
    ELSIF job.state = 'cancelled' OR job.cancel_requested_at IS NOT NULL THEN
        RETURN job.state;
    END IF;
    UPDATE rewardd.job j
    SET cancel_requested_at = clock_timestamp(),
        error = concat_ws(': ', format('cancelled by "%s"', session_user), left(reason, 500))
    WHERE j.job_id = cancel.job_id;
    PERFORM _log('cancel_requested', cancel.job_id, NULL, NULL, jsonb_strip_nulls(
        jsonb_build_object('by', session_user, 'reason', left(reason, 500))));
    PERFORM _stop_shards(cancel.job_id);
    PERFORM _settle_job(cancel.job_id);
    SELECT j.* INTO job FROM rewardd.job j WHERE j.job_id = cancel.job_id;
    RETURN job.state;
END
$function$;
COMMENT ON FUNCTION rewardd.cancel(bigint, text) IS
$comment$Cancels a job. What waits is cancelled at once; daemons that run parts of it are told to
stop and the job ends when they have. Results stored so far are kept. Cancelling again changes
nothing.

Returns the state: cancelled, or running while daemons are stopping.

Errors: P0002 no such job of the caller, 55000 already completed or failed.
Role: rewardd_submit for own jobs, rewardd_admin for any.$comment$;

CREATE FUNCTION rewardd.retry(job_id bigint) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    job rewardd.job;
    removed jsonb;
    open_items int;
BEGIN
    PERFORM _check_owner(retry.job_id);
    SELECT j.* INTO job FROM rewardd.job j WHERE j.job_id = retry.job_id FOR UPDATE;
    IF job.finished_at IS NULL THEN
        RAISE EXCEPTION 'job %: expected a job that has ended, got one that is %',
            job.job_id, job.state
            USING ERRCODE = '55000', HINT = 'Wait for its end, or cancel it first.';
    END IF;
    open_items := job.items_total - job.items_done;
    IF open_items = 0 THEN
        RAISE EXCEPTION 'job %: expected failed or unfinished items, got % completed ones',
            job.job_id, job.items_done
            USING ERRCODE = '55000', HINT = 'There is nothing to run again.';
    END IF;
    WITH gone AS (
        DELETE FROM rewardd.item_result r
        WHERE r.job_id = retry.job_id AND r.state = 'failed'
        RETURNING r.item_index, r.error_code
    ), numbered AS (
        SELECT g.*, row_number() OVER (ORDER BY g.item_index) AS place FROM gone g
    )
    SELECT jsonb_build_object('items', open_items, 'removed', coalesce(jsonb_agg(
        jsonb_build_array(n.item_index, n.error_code) ORDER BY n.place)
        FILTER (WHERE n.place <= 100), '[]')) INTO removed
    FROM numbered n;
    UPDATE rewardd.shard s
    SET items_failed = 0
    WHERE s.job_id = retry.job_id AND s.items_failed > 0;
    UPDATE rewardd.job j
    SET state = 'ready', run_at = clock_timestamp(), finished_at = NULL, cancel_requested_at = NULL,
        error = NULL, items_done = 0, items_failed = 0
    WHERE j.job_id = retry.job_id;
    PERFORM _open_shards(retry.job_id, 0, job.items_total,
        coalesce((job.options ->> 'shard_size')::int, 16), 0, 0, clock_timestamp());
    PERFORM _log('retried', retry.job_id, NULL, NULL, removed);
    PERFORM _wake(job.queue);
    RETURN open_items;
END
$function$;
COMMENT ON FUNCTION rewardd.retry(bigint) IS
$comment$Runs the failed items of an ended job again, and the unfinished ones of a cancelled job.
Completed items stay as they are. The failed results are removed; the event retried lists the first
hundred.

Returns the number of items opened.

Errors: P0002 no such job of the caller, 55000 not ended, or every item completed.
Role: rewardd_submit for own jobs, rewardd_admin for any.$comment$;

CREATE FUNCTION rewardd.create_queue(name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    PERFORM _check_name('name', create_queue.name, 63);
    INSERT INTO rewardd.queue (name) VALUES (create_queue.name) ON CONFLICT DO NOTHING;
END
$function$;
COMMENT ON FUNCTION rewardd.create_queue(text) IS
    'Makes a queue; an existing one is left as it is. Errors: 22023 name. Role: rewardd_admin.';

CREATE FUNCTION rewardd._set_paused(name text, paused boolean) RETURNS void
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
BEGIN
    UPDATE rewardd.queue q
    SET paused_at = CASE WHEN paused THEN coalesce(q.paused_at, clock_timestamp()) END
    WHERE q.name = _set_paused.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'queue: expected an existing queue, got %',
            coalesce(to_jsonb(left(_set_paused.name, 80))::text, 'nothing')
            USING ERRCODE = 'P0002', HINT = 'rewardd.queue_status lists them.';
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._set_paused(text, boolean) IS 'Pauses or resumes a queue.';

CREATE FUNCTION rewardd.pause_queue(name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
BEGIN
    PERFORM _set_paused(pause_queue.name, true);
END
$function$;
COMMENT ON FUNCTION rewardd.pause_queue(text) IS
    'Nothing more is claimed from the queue; what runs goes on. Errors: P0002. '
    'Role: rewardd_admin.';

CREATE FUNCTION rewardd.resume_queue(name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
BEGIN
    PERFORM _set_paused(resume_queue.name, false);
    PERFORM _wake(resume_queue.name);
END
$function$;
COMMENT ON FUNCTION rewardd.resume_queue(text) IS
    'Opens a paused queue again. Errors: P0002. Role: rewardd_admin.';

CREATE FUNCTION rewardd.drain_daemon(daemon_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    UPDATE rewardd.daemon d
    SET draining = true
    WHERE d.daemon_id = drain_daemon.daemon_id AND d.stopped_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'daemon %: expected a running daemon, got none with this number',
            coalesce(drain_daemon.daemon_id::text, 'NULL')
            USING ERRCODE = 'P0002', HINT = 'rewardd.daemon_status lists them.';
    END IF;
    PERFORM pg_notify('rewardd_daemon_' || drain_daemon.daemon_id, 'drain');
END
$function$;
COMMENT ON FUNCTION rewardd.drain_daemon(bigint) IS
    'Asks a daemon to finish what it runs, claim nothing more and stop. Errors: P0002. Role: '
    'rewardd_admin.';

REVOKE ALL ON FUNCTION rewardd.cancel(bigint, text), rewardd.retry(bigint),
    rewardd.create_queue(text), rewardd.pause_queue(text), rewardd.resume_queue(text),
    rewardd.drain_daemon(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.cancel(bigint, text), rewardd.retry(bigint)
    TO rewardd_submit, rewardd_admin;
GRANT EXECUTE ON FUNCTION rewardd.create_queue(text), rewardd.pause_queue(text),
    rewardd.resume_queue(text), rewardd.drain_daemon(bigint) TO rewardd_admin;
