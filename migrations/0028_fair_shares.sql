-- Fair shares: a submitter with a million ready shards must not keep one with three waiting.
--
-- Each ready shard carries fair_seq, the round in which its turn comes, and a claim reads the rounds in order: the
-- interleaving is worked out once, when a shard becomes ready, and the claim stays an index scan. This is
-- start-time fair queueing (Goyal, Vin, Cheng, 1996) with shards of one cost: the clock of a lane (queue, model,
-- priority) is the round at its head; who arrives begins there, or after the last of its own shards that wait.
-- Nobody is locked for it: of one submitter's transactions that enqueue at the same moment, none sees the others'
-- shards, so they share rounds, and the submitter gets as many turns in these as it had transactions.
--
-- Rounds are numbered in microseconds since 1970. So a lane that begins anew, at the present time, is ahead of all
-- its earlier rounds, unless it had given more than a million shards a second.

DROP INDEX rewardd.shard_ready;
ALTER TABLE rewardd.shard
    ADD COLUMN fair_seq bigint NOT NULL DEFAULT 0,
    ADD COLUMN submitted_by text COLLATE "C" NOT NULL DEFAULT '';
COMMENT ON COLUMN rewardd.shard.fair_seq IS
    'The round in which its turn comes among the ready shards of its queue, model and priority.';
COMMENT ON COLUMN rewardd.shard.submitted_by IS 'Copied from the job.';
COMMENT ON COLUMN rewardd.shard.run_at IS 'Not to be claimed before.';

-- What waits already is interleaved as if it arrived now.
WITH placed AS MATERIALIZED (
    SELECT s.shard_id, j.submitted_by, row_number() OVER (
            PARTITION BY s.queue, s.model, s.priority, j.submitted_by
            ORDER BY s.run_at, s.shard_id) AS place
    FROM rewardd.shard s
    JOIN rewardd.job j ON j.job_id = s.job_id
    WHERE s.state IN ('scheduled', 'ready', 'running') OR s.state = 'held'
)
UPDATE rewardd.shard s
SET submitted_by = p.submitted_by,
    fair_seq = (extract(epoch FROM now()) * 1000000)::bigint + p.place
FROM placed p
WHERE p.shard_id = s.shard_id;

-- Exactly the order in which claim_shards takes shards, so that no claim ever sorts a backlog.
CREATE INDEX shard_ready ON rewardd.shard (queue, model, priority DESC, fair_seq, shard_id)
    WHERE state = 'ready';
-- Where a submitter's last waiting shard is found.
CREATE INDEX shard_share ON rewardd.shard (submitted_by, queue, model, priority, fair_seq)
    WHERE state = 'ready';

CREATE FUNCTION rewardd._fair_place(
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
    SELECT s.fair_seq INTO clock
    FROM rewardd.shard s
    WHERE s.state = 'ready' AND s.queue = lane AND s.model = label
        AND s.priority = _fair_place.priority
    ORDER BY s.fair_seq, s.shard_id
    LIMIT 1;
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
    SELECT s.fair_seq INTO last_seq
    FROM rewardd.shard s
    WHERE s.state = 'ready' AND s.submitted_by = submitter COLLATE "C" AND s.queue = lane
        AND s.model = label AND s.priority = _fair_place.priority
    ORDER BY s.fair_seq DESC
    LIMIT 1;
    next := greatest(clock, last_seq + 1);
END
$function$;
COMMENT ON FUNCTION rewardd._fair_place(text, text, smallint, text) IS
    'The round that a lane has come to, where shards go that were claimed before and come back, and the '
    'submitter''s next one, where new shards begin.';

-- A file is kept for its uploader as long as one of the uploader's jobs or schedules names it. Jobs say so here, under
-- a lock of the upload, which prune takes before it looks for references.

CREATE TABLE rewardd.media_use (
    submitted_by text COLLATE "C" NOT NULL,
    digest bytea NOT NULL,
    job_id bigint NOT NULL,
    PRIMARY KEY (submitted_by, digest, job_id)
);
CREATE INDEX media_use_job ON rewardd.media_use (job_id, digest);
COMMENT ON TABLE rewardd.media_use IS 'Which jobs name which uploaded files.';
COMMENT ON COLUMN rewardd.media_use.submitted_by IS 'Who uploaded the file and submitted the job.';
COMMENT ON COLUMN rewardd.media_use.digest IS 'The file.';
COMMENT ON COLUMN rewardd.media_use.job_id IS 'The job.';

CREATE FUNCTION rewardd._media_digests(items jsonb) RETURNS bytea[]
LANGUAGE plpgsql IMMUTABLE
AS $function$
BEGIN
    -- Lax mode unwraps arrays, so the paths reach fields, candidates and the frames of either.
    -- Asking first whether there is any takes a twentieth of the time of listing them.
    IF NOT jsonb_path_exists(items, '$[*].*.media')
        AND NOT jsonb_path_exists(items, '$[*].*.frames.media')
    THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(
        SELECT DISTINCT decode(d #>> '{}', 'hex')
        FROM (
            SELECT jsonb_path_query(items, '$[*].*.media') AS d
            UNION ALL
            SELECT jsonb_path_query(items, '$[*].*.frames.media')
        ) AS named
        ORDER BY 1);
END
$function$;
COMMENT ON FUNCTION rewardd._media_digests(jsonb) IS 'The uploaded files that checked items name, each once.';

CREATE FUNCTION rewardd._use_media(submitter name, job_id bigint, items jsonb) RETURNS void
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
BEGIN
    INSERT INTO rewardd.media_use (submitted_by, digest, job_id)
    SELECT submitter::text, u.digest, _use_media.job_id
    FROM (
        SELECT u.digest
        FROM rewardd.media_upload u
        WHERE u.submitted_by = submitter AND u.digest = ANY (rewardd._media_digests(items))
        ORDER BY u.digest
        FOR KEY SHARE
    ) AS u
    ON CONFLICT DO NOTHING;
END
$function$;
COMMENT ON FUNCTION rewardd._use_media(name, bigint, jsonb) IS
    'Records that a job names uploaded files; those that are gone are left to _check_media.';

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
    PERFORM rewardd._use_media(submitter, new_job, items);
    PERFORM rewardd._check_media(submitter, items);

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
    SELECT * INTO shape FROM rewardd._item_fields(wanted.kind, wanted.task);
    hint := rewardd._item_hint(wanted.kind, wanted.task, shape.fields);
    PERFORM rewardd._check_item(shape.fields, shape.shapes, hint, e.position - 1, e.payload)
    FROM jsonb_array_elements(wanted.items) WITH ORDINALITY AS e (payload, position);
    PERFORM rewardd._check_media(wanted.submitted_by, wanted.items);
END
$function$;
COMMENT ON FUNCTION rewardd._check_schedule(rewardd.schedule) IS
    'Raises what create_schedule refuses but for cron and time_zone: 22023, P0002 for an unknown queue, '
    '42501 for one not granted.';

CREATE OR REPLACE FUNCTION rewardd._promote_due() RETURNS void
LANGUAGE plpgsql
AS $function$
DECLARE
    -- A variable, because a volatile call in the condition cannot use the index.
    moment constant timestamptz := clock_timestamp();
    lane record;
    jobs bigint[] := '{}';
BEGIN
    FOR lane IN
    WITH due AS MATERIALIZED (
        SELECT s.shard_id, s.job_id, s.queue, s.model, s.priority, s.submitted_by
        FROM rewardd.shard s
        WHERE s.state = 'scheduled' AND s.run_at <= moment
        ORDER BY s.run_at, s.shard_id
        LIMIT 1000
        FOR UPDATE SKIP LOCKED
    )
    SELECT d.queue, d.model, d.priority, d.submitted_by, array_agg(d.shard_id) AS shards,
        array_agg(d.job_id) AS jobs
    FROM due d
    GROUP BY d.queue, d.model, d.priority, d.submitted_by
    LOOP
        UPDATE rewardd.shard s
        SET state = 'ready', fair_seq = place.next + due.place - 1
        FROM rewardd._fair_place(lane.queue, lane.model, lane.priority, lane.submitted_by) AS place
        CROSS JOIN unnest(lane.shards) WITH ORDINALITY AS due (shard_id, place)
        WHERE s.shard_id = due.shard_id;
        jobs := jobs || lane.jobs;
    END LOOP;
    IF jobs <> '{}' THEN
        PERFORM rewardd._move_jobs(jobs, 'ready');
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._promote_due() IS
    'Makes at most 1000 scheduled shards ready whose time has come, each behind its submitter''s others, '
    'and their jobs.';

-- A shard that was claimed and comes back goes to the head of its lane, which it had reached. One that is to be
-- retried later, or was held until its round had passed, has lost its turn: it goes behind its submitter's others.
-- Otherwise who lets shards fail, or holds and releases them, would get more than a share.

CREATE OR REPLACE FUNCTION rewardd._requeue_shard(
    shard rewardd.shard, run_at timestamptz, attempts int, crashes int, error text, event text,
    data jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    target rewardd.shard_state :=
        CASE WHEN _requeue_shard.run_at > clock_timestamp() THEN 'scheduled' ELSE 'ready' END;
    round bigint := shard.fair_seq;
BEGIN
    IF EXISTS (
        SELECT FROM rewardd.job j WHERE j.job_id = shard.job_id AND j.held_at IS NOT NULL)
    THEN
        target := 'held';
    ELSIF target = 'ready' THEN
        round := greatest(round, (rewardd._fair_place(
            shard.queue, shard.model, shard.priority, shard.submitted_by)).clock);
    END IF;
    UPDATE rewardd.shard s
    SET state = target, lease_token = NULL, cancel_requested = false, fair_seq = round,
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
        SELECT j.*, rewardd._shard_model(j.kind, j.model) AS label, round.clock, round.next
        FROM rewardd.job j
        CROSS JOIN LATERAL rewardd._fair_place(
            j.queue, rewardd._shard_model(j.kind, j.model), j.priority, j.submitted_by) AS round
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

DO $comment$
DECLARE
    routine constant regprocedure :=
        'rewardd.enqueue(text,jsonb,text,text,jsonb,text,int,timestamptz,text)'::regprocedure;
    page text := obj_description(routine, 'pg_proc');
BEGIN
    page := replace(page, 'queue    an existing queue (default).',
        'queue    an existing queue (default). Once some role is granted a queue, only those granted it may.');
    page := replace(page, 'P0002 unknown queue, 55000',
        'P0002 unknown queue, 42501 a queue not granted, 55000');
    EXECUTE format('COMMENT ON FUNCTION %s IS %L', routine, page);
END
$comment$;
