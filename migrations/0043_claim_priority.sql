-- The priority of a claimed shard, which counts inside the daemon too: its engine runs the questions of the highest first.

DROP FUNCTION rewardd.claim_shards(bigint, text[], text[], int);

CREATE FUNCTION rewardd.claim_shards(
    daemon_id bigint, models text[], queues text[], max_shards int)
RETURNS TABLE (
    shard_id bigint, job_id bigint, lease_token bigint, kind text, task text, model text,
    options jsonb, attempts int, first_item int, item_count int, items jsonb,
    priority int)
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
            s.attempts::int, s.first_item, s.item_count, i.items, s.priority::int
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
task is NULL for train, model is then the base; priority is the job's. No rows for a daemon that is draining or stopped.
Also makes due scheduled shards ready, and records the daemon as idle when it got fewer than it
asked for.

Errors: 22023 max_shards. Role: rewardd_work.$comment$;
GRANT EXECUTE ON FUNCTION rewardd.claim_shards(bigint, text[], text[], int) TO rewardd_work;
