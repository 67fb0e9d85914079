-- A caller may call hold or set_deadline early in a long transaction of its own. Rescue and deadlines of other
-- jobs must not wait for its end.

-- Shards before the job, as everywhere. Without them a claim took a shard, waited for the job, and stood in the way
-- of all others; now it leaves them out.
CREATE OR REPLACE FUNCTION rewardd.set_deadline(job_id bigint, deadline timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    job rewardd.job;
BEGIN
    PERFORM _check_owner(set_deadline.job_id);
    job := _lock_job(set_deadline.job_id);
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

-- One job at a time, each in a subtransaction of its own: a lock that is not free keeps that job alone.
CREATE OR REPLACE FUNCTION rewardd._expire_jobs() RETURNS void
LANGUAGE plpgsql
AS $function$
DECLARE
    -- A variable, because a volatile call in the condition cannot use the index.
    moment constant timestamptz := clock_timestamp();
    late bigint;
    job rewardd.job;
BEGIN
    FOR late IN
        SELECT j.job_id
        FROM rewardd.job j
        WHERE j.finished_at IS NULL AND j.deadline_at <= moment
        ORDER BY j.deadline_at
        LIMIT 100
    LOOP
        BEGIN
            job := rewardd._lock_job(late);
            -- Another daemon may have been here, or the caller may have thought again.
            CONTINUE WHEN job.job_id IS NULL OR job.finished_at IS NOT NULL
                OR job.deadline_at IS NULL OR job.deadline_at > moment;
            UPDATE rewardd.job j SET deadline_at = NULL WHERE j.job_id = job.job_id;
            CONTINUE WHEN job.cancel_requested_at IS NOT NULL;
            PERFORM rewardd._request_cancel(job.job_id, 'deadline_passed',
                format('cancelled: its deadline was %s', job.deadline_at),
                jsonb_build_object('deadline', job.deadline_at));
            PERFORM rewardd._settle_job(job.job_id);
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            -- The next call comes in a second.
            NULL;
        END;
    END LOOP;
END
$function$;

-- A locked job is waited for once a call and not once for each of its shards, and shortly: a call has ten seconds,
-- and what it did is undone with it when they end.
CREATE OR REPLACE FUNCTION rewardd.rescue() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET lock_timeout = '20ms'
AS $function$
DECLARE
    shard rewardd.shard;
    rescued int := 0;
    busy bigint[] := '{}';
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
        CONTINUE WHEN shard.job_id = ANY (busy);
        BEGIN
            PERFORM _rescue_shard(shard);
            rescued := rescued + 1;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            -- It stays with the dead until the next call.
            busy := busy || shard.job_id;
        END;
    END LOOP;
    RETURN rescued;
END
$function$;

-- 16.0 was taken for whole, and then no integer could be read of it.
CREATE OR REPLACE FUNCTION rewardd._check_number(
    path text, value jsonb, minimum numeric, maximum numeric, whole boolean) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
BEGIN
    IF jsonb_typeof(value) = 'number' AND value::numeric BETWEEN minimum AND maximum
        AND (NOT whole OR value::text ~ '^-?[0-9]+$')
    THEN
        RETURN;
    END IF;
    RAISE EXCEPTION '%: expected %, got %', path,
        format(CASE WHEN whole THEN 'a whole number from %s to %s'
            ELSE 'a number from %s to %s' END, minimum, maximum),
        rewardd._describe(value)
        USING ERRCODE = '22023', HINT = 'Correct the option or leave it out.';
END
$function$;
