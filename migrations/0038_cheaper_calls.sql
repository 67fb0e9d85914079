-- What a call costs that succeeds: enqueue of one item, a look-up of judgements, a checkpoint. `_store_judgements` and
-- `_enqueue` follow in 0040 and 0041. docs/queue-performance.md has the figures.

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
