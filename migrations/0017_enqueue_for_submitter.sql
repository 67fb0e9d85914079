-- Enqueuing in the name of another: what a schedule does for its owner when a daemon finds it due.
--
-- enqueue keeps its arguments and its manual page. Its body moves to _enqueue, which is told who
-- submits in place of asking the session, and so do the two checks that depend on the submitter.

CREATE FUNCTION rewardd._check_media(submitter name, items jsonb) RETURNS void
LANGUAGE plpgsql STABLE
AS $function$
DECLARE
    missing text;
    place record;
BEGIN
    -- Lax mode unwraps arrays, so the paths reach fields, candidates and the frames of either.
    -- Asking first whether there is any takes a twentieth of the time of listing them.
    IF NOT jsonb_path_exists(items, '$[*].*.media')
        AND NOT jsonb_path_exists(items, '$[*].*.frames.media')
    THEN
        RETURN;
    END IF;
    SELECT m.digest INTO missing
    FROM (
        SELECT DISTINCT d #>> '{}' AS digest
        FROM (
            SELECT jsonb_path_query(items, '$[*].*.media') AS d
            UNION ALL
            SELECT jsonb_path_query(items, '$[*].*.frames.media')
        ) AS named
    ) AS m
    WHERE NOT EXISTS (
        SELECT FROM rewardd.media_upload u
        WHERE u.submitted_by = submitter AND u.digest = decode(m.digest, 'hex'))
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT e.position - 1 AS item_index, f.key AS field INTO place
    FROM jsonb_array_elements(items) WITH ORDINALITY AS e (payload, position)
    CROSS JOIN LATERAL jsonb_each(e.payload) AS f
    WHERE jsonb_path_exists(
            f.value, '$.media ? (@ == $digest)', jsonb_build_object('digest', missing))
        OR jsonb_path_exists(
            f.value, '$.frames.media ? (@ == $digest)', jsonb_build_object('digest', missing))
    ORDER BY e.position
    LIMIT 1;
    RAISE EXCEPTION 'items[%].%: expected media uploaded by "%", got unknown digest %',
        place.item_index, place.field, submitter, missing
        USING ERRCODE = '22023', HINT = 'Upload the file with rewardd.put_media first.';
END
$function$;
COMMENT ON FUNCTION rewardd._check_media(name, jsonb) IS
    'Raises 22023 if an item names stored media that the submitter has not uploaded.';

CREATE FUNCTION rewardd._find_request(
    submitter name, queue text, idempotency_key text, request_digest bytea) RETURNS bigint
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    found record;
BEGIN
    SELECT j.job_id, j.request_digest, j.kind, j.created_at INTO found
    FROM rewardd.job j
    WHERE j.submitted_by = submitter AND j.queue = _find_request.queue
        AND j.idempotency_key = _find_request.idempotency_key;
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
COMMENT ON FUNCTION rewardd._find_request(name, text, text, bytea) IS
    'The submitter''s job with this key, NULL for none; 55000 if it was another request.';

CREATE FUNCTION rewardd._check_submission(
    kind text, task text, model text, options jsonb, queue text, priority int, items jsonb)
RETURNS void
LANGUAGE plpgsql STABLE
AS $function$
#variable_conflict use_column
DECLARE
    total int;
BEGIN
    PERFORM rewardd._check_request(_check_submission.kind, _check_submission.task,
        _check_submission.model, _check_submission.options);
    IF priority NOT BETWEEN -1000 AND 1000 THEN
        RAISE EXCEPTION 'priority: expected -1000 to 1000, got %', priority
            USING ERRCODE = '22023', HINT = 'The highest priority is claimed first; 0 is usual.';
    ELSIF NOT EXISTS (SELECT FROM rewardd.queue q WHERE q.name = _check_submission.queue) THEN
        RAISE EXCEPTION 'queue: expected an existing queue, got %',
            to_jsonb(left(_check_submission.queue, 80))::text
            USING ERRCODE = 'P0002', HINT = 'An administrator makes it with rewardd.create_queue.';
    ELSIF jsonb_typeof(items) IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION 'items: expected an array of 1 to 1000000 items, got %',
            rewardd._describe(items)
            USING ERRCODE = '22023', HINT = 'Wrap a single item in an array.';
    END IF;
    total := jsonb_array_length(items);
    IF total NOT BETWEEN 1 AND 1000000 THEN
        RAISE EXCEPTION 'items: expected an array of 1 to 1000000 items, got %', total
            USING ERRCODE = '22023', HINT = 'Split a larger set over several jobs.';
    ELSIF _check_submission.kind = 'train' AND total > 1 THEN
        RAISE EXCEPTION 'items: expected one item for a train job, got %', total
            USING ERRCODE = '22023', HINT = 'Submit one job for each model to train.';
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._check_submission(text, text, text, jsonb, text, int, jsonb) IS
    'Raises what enqueue refuses before it looks at single items: 22023, or P0002 for the queue.';

CREATE FUNCTION rewardd._item_hint(kind text, task text, fields text[]) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN format('Items of %s have the fields %s and optionally id.',
    concat_ws(' for ', kind, task), array_to_string(fields, ', '));
COMMENT ON FUNCTION rewardd._item_hint(text, text, text[]) IS
    'What to say beside the refusal of an item.';

CREATE FUNCTION rewardd._enqueue(
    submitter name, kind text, items jsonb, task text, model text, options jsonb, queue text,
    priority int, run_at timestamptz, idempotency_key text) RETURNS bigint
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    settings constant jsonb := coalesce(options, '{}');
    lane constant text := coalesce(queue, 'default');
    rank constant int := coalesce(priority, CASE WHEN kind = 'train' THEN -100 ELSE 0 END);
    start_at constant timestamptz := greatest(coalesce(run_at, now()), now());
    waits constant boolean := start_at > clock_timestamp();
    shape record;
    digest bytea;
    new_job bigint;
    total int;
    shard_size int;
    hint text;
BEGIN
    PERFORM rewardd._check_submission(
        _enqueue.kind, _enqueue.task, _enqueue.model, settings, lane, rank, items);
    IF NOT isfinite(start_at) THEN
        RAISE EXCEPTION 'run_at: expected a time, got %', start_at
            USING ERRCODE = '22023', HINT = 'Leave it out to start at once.';
    END IF;
    total := jsonb_array_length(items);
    IF _enqueue.idempotency_key IS NOT NULL THEN
        PERFORM rewardd._check_name('idempotency_key', _enqueue.idempotency_key, 200);
        digest := sha256(convert_to(jsonb_build_array(
            _enqueue.kind, _enqueue.task, _enqueue.model, settings, items)::text, 'UTF8'));
        new_job := rewardd._find_request(submitter, lane, _enqueue.idempotency_key, digest);
        IF new_job IS NOT NULL THEN
            RETURN new_job;
        END IF;
    END IF;

    shard_size := coalesce((settings ->> 'shard_size')::int, 16);
    INSERT INTO rewardd.job AS j (kind, task, model, options, queue, priority, state, run_at,
        submitted_by, idempotency_key, request_digest, items_total, shards_total)
    VALUES (_enqueue.kind, _enqueue.task, _enqueue.model, settings, lane, rank,
        CASE WHEN waits THEN 'scheduled' ELSE 'ready' END::rewardd.job_state, start_at,
        submitter, _enqueue.idempotency_key, digest, total,
        (total + shard_size - 1) / shard_size)
    ON CONFLICT (submitted_by, queue, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING j.job_id INTO new_job;
    IF new_job IS NULL THEN
        -- Another call with the key committed since we looked: its job is the answer.
        RETURN rewardd._find_request(submitter, lane, _enqueue.idempotency_key, digest);
    END IF;

    SELECT * INTO shape FROM rewardd._item_fields(_enqueue.kind, _enqueue.task);
    hint := rewardd._item_hint(_enqueue.kind, _enqueue.task, shape.fields);
    INSERT INTO rewardd.item (job_id, item_index, payload)
    SELECT new_job, e.position - 1, e.payload
    FROM jsonb_array_elements(items) WITH ORDINALITY AS e (payload, position)
    WHERE rewardd._check_item(shape.fields, shape.shapes, hint, e.position - 1, e.payload);
    PERFORM rewardd._check_media(submitter, items);

    INSERT INTO rewardd.shard (job_id, queue, model, priority, run_at, first_item, item_count,
        state, max_attempts)
    SELECT new_job, lane, rewardd._shard_model(_enqueue.kind, _enqueue.model), rank, start_at,
        first, least(shard_size, total - first),
        CASE WHEN waits THEN 'scheduled' ELSE 'ready' END::rewardd.shard_state,
        coalesce((settings ->> 'max_attempts')::int, 5)
    FROM generate_series(0, total - 1, shard_size) AS first;
    PERFORM rewardd._log('enqueued', new_job, NULL, NULL, jsonb_build_object('items', total));
    PERFORM rewardd._wake(lane);
    RETURN new_job;
END
$function$;
COMMENT ON FUNCTION rewardd._enqueue(
    name, text, jsonb, text, text, jsonb, text, int, timestamptz, text) IS
    'Enqueues a job of the submitter, as enqueue says. The caller fixes the plans.';

CREATE OR REPLACE FUNCTION rewardd.enqueue(
    kind text, items jsonb, task text, model text, options jsonb DEFAULT '{}',
    queue text DEFAULT 'default', priority int DEFAULT NULL, run_at timestamptz DEFAULT now(),
    idempotency_key text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
AS $function$
BEGIN
    RETURN _enqueue(session_user, kind, items, task, model, options, queue, priority, run_at,
        idempotency_key);
END
$function$;

DROP FUNCTION rewardd._check_media(jsonb), rewardd._find_request(text, text, bytea);
