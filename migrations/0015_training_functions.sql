-- Training: its claim, its progress, and the models that come of it.

ALTER TABLE rewardd.shard
    ADD COLUMN furthest_step bigint NOT NULL DEFAULT 0,
    ADD COLUMN progress_reports int NOT NULL DEFAULT 0;
COMMENT ON COLUMN rewardd.shard.furthest_step IS
    'Furthest step that a training has reported, over all its claims.';
COMMENT ON COLUMN rewardd.shard.progress_reports IS 'Reports of progress so far.';
COMMENT ON TABLE rewardd.event IS
    'What happened, in order. Written once, never changed; of a job''s training_progress only the '
    'newest thousand or so are kept.';
COMMENT ON COLUMN rewardd.event.type IS
    'enqueued, claimed, finished, released, retried, rescued, cancel_requested, cancelled, '
    'completed, failed, training_progress, daemon_started, daemon_stopped.';

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
        ORDER BY s.priority DESC, s.run_at, s.shard_id;
END
$function$;
COMMENT ON FUNCTION rewardd.claim_shards(bigint, text[], text[], int) IS
$comment$Leases up to max_shards ready shards to a registered daemon, the highest priority and then
the oldest first, from those of its queues that are not paused and for its models. Call it as one
short transaction of its own: no transaction stays open while a model runs.

models  what to claim for: names of models, or, in a call of their own, labels train/<base> for
        training from these bases. A call for labels leaves alone whether the daemon is idle.

Returns one row for each shard; items is [{"index": n, "payload": {…}}], only items without a result
(possibly none: then finish the shard with 'done'). lease_token is the right to write to the shard;
task is NULL for train, model is then the base. No rows for a daemon that is draining or stopped.
Also makes due scheduled shards ready, and records the daemon as idle when it got fewer than it
asked for.

Errors: 22023 max_shards. Role: rewardd_work.$comment$;

CREATE FUNCTION rewardd.report_progress(shard_id bigint, lease_token bigint, data jsonb)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
AS $function$
#variable_conflict use_column
DECLARE
    lease rewardd.shard;
    step bigint;
    is_step boolean;
BEGIN
    IF jsonb_typeof(data) IS DISTINCT FROM 'object' OR octet_length(data::text) > 16384 THEN
        RAISE EXCEPTION 'data: expected an object of at most 16384 bytes, got %',
            coalesce(format('%s of %s bytes', jsonb_typeof(data), octet_length(data::text)),
                'nothing')
            USING ERRCODE = '22023', HINT = 'Report numbers, not what they were computed from.';
    END IF;
    PERFORM _check_number('data.step', data -> 'step', 0, 1000000000000, true);
    step := (data ->> 'step')::numeric::bigint;
    is_step := coalesce(data ->> 'phase', 'training') = 'training';
    SELECT s.* INTO lease
    FROM rewardd.shard s
    WHERE s.shard_id = report_progress.shard_id AND s.lease_token = report_progress.lease_token
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'lost';
    END IF;
    -- Steps done again after a crash are no progress, nor is reading the dataset again: a training
    -- that dies at the same place each time must come to an end.
    UPDATE rewardd.shard s
    SET progress_at = clock_timestamp(), progress_reports = s.progress_reports + 1,
        furthest_step = CASE WHEN is_step THEN greatest(s.furthest_step, step)
            ELSE s.furthest_step END,
        crashes = CASE WHEN is_step AND step > s.furthest_step THEN 0 ELSE s.crashes END
    WHERE s.shard_id = report_progress.shard_id;
    PERFORM _log('training_progress', lease.job_id, lease.shard_id, lease.daemon_id, data);
    IF (lease.progress_reports + 1) % 100 = 0 THEN
        DELETE FROM rewardd.event e
        WHERE e.job_id = lease.job_id AND e.type = 'training_progress' AND e.event_id < (
            SELECT n.event_id
            FROM rewardd.event n
            WHERE n.job_id = lease.job_id AND n.type = 'training_progress'
            ORDER BY n.event_id DESC
            LIMIT 1 OFFSET 999);
    END IF;
    RETURN CASE WHEN lease.cancel_requested THEN 'cancel' ELSE 'ok' END;
END
$function$;
COMMENT ON FUNCTION rewardd.report_progress(bigint, bigint, jsonb) IS
$comment$Records how far a training is, as an event training_progress of its job. A step beyond all
reported before counts as progress: it sets the count of crashes to zero.

data  an object with step, and usually phase ("training", or "reading" while the dataset is read,
      whose steps are records and no progress), steps, loss, learning_rate, examples_per_second,
      seconds_left, validation {"task/kind": accuracy} and checkpoint true|false.

Every hundredth report removes all but the newest 1000 of the job.

Returns ok; cancel (recorded, but stop: finish the shard with 'release'); or lost (nothing was
recorded, the lease is another daemon's or gone: stop).

Errors: 22023 naming the member. Role: rewardd_work.$comment$;

CREATE TABLE rewardd.model (
    name text NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    directory text NOT NULL,
    host text NOT NULL,
    base text NOT NULL,
    base_digest bytea CHECK (octet_length(base_digest) = 32),
    job_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, digest)
);
COMMENT ON TABLE rewardd.model IS 'Models that train jobs have made.';
COMMENT ON COLUMN rewardd.model.name IS 'The name that jobs use.';
COMMENT ON COLUMN rewardd.model.digest IS 'SHA-256 over the files of the checkpoint.';
COMMENT ON COLUMN rewardd.model.directory IS 'Where the checkpoint lies on its host.';
COMMENT ON COLUMN rewardd.model.host IS 'The host of the daemon that made it.';
COMMENT ON COLUMN rewardd.model.base IS 'Name of the model that training started from.';
COMMENT ON COLUMN rewardd.model.base_digest IS 'SHA-256 of the base, where it is known.';
COMMENT ON COLUMN rewardd.model.job_id IS 'The job that made it.';
COMMENT ON COLUMN rewardd.model.created_at IS 'When it was registered by that job.';

CREATE FUNCTION rewardd.register_model(
    shard_id bigint, lease_token bigint, digest bytea, directory text, host text,
    base_digest bytea DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    lease rewardd.shard;
    source record;
BEGIN
    IF octet_length(digest) IS DISTINCT FROM 32 OR octet_length(base_digest) <> 32 THEN
        RAISE EXCEPTION 'digest: expected the 32 bytes of a SHA-256, got %',
            coalesce(octet_length(digest)::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Give the digest of the checkpoint''s files.';
    END IF;
    PERFORM _check_name('host', host, 255);
    IF directory IS NULL OR directory NOT LIKE '/%' THEN
        RAISE EXCEPTION 'directory: expected an absolute path, got %',
            coalesce(to_jsonb(left(directory, 80))::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Give the directory of the checkpoint.';
    END IF;
    SELECT s.* INTO lease
    FROM rewardd.shard s
    WHERE s.shard_id = register_model.shard_id AND s.lease_token = register_model.lease_token
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'lost';
    END IF;
    SELECT j.kind, j.model, i.payload ->> 'name' AS name INTO source
    FROM rewardd.job j
    JOIN rewardd.item i ON i.job_id = j.job_id AND i.item_index = lease.first_item
    WHERE j.job_id = lease.job_id;
    IF source.kind IS DISTINCT FROM 'train' THEN
        RAISE EXCEPTION 'shard %: expected one of a train job, got one of %',
            lease.shard_id, source.kind
            USING ERRCODE = '55000', HINT = 'Only training makes models.';
    END IF;
    INSERT INTO rewardd.model AS m (name, digest, directory, host, base, base_digest, job_id)
    VALUES (source.name, register_model.digest, register_model.directory, register_model.host,
        source.model, register_model.base_digest, lease.job_id)
    ON CONFLICT (name, digest) DO UPDATE
    SET directory = EXCLUDED.directory, host = EXCLUDED.host, base = EXCLUDED.base,
        base_digest = EXCLUDED.base_digest, job_id = EXCLUDED.job_id,
        created_at = CASE WHEN m.job_id = EXCLUDED.job_id THEN m.created_at
            ELSE EXCLUDED.created_at END;
    RETURN 'ok';
END
$function$;
COMMENT ON FUNCTION rewardd.register_model(bigint, bigint, bytea, text, text, bytea) IS
$comment$Records the model that a leased train job has made; its name and base are the job's. The
same model again only moves it.

Returns ok; or lost (nothing was recorded, the lease is another daemon's or gone).

Errors: 22023 naming the argument, 55000 not a train job. Role: rewardd_work.$comment$;

CREATE FUNCTION rewardd.set_daemon_models(daemon_id bigint, models text[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    IF set_daemon_models.models IS NULL THEN
        RAISE EXCEPTION 'models: expected an array, got nothing'
            USING ERRCODE = '22023', HINT = 'Give an empty array for none.';
    END IF;
    UPDATE rewardd.daemon d
    SET models = set_daemon_models.models
    WHERE d.daemon_id = set_daemon_models.daemon_id AND d.stopped_at IS NULL;
    RETURN FOUND;
END
$function$;
COMMENT ON FUNCTION rewardd.set_daemon_models(bigint, text[]) IS
    'Announces what a daemon can run from now on: names of models, and train/<base> for what it can '
    'train from. False for a daemon that is stopped or unknown. Errors: 22023. Role: rewardd_work.';

CREATE VIEW rewardd.model_status WITH (security_barrier) AS
SELECT m.name, encode(m.digest, 'hex') AS digest, m.base,
    encode(m.base_digest, 'hex') AS base_digest, m.host, m.directory, m.job_id, m.created_at,
    EXISTS (
        SELECT FROM rewardd.model n
        WHERE n.name = m.name AND n.host = m.host AND n.created_at > m.created_at) AS replaced,
    (SELECT count(*)::int FROM rewardd.daemon d
        WHERE d.stopped_at IS NULL AND d.host = m.host AND m.name = ANY (d.models)) AS daemons
FROM rewardd.model m
LEFT JOIN rewardd.job j ON j.job_id = m.job_id
WHERE j.submitted_by = session_user OR (
    SELECT pg_has_role(session_user, 'rewardd_read', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_work', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'));
COMMENT ON VIEW rewardd.model_status IS
    'Models made by train jobs: replaced tells that a newer one took the name on its host, daemons '
    'how many offer the name there now. Submitters see those of their own jobs.';

REVOKE ALL ON FUNCTION rewardd.report_progress(bigint, bigint, jsonb),
    rewardd.register_model(bigint, bigint, bytea, text, text, bytea),
    rewardd.set_daemon_models(bigint, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.report_progress(bigint, bigint, jsonb),
    rewardd.register_model(bigint, bigint, bytea, text, text, bytea),
    rewardd.set_daemon_models(bigint, text[]) TO rewardd_work;
GRANT SELECT ON rewardd.model_status
    TO rewardd_submit, rewardd_read, rewardd_work, rewardd_admin;
