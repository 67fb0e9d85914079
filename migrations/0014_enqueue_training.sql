-- Submitting train jobs.
--
-- Shards of a train job wait under the label train/<base> in place of a model's name. So a daemon
-- that trains asks for that label, in a claim of its own, the claim's index and plan stay as they
-- are, and a daemon that only judges never meets such a shard. No model may be named like a label.

ALTER TABLE rewardd.job ALTER COLUMN task DROP NOT NULL;
COMMENT ON COLUMN rewardd.job.kind IS 'point_score, pair_rank, build_pairs or train.';
COMMENT ON COLUMN rewardd.job.task IS
    'image_generation, image_understanding, video_generation or video_understanding; NULL for '
    'train, which covers all of them.';
COMMENT ON COLUMN rewardd.job.model IS
    'Name of the model, as daemons are configured with it; for train that of the base.';
COMMENT ON COLUMN rewardd.shard.model IS
    'What a daemon asks for when it claims: the model of the job, or train/<base> for train.';

CREATE FUNCTION rewardd._shard_model(kind text, model text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN kind = 'train' THEN 'train/' || model ELSE model END;
COMMENT ON FUNCTION rewardd._shard_model(text, text) IS
    'Under which name the shards of a job wait.';

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

CREATE FUNCTION rewardd._check_request(kind text, task text, model text, options jsonb)
RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
BEGIN
    PERFORM rewardd._check_kind(kind, task);
    PERFORM rewardd._check_name('model', model, 200);
    IF kind = 'train' THEN
        PERFORM rewardd._check_train_options(options);
    ELSE
        PERFORM rewardd._check_options(options);
    END IF;
    IF model LIKE 'train/%' THEN
        RAISE EXCEPTION 'model: expected a name that does not start with "train/", got %',
            to_jsonb(left(model, 80))::text
            USING ERRCODE = '22023', HINT = 'Such names stand for training. Rename the model.';
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._check_request(text, text, text, jsonb) IS
    'Raises 22023 unless kind, task, model and options can go together.';

CREATE OR REPLACE FUNCTION rewardd.enqueue(
    kind text, items jsonb, task text, model text, options jsonb DEFAULT '{}',
    queue text DEFAULT 'default', priority int DEFAULT NULL, run_at timestamptz DEFAULT now(),
    idempotency_key text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
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
    PERFORM _check_request(enqueue.kind, enqueue.task, enqueue.model, settings);
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
    ELSIF enqueue.kind = 'train' AND total > 1 THEN
        RAISE EXCEPTION 'items: expected one item for a train job, got %', total
            USING ERRCODE = '22023', HINT = 'Submit one job for each model to train.';
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
    hint := format('Items of %s have the fields %s and optionally id.',
        concat_ws(' for ', enqueue.kind, enqueue.task), array_to_string(shape.fields, ', '));
    INSERT INTO rewardd.item (job_id, item_index, payload)
    SELECT new_job, e.position - 1, e.payload
    FROM jsonb_array_elements(items) WITH ORDINALITY AS e (payload, position)
    WHERE _check_item(shape.fields, shape.shapes, hint, e.position - 1, e.payload);
    PERFORM _check_media(items);

    INSERT INTO rewardd.shard (job_id, queue, model, priority, run_at, first_item, item_count,
        state, max_attempts)
    SELECT new_job, lane, _shard_model(enqueue.kind, enqueue.model), rank, start_at, first,
        least(shard_size, total - first),
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

kind     point_score, pair_rank, build_pairs or train.
items    array of 1 to 1000000 objects, each with an optional "id" of the caller's:
         point_score  image_generation     caption, image
                      image_understanding  question, image, response
                      video_generation     caption, video
                      video_understanding  question, video, response
         pair_rank    image_generation     caption, first, second (pictures)
                      image_understanding  question, image, first, second (texts)
                      video_generation     caption, first, second (clips)
                      video_understanding  question, video, first, second (texts)
         build_pairs  image_generation     caption, candidates (2 to 64 pictures)
                      image_understanding  question, image, candidates (2 to 64 texts)
                      video_generation     caption, candidates (2 to 64 clips)
                      video_understanding  question, video, candidates (2 to 64 texts)
         train        one item: dataset (absolute path of a JSONL file on the daemon's host), name
                      (of the model to be made: 1 to 64 of a-z 0-9 . _ -, a letter first)
         A picture is a path on the daemon's host ("…" or {"path": "…"}) or an upload of
         rewardd.put_media ({"media": "<sha256>"}). A clip is {"frames": [2 to 64 pictures]}. A text
         has at most 100000 characters.
task     image_generation, image_understanding, video_generation or video_understanding; NULL for
         train.
model    name of a model as daemons are configured with it; for train the base to start from.
options  of judging: answer choices|generate, orders both|single, reuse true|false, margin_minimum
         ≥ 0, max_new_tokens 1 to 4096, shard_size 1 to 1000 (16), max_attempts 1 to 100 (5).
         of train: epochs > 0 (1), max_steps ≥ 1, batch_size 1 to 4096 examples (64), learning_rate
         > 0 (0.0001), weight_decay ≥ 0 (0.01), warmup_ratio 0 to 1 (0.03),
         final_learning_rate_ratio 0 to 1 (0.1), clip_norm > 0 (1), accumulation 1 to 1024 (1), seed
         ≥ 0 (0), validation_fraction 0 to 0.5 (0.02), validate_every steps (200), checkpoint_every
         steps (100), method full|lora (full), lora_rank 1 to 4096 (16), lora_alpha > 0 (32), tasks
         (an array; all), precision bf16|f32 of the saved model (bf16), replace true|false (false:
         another model of that name fails the job), max_attempts 1 to 100 (5).
queue    an existing queue (default).
priority -1000 to 1000, the highest first; NULL means 0, and -100 for train.
run_at   not to be started before.
idempotency_key  the same key, queue and request by the same user give the same job_id again;
         another request with the key is refused.

Errors: 22023 naming the argument by its JSON path, P0002 unknown queue, 55000 key used for another
request. Role: rewardd_submit.$comment$;
