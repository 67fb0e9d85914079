-- Ending: of a shard, and with its last shard of a job.

CREATE FUNCTION rewardd._fail_items(shard rewardd.shard, error_code text, error text) RETURNS int
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    failed int;
BEGIN
    INSERT INTO rewardd.item_result (job_id, item_index, state, error_code, error, lease_token)
    SELECT shard.job_id, i.item_index, 'failed', _fail_items.error_code, _fail_items.error,
        shard.lease_token
    FROM generate_series(shard.first_item, shard.first_item + shard.item_count - 1)
        AS i (item_index)
    ON CONFLICT (job_id, item_index) DO NOTHING;
    GET DIAGNOSTICS failed = ROW_COUNT;
    RETURN failed;
END
$function$;
COMMENT ON FUNCTION rewardd._fail_items(rewardd.shard, text, text) IS
    'Fails the items of the shard that have no result and returns their number.';

CREATE FUNCTION rewardd._settle_job(job_id bigint) RETURNS void
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    job rewardd.job;
    sums record;
    verdict text;
BEGIN
    -- Of two shards that end together the second waits here and then sees the first.
    SELECT j.* INTO job FROM rewardd.job j WHERE j.job_id = _settle_job.job_id FOR UPDATE;
    IF job.finished_at IS NOT NULL OR EXISTS (
        SELECT FROM rewardd.shard s
        WHERE s.job_id = _settle_job.job_id AND s.state IN ('scheduled', 'ready', 'running'))
    THEN
        RETURN;
    END IF;
    SELECT coalesce(sum(s.items_done), 0) AS done, coalesce(sum(s.items_failed), 0) AS failed
    INTO sums
    FROM rewardd.shard s
    WHERE s.job_id = _settle_job.job_id;
    verdict := CASE
        WHEN job.cancel_requested_at IS NOT NULL THEN 'cancelled'
        WHEN sums.failed = job.items_total THEN 'failed'
        ELSE 'completed' END;
    IF verdict = 'failed' THEN
        SELECT format('all %s items failed, most often with %s', job.items_total,
            mode() WITHIN GROUP (ORDER BY r.error_code)) INTO job.error
        FROM rewardd.item_result r
        WHERE r.job_id = _settle_job.job_id AND r.state = 'failed';
    END IF;
    UPDATE rewardd.job j
    SET state = verdict::rewardd.job_state, finished_at = clock_timestamp(),
        items_done = sums.done, items_failed = sums.failed, error = job.error
    WHERE j.job_id = _settle_job.job_id;
    PERFORM rewardd._log(verdict, _settle_job.job_id, NULL, NULL,
        jsonb_build_object('items_done', sums.done, 'items_failed', sums.failed));
END
$function$;
COMMENT ON FUNCTION rewardd._settle_job(bigint) IS
    'Ends the job if none of its shards is live any more. The caller holds the shard it ended.';

CREATE FUNCTION rewardd._end_shard(
    shard rewardd.shard, target rewardd.shard_state, failed int, error text, event text,
    data jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
BEGIN
    UPDATE rewardd.shard s
    SET state = target, lease_token = NULL, items_failed = s.items_failed + failed,
        error = coalesce(left(_end_shard.error, 2000), s.error)
    WHERE s.shard_id = shard.shard_id;
    PERFORM rewardd._log(event, shard.job_id, shard.shard_id, shard.daemon_id,
        jsonb_strip_nulls(data || jsonb_build_object('state', target, 'error', left(error, 500))));
    PERFORM rewardd._settle_job(shard.job_id);
END
$function$;
COMMENT ON FUNCTION rewardd._end_shard(
    rewardd.shard, rewardd.shard_state, int, text, text, jsonb) IS
    'Gives a locked shard a final state, and ends the job with the last one.';

CREATE FUNCTION rewardd._requeue_shard(
    shard rewardd.shard, run_at timestamptz, attempts int, crashes int, error text, event text,
    data jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    target constant rewardd.shard_state :=
        CASE WHEN _requeue_shard.run_at > clock_timestamp() THEN 'scheduled' ELSE 'ready' END;
BEGIN
    UPDATE rewardd.shard s
    SET state = target, lease_token = NULL, run_at = _requeue_shard.run_at,
        attempts = _requeue_shard.attempts, crashes = _requeue_shard.crashes,
        error = coalesce(left(_requeue_shard.error, 2000), s.error)
    WHERE s.shard_id = shard.shard_id;
    PERFORM rewardd._log(event, shard.job_id, shard.shard_id, shard.daemon_id, jsonb_strip_nulls(
        data || jsonb_build_object('state', target, 'error', left(error, 500))));
    IF target = 'ready' THEN
        PERFORM rewardd._wake(shard.queue);
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._requeue_shard(
    rewardd.shard, timestamptz, int, int, text, text, jsonb) IS
    'Takes the lease from a locked shard and makes it ready, or scheduled if run_at is to come.';

CREATE FUNCTION rewardd.finish_shard(
    shard_id bigint, lease_token bigint, outcome text, error text DEFAULT NULL,
    retry_in interval DEFAULT '5 seconds') RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
AS $function$
#variable_conflict use_column
DECLARE
    lease rewardd.shard;
    missing int;
    delay constant interval := greatest(coalesce(retry_in, '5 seconds'), '0');
BEGIN
    IF outcome IS NULL OR outcome NOT IN ('done', 'release', 'retry', 'fail') THEN
        RAISE EXCEPTION 'outcome: expected done, release, retry or fail, got %',
            coalesce(to_jsonb(left(outcome, 80))::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'See the comment of rewardd.finish_shard.';
    END IF;
    SELECT s.* INTO lease
    FROM rewardd.shard s
    WHERE s.shard_id = finish_shard.shard_id AND s.lease_token = finish_shard.lease_token
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'lost';
    END IF;
    missing := lease.item_count - lease.items_done - lease.items_failed;
    IF missing = 0 THEN
        PERFORM _end_shard(lease, 'done', 0, NULL, 'finished');
    ELSIF lease.cancel_requested THEN
        PERFORM _end_shard(lease, 'cancelled', 0, NULL, 'finished');
        RETURN 'cancel';
    ELSIF outcome = 'done' THEN
        RAISE EXCEPTION 'shard %: expected results for all % items before done, got %',
            lease.shard_id, lease.item_count, lease.item_count - missing
            USING ERRCODE = '55000',
                HINT = 'Checkpoint the missing results first, or finish with retry or release.';
    ELSIF outcome = 'release' THEN
        PERFORM _requeue_shard(lease, lease.run_at, lease.attempts - 1, lease.crashes,
            finish_shard.error, 'released');
    ELSIF outcome = 'fail' THEN
        PERFORM _end_shard(lease, 'failed', _fail_items(lease, 'shard_failed',
            coalesce(finish_shard.error, 'the daemon gave the shard up')),
            finish_shard.error, 'finished');
    ELSIF lease.attempts >= lease.max_attempts THEN
        PERFORM _end_shard(lease, 'failed', _fail_items(lease, 'attempts_exhausted',
            concat_ws(': ', format('gave up after %s attempts', lease.attempts),
                finish_shard.error)),
            finish_shard.error, 'finished', jsonb_build_object('attempts', lease.attempts));
    ELSE
        PERFORM _requeue_shard(lease, clock_timestamp() + delay, lease.attempts, lease.crashes,
            finish_shard.error, 'retried', jsonb_build_object('attempt', lease.attempts));
    END IF;
    RETURN 'ok';
END
$function$;
COMMENT ON FUNCTION rewardd.finish_shard(bigint, bigint, text, text, interval) IS
$comment$Ends a daemon's lease of a shard.

outcome  done     every item has a result (55000 otherwise).
         release  given back untouched: the attempt does not count. For shutdown and cancel.
         retry    something passing went wrong: ready again after retry_in. After the last of
                  max_attempts the items without a result fail with attempts_exhausted.
         fail     trying again cannot help: the items without a result fail with shard_failed.
error    why, one sentence; kept with the shard and its failed items.

A shard whose items all have results is done whatever the outcome. With its last shard the job ends.

Returns ok; cancel (the job was cancelled: the shard is over); or lost (the lease is another
daemon's or gone, nothing was written).

Errors: 22023 outcome, 55000 results missing. Role: rewardd_work.$comment$;
REVOKE ALL ON FUNCTION rewardd.finish_shard(bigint, bigint, text, text, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.finish_shard(bigint, bigint, text, text, interval)
    TO rewardd_work;
