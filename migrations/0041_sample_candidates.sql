-- What enqueue accepts, fifth part: build_pairs over understanding items without candidates, which the daemon samples
-- from a policy.
--
-- A shard that needs a policy beside the model that judges waits under the label sample/<policy>=<model> in place of
-- the model's name. Only a daemon that offers both asks for that label; the claim's index and plan stay as they are.

CREATE FUNCTION rewardd._shard_model(kind text, model text, options jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN kind = 'train' THEN 'train/' || model
    WHEN options ->> 'policy' <> model THEN 'sample/' || (options ->> 'policy') || '=' || model
    ELSE model END;
COMMENT ON FUNCTION rewardd._shard_model(text, text, jsonb) IS
    'Under which name the shards of a job wait.';
COMMENT ON COLUMN rewardd.shard.model IS
    'What a daemon asks for when it claims: the model of the job, train/<base> for train, or '
    'sample/<policy>=<model> where the candidates come from another model than judges them.';

CREATE FUNCTION rewardd._item_shape(kind text, task text, options jsonb)
RETURNS TABLE (fields text[], shapes text[], given text[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $function$
    SELECT f.fields,
        CASE WHEN s.is_sampled THEN array_replace(f.shapes, 'answer_list', 'absent') ELSE f.shapes END,
        CASE WHEN s.is_sampled THEN array_remove(f.fields, 'candidates') ELSE f.fields END
    FROM rewardd._item_fields(kind, task) AS f
    CROSS JOIN (SELECT options ? 'policy' AS is_sampled) AS s
$function$;
COMMENT ON FUNCTION rewardd._item_shape(text, text, jsonb) IS
    'The fields of a job''s items with their shapes, and those of them that are to be given.';

CREATE OR REPLACE FUNCTION rewardd._fits(shape text, value jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    elements jsonb := value;
    element jsonb;
    fits boolean;
BEGIN
    IF shape = 'absent' THEN
        RETURN value IS NULL;
    ELSIF shape = 'dataset' THEN
        RETURN jsonb_typeof(value) = 'string' AND value #>> '{}' LIKE '/%'
            AND length(value #>> '{}') BETWEEN 2 AND 4096;
    ELSIF shape = 'model_name' THEN
        RETURN jsonb_typeof(value) = 'string' AND value #>> '{}' ~ '^[a-z][a-z0-9._-]{0,63}$';
    ELSIF shape = 'clip' THEN
        IF rewardd._is_media(value) THEN
            RETURN true;
        ELSIF jsonb_typeof(value) IS DISTINCT FROM 'object' THEN
            RETURN false;
        ELSIF value - 'frames' <> '{}' THEN
            RETURN false;
        END IF;
        elements := value -> 'frames';
    END IF;
    IF jsonb_typeof(elements) IS DISTINCT FROM 'array' THEN
        RETURN false;
    ELSIF jsonb_array_length(elements) NOT BETWEEN 2 AND 64 THEN
        RETURN false;
    END IF;
    FOR position IN 0 .. jsonb_array_length(elements) - 1 LOOP
        element := elements -> position;
        fits := CASE shape
            WHEN 'answer_list' THEN rewardd._is_text(element, 0)
            WHEN 'clip_list' THEN rewardd._fits('clip', element)
            ELSE rewardd._is_media(element) END;
        IF fits IS NOT TRUE THEN RETURN false; END IF;
    END LOOP;
    RETURN true;
END
$function$;
COMMENT ON FUNCTION rewardd._fits(text, jsonb) IS
    'Whether value is absent, a dataset (absolute path), a model_name, a clip (a media reference or 2 to 64 '
    'frames), or an array of 2 to 64 media references (media_list), clips (clip_list) or texts '
    '(answer_list).';

CREATE OR REPLACE FUNCTION rewardd._refuse_field(
    path text, shape text, value jsonb, hint text) RETURNS void
LANGUAGE plpgsql
AS $function$
DECLARE
    expected constant jsonb := jsonb_build_object(
        'text', 'a string of 1 to 100000 characters',
        'answer', 'a string of at most 100000 characters',
        'media', 'a path, {"path": …} or {"media": …}',
        'media_list', 'an array of 2 to 64 candidates',
        'answer_list', 'an array of 2 to 64 candidates',
        'absent', 'nothing, because the option policy has them sampled',
        'clip', 'a video: a path, {"path": …}, {"media": …} or {"frames": [2 to 64 pictures]}',
        'clip_list', 'an array of 2 to 64 candidates',
        'frames', 'an array of 2 to 64 frames',
        'dataset', 'an absolute path of at most 4096 characters',
        'model_name',
        'a name of 1 to 64 characters a-z, 0-9, ".", "_" and "-" that starts with a letter',
        'id', 'a string of 1 to 200 characters');
    part constant text := CASE shape
        WHEN 'frames' THEN 'media' ELSE replace(shape, '_list', '') END;
    fits boolean;
BEGIN
    IF shape = 'clip' AND jsonb_typeof(value) = 'object' THEN
        IF value ? 'frames' AND value - 'frames' = '{}' THEN
            PERFORM rewardd._refuse_field(path || '.frames', 'frames', value -> 'frames', hint);
        END IF;
    ELSIF part <> shape AND jsonb_typeof(value) = 'array' THEN
        IF jsonb_array_length(value) BETWEEN 2 AND 64 THEN
            FOR position IN 0 .. jsonb_array_length(value) - 1 LOOP
                fits := CASE part
                    WHEN 'answer' THEN rewardd._is_text(value -> position, 0)
                    WHEN 'clip' THEN rewardd._fits('clip', value -> position)
                    ELSE rewardd._is_media(value -> position) END;
                IF fits IS NOT TRUE THEN
                    PERFORM rewardd._refuse_field(
                        format('%s[%s]', path, position), part, value -> position, hint);
                END IF;
            END LOOP;
        END IF;
    END IF;
    RAISE EXCEPTION '%: expected %, got %', path, expected ->> shape, rewardd._describe(value)
        USING ERRCODE = '22023', HINT = hint;
END
$function$;

CREATE OR REPLACE FUNCTION rewardd._enqueue(
    submitter name, kind text, items jsonb, task text, model text, options jsonb, queue text,
    priority int, run_at timestamptz, idempotency_key text) RETURNS bigint
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    settings constant jsonb := coalesce(options, '{}');
    lane constant text := coalesce(queue, 'default');
    label constant text := rewardd._shard_model(kind, model, coalesce(options, '{}'));
    rank constant int := coalesce(priority, CASE WHEN kind = 'train' THEN -100 ELSE 0 END);
    start_at constant timestamptz := greatest(coalesce(run_at, now()), now());
    waits constant boolean := start_at > clock_timestamp();
    shape record;
    digest bytea;
    new_job bigint;
    total int;
    shard_size int;
    hint text;
    round bigint := 0;
BEGIN
    PERFORM rewardd._check_submission(
        _enqueue.kind, _enqueue.task, _enqueue.model, settings, lane, rank, items);
    PERFORM rewardd._check_queue_grant(submitter, lane);
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

    SELECT * INTO shape FROM rewardd._item_shape(_enqueue.kind, _enqueue.task, settings);
    hint := rewardd._item_hint(_enqueue.kind, _enqueue.task, shape.given);
    INSERT INTO rewardd.item (job_id, item_index, payload)
    SELECT new_job, e.position - 1, e.payload
    FROM jsonb_array_elements(items) WITH ORDINALITY AS e (payload, position)
    WHERE rewardd._check_item(shape.fields, shape.shapes, hint, e.position - 1, e.payload);
    IF rewardd._names_media(items) THEN
        PERFORM rewardd._use_media(submitter, new_job, items);
        PERFORM rewardd._check_media(submitter, items);
    END IF;

    IF NOT waits THEN
        round := (rewardd._fair_place(lane, label, rank::smallint, submitter)).next;
    END IF;
    INSERT INTO rewardd.shard (job_id, queue, model, priority, run_at, first_item, item_count,
        state, max_attempts, submitted_by, fair_seq)
    SELECT new_job, lane, label, rank, start_at, first, least(shard_size, total - first),
        CASE WHEN waits THEN 'scheduled' ELSE 'ready' END::rewardd.shard_state,
        coalesce((settings ->> 'max_attempts')::int, 5), submitter, round + first / shard_size
    FROM generate_series(0, total - 1, shard_size) AS first;
    PERFORM rewardd._log('enqueued', new_job, NULL, NULL, jsonb_build_object('items', total));
    PERFORM rewardd._wake(lane);
    RETURN new_job;
END
$function$;

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
        SELECT min(p.item_index) AS first_item, count(*)::int AS item_count,
            row_number() OVER (ORDER BY min(p.item_index)) AS place
        FROM placed p
        GROUP BY p.run, p.part
    ), lane AS MATERIALIZED (
        SELECT j.*, rewardd._shard_model(j.kind, j.model, j.options) AS label, round.clock, round.next
        FROM rewardd.job j
        CROSS JOIN LATERAL rewardd._fair_place(
            j.queue, rewardd._shard_model(j.kind, j.model, j.options), j.priority, j.submitted_by) AS round
        WHERE j.job_id = _open_shards.job_id
    )
    INSERT INTO rewardd.shard (job_id, queue, model, priority, run_at, first_item, item_count,
        state, attempts, crashes, max_attempts, submitted_by, fair_seq)
    SELECT l.job_id, l.queue, l.label, l.priority, _open_shards.run_at, p.first_item, p.item_count,
        CASE WHEN l.held_at IS NULL THEN 'ready' ELSE 'held' END::rewardd.shard_state,
        _open_shards.attempts, _open_shards.crashes,
        coalesce((l.options ->> 'max_attempts')::int, 5), l.submitted_by,
        -- With crashes they are the halves of a shard that was claimed.
        CASE WHEN _open_shards.crashes > 0 THEN l.clock ELSE l.next + p.place - 1 END
    FROM lane l
    CROSS JOIN piece p
    ORDER BY p.first_item;
    GET DIAGNOSTICS opened = ROW_COUNT;
    UPDATE rewardd.job j
    SET shards_total = j.shards_total + opened
    WHERE j.job_id = _open_shards.job_id;
    RETURN opened;
END
$function$;

CREATE OR REPLACE FUNCTION rewardd._check_schedule(wanted rewardd.schedule) RETURNS void
LANGUAGE plpgsql STABLE
AS $function$
DECLARE
    shape record;
    hint text;
BEGIN
    PERFORM rewardd._check_name('name', wanted.name, 200);
    PERFORM rewardd._check_policy(
        'misfire', wanted.misfire, ARRAY['coalesce', 'catch_up', 'skip']);
    PERFORM rewardd._check_policy('overlap', wanted.overlap, ARRAY['allow', 'skip', 'queue']);
    PERFORM rewardd._check_submission(wanted.kind, wanted.task, wanted.model, wanted.options,
        wanted.queue, coalesce(wanted.priority, 0), wanted.items);
    PERFORM rewardd._check_queue_grant(wanted.submitted_by, wanted.queue);
    SELECT * INTO shape FROM rewardd._item_shape(
        wanted.kind, wanted.task, coalesce(wanted.options, '{}'));
    hint := rewardd._item_hint(wanted.kind, wanted.task, shape.given);
    PERFORM rewardd._check_item(shape.fields, shape.shapes, hint, e.position - 1, e.payload)
    FROM jsonb_array_elements(wanted.items) WITH ORDINALITY AS e (payload, position);
    PERFORM rewardd._check_media(wanted.submitted_by, wanted.items);
END
$function$;

DROP FUNCTION rewardd._shard_model(text, text);

DO $comment$
DECLARE
    routine constant regprocedure :=
        'rewardd.enqueue(text,jsonb,text,text,jsonb,text,int,timestamptz,text)'::regprocedure;
    page text := obj_description(routine, 'pg_proc');
BEGIN
    page := replace(page, 'task     image_generation, image_understanding,',
        '         With the option policy, understanding items of build_pairs hold no candidates: the daemon
         samples them.
task     image_generation, image_understanding,');
    page := replace(page, 'seed ≥ 0 (shuffles who meets whom), shard_size',
        'seed ≥ 0 (shuffles who meets whom; of samples, 0), policy (the model to
         sample candidates from, such as the model itself), and with it candidates 2 to 64 (10),
         temperature 0.01 to 2 (0.7), top_p 0.01 to 1 (1), top_k ≥ 1 (all), max_candidate_tokens
         1 to 4096 (512), shard_size');
    EXECUTE format('COMMENT ON FUNCTION %s IS %L', routine, page);
END
$comment$;
