-- Who is alive: registration, heartbeats, and rescue from the dead.

CREATE FUNCTION rewardd.register_daemon(
    host text, pid int, version text, models text[], queues text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    new_daemon bigint;
BEGIN
    PERFORM _check_name('host', register_daemon.host, 255);
    PERFORM _check_name('version', register_daemon.version, 200);
    IF register_daemon.models IS NULL OR register_daemon.queues IS NULL OR pid IS NULL THEN
        RAISE EXCEPTION 'register_daemon: expected pid, models and queues, got NULL for one'
            USING ERRCODE = '22023', HINT = 'Give an empty array for none.';
    END IF;
    INSERT INTO rewardd.daemon AS d (host, pid, version, models, queues, lease_until)
    VALUES (register_daemon.host, register_daemon.pid, register_daemon.version,
        register_daemon.models, register_daemon.queues, clock_timestamp() + interval '15 seconds')
    RETURNING d.daemon_id INTO new_daemon;
    PERFORM _log('daemon_started', NULL, NULL, new_daemon, jsonb_build_object(
        'host', register_daemon.host, 'pid', register_daemon.pid,
        'version', register_daemon.version));
    RETURN new_daemon;
END
$function$;
COMMENT ON FUNCTION rewardd.register_daemon(text, int, text, text[], text[]) IS
    'Announces a daemon process and returns its number, good for 15 seconds and then for as long '
    'as it calls heartbeat. Role: rewardd_work.';

CREATE FUNCTION rewardd.hold_daemon_lock(daemon_id bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    IF NOT pg_try_advisory_lock(1919252068, hold_daemon_lock.daemon_id::int) THEN
        RETURN false;
    END IF;
    UPDATE rewardd.daemon d
    SET holds_lock = true
    WHERE d.daemon_id = hold_daemon_lock.daemon_id AND d.stopped_at IS NULL;
    IF FOUND THEN
        RETURN true;
    END IF;
    PERFORM pg_advisory_unlock(1919252068, hold_daemon_lock.daemon_id::int);
    RETURN false;
END
$function$;
COMMENT ON FUNCTION rewardd.hold_daemon_lock(bigint) IS
$comment$Takes the daemon's advisory lock (1919252068, daemon_id) for this session: call it once on
the connection that sends heartbeats. The lock falls when the process or its connection dies, so
death is noticed within seconds instead of at the end of the lease. A daemon behind a pooler in
transaction mode does without. Returns false if another session holds it or the daemon is not
registered. Role: rewardd_work.$comment$;

CREATE FUNCTION rewardd.heartbeat(daemon_id bigint, idle boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    draining boolean;
BEGIN
    UPDATE rewardd.daemon d
    SET beat_at = clock_timestamp(), lease_until = clock_timestamp() + interval '15 seconds',
        idle = coalesce(heartbeat.idle, d.idle)
    WHERE d.daemon_id = heartbeat.daemon_id AND d.stopped_at IS NULL
    RETURNING d.draining INTO draining;
    RETURN CASE WHEN NOT FOUND THEN 'unknown' WHEN draining THEN 'drain' ELSE 'ok' END;
END
$function$;
COMMENT ON FUNCTION rewardd.heartbeat(bigint, boolean) IS
$comment$Keeps a daemon alive for another 15 seconds and records whether it could take more work
(NULL leaves that as it is). Returns ok; drain (finish what runs, then stop); or unknown (stopped
or found dead: its leases are gone, register again). Role: rewardd_work.$comment$;

CREATE FUNCTION rewardd._bury_daemons() RETURNS void
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
BEGIN
    -- Whether the lock is held is read from pg_locks. Trying the lock instead would hold it for an
    -- instant, in which a daemon that reconnects could fail to take it.
    WITH dead AS MATERIALIZED (
        SELECT d.daemon_id, CASE WHEN d.lease_until < clock_timestamp()
            THEN 'lease_expired' ELSE 'connection_lost' END AS reason
        FROM rewardd.daemon d
        WHERE d.stopped_at IS NULL AND (
            d.lease_until < clock_timestamp()
            OR d.holds_lock AND d.beat_at < clock_timestamp() - interval '3.5 seconds'
            AND NOT EXISTS (
                SELECT FROM pg_locks l
                WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
                    AND l.classid = 1919252068::oid AND l.objid = d.daemon_id::oid
                    AND l.database = (
                        SELECT b.oid FROM pg_database b WHERE b.datname = current_database())))
        ORDER BY d.daemon_id
        FOR UPDATE OF d SKIP LOCKED
    ), buried AS (
        UPDATE rewardd.daemon d
        SET stopped_at = clock_timestamp(), stop_reason = dead.reason, idle = false
        FROM dead
        WHERE d.daemon_id = dead.daemon_id
        RETURNING d.daemon_id, d.stop_reason
    )
    INSERT INTO rewardd.event (type, daemon_id, data)
    SELECT 'daemon_stopped', b.daemon_id, jsonb_build_object('reason', b.stop_reason)
    FROM buried b;
END
$function$;
COMMENT ON FUNCTION rewardd._bury_daemons() IS 'Marks the daemons that have died as stopped.';

CREATE FUNCTION rewardd._open_shards(
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
    SELECT j.job_id, j.queue, j.model, j.priority, _open_shards.run_at, p.first_item, p.item_count,
        'ready', _open_shards.attempts, _open_shards.crashes,
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
    'Makes ready shards of at most shard_size items from the consecutive runs of items without a '
    'result in a range of the job, and returns their number.';

CREATE FUNCTION rewardd._rescue_shard(shard rewardd.shard) RETURNS void
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
    ELSIF shard.cancel_requested THEN
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
COMMENT ON FUNCTION rewardd._rescue_shard(rewardd.shard) IS
    'Takes a locked shard from a dead daemon: ready again, or from the third crash without '
    'progress halved, or a single item failed with daemon_crashed.';

CREATE FUNCTION rewardd.rescue() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
DECLARE
    shard rewardd.shard;
    rescued int := 0;
BEGIN
    PERFORM _bury_daemons();
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
$comment$Returns the shards of dead daemons to the queue; every daemon calls it about once a second.
Dead is a daemon whose lease ended, or that held its advisory lock, lost it, and has not sent a
heartbeat for 3.5 seconds. Its tokens become worthless: should it still live, its writes are refused
as lost.
The attempt is given back and a crash counted; a checkpoint that stores something sets the count to
zero. From the third crash a shard is halved; a single item fails with daemon_crashed.

Returns the number of shards taken from the dead. Role: rewardd_work.$comment$;

CREATE FUNCTION rewardd.stop_daemon(daemon_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    held rewardd.shard;
BEGIN
    UPDATE rewardd.daemon d
    SET stopped_at = clock_timestamp(), stop_reason = 'stopped', idle = false
    WHERE d.daemon_id = stop_daemon.daemon_id AND d.stopped_at IS NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM _log('daemon_stopped', NULL, NULL, stop_daemon.daemon_id, '{"reason": "stopped"}');
    FOR held IN
        SELECT s.*
        FROM rewardd.shard s
        WHERE s.state = 'running' AND s.daemon_id = stop_daemon.daemon_id
        ORDER BY s.job_id, s.shard_id
        FOR UPDATE OF s SKIP LOCKED
    LOOP
        PERFORM finish_shard(held.shard_id, held.lease_token, 'release');
    END LOOP;
END
$function$;
COMMENT ON FUNCTION rewardd.stop_daemon(bigint) IS
    'Takes leave: marks the daemon as stopped and releases what it still holds. Does nothing for a '
    'daemon that is stopped already. Role: rewardd_work.';

CREATE FUNCTION rewardd.cancelled_shards(daemon_id bigint) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
BEGIN ATOMIC
    SELECT s.shard_id
    FROM rewardd.shard s
    WHERE s.daemon_id = cancelled_shards.daemon_id AND s.state = 'running' AND s.cancel_requested;
END;
COMMENT ON FUNCTION rewardd.cancelled_shards(bigint) IS
    'The running shards of the daemon that it should stop because their job was cancelled. Role: '
    'rewardd_work.';

REVOKE ALL ON FUNCTION rewardd.register_daemon(text, int, text, text[], text[]),
    rewardd.hold_daemon_lock(bigint), rewardd.heartbeat(bigint, boolean), rewardd.rescue(),
    rewardd.stop_daemon(bigint), rewardd.cancelled_shards(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.register_daemon(text, int, text, text[], text[]),
    rewardd.hold_daemon_lock(bigint), rewardd.heartbeat(bigint, boolean), rewardd.rescue(),
    rewardd.stop_daemon(bigint), rewardd.cancelled_shards(bigint) TO rewardd_work;
