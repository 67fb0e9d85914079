-- Schedules: enqueuing what is due.
--
-- Any daemon may do it at any time. The lock on the schedule's row lets one at a time deal with it,
-- next_slot moves on in the same transaction, and the key of schedule_slot would refuse a second
-- time whatever else went wrong. Only the clock of the database counts.

CREATE FUNCTION rewardd._check_submitter(submitter name) RETURNS void
LANGUAGE plpgsql STABLE
AS $function$
DECLARE
    may_submit boolean;
BEGIN
    -- The right itself and not the membership, so that a revoked one stops the schedules too.
    SELECT has_function_privilege(r.oid,
        'rewardd.enqueue(text,jsonb,text,text,jsonb,text,int,timestamptz,text)'::regprocedure,
        'EXECUTE') INTO may_submit
    FROM pg_roles r
    WHERE r.rolname = submitter;
    IF may_submit IS NOT TRUE THEN
        RAISE EXCEPTION 'role "%": expected the right to enqueue, got %', submitter,
            CASE WHEN may_submit IS NULL THEN 'no such role' ELSE 'none' END
            USING ERRCODE = '42501', HINT = 'Grant it rewardd_submit.';
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._check_submitter(name) IS
    'Raises 42501 unless the role may enqueue.';

CREATE FUNCTION rewardd._enqueue_schedule(schedule rewardd.schedule) RETURNS bigint
LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM rewardd._check_submitter(schedule.submitted_by);
    RETURN rewardd._enqueue(schedule.submitted_by, schedule.kind,
        (SELECT s.items FROM rewardd.schedule s WHERE s.name = schedule.name),
        schedule.task, schedule.model, schedule.options, schedule.queue, schedule.priority, now(),
        NULL);
END
$function$;
COMMENT ON FUNCTION rewardd._enqueue_schedule(rewardd.schedule) IS
    'Enqueues the submission of a schedule as its owner would.';

CREATE FUNCTION rewardd._record_slot(
    name text, slot timestamptz, planned boolean, outcome text, job_id bigint, reason text)
RETURNS void
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
BEGIN
    INSERT INTO rewardd.schedule_slot AS p (name, slot, planned, outcome, job_id, reason)
    VALUES (_record_slot.name, _record_slot.slot, _record_slot.planned, _record_slot.outcome,
        _record_slot.job_id, _record_slot.reason)
    ON CONFLICT (name, slot) DO UPDATE
    SET at = clock_timestamp(), outcome = EXCLUDED.outcome, job_id = EXCLUDED.job_id,
        reason = EXCLUDED.reason
    WHERE p.outcome = 'waiting';
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM rewardd._log('slot_' || _record_slot.outcome, _record_slot.job_id, NULL, NULL,
        jsonb_strip_nulls(jsonb_build_object('schedule', _record_slot.name,
            'slot', _record_slot.slot, 'reason', left(_record_slot.reason, 1000))));
END
$function$;
COMMENT ON FUNCTION rewardd._record_slot(text, timestamptz, boolean, text, bigint, text) IS
    'Records what became of a slot, which is new or has been waiting, and logs it.';

CREATE FUNCTION rewardd._run_slot(schedule rewardd.schedule, slot timestamptz) RETURNS bigint
LANGUAGE plpgsql
AS $function$
DECLARE
    new_job bigint;
BEGIN
    IF EXISTS (
        SELECT FROM rewardd.schedule_slot p
        WHERE p.name = schedule.name AND p.slot = _run_slot.slot AND p.outcome <> 'waiting')
    THEN
        RETURN NULL;
    END IF;
    BEGIN
        new_job := rewardd._enqueue_schedule(schedule);
        PERFORM rewardd._record_slot(schedule.name, slot, true, 'enqueued', new_job, NULL);
    EXCEPTION WHEN OTHERS THEN
        -- What passes by itself is tried again by the next call. The rest is the schedule's own
        -- fault, and must not keep others waiting.
        IF left(SQLSTATE, 2) IN ('40', '53', '57', '58') OR SQLSTATE = '55P03' THEN
            RAISE;
        END IF;
        PERFORM rewardd._record_slot(schedule.name, slot, true, 'refused', NULL, SQLERRM);
    END;
    RETURN new_job;
END
$function$;
COMMENT ON FUNCTION rewardd._run_slot(rewardd.schedule, timestamptz) IS
    'Enqueues a slot once and records it. Returns the job; NULL for none, with the reason recorded.';

CREATE FUNCTION rewardd._plan_slot(schedule rewardd.schedule, following timestamptz)
RETURNS rewardd.schedule
LANGUAGE plpgsql
AS $function$
DECLARE
    slot constant timestamptz := schedule.next_slot;
    new_job bigint;
    busy boolean;
BEGIN
    schedule.next_slot := following;
    IF schedule.misfire = 'coalesce' AND following <= clock_timestamp() THEN
        PERFORM rewardd._record_slot(schedule.name, slot, true, 'skipped', NULL,
            'missed; a later slot runs for it');
        RETURN schedule;
    ELSIF schedule.misfire = 'skip' AND slot < clock_timestamp() - interval '1 minute' THEN
        PERFORM rewardd._record_slot(schedule.name, slot, true, 'skipped', NULL,
            'missed by more than a minute');
        RETURN schedule;
    END IF;
    busy := schedule.overlap <> 'allow' AND (schedule.waiting_slot IS NOT NULL OR EXISTS (
        SELECT FROM rewardd.job j
        WHERE j.job_id = schedule.last_job AND j.finished_at IS NULL));
    IF NOT busy THEN
        new_job := rewardd._run_slot(schedule, slot);
        schedule.last_job := coalesce(new_job, schedule.last_job);
    ELSIF schedule.overlap = 'queue' AND schedule.waiting_slot IS NULL THEN
        PERFORM rewardd._record_slot(schedule.name, slot, true, 'waiting', NULL,
            format('job %s has not ended', schedule.last_job));
        schedule.waiting_slot := slot;
    ELSE
        PERFORM rewardd._record_slot(schedule.name, slot, true, 'skipped', NULL,
            CASE WHEN schedule.waiting_slot IS NULL
                THEN format('job %s has not ended', schedule.last_job)
                ELSE 'another slot waits already' END);
    END IF;
    RETURN schedule;
END
$function$;
COMMENT ON FUNCTION rewardd._plan_slot(rewardd.schedule, timestamptz) IS
    'Deals with the next_slot of a schedule by its policies and returns the schedule as it is then, '
    'with the following slot as its next.';

CREATE FUNCTION rewardd._run_schedule(schedule rewardd.schedule) RETURNS int
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    plan constant rewardd.cron_plan := rewardd._read_cron(schedule.cron);
    handled int := 0;
BEGIN
    IF schedule.waiting_slot IS NOT NULL AND NOT EXISTS (
        SELECT FROM rewardd.job j
        WHERE j.job_id = schedule.last_job AND j.finished_at IS NULL)
    THEN
        schedule.last_job := coalesce(
            rewardd._run_slot(schedule, schedule.waiting_slot), schedule.last_job);
        schedule.waiting_slot := NULL;
        handled := 1;
    END IF;
    WHILE schedule.next_slot <= clock_timestamp() AND handled < 20 LOOP
        schedule := rewardd._plan_slot(schedule,
            rewardd._next_slot(plan, schedule.time_zone, schedule.next_slot));
        handled := handled + 1;
    END LOOP;
    UPDATE rewardd.schedule s
    SET next_slot = schedule.next_slot, waiting_slot = schedule.waiting_slot,
        last_job = schedule.last_job
    WHERE s.name = schedule.name;
    RETURN handled;
END
$function$;
COMMENT ON FUNCTION rewardd._run_schedule(rewardd.schedule) IS
    'Deals with up to 20 slots of a locked schedule and returns their number.';

CREATE FUNCTION rewardd.run_due_schedules() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
AS $function$
DECLARE
    moment constant timestamptz := clock_timestamp();
    schedule rewardd.schedule;
    seen text[] := '{}';
    handled int := 0;
    items int := 0;
BEGIN
    -- One schedule is locked at a time. Twenty, or a hundred thousand items, are one transaction
    -- that is not too long; who called calls again.
    WHILE cardinality(seen) < 20 AND items < 100000 LOOP
        -- The locking statement itself returns the row: another one could read an older state.
        SELECT s.* INTO schedule
        FROM rewardd.schedule s
        WHERE s.paused_at IS NULL AND s.next_slot <= moment AND s.name <> ALL (seen)
        ORDER BY s.next_slot
        LIMIT 1
        FOR UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            SELECT s.* INTO schedule
            FROM rewardd.schedule s
            WHERE s.paused_at IS NULL AND s.waiting_slot IS NOT NULL AND s.name <> ALL (seen)
                AND NOT EXISTS (
                    SELECT FROM rewardd.job j
                    WHERE j.job_id = s.last_job AND j.finished_at IS NULL)
            ORDER BY s.waiting_slot
            LIMIT 1
            FOR UPDATE OF s SKIP LOCKED;
        END IF;
        EXIT WHEN NOT FOUND;
        seen := seen || schedule.name;
        -- Handing a row on copies its items; whoever enqueues them reads them anew.
        schedule.items := NULL;
        BEGIN
            handled := handled + _run_schedule(schedule);
            items := items + schedule.items_total;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'schedule "%": %', schedule.name, SQLERRM
                USING HINT = 'It stays due and is tried again.';
        END;
    END LOOP;
    RETURN handled;
END
$function$;
COMMENT ON FUNCTION rewardd.run_due_schedules() IS
$comment$Enqueues what schedules have come due, by their policies for misfire and overlap, each slot
once; every daemon calls it about once a second, and again at once while it returns more than 0.
Schedules another session is dealing with are left to it. A submission that enqueue refuses is
recorded with the refusal, and the schedule goes on with its next slot.

Returns the number of slots dealt with, at most 20 for each of at most 20 schedules. Role:
rewardd_work.$comment$;

CREATE FUNCTION rewardd.run_schedule(name text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
AS $function$
#variable_conflict use_column
DECLARE
    schedule constant rewardd.schedule := _own_schedule(run_schedule.name);
    new_job constant bigint := _enqueue_schedule(schedule);
BEGIN
    PERFORM _record_slot(schedule.name, clock_timestamp(), false, 'enqueued', new_job, NULL);
    UPDATE rewardd.schedule s
    SET last_job = new_job
    WHERE s.name = schedule.name;
    RETURN new_job;
END
$function$;
COMMENT ON FUNCTION rewardd.run_schedule(text) IS
$comment$Enqueues the submission of a schedule now, beside its plan, and returns the job_id. It does so
while the schedule is paused or a job of it runs; the job belongs to the schedule's owner.

Errors: P0002 no such schedule of the caller, 42501 the owner may not enqueue any more, and those of
enqueue. Roles: rewardd_submit for its own, rewardd_admin.$comment$;

REVOKE ALL ON FUNCTION rewardd.run_due_schedules(), rewardd.run_schedule(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.run_due_schedules() TO rewardd_work;
GRANT EXECUTE ON FUNCTION rewardd.run_schedule(text) TO rewardd_submit, rewardd_admin;
