-- Claims that go by rounds and keep to the limits of queues; jobs that are released or retried, and their rounds;
-- and the look-up of an idempotency key, which had not used its index.

CREATE FUNCTION rewardd._release_shards(job_id bigint) RETURNS void
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    moment constant timestamptz := clock_timestamp();
    earliest bigint;
    round record;
BEGIN
    SELECT min(s.fair_seq) INTO earliest
    FROM rewardd.shard s
    WHERE s.job_id = _release_shards.job_id AND s.state = 'held';
    SELECT p.clock, p.next INTO round
    FROM (
        -- Any of them: they are of one job, so of one lane.
        SELECT s.queue, s.model, s.priority, s.submitted_by
        FROM rewardd.shard s
        WHERE s.job_id = _release_shards.job_id AND s.state = 'held'
        LIMIT 1
    ) AS one
    CROSS JOIN LATERAL rewardd._fair_place(
        one.queue, one.model, one.priority, one.submitted_by) AS p;
    WITH held AS MATERIALIZED (
        SELECT s.shard_id, row_number() OVER (ORDER BY s.fair_seq, s.shard_id) - 1 AS place
        FROM rewardd.shard s
        WHERE s.job_id = _release_shards.job_id AND s.state = 'held'
    )
    UPDATE rewardd.shard s
    SET state = CASE WHEN s.run_at > moment THEN 'scheduled' ELSE 'ready' END::rewardd.shard_state,
        fair_seq = CASE WHEN earliest >= round.clock THEN s.fair_seq ELSE round.next + h.place END
    FROM held h
    WHERE s.shard_id = h.shard_id;
END
$function$;
COMMENT ON FUNCTION rewardd._release_shards(bigint) IS
    'Makes the held shards of a job ready or scheduled: in their old rounds if none of these has passed, else '
    'behind the submitter''s others.';

CREATE OR REPLACE FUNCTION rewardd.release(job_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    job rewardd.job;
BEGIN
    PERFORM _check_owner(release.job_id);
    job := _lock_job(release.job_id);
    IF job.held_at IS NULL THEN
        RAISE EXCEPTION 'job %: expected a held job, got one that is %', job.job_id, job.state
            USING ERRCODE = '55000', HINT = 'rewardd.hold sets a job aside.';
    END IF;
    PERFORM _release_shards(release.job_id);
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
$comment$Takes up a held job again where it was: ready, or scheduled if its time is still to come. It keeps its
turns among other submitters unless one of them has passed: then it goes behind the submitter's other jobs.

Returns the state: ready, scheduled, or running if a daemon had not stopped yet.

Errors: P0002 no such job of the caller, 55000 not held.
Role: rewardd_submit for own jobs, rewardd_admin for any.$comment$;

CREATE OR REPLACE FUNCTION rewardd.retry(job_id bigint) RETURNS int
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
    -- Again: it may have been removed while the lock was waited for.
    PERFORM _check_owner(retry.job_id);
    IF job.submitted_by = session_user THEN
        PERFORM _check_queue_grant(session_user, job.queue);
    END IF;
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
        deadline_at = NULL, error = NULL, items_done = 0, items_failed = 0
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
hundred. A deadline ends with the run it was set for.

Returns the number of items opened.

Errors: P0002 no such job of the caller, 55000 not ended, or every item completed, 42501 the queue is
not granted to the caller any more.
Role: rewardd_submit for own jobs, rewardd_admin for any.$comment$;

CREATE OR REPLACE FUNCTION rewardd._find_request(
    submitter name, queue text, idempotency_key text, request_digest bytea) RETURNS bigint
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    found record;
BEGIN
    SELECT j.job_id, j.request_digest, j.kind, j.created_at INTO found
    FROM rewardd.job j
    WHERE j.submitted_by = submitter
        -- The submitter would give them a collation that the index has not: then all its keys are read.
        AND j.queue = _find_request.queue COLLATE "default"
        AND j.idempotency_key = _find_request.idempotency_key COLLATE "default";
    IF found.job_id IS NOT NULL AND found.request_digest <> _find_request.request_digest THEN
        RAISE EXCEPTION 'idempotency_key: expected the request of job % again, got a different one',
            found.job_id
            USING ERRCODE = '55000',
                DETAIL = format('Job %s is a %s enqueued at %s with the same key in queue "%s".',
                    found.job_id, found.kind, found.created_at, _find_request.queue),
                HINT = 'Use a new key for a new request.';
    END IF;
    RETURN found.job_id;
END
$function$;
DROP FUNCTION rewardd._take_ready(bigint, text[], text[], int);
CREATE FUNCTION rewardd._take_ready(
    daemon_id bigint, models text[], queues text[], max_shards int, limited text[], rooms int[])
RETURNS bigint[]
LANGUAGE plpgsql
AS $function$
DECLARE
    -- Some more than wanted, for those that other daemons are taking at this moment.
    window_size constant int := max_shards * 8 + 32;
    taken bigint[];
BEGIN
    -- Each lane (queue and model) is read in the order of its index and no further than the
    -- window, so the only sort is over lanes x window rows. Exactly the shards taken are locked.
    WITH lane AS MATERIALIZED (
        SELECT DISTINCT q.name AS queue, m.model, l.room
        FROM rewardd.queue q
        CROSS JOIN unnest(models) AS m (model)
        LEFT JOIN unnest(limited, rooms) AS l (queue, room) ON l.queue = q.name
        -- A limit that was set a moment ago is obeyed by the next claim, which has locked it.
        WHERE q.name = ANY (queues) AND q.paused_at IS NULL
            AND (l.room > 0 OR l.room IS NULL AND q.max_running IS NULL)
    ), candidate AS MATERIALIZED (
        SELECT c.shard_id, c.priority, c.fair_seq, lane.queue, lane.room
        FROM lane
        CROSS JOIN LATERAL (
            SELECT s.shard_id, s.priority, s.fair_seq
            FROM rewardd.shard s
            WHERE s.state = 'ready' AND s.queue = lane.queue AND s.model = lane.model
            ORDER BY s.priority DESC, s.fair_seq, s.shard_id
            LIMIT least(window_size, lane.room)
        ) AS c
    ), allowed AS MATERIALIZED (
        SELECT c.shard_id, c.priority, c.fair_seq
        FROM candidate c
        WHERE c.room IS NULL
        UNION ALL
        SELECT r.shard_id, r.priority, r.fair_seq
        FROM (
            SELECT c.*, row_number() OVER (
                PARTITION BY c.queue ORDER BY c.priority DESC, c.fair_seq, c.shard_id) AS place
            FROM candidate c
            WHERE c.room IS NOT NULL
        ) AS r
        WHERE r.place <= r.room
        ORDER BY priority DESC, fair_seq, shard_id
        LIMIT window_size
    ), chosen AS MATERIALIZED (
        SELECT s.shard_id
        FROM allowed a
        JOIN rewardd.shard s ON s.shard_id = a.shard_id AND s.state = 'ready'
        ORDER BY a.priority DESC, a.fair_seq, a.shard_id
        LIMIT max_shards
        FOR UPDATE OF s SKIP LOCKED
    ), claimed AS (
        UPDATE rewardd.shard s
        SET state = 'running', daemon_id = _take_ready.daemon_id,
            lease_token = nextval('rewardd.lease_token_sequence'), attempts = s.attempts + 1,
            claimed_at = clock_timestamp(), progress_at = clock_timestamp()
        FROM chosen
        WHERE s.shard_id = chosen.shard_id
        RETURNING s.shard_id, s.job_id, s.attempts
    ), logged AS (
        INSERT INTO rewardd.event (type, job_id, shard_id, daemon_id, data)
        SELECT 'claimed', c.job_id, c.shard_id, _take_ready.daemon_id,
            jsonb_build_object('attempt', c.attempts)
        FROM claimed c
    )
    SELECT array_agg(c.shard_id) INTO taken FROM claimed c;
    RETURN coalesce(taken, '{}');
END
$function$;
COMMENT ON FUNCTION rewardd._take_ready(bigint, text[], text[], int, text[], int[]) IS
    'Leases up to max_shards ready shards to the daemon and returns their numbers; of each limited queue '
    'no more than it has room for.';

CREATE OR REPLACE FUNCTION rewardd.claim_shards(
    daemon_id bigint, models text[], queues text[], max_shards int)
RETURNS TABLE (
    shard_id bigint, job_id bigint, lease_token bigint, kind text, task text, model text,
    options jsonb, attempts int, first_item int, item_count int, items jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_sort = off
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off
AS $function$
#variable_conflict use_column
DECLARE
    limits record;
    taken bigint[];
BEGIN
    IF max_shards IS NULL OR max_shards NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'max_shards: expected 1 to 1000, got %',
            coalesce(max_shards::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Claim no more than can be started now.';
    END IF;
    IF NOT EXISTS (
        SELECT FROM rewardd.daemon d
        WHERE d.daemon_id = claim_shards.daemon_id AND d.stopped_at IS NULL AND NOT d.draining)
    THEN
        RETURN;
    END IF;
    limits := _lock_limits(models, queues);
    PERFORM _promote_due();
    taken := _take_ready(
        claim_shards.daemon_id, models, queues, max_shards, limits.limited, limits.rooms);
    -- Whether there is room for training says nothing about room for judging.
    IF models[1] LIKE 'train/%' IS NOT TRUE THEN
        PERFORM _set_idle(claim_shards.daemon_id, cardinality(taken) < max_shards);
    END IF;
    IF cardinality(taken) = 0 THEN
        RETURN;
    END IF;
    PERFORM _move_jobs(
        (SELECT array_agg(DISTINCT s.job_id) FROM rewardd.shard s WHERE s.shard_id = ANY (taken)),
        'running');
    RETURN QUERY
        SELECT s.shard_id, s.job_id, s.lease_token, j.kind, j.task, j.model, j.options,
            s.attempts::int, s.first_item, s.item_count, i.items
        FROM rewardd.shard s
        JOIN rewardd.job j ON j.job_id = s.job_id
        CROSS JOIN LATERAL (
            SELECT coalesce(jsonb_agg(
                jsonb_build_object('index', i.item_index, 'payload', i.payload)
                ORDER BY i.item_index), '[]') AS items
            FROM rewardd.item i
            WHERE i.job_id = s.job_id
                AND i.item_index BETWEEN s.first_item AND s.first_item + s.item_count - 1
                AND NOT EXISTS (
                    SELECT FROM rewardd.item_result r
                    WHERE r.job_id = i.job_id AND r.item_index = i.item_index
                        -- Said again for the index: a job may have a million results.
                        AND r.job_id = s.job_id
                        AND r.item_index BETWEEN s.first_item AND s.first_item + s.item_count - 1)
        ) AS i
        WHERE s.shard_id = ANY (taken)
        ORDER BY s.priority DESC, s.fair_seq, s.shard_id;
END
$function$;
COMMENT ON FUNCTION rewardd.claim_shards(bigint, text[], text[], int) IS
$comment$Leases up to max_shards ready shards to a registered daemon, the highest priority first, from those
of its queues that are not paused and for its models. Among equals the submitters take turns, shard by shard,
and each has its own in the order they came. Of a queue with max_running no more are leased than it lets run.
Call it as one short transaction of its own at READ COMMITTED: no transaction stays open while a model runs.

models  what to claim for: names of models, or, in a call of their own, labels train/<base> for
        training from these bases. A call for labels leaves alone whether the daemon is idle.

Returns one row for each shard; items is [{"index": n, "payload": {…}}], only items without a result
(possibly none: then finish the shard with 'done'). lease_token is the right to write to the shard;
task is NULL for train, model is then the base. No rows for a daemon that is draining or stopped.
Also makes due scheduled shards ready, and records the daemon as idle when it got fewer than it
asked for.

Errors: 22023 max_shards. Role: rewardd_work.$comment$;
