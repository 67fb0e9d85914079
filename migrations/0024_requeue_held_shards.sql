-- Where the shards of a job go that is set aside.
--
-- hold (in the next file) stops a job as cancel does, by cancel_requested on the shards that run, and differs
-- in where these go: a shard that is given back while its job is held becomes held instead of ready. Whoever
-- gives it back has locked the shard, and hold locks the live shards before it marks the job, so that none
-- slips through between the two.

ALTER TABLE rewardd.job ADD COLUMN held_at timestamptz;
COMMENT ON COLUMN rewardd.job.held_at IS 'Since when it is set aside; NULL when it is not.';
COMMENT ON COLUMN rewardd.shard.cancel_requested IS
    'Whether its daemon should stop, because the job was cancelled or held.';
CREATE INDEX shard_held ON rewardd.shard (job_id) WHERE state = 'held';

CREATE OR REPLACE FUNCTION rewardd._requeue_shard(
    shard rewardd.shard, run_at timestamptz, attempts int, crashes int, error text, event text,
    data jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    target rewardd.shard_state :=
        CASE WHEN _requeue_shard.run_at > clock_timestamp() THEN 'scheduled' ELSE 'ready' END;
BEGIN
    IF EXISTS (
        SELECT FROM rewardd.job j WHERE j.job_id = shard.job_id AND j.held_at IS NOT NULL)
    THEN
        target := 'held';
    END IF;
    UPDATE rewardd.shard s
    SET state = target, lease_token = NULL, cancel_requested = false,
        run_at = _requeue_shard.run_at, attempts = _requeue_shard.attempts,
        crashes = _requeue_shard.crashes,
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
    'Takes the lease from a locked shard and makes it ready, scheduled if run_at is to come, or held '
    'if its job is.';

CREATE OR REPLACE FUNCTION rewardd._open_shards(
    job_id bigint, first int, item_count int, shard_size int, attempts int, crashes int,
    run_at timestamptz) RETURNS int
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    opened int;
BEGIN
    WITH open_item AS (
        SELECT i.item_index, i.item_index - row_number() OVER (ORDER BY i.item_index) AS run
        FROM rewardd.item i
        WHERE i.job_id = _open_shards.job_id
            AND i.item_index BETWEEN first AND first + _open_shards.item_count - 1
            AND NOT EXISTS (
                SELECT FROM rewardd.item_result r
                WHERE r.job_id = i.job_id AND r.item_index = i.item_index)
    ), placed AS (
        SELECT o.item_index, o.run,
            (row_number() OVER (PARTITION BY o.run ORDER BY o.item_index) - 1) / shard_size AS part
        FROM open_item o
    ), piece AS (
        SELECT min(p.item_index) AS first_item, count(*)::int AS item_count
        FROM placed p
        GROUP BY p.run, p.part
    )
    INSERT INTO rewardd.shard (job_id, queue, model, priority, run_at, first_item, item_count,
        state, attempts, crashes, max_attempts)
    SELECT j.job_id, j.queue, rewardd._shard_model(j.kind, j.model), j.priority,
        _open_shards.run_at, p.first_item, p.item_count,
        CASE WHEN j.held_at IS NULL THEN 'ready' ELSE 'held' END::rewardd.shard_state,
        _open_shards.attempts, _open_shards.crashes,
        coalesce((j.options ->> 'max_attempts')::int, 5)
    FROM rewardd.job j
    CROSS JOIN piece p
    WHERE j.job_id = _open_shards.job_id
    ORDER BY p.first_item;
    GET DIAGNOSTICS opened = ROW_COUNT;
    UPDATE rewardd.job j
    SET shards_total = j.shards_total + opened
    WHERE j.job_id = _open_shards.job_id;
    RETURN opened;
END
$function$;
COMMENT ON FUNCTION rewardd._open_shards(bigint, int, int, int, int, int, timestamptz) IS
    'Makes ready shards (held ones of a held job) of at most shard_size items from the consecutive runs '
    'of items without a result in a range of the job, and returns their number.';

CREATE FUNCTION rewardd._is_cancelled(job_id bigint) RETURNS boolean
LANGUAGE sql STABLE
AS $function$
    SELECT EXISTS (
        SELECT FROM rewardd.job j
        WHERE j.job_id = _is_cancelled.job_id AND j.cancel_requested_at IS NOT NULL)
$function$;
COMMENT ON FUNCTION rewardd._is_cancelled(bigint) IS
    'Whether cancel was asked for. A shard that should stop belongs to a cancelled job or to a held one.';

CREATE OR REPLACE FUNCTION rewardd._rescue_shard(shard rewardd.shard) RETURNS void
LANGUAGE plpgsql
AS $function$
DECLARE
    crashes constant int := shard.crashes + 1;
    attempts constant int := shard.attempts - 1;
    missing constant int := shard.item_count - shard.items_done - shard.items_failed;
    data constant jsonb := jsonb_build_object('crashes', crashes);
BEGIN
    IF missing = 0 THEN
        PERFORM rewardd._end_shard(shard, 'done', 0, NULL, 'rescued', data);
    ELSIF shard.cancel_requested AND rewardd._is_cancelled(shard.job_id) THEN
        PERFORM rewardd._end_shard(shard, 'cancelled', 0, NULL, 'rescued', data);
    ELSIF crashes < 3 THEN
        PERFORM rewardd._requeue_shard(
            shard, shard.run_at, attempts, crashes, NULL, 'rescued', data);
    ELSIF missing = 1 THEN
        PERFORM rewardd._end_shard(shard, 'failed', rewardd._fail_items(shard, 'daemon_crashed',
            format('%s daemons died while working on this item', crashes)),
            NULL, 'rescued', data);
    ELSE
        -- Something in here kills daemons: halve the rest until it stands alone.
        PERFORM rewardd._open_shards(shard.job_id, shard.first_item, shard.item_count,
            (missing + 1) / 2, attempts, crashes - 1, shard.run_at);
        PERFORM rewardd._end_shard(shard, 'failed', 0,
            format('halved after %s daemons died with it', crashes), 'rescued', data);
        PERFORM rewardd._wake(shard.queue);
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION rewardd._settle_job(job_id bigint) RETURNS void
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
        -- A test of its own for the index of its own.
        OR EXISTS (
        SELECT FROM rewardd.shard s
        WHERE s.job_id = _settle_job.job_id AND s.state = 'held')
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
    SET state = verdict::rewardd.job_state, finished_at = clock_timestamp(), held_at = NULL,
        items_done = sums.done, items_failed = sums.failed, error = job.error
    WHERE j.job_id = _settle_job.job_id;
    PERFORM rewardd._log(verdict, _settle_job.job_id, NULL, NULL,
        jsonb_build_object('items_done', sums.done, 'items_failed', sums.failed));
END
$function$;

CREATE OR REPLACE FUNCTION rewardd.finish_shard(
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
    ELSIF lease.cancel_requested AND _is_cancelled(lease.job_id) THEN
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
         release  given back untouched: the attempt does not count. For shutdown, cancel and hold.
         retry    something passing went wrong: ready again after retry_in. After the last of
                  max_attempts the items without a result fail with attempts_exhausted.
         fail     trying again cannot help: the items without a result fail with shard_failed.
error    why, one sentence; kept with the shard and its failed items.

A shard whose items all have results is done whatever the outcome. With its last shard the job ends.
A shard that is given back or to be retried while its job is held becomes held.

Returns ok; cancel (the job was cancelled: the shard is over); or lost (the lease is another
daemon's or gone, nothing was written).

Errors: 22023 outcome, 55000 results missing. Role: rewardd_work.$comment$;
COMMENT ON FUNCTION rewardd.cancelled_shards(bigint) IS
    'The running shards of the daemon that it should stop because their job was cancelled or held. '
    'Role: rewardd_work.';
