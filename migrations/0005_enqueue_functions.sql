-- Submitting: enqueue and what it is made of.

CREATE FUNCTION rewardd._wake(queue text) RETURNS void
LANGUAGE plpgsql
AS $function$
BEGIN
    -- A notification takes a lock that serialises commits, so it is sent only when a daemon has
    -- nothing to do; the daemons' poll every second covers the race.
    IF EXISTS (
        SELECT FROM rewardd.daemon d
        WHERE d.stopped_at IS NULL AND d.idle AND NOT d.draining AND _wake.queue = ANY (d.queues))
    THEN
        PERFORM pg_notify('rewardd_wake', queue);
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._wake(text) IS
    'Notifies the channel rewardd_wake with the queue''s name if an idle daemon serves it.';

CREATE FUNCTION rewardd._log(
    type text, job_id bigint, shard_id bigint, daemon_id bigint, data jsonb DEFAULT '{}')
RETURNS void
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
BEGIN
    INSERT INTO rewardd.event (type, job_id, shard_id, daemon_id, data)
    VALUES (_log.type, _log.job_id, _log.shard_id, _log.daemon_id, _log.data);
END
$function$;
COMMENT ON FUNCTION rewardd._log(text, bigint, bigint, bigint, jsonb) IS 'Writes one event.';

CREATE FUNCTION rewardd._check_kind(kind text, task text) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    kinds constant text[] := ARRAY['point_score', 'pair_rank', 'build_pairs'];
    tasks constant text[] := ARRAY['image_generation', 'image_understanding'];
BEGIN
    IF kind IS NULL OR kind <> ALL (kinds) THEN
        RAISE EXCEPTION 'kind: expected one of %, got %', array_to_string(kinds, ', '),
            coalesce(to_jsonb(left(kind, 80))::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Choose a supported kind.';
    ELSIF task IS NULL OR task <> ALL (tasks) THEN
        RAISE EXCEPTION 'task: expected one of %, got %', array_to_string(tasks, ', '),
            coalesce(to_jsonb(left(task, 80))::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Choose a supported task.';
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._check_kind(text, text) IS
    'Raises 22023 with the supported list for an unknown kind or task.';

CREATE FUNCTION rewardd._check_media(items jsonb) RETURNS void
LANGUAGE plpgsql STABLE
AS $function$
DECLARE
    missing text;
    place record;
BEGIN
    -- Lax mode unwraps arrays, so the path reaches fields and candidates alike. Asking first
    -- whether there is any takes a twentieth of the time of listing them.
    IF NOT jsonb_path_exists(items, '$[*].*.media') THEN
        RETURN;
    END IF;
    SELECT m.digest INTO missing
    FROM (
        SELECT DISTINCT d #>> '{}' AS digest
        FROM jsonb_path_query(items, '$[*].*.media') AS d
    ) AS m
    WHERE NOT EXISTS (
        SELECT FROM rewardd.media_upload u
        WHERE u.submitted_by = session_user AND u.digest = decode(m.digest, 'hex'))
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT e.position - 1 AS item_index, f.key AS field INTO place
    FROM jsonb_array_elements(items) WITH ORDINALITY AS e (payload, position)
    CROSS JOIN LATERAL jsonb_each(e.payload) AS f
    WHERE jsonb_path_exists(
        f.value, '$.media ? (@ == $digest)', jsonb_build_object('digest', missing))
    ORDER BY e.position
    LIMIT 1;
    RAISE EXCEPTION 'items[%].%: expected media uploaded by "%", got unknown digest %',
        place.item_index, place.field, session_user, missing
        USING ERRCODE = '22023', HINT = 'Upload the file with rewardd.put_media first.';
END
$function$;
COMMENT ON FUNCTION rewardd._check_media(jsonb) IS
    'Raises 22023 if an item names stored media that the session''s user has not uploaded itself.';

CREATE FUNCTION rewardd._find_request(queue text, idempotency_key text, request_digest bytea)
RETURNS bigint
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    found record;
BEGIN
    SELECT j.job_id, j.request_digest, j.kind, j.created_at INTO found
    FROM rewardd.job j
    WHERE j.submitted_by = session_user AND j.queue = _find_request.queue
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
COMMENT ON FUNCTION rewardd._find_request(text, text, bytea) IS
    'The caller''s job with this key, NULL for none; 55000 if it was another request.';

CREATE FUNCTION rewardd.enqueue(
    kind text, items jsonb, task text, model text, options jsonb DEFAULT '{}',
    queue text DEFAULT 'default', priority int DEFAULT 0, run_at timestamptz DEFAULT now(),
    idempotency_key text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
AS $function$
#variable_conflict use_column
DECLARE
    settings constant jsonb := coalesce(options, '{}');
    lane constant text := coalesce(queue, 'default');
    rank constant int := coalesce(priority, 0);
    start_at constant timestamptz := greatest(coalesce(run_at, now()), now());
    waits constant boolean := start_at > clock_timestamp();
    shape record;
    digest bytea;
    new_job bigint;
    total int;
    shard_size int;
    hint text;
BEGIN
    PERFORM _check_kind(enqueue.kind, enqueue.task);
    PERFORM _check_name('model', enqueue.model, 200);
    PERFORM _check_options(settings);
    IF rank NOT BETWEEN -1000 AND 1000 THEN
        RAISE EXCEPTION 'priority: expected -1000 to 1000, got %', rank
            USING ERRCODE = '22023', HINT = 'The highest priority is claimed first; 0 is usual.';
    ELSIF NOT isfinite(start_at) THEN
        RAISE EXCEPTION 'run_at: expected a time, got %', start_at
            USING ERRCODE = '22023', HINT = 'Leave it out to start at once.';
    ELSIF NOT EXISTS (SELECT FROM rewardd.queue q WHERE q.name = lane) THEN
        RAISE EXCEPTION 'queue: expected an existing queue, got %',
            to_jsonb(left(lane, 80))::text
            USING ERRCODE = 'P0002', HINT = 'An administrator makes it with rewardd.create_queue.';
    ELSIF jsonb_typeof(items) IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION 'items: expected an array of 1 to 1000000 items, got %', _describe(items)
            USING ERRCODE = '22023', HINT = 'Wrap a single item in an array.';
    END IF;
    total := jsonb_array_length(items);
    IF total NOT BETWEEN 1 AND 1000000 THEN
        RAISE EXCEPTION 'items: expected an array of 1 to 1000000 items, got %', total
            USING ERRCODE = '22023', HINT = 'Split a larger set over several jobs.';
    END IF;
    IF enqueue.idempotency_key IS NOT NULL THEN
        PERFORM _check_name('idempotency_key', enqueue.idempotency_key, 200);
        digest := sha256(convert_to(jsonb_build_array(
            enqueue.kind, enqueue.task, enqueue.model, settings, items)::text, 'UTF8'));
        new_job := _find_request(lane, enqueue.idempotency_key, digest);
        IF new_job IS NOT NULL THEN
            RETURN new_job;
        END IF;
    END IF;

    shard_size := coalesce((settings ->> 'shard_size')::int, 16);
    INSERT INTO rewardd.job AS j (kind, task, model, options, queue, priority, state, run_at,
        idempotency_key, request_digest, items_total, shards_total)
    VALUES (enqueue.kind, enqueue.task, enqueue.model, settings, lane, rank,
        CASE WHEN waits THEN 'scheduled' ELSE 'ready' END::rewardd.job_state, start_at,
        enqueue.idempotency_key, digest, total, (total + shard_size - 1) / shard_size)
    ON CONFLICT (submitted_by, queue, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING j.job_id INTO new_job;
    IF new_job IS NULL THEN
        -- Another call with the key committed since we looked: its job is the answer.
        RETURN _find_request(lane, enqueue.idempotency_key, digest);
    END IF;

    SELECT * INTO shape FROM _item_fields(enqueue.kind, enqueue.task);
    hint := format('Items of %s for %s have the fields %s and optionally id.',
        enqueue.kind, enqueue.task, array_to_string(shape.fields, ', '));
    INSERT INTO rewardd.item (job_id, item_index, payload)
    SELECT new_job, e.position - 1, e.payload
    FROM jsonb_array_elements(items) WITH ORDINALITY AS e (payload, position)
    WHERE _check_item(shape.fields, shape.shapes, hint, e.position - 1, e.payload);
    PERFORM _check_media(items);

    INSERT INTO rewardd.shard (job_id, queue, model, priority, run_at, first_item, item_count,
        state, max_attempts)
    SELECT new_job, lane, enqueue.model, rank, start_at, first, least(shard_size, total - first),
        CASE WHEN waits THEN 'scheduled' ELSE 'ready' END::rewardd.shard_state,
        coalesce((settings ->> 'max_attempts')::int, 5)
    FROM generate_series(0, total - 1, shard_size) AS first;
    PERFORM _log('enqueued', new_job, NULL, NULL, jsonb_build_object('items', total));
    PERFORM _wake(lane);
    RETURN new_job;
END
$function$;
COMMENT ON FUNCTION rewardd.enqueue(
    text, jsonb, text, text, jsonb, text, int, timestamptz, text) IS
$comment$Submits a job in the caller's own transaction and returns its job_id. Rolled back with it.

kind     point_score, pair_rank or build_pairs.
items    array of 1 to 1000000 objects, each with an optional "id" of the caller's:
         point_score  image_generation     caption, image
                      image_understanding  question, image, response
         pair_rank    image_generation     caption, first, second (pictures)
                      image_understanding  question, image, first, second (texts)
         build_pairs  image_generation     caption, candidates (2 to 64 pictures)
                      image_understanding  question, image, candidates (2 to 64 texts)
         A picture is a path on the daemon's host ("…" or {"path": "…"}) or an upload of
         rewardd.put_media ({"media": "<sha256>"}). A text has at most 100000 characters.
task     image_generation or image_understanding.
model    name of a model as daemons are configured with it.
options  answer choices|generate, orders both|single, reuse true|false, margin_minimum ≥ 0,
         max_new_tokens 1 to 4096, shard_size 1 to 1000 (16), max_attempts 1 to 100 (5).
queue    an existing queue (default).
priority -1000 to 1000 (0), the highest first.
run_at   not to be started before.
idempotency_key  the same key, queue and request by the same user give the same job_id again;
         another request with the key is refused.

Errors: 22023 naming the argument by its JSON path, P0002 unknown queue, 55000 key used for another
request. Role: rewardd_submit.$comment$;
REVOKE ALL ON FUNCTION rewardd.enqueue(
    text, jsonb, text, text, jsonb, text, int, timestamptz, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.enqueue(
    text, jsonb, text, text, jsonb, text, int, timestamptz, text) TO rewardd_submit;
