-- Enqueue of one item in fewer steps. What such a call costs is not what its checks do but that there are many: each
-- statement, function and expression of PL/pgSQL is set up again in every transaction. So the tables are asked once, in
-- one statement, and what nearly every submission is gets checked in one expression; whatever is not goes the long way.
-- docs/queue-performance.md has the figures.

CREATE FUNCTION rewardd._item_rules() RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $function$
    SELECT jsonb_object_agg(k.kind || '/' || t.task, jsonb_build_object(
        'fields', array_to_string(f.fields, ','), 'shapes', array_to_string(f.shapes, ',')))
    FROM unnest(ARRAY['point_score', 'pair_rank', 'pair_score', 'build_pairs']) AS k (kind)
    CROSS JOIN unnest(rewardd._tasks()) AS t (task)
    CROSS JOIN LATERAL rewardd._item_fields(k.kind, t.task) AS f
$function$;
COMMENT ON FUNCTION rewardd._item_rules() IS
    'What _item_fields says of each kind/task but train, as one constant: reading it starts no statement.';

CREATE FUNCTION rewardd._is_plain(
    kind text, task text, model text, options jsonb, priority int, items jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN rewardd._item_rules() ? (kind || '/' || task)
    AND model ~ '^[A-Za-z0-9._-]{1,200}$' AND options = '{}' AND priority BETWEEN -1000 AND 1000
    AND CASE jsonb_typeof(items) WHEN 'array' THEN jsonb_array_length(items) BETWEEN 1 AND 1000000
        ELSE false END;
COMMENT ON FUNCTION rewardd._is_plain(text, text, text, jsonb, int, jsonb) IS
    'Whether a submission is one that _check_submission accepts, told by one expression. Not true of every '
    'one that it accepts: of those with options, for one.';

CREATE FUNCTION rewardd._lane_head(queue text, model text, priority smallint)
RETURNS TABLE (fair_seq bigint)
LANGUAGE sql STABLE
AS $function$
    SELECT s.fair_seq
    FROM rewardd.shard s
    -- A name among the arguments would give all of them its collation, and no index has that.
    WHERE s.state = 'ready' AND s.queue = _lane_head.queue COLLATE "default"
        AND s.model = _lane_head.model COLLATE "default" AND s.priority = _lane_head.priority
    ORDER BY s.fair_seq, s.shard_id
    LIMIT 1
$function$;
COMMENT ON FUNCTION rewardd._lane_head(text, text, smallint) IS
    'The place of the ready shard that is next in a lane (queue, model, priority), if any is ready.';

CREATE FUNCTION rewardd._lane_end(queue text, model text, priority smallint, submitter text)
RETURNS TABLE (fair_seq bigint)
LANGUAGE sql STABLE
AS $function$
    SELECT s.fair_seq
    FROM rewardd.shard s
    WHERE s.state = 'ready' AND s.submitted_by = submitter COLLATE "C"
        AND s.queue = _lane_end.queue COLLATE "default"
        AND s.model = _lane_end.model COLLATE "default" AND s.priority = _lane_end.priority
    ORDER BY s.fair_seq DESC
    LIMIT 1
$function$;
COMMENT ON FUNCTION rewardd._lane_end(text, text, smallint, text) IS
    'The place of the submitter''s last ready shard in a lane (queue, model, priority), if it has any.';

CREATE FUNCTION rewardd._first_place(queue text, model text, priority smallint) RETURNS bigint
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    lane constant text COLLATE "default" := queue;
    label constant text COLLATE "default" := model;
    clock bigint;
BEGIN
    -- Claims compare the rounds of all lanes that a daemon serves, so this one goes by the clock of those that the
    -- latest daemons, alive or not, serve along with it. They run alike; of two that do not, the one behind is
    -- served elsewhere or held up.
    SELECT max(h.fair_seq) INTO clock
    FROM (
        SELECT DISTINCT q.name, m.offer
        FROM (SELECT d.* FROM rewardd.daemon d ORDER BY d.daemon_id DESC LIMIT 16) AS d
        CROSS JOIN unnest(d.queues) AS q (name)
        CROSS JOIN unnest(d.models) AS m (offer)
        WHERE lane = ANY (d.queues) AND label = ANY (d.models)
    ) AS served
    CROSS JOIN LATERAL rewardd._lane_head(served.name, served.offer, _first_place.priority) AS h;
    RETURN coalesce(clock, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
END
$function$;
COMMENT ON FUNCTION rewardd._first_place(text, text, smallint) IS
    'The place of the next shard in a lane (queue, model, priority) where none is ready.';

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
    SELECT (SELECT h.fair_seq FROM rewardd._lane_head(lane, label, _fair_place.priority) AS h),
        (SELECT e.fair_seq FROM rewardd._lane_end(lane, label, _fair_place.priority, submitter) AS e)
    INTO clock, last_seq;
    IF clock IS NULL THEN
        clock := rewardd._first_place(lane, label, _fair_place.priority);
        next := clock;
        RETURN;
    END IF;
    next := greatest(clock, last_seq + 1);
END
$function$;

CREATE FUNCTION rewardd._idle_daemons(queue text) RETURNS TABLE (daemon_id bigint)
LANGUAGE sql STABLE
AS $function$
    SELECT d.daemon_id
    FROM rewardd.daemon d
    WHERE d.stopped_at IS NULL AND d.idle AND NOT d.draining
        AND _idle_daemons.queue COLLATE "default" = ANY (d.queues)
$function$;
COMMENT ON FUNCTION rewardd._idle_daemons(text) IS
    'The daemons that serve a queue and have nothing to do.';

CREATE OR REPLACE FUNCTION rewardd._wake(queue text) RETURNS void
LANGUAGE plpgsql
AS $function$
BEGIN
    -- A notification takes a lock that serialises commits, so it is sent only when a daemon has
    -- nothing to do; the daemons' poll every second covers the race.
    IF EXISTS (SELECT FROM rewardd._idle_daemons(_wake.queue)) THEN
        PERFORM pg_notify('rewardd_wake', queue);
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION rewardd._check_item(
    fields text[], shapes text[], hint text, item_index bigint, payload jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    optional text[];
    value jsonb;
    name text;
BEGIN
    IF jsonb_typeof(payload) <> 'object' THEN
        RAISE EXCEPTION 'items[%]: expected an object, got %',
            item_index, rewardd._describe(payload) USING ERRCODE = '22023', HINT = hint;
    END IF;
    FOR field IN 1 .. cardinality(fields) LOOP
        value := payload -> fields[field];
        -- Texts and names of files, which most fields are, in an expression that is quickly set up.
        IF (CASE WHEN jsonb_typeof(value) = 'string' AND shapes[field] IN ('text', 'media', 'answer')
            THEN length(value #>> '{}') BETWEEN CASE shapes[field] WHEN 'answer' THEN 0 ELSE 1 END
                AND CASE shapes[field] WHEN 'media' THEN 4096 ELSE 100000 END
            ELSE rewardd._fits(shapes[field], value) END) IS NOT TRUE
        THEN
            PERFORM rewardd._refuse_field(format('items[%s].%s', item_index, fields[field]),
                shapes[field], value, hint);
        END IF;
    END LOOP;
    value := payload - fields;
    IF value <> '{}' THEN
        -- Lists of candidates and data sets have no label.
        optional := CASE WHEN 'candidates' = ANY (fields) OR 'dataset' = ANY (fields) THEN ARRAY['id']
            ELSE ARRAY['id', 'label', 'labels', 'group'] END;
        IF value - optional <> '{}' THEN
            RAISE EXCEPTION 'items[%].%: expected one of the fields % and %, got an unknown one',
                item_index, (SELECT min(k) FROM jsonb_object_keys(value - optional) AS k),
                array_to_string(fields || optional[:cardinality(optional) - 1], ', '),
                optional[cardinality(optional)]
                USING ERRCODE = '22023', HINT = hint;
        ELSIF value ? 'id'
            AND (rewardd._is_text(value -> 'id', 1) AND length(value ->> 'id') <= 200) IS NOT TRUE
        THEN
            PERFORM rewardd._refuse_field(
                format('items[%s].id', item_index), 'id', value -> 'id', hint);
        END IF;
        FOREACH name IN ARRAY optional[2:] LOOP
            IF value ? name THEN
                PERFORM rewardd._check_label(fields, format('items[%s]', item_index), name,
                    value -> name, 'A label is what a person thought; see rewardd.evaluate.');
            END IF;
        END LOOP;
    END IF;
    RETURN true;
END
$function$;

CREATE OR REPLACE FUNCTION rewardd._fits(shape text, value jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    elements jsonb := value;
    element jsonb;
    fits boolean;
BEGIN
    CASE shape
        WHEN 'text' THEN
            RETURN rewardd._is_text(value, 1);
        WHEN 'answer' THEN
            RETURN rewardd._is_text(value, 0);
        WHEN 'media' THEN
            RETURN rewardd._is_media(value);
        WHEN 'absent' THEN
            RETURN value IS NULL;
        WHEN 'dataset' THEN
            RETURN jsonb_typeof(value) = 'string' AND value #>> '{}' LIKE '/%'
                AND length(value #>> '{}') BETWEEN 2 AND 4096;
        WHEN 'model_name' THEN
            RETURN jsonb_typeof(value) = 'string' AND value #>> '{}' ~ '^[a-z][a-z0-9._-]{0,63}$';
        WHEN 'clip' THEN
            IF rewardd._is_media(value) THEN
                RETURN true;
            ELSIF jsonb_typeof(value) IS DISTINCT FROM 'object' THEN
                RETURN false;
            ELSIF value - 'frames' <> '{}' THEN
                RETURN false;
            END IF;
            elements := value -> 'frames';
        ELSE
            -- A list.
    END CASE;
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

CREATE OR REPLACE FUNCTION rewardd._enqueue(
    submitter name, kind text, items jsonb, task text, model text, options jsonb, queue text,
    priority int, run_at timestamptz, idempotency_key text) RETURNS bigint
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
SET enable_bitmapscan = off SET enable_sort = off
AS $function$
#variable_conflict use_column
DECLARE
    settings constant jsonb := coalesce(options, '{}');
    -- The submitter's name would give its collation to all of them, and no index has that.
    lane constant text COLLATE "default" := coalesce(queue, 'default');
    label constant text COLLATE "default" :=
        rewardd._shard_model(kind, model, coalesce(options, '{}'));
    rank constant int := coalesce(priority, CASE WHEN kind = 'train' THEN -100 ELSE 0 END);
    -- Of the lane it is looked up in; what is beyond the range is refused below, in words.
    lane_rank constant smallint := least(greatest(rank, -1000), 1000);
    start_at constant timestamptz := greatest(coalesce(run_at, now()), now());
    waits constant boolean := start_at > clock_timestamp();
    rule constant jsonb := rewardd._item_rules() -> (kind || '/' || task);
    seen record;
    fields text[];
    shapes text[];
    given text[];
    digest bytea;
    new_job bigint;
    total int;
    shard_size int;
    hint text;
    round bigint := 0;
BEGIN
    SELECT EXISTS (SELECT FROM rewardd.queue q WHERE q.name = lane) AS has_queue,
        EXISTS (
            SELECT FROM rewardd.queue_grant g WHERE g.queue = lane AND g.verb = 'submit'
        ) AS has_grants,
        EXISTS (SELECT FROM rewardd._idle_daemons(lane)) AS has_idle_daemon,
        -- Behind the submitter's others; who has none goes to the head of those that wait.
        coalesce(
            (SELECT e.fair_seq + 1
            FROM rewardd._lane_end(lane, label, lane_rank, submitter::text) AS e),
            (SELECT h.fair_seq FROM rewardd._lane_head(lane, label, lane_rank) AS h)
        ) AS place
    INTO seen;
    IF (seen.has_queue AND rewardd._is_plain(
        _enqueue.kind, _enqueue.task, _enqueue.model, settings, rank, items)) IS NOT TRUE
    THEN
        PERFORM rewardd._check_submission(
            _enqueue.kind, _enqueue.task, _enqueue.model, settings, lane, rank, items);
    END IF;
    IF seen.has_grants THEN
        PERFORM rewardd._check_queue_grant(submitter, lane);
    END IF;
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

    IF rule IS NULL OR settings ? 'policy' THEN
        SELECT s.fields, s.shapes, s.given INTO fields, shapes, given
        FROM rewardd._item_shape(_enqueue.kind, _enqueue.task, settings) AS s;
    ELSE
        fields := string_to_array(rule ->> 'fields', ',');
        shapes := string_to_array(rule ->> 'shapes', ',');
        given := fields;
    END IF;
    hint := rewardd._item_hint(_enqueue.kind, _enqueue.task, given);
    INSERT INTO rewardd.item (job_id, item_index, payload)
    SELECT new_job, e.position - 1, e.payload
    FROM jsonb_array_elements(items) WITH ORDINALITY AS e (payload, position)
    WHERE rewardd._check_item(fields, shapes, hint, e.position - 1, e.payload);
    IF rewardd._names_media(items) THEN
        PERFORM rewardd._use_media(submitter, new_job, items);
        PERFORM rewardd._check_media(submitter, items);
    END IF;

    IF NOT waits THEN
        round := coalesce(seen.place, rewardd._first_place(lane, label, lane_rank));
    END IF;
    INSERT INTO rewardd.shard (job_id, queue, model, priority, run_at, first_item, item_count,
        state, max_attempts, submitted_by, fair_seq)
    SELECT new_job, lane, label, rank, start_at, first, least(shard_size, total - first),
        CASE WHEN waits THEN 'scheduled' ELSE 'ready' END::rewardd.shard_state,
        coalesce((settings ->> 'max_attempts')::int, 5), submitter, round + first / shard_size
    FROM generate_series(0, total - 1, shard_size) AS first;
    INSERT INTO rewardd.event (type, job_id, data)
    VALUES ('enqueued', new_job, jsonb_build_object('items', total));
    IF seen.has_idle_daemon THEN
        PERFORM pg_notify('rewardd_wake', lane);
    END IF;
    RETURN new_job;
END
$function$;

CREATE OR REPLACE FUNCTION rewardd.enqueue(
    kind text, items jsonb, task text, model text, options jsonb DEFAULT '{}',
    queue text DEFAULT 'default', priority int DEFAULT NULL, run_at timestamptz DEFAULT now(),
    idempotency_key text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
BEGIN
    -- How its statements are planned is set where they are, in _enqueue, which schedules call too.
    RETURN _enqueue(session_user, kind, items, task, model, options, queue, priority, run_at,
        idempotency_key);
END
$function$;
