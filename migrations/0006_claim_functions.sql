-- Taking work: promotion of due shards and claim_shards.
--
-- A claim must cost the same over ten shards and over a million, so its plans are fixed rather than
-- left to statistics that lag behind a queue: claim_shards switches off whatever does not follow an
-- index. Then one cached plan serves, without the planner's guess for an unknown LIMIT that sorts
-- the whole backlog; planning each call anew took more than half of its time. The penalty for what
-- is switched off would look like an expensive query worth compiling, hence jit = off.

CREATE FUNCTION rewardd._promote_due() RETURNS void
LANGUAGE plpgsql
AS $function$
DECLARE
    -- A variable, because a volatile call in the condition cannot use the index.
    moment constant timestamptz := clock_timestamp();
    jobs bigint[];
BEGIN
    WITH due AS MATERIALIZED (
        SELECT s.shard_id
        FROM rewardd.shard s
        WHERE s.state = 'scheduled' AND s.run_at <= moment
        ORDER BY s.run_at, s.shard_id
        LIMIT 1000
        FOR UPDATE SKIP LOCKED
    ), promoted AS (
        UPDATE rewardd.shard s
        SET state = 'ready'
        FROM due
        WHERE s.shard_id = due.shard_id
        RETURNING s.job_id
    )
    SELECT array_agg(DISTINCT p.job_id) INTO jobs FROM promoted p;
    IF jobs IS NOT NULL THEN
        PERFORM rewardd._move_jobs(jobs, 'ready');
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._promote_due() IS
    'Makes at most 1000 scheduled shards ready whose time has come, and their jobs.';

CREATE FUNCTION rewardd._move_jobs(jobs bigint[], target rewardd.job_state) RETURNS void
LANGUAGE plpgsql
AS $function$
BEGIN
    -- Ascending, as everywhere: shards first, then jobs by number. Two daemons cannot deadlock.
    WITH chosen AS MATERIALIZED (
        SELECT j.job_id
        FROM rewardd.job j
        WHERE j.job_id = ANY (jobs) AND (j.state = 'scheduled'
            OR j.state = 'ready' AND target = 'running')
        ORDER BY j.job_id
        FOR UPDATE
    )
    UPDATE rewardd.job j
    SET state = target,
        started_at = CASE WHEN target = 'running'
            THEN coalesce(j.started_at, clock_timestamp()) ELSE j.started_at END
    FROM chosen
    WHERE j.job_id = chosen.job_id;
END
$function$;
COMMENT ON FUNCTION rewardd._move_jobs(bigint[], rewardd.job_state) IS
    'Moves those of the jobs that have not got there yet to ready or running.';

CREATE FUNCTION rewardd._set_idle(daemon_id bigint, idle boolean) RETURNS void
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
BEGIN
    UPDATE rewardd.daemon d
    SET idle = _set_idle.idle
    WHERE d.daemon_id = _set_idle.daemon_id AND d.idle <> _set_idle.idle;
END
$function$;
COMMENT ON FUNCTION rewardd._set_idle(bigint, boolean) IS
    'Records whether the daemon could take more work, if that changed.';

CREATE FUNCTION rewardd._take_ready(
    daemon_id bigint, models text[], queues text[], max_shards int) RETURNS bigint[]
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
        SELECT DISTINCT q.name AS queue, m.model
        FROM rewardd.queue q
        CROSS JOIN unnest(models) AS m (model)
        WHERE q.name = ANY (queues) AND q.paused_at IS NULL
    ), candidate AS MATERIALIZED (
        SELECT c.shard_id, c.priority, c.run_at
        FROM lane
        CROSS JOIN LATERAL (
            SELECT s.shard_id, s.priority, s.run_at
            FROM rewardd.shard s
            WHERE s.state = 'ready' AND s.queue = lane.queue AND s.model = lane.model
            ORDER BY s.priority DESC, s.run_at, s.shard_id
            LIMIT window_size
        ) AS c
        ORDER BY c.priority DESC, c.run_at, c.shard_id
        LIMIT window_size
    ), chosen AS MATERIALIZED (
        SELECT s.shard_id
        FROM candidate c
        JOIN rewardd.shard s ON s.shard_id = c.shard_id AND s.state = 'ready'
        ORDER BY c.priority DESC, c.run_at, c.shard_id
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
COMMENT ON FUNCTION rewardd._take_ready(bigint, text[], text[], int) IS
    'Leases up to max_shards ready shards to the daemon and returns their numbers.';

CREATE FUNCTION rewardd.claim_shards(
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
    PERFORM _promote_due();
    taken := _take_ready(claim_shards.daemon_id, models, queues, max_shards);
    PERFORM _set_idle(claim_shards.daemon_id, cardinality(taken) < max_shards);
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
        ORDER BY s.priority DESC, s.run_at, s.shard_id;
END
$function$;
COMMENT ON FUNCTION rewardd.claim_shards(bigint, text[], text[], int) IS
$comment$Leases up to max_shards ready shards to a registered daemon, the highest priority and then
the oldest first, from those of its queues that are not paused and for its models. Call it as one
short transaction of its own: no transaction stays open while a model runs.

Returns one row for each shard; items is [{"index": n, "payload": {…}}], only items without a result
(possibly none: then finish the shard with 'done'). lease_token is the right to write to the shard.
No rows for a daemon that is draining or stopped. Also makes due scheduled shards ready, and records
the daemon as idle when it got fewer than it asked for.

Errors: 22023 max_shards. Role: rewardd_work.$comment$;
REVOKE ALL ON FUNCTION rewardd.claim_shards(bigint, text[], text[], int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.claim_shards(bigint, text[], text[], int) TO rewardd_work;
