-- What a call costs that succeeds: enqueue of one item, a look-up of judgements, a checkpoint. docs/queue-performance.md has the figures.

CREATE OR REPLACE FUNCTION rewardd._check_kind(kind text, task text) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    kinds constant text[] :=
        ARRAY['point_score', 'pair_rank', 'pair_score', 'build_pairs', 'train'];
    tasks text[];
BEGIN
    IF EXISTS (SELECT FROM rewardd._item_fields(_check_kind.kind, _check_kind.task)) THEN
        RETURN;
    END IF;
    IF kind IS NULL OR kind <> ALL (kinds) THEN
        RAISE EXCEPTION 'kind: expected one of %, got %', array_to_string(kinds, ', '),
            coalesce(to_jsonb(left(kind, 80))::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Choose a supported kind.';
    ELSIF kind = 'train' THEN
        RAISE EXCEPTION 'task: expected NULL for a train job, got %', to_jsonb(left(task, 80))::text
            USING ERRCODE = '22023', HINT = 'The option tasks chooses among the examples.';
    END IF;
    tasks := ARRAY(
        SELECT t.task FROM unnest(rewardd._tasks()) WITH ORDINALITY AS t (task, place)
        WHERE EXISTS (SELECT FROM rewardd._item_fields(_check_kind.kind, t.task))
        ORDER BY t.place);
    RAISE EXCEPTION 'task: expected one of %, got %', array_to_string(tasks, ', '),
        coalesce(to_jsonb(left(task, 80))::text, 'nothing')
        USING ERRCODE = '22023', HINT = 'Choose a task that this kind of job can have.';
END
$function$;

CREATE FUNCTION rewardd._names_media(items jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
-- Lax mode unwraps arrays, so the paths reach fields, candidates and the frames of either.
RETURN jsonb_path_exists(items, '$[*].*.media') OR jsonb_path_exists(items, '$[*].*.frames.media');
COMMENT ON FUNCTION rewardd._names_media(jsonb) IS
    'Whether checked items name uploaded files. Takes a twentieth of the time of listing them.';

CREATE OR REPLACE FUNCTION rewardd._fair_place(
    queue text, model text, priority smallint, submitter text, OUT clock bigint, OUT next bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_sort = off SET jit = off
AS $function$
#variable_conflict use_column
DECLARE
    last_seq bigint;
    -- A name as an argument gives all of them its collation, and no index has that.
    lane constant text COLLATE "default" := queue;
    label constant text COLLATE "default" := model;
BEGIN
    -- Both in one statement: starting one costs as much as what it does here.
    SELECT (
        SELECT s.fair_seq
        FROM rewardd.shard s
        WHERE s.state = 'ready' AND s.queue = lane AND s.model = label
            AND s.priority = _fair_place.priority
        ORDER BY s.fair_seq, s.shard_id
        LIMIT 1
    ), (
        SELECT s.fair_seq
        FROM rewardd.shard s
        WHERE s.state = 'ready' AND s.submitted_by = submitter COLLATE "C" AND s.queue = lane
            AND s.model = label AND s.priority = _fair_place.priority
        ORDER BY s.fair_seq DESC
        LIMIT 1
    ) INTO clock, last_seq;
    IF clock IS NULL THEN
        -- Nothing waits here. Claims compare the rounds of all lanes that a daemon serves, so this one goes by
        -- the clock of those that the latest daemons, alive or not, serve along with it. They run alike; of
        -- two that do not, the one behind is served elsewhere or held up.
        SELECT max(h.fair_seq) INTO clock
        FROM (
            SELECT DISTINCT q.name, m.offer
            FROM (SELECT d.* FROM rewardd.daemon d ORDER BY d.daemon_id DESC LIMIT 16) AS d
            CROSS JOIN unnest(d.queues) AS q (name)
            CROSS JOIN unnest(d.models) AS m (offer)
            WHERE lane = ANY (d.queues) AND label = ANY (d.models)
        ) AS served
        CROSS JOIN LATERAL (
            SELECT s.fair_seq
            FROM rewardd.shard s
            WHERE s.state = 'ready' AND s.queue = served.name AND s.model = served.offer
                AND s.priority = _fair_place.priority
            ORDER BY s.fair_seq, s.shard_id
            LIMIT 1
        ) AS h;
        clock := coalesce(clock, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
        next := clock;
        RETURN;
    END IF;
    next := greatest(clock, last_seq + 1);
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
    label constant text := rewardd._shard_model(kind, model);
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

    SELECT * INTO shape FROM rewardd._item_fields(_enqueue.kind, _enqueue.task);
    hint := rewardd._item_hint(_enqueue.kind, _enqueue.task, shape.fields);
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

CREATE OR REPLACE FUNCTION rewardd._check_entries(
    name text, entries jsonb, first int, item_count int) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    wrong record;
BEGIN
    IF jsonb_typeof(entries) <> 'array' THEN
        RAISE EXCEPTION '%: expected an array, got %', name, rewardd._describe(entries)
            USING ERRCODE = '22023', HINT = 'Give [] for none.';
    -- A third of the time of looking at each entry by itself. Strict, so that an array is not taken for
    -- its elements; silent, so that an entry without the field only fails the count.
    ELSIF jsonb_array_length(jsonb_path_query_array(entries,
            'strict $[*].item_index ? (@ >= $first && @ <= $last)',
            jsonb_build_object('first', first, 'last', first + item_count - 1), true))
        = jsonb_array_length(entries)
    THEN
        RETURN;
    END IF;
    SELECT e.position - 1 AS place, e.entry -> 'item_index' AS item_index INTO wrong
    FROM jsonb_array_elements(entries) WITH ORDINALITY AS e (entry, position)
    WHERE (CASE WHEN jsonb_typeof(e.entry -> 'item_index') = 'number'
        THEN (e.entry -> 'item_index')::numeric BETWEEN first AND first + item_count - 1
        END) IS NOT TRUE
    ORDER BY e.position
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%[%].item_index: expected an item of the shard, % to %, got %', name,
            wrong.place, first, first + item_count - 1, rewardd._describe(wrong.item_index)
            USING ERRCODE = '22023', HINT = 'Write only what the lease covers.';
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION rewardd.find_judgements(fingerprints bytea[], job_id bigint DEFAULT NULL)
RETURNS SETOF rewardd.judgement
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
AS $function$
#variable_conflict use_column
BEGIN
    IF find_judgements.job_id IS NULL THEN
        RETURN QUERY
            SELECT g.* FROM rewardd.judgement g
            WHERE g.fingerprint = ANY (find_judgements.fingerprints);
        RETURN;
    END IF;
    -- The usual case: nobody has asked any of these before.
    IF NOT EXISTS (
        SELECT FROM rewardd.judgement g WHERE g.fingerprint = ANY (find_judgements.fingerprints))
    THEN
        RETURN;
    END IF;
    INSERT INTO rewardd.judgement_use (fingerprint, job_id)
    SELECT g.fingerprint, find_judgements.job_id
    FROM (
        SELECT g.fingerprint
        FROM rewardd.judgement g
        WHERE g.fingerprint = ANY (find_judgements.fingerprints)
            AND g.job_id <> find_judgements.job_id
            AND NOT EXISTS (
                SELECT FROM rewardd.judgement_use u
                WHERE u.fingerprint = g.fingerprint AND u.job_id = find_judgements.job_id)
        ORDER BY g.fingerprint
        FOR KEY SHARE OF g
    ) AS g
    ON CONFLICT DO NOTHING;
    -- One stored between the two statements is not the job's to rest on: it is asked again.
    RETURN QUERY
        SELECT g.*
        FROM rewardd.judgement g
        WHERE g.fingerprint = ANY (find_judgements.fingerprints)
            AND (g.job_id = find_judgements.job_id OR EXISTS (
                SELECT FROM rewardd.judgement_use u
                WHERE u.fingerprint = g.fingerprint AND u.job_id = find_judgements.job_id));
END
$function$;

CREATE OR REPLACE FUNCTION rewardd._store_judgements(lease rewardd.shard, judgements jsonb) RETURNS int
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    given bytea[];
    fresh int;
    stored int := 0;
BEGIN
    LOOP
        -- Ordered by key: two daemons that store the same judgements wait for each other, and must
        -- not do so crosswise.
        INSERT INTO rewardd.judgement (fingerprint, job_id, shard_id, lease_token, item_index, kind,
            task, model, model_digest, template_id, template_digest, answer_mode, presentation_order,
            raw_response, verdict, score, scale_minimum, scale_maximum, spread, criteria, probabilities,
            prompt_tokens, generated_tokens, seconds)
        SELECT decode(j.fingerprint, 'hex'), lease.job_id, lease.shard_id, lease.lease_token,
            j.item_index, j.kind,
            coalesce(j.task, (SELECT o.task FROM rewardd.job o WHERE o.job_id = lease.job_id)),
            coalesce(j.model, lease.model), decode(j.model_digest, 'hex'), j.template_id,
            decode(j.template_digest, 'hex'), j.answer_mode, j.presentation_order, j.raw_response,
            j.verdict, j.score, j.scale_minimum, j.scale_maximum, j.spread,
            nullif(j.criteria, 'null'), j.probabilities,
            coalesce(j.prompt_tokens, 0), coalesce(j.generated_tokens, 0), coalesce(j.seconds, 0)
        FROM jsonb_to_recordset(judgements) AS j (
            fingerprint text, item_index int, kind text, task text, model text, model_digest text,
            template_id text, template_digest text, answer_mode text, presentation_order text,
            raw_response text, verdict text, score float8, scale_minimum float8, scale_maximum float8,
            spread float8, criteria jsonb, probabilities jsonb, prompt_tokens int, generated_tokens int,
            seconds real)
        ORDER BY j.fingerprint
        ON CONFLICT (fingerprint) DO NOTHING;
        GET DIAGNOSTICS fresh = ROW_COUNT;
        stored := stored + fresh;
        -- The usual case: nobody has asked any of these before.
        EXIT WHEN stored >= jsonb_array_length(judgements);
        given := coalesce(given, ARRAY(
            SELECT DISTINCT decode(e ->> 'fingerprint', 'hex')
            FROM jsonb_array_elements(judgements) AS e));
        EXIT WHEN stored >= cardinality(given);
        -- The others are there already: the job's own of an earlier call, or those of another job, which
        -- must not be removed under this one. One that was, meanwhile, is stored after all.
        INSERT INTO rewardd.judgement_use (fingerprint, job_id)
        SELECT g.fingerprint, lease.job_id
        FROM (
            SELECT g.fingerprint
            FROM rewardd.judgement g
            WHERE g.fingerprint = ANY (given) AND g.job_id <> lease.job_id
            ORDER BY g.fingerprint
            FOR KEY SHARE
        ) AS g
        ON CONFLICT DO NOTHING;
        EXIT WHEN cardinality(given) = (
            SELECT count(*) FROM rewardd.judgement g
            WHERE g.fingerprint = ANY (given) AND (g.job_id = lease.job_id OR EXISTS (
                SELECT FROM rewardd.judgement_use u
                WHERE u.fingerprint = g.fingerprint AND u.job_id = lease.job_id)));
    END LOOP;
    RETURN stored;
END
$function$;

CREATE OR REPLACE FUNCTION rewardd.checkpoint(
    shard_id bigint, lease_token bigint, judgements jsonb, item_results jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
AS $function$
#variable_conflict use_column
DECLARE
    lease rewardd.shard;
    stored int := 0;
    completed int := 0;
    failed int := 0;
BEGIN
    -- The lock makes this write and a rescue, cancel or finish of the shard follow one another.
    SELECT s.* INTO lease
    FROM rewardd.shard s
    WHERE s.shard_id = checkpoint.shard_id AND s.lease_token = checkpoint.lease_token
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'lost';
    END IF;
    IF judgements <> '[]' THEN
        PERFORM _check_entries('judgements', judgements, lease.first_item, lease.item_count);
        stored := _store_judgements(lease, judgements);
    END IF;
    IF item_results <> '[]' THEN
        PERFORM _check_entries('item_results', item_results, lease.first_item, lease.item_count);
        PERFORM _check_results(item_results);
        SELECT r.completed, r.failed INTO completed, failed
        FROM _store_results(lease, item_results) AS r;
    END IF;
    IF stored + completed + failed > 0 THEN
        UPDATE rewardd.shard s
        SET items_done = s.items_done + completed, items_failed = s.items_failed + failed,
            progress_at = clock_timestamp(), crashes = 0
        WHERE s.shard_id = checkpoint.shard_id;
    END IF;
    RETURN CASE WHEN lease.cancel_requested THEN 'cancel' ELSE 'ok' END;
END
$function$;

-- Digests cannot be compressed, and trying takes time. The rest that is large is JSON and text, for which lz4 takes a
-- fraction of the time of the server's own method; not every server is built with it.

ALTER TABLE rewardd.item_result ALTER COLUMN judgements SET STORAGE EXTERNAL;
DO $compression$
BEGIN
    IF EXISTS (
        SELECT FROM pg_settings p
        WHERE p.name = 'default_toast_compression' AND 'lz4' = ANY (p.enumvals))
    THEN
        ALTER TABLE rewardd.item ALTER COLUMN payload SET COMPRESSION lz4;
        ALTER TABLE rewardd.item_result ALTER COLUMN result SET COMPRESSION lz4;
        ALTER TABLE rewardd.preference_pair ALTER COLUMN evidence SET COMPRESSION lz4;
        ALTER TABLE rewardd.judgement ALTER COLUMN raw_response SET COMPRESSION lz4;
    END IF;
END
$compression$;
