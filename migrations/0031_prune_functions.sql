-- Removing what is old: ended jobs with all that came of them, and uploaded files that nobody uses any more.
--
-- Every daemon calls prune; one at a time does something, the one that gets the lock of the single row of pruning.
-- A call removes a few thousand rows in one short transaction, so that vacuum keeps up, and a job of a million items
-- goes over many calls. It waits for nobody: what another transaction has locked is in use.

ALTER TABLE rewardd.model ADD COLUMN submitted_by name;
COMMENT ON COLUMN rewardd.model.submitted_by IS 'Who submitted the job; NULL until the job is removed.';

CREATE OR REPLACE VIEW rewardd.model_status WITH (security_barrier) AS
SELECT m.name, encode(m.digest, 'hex') AS digest, m.base,
    encode(m.base_digest, 'hex') AS base_digest, m.host, m.directory, m.job_id, m.created_at,
    EXISTS (
        SELECT FROM rewardd.model n
        WHERE n.name = m.name AND n.host = m.host AND n.created_at > m.created_at) AS replaced,
    (SELECT count(*)::int FROM rewardd.daemon d
        WHERE d.stopped_at IS NULL AND d.host = m.host AND m.name = ANY (d.models)) AS daemons
FROM rewardd.model m
LEFT JOIN rewardd.job j ON j.job_id = m.job_id
WHERE coalesce(j.submitted_by, m.submitted_by) = session_user OR (
    SELECT pg_has_role(session_user, 'rewardd_read', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_work', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'));

CREATE TABLE rewardd.pruning (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    at timestamptz,
    jobs bigint NOT NULL DEFAULT 0,
    rows bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
COMMENT ON TABLE rewardd.pruning IS 'One row: its lock is the right to remove things.';
COMMENT ON COLUMN rewardd.pruning.only_row IS 'Always true.';
COMMENT ON COLUMN rewardd.pruning.at IS 'When something was removed last.';
COMMENT ON COLUMN rewardd.pruning.jobs IS 'Jobs removed so far.';
COMMENT ON COLUMN rewardd.pruning.rows IS 'Rows removed so far.';
INSERT INTO rewardd.pruning DEFAULT VALUES;

CREATE FUNCTION rewardd._next_prunable(queue text, older_than interval) RETURNS rewardd.job
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    moment constant timestamptz := clock_timestamp();
    lane record;
    job rewardd.job;
BEGIN
    SELECT j.* INTO job
    FROM rewardd.job j
    WHERE j.pruned_items IS NOT NULL
    ORDER BY j.job_id
    LIMIT 1
    FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        RETURN job;
    END IF;
    FOR lane IN
        SELECT q.name, moment - coalesce(_next_prunable.older_than, q.retention) AS horizon
        FROM rewardd.queue q
        WHERE (_next_prunable.queue IS NULL OR q.name = _next_prunable.queue)
            AND coalesce(_next_prunable.older_than, q.retention) IS NOT NULL
        ORDER BY q.name
    LOOP
        SELECT j.* INTO job
        FROM rewardd.job j
        WHERE j.queue = lane.name AND j.finished_at < lane.horizon
        ORDER BY j.finished_at
        LIMIT 1
        FOR UPDATE SKIP LOCKED;
        IF FOUND THEN
            -- Its key is free for another job from now on.
            UPDATE rewardd.job j
            SET pruned_items = 0, idempotency_key = NULL
            WHERE j.job_id = job.job_id
            RETURNING j.* INTO job;
            RETURN job;
        END IF;
    END LOOP;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION rewardd._next_prunable(text, interval) IS
    'Locks a job that is being removed, or else one that ended long enough ago, and marks it; NULL for none.';

CREATE FUNCTION rewardd._prune_items(job_id bigint, first int, following int) RETURNS int
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    -- One that is locked is being referred to at this moment: it stays.
    owned constant bytea[] := ARRAY(
        SELECT g.fingerprint
        FROM rewardd.judgement g
        WHERE g.job_id = _prune_items.job_id AND g.item_index >= first AND g.item_index < following
        FOR UPDATE SKIP LOCKED);
    part int;
    removed int;
BEGIN
    DELETE FROM rewardd.judgement g
    WHERE g.fingerprint = ANY (owned) AND NOT EXISTS (
        SELECT FROM rewardd.judgement_use u WHERE u.fingerprint = g.fingerprint);
    GET DIAGNOSTICS removed = ROW_COUNT;
    DELETE FROM rewardd.preference_pair p
    WHERE p.job_id = _prune_items.job_id AND p.item_index >= first AND p.item_index < following;
    GET DIAGNOSTICS part = ROW_COUNT;
    removed := removed + part;
    DELETE FROM rewardd.item_result r
    WHERE r.job_id = _prune_items.job_id AND r.item_index >= first AND r.item_index < following;
    GET DIAGNOSTICS part = ROW_COUNT;
    removed := removed + part;
    DELETE FROM rewardd.item i
    WHERE i.job_id = _prune_items.job_id AND i.item_index >= first AND i.item_index < following;
    GET DIAGNOSTICS part = ROW_COUNT;
    RETURN removed + part;
END
$function$;
COMMENT ON FUNCTION rewardd._prune_items(bigint, int, int) IS
    'Removes a range of items of a job, and their results, pairs and those judgements that no other job '
    'rests on. Returns the number of rows.';

CREATE FUNCTION rewardd._prune_uses(job_id bigint, max_rows int) RETURNS int
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    found bytea[];
    locked bytea[];
    files bytea[];
    part int;
BEGIN
    WITH gone AS (
        DELETE FROM rewardd.judgement_use u
        WHERE u.job_id = _prune_uses.job_id AND u.fingerprint = ANY (ARRAY(
            SELECT o.fingerprint FROM rewardd.judgement_use o
            WHERE o.job_id = _prune_uses.job_id
            ORDER BY o.fingerprint
            LIMIT max_rows))
        RETURNING u.fingerprint
    )
    SELECT coalesce(array_agg(g.fingerprint), '{}') INTO found FROM gone g;
    locked := ARRAY(
        SELECT g.fingerprint FROM rewardd.judgement g
        WHERE g.fingerprint = ANY (found)
        FOR UPDATE SKIP LOCKED);
    -- Those whose own job was removed before, or has been as far as this item.
    DELETE FROM rewardd.judgement g
    WHERE g.fingerprint = ANY (locked)
        AND NOT EXISTS (
            SELECT FROM rewardd.judgement_use u WHERE u.fingerprint = g.fingerprint)
        AND NOT EXISTS (
            SELECT FROM rewardd.job j
            WHERE j.job_id = g.job_id
                AND (j.pruned_items IS NULL OR j.pruned_items <= g.item_index));
    GET DIAGNOSTICS part = ROW_COUNT;
    WITH gone AS (
        DELETE FROM rewardd.media_use u
        WHERE u.job_id = _prune_uses.job_id AND u.digest = ANY (ARRAY(
            SELECT o.digest FROM rewardd.media_use o
            WHERE o.job_id = _prune_uses.job_id
            ORDER BY o.digest
            LIMIT max_rows))
        RETURNING u.submitted_by, u.digest
    ), upload AS MATERIALIZED (
        SELECT u.submitted_by, u.digest
        FROM gone g
        JOIN rewardd.media_upload u ON u.submitted_by = g.submitted_by::name AND u.digest = g.digest
        FOR NO KEY UPDATE OF u SKIP LOCKED
    ), marked AS (
        UPDATE rewardd.media_upload u
        SET check_at = greatest(clock_timestamp(), u.created_at + interval '1 day')
        FROM upload o
        WHERE u.submitted_by = o.submitted_by AND u.digest = o.digest
    )
    SELECT coalesce(array_agg(g.digest), '{}') INTO files FROM gone g;
    RETURN part + cardinality(found) + cardinality(files);
END
$function$;
COMMENT ON FUNCTION rewardd._prune_uses(bigint, int) IS
    'Removes at most max_rows references of a job to judgements, which go too if nobody else keeps them, and '
    'as many to files, whose uploads are to be checked then. Returns the number of rows.';

CREATE FUNCTION rewardd._prune_rest(job_id bigint, max_rows int) RETURNS int
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    removed int;
    part int;
BEGIN
    DELETE FROM rewardd.shard s
    WHERE s.shard_id = ANY (ARRAY(
        SELECT o.shard_id FROM rewardd.shard o WHERE o.job_id = _prune_rest.job_id LIMIT max_rows));
    GET DIAGNOSTICS removed = ROW_COUNT;
    DELETE FROM rewardd.event e
    WHERE e.event_id = ANY (ARRAY(
        SELECT o.event_id FROM rewardd.event o WHERE o.job_id = _prune_rest.job_id LIMIT max_rows));
    GET DIAGNOSTICS part = ROW_COUNT;
    RETURN removed + part;
END
$function$;
COMMENT ON FUNCTION rewardd._prune_rest(bigint, int) IS
    'Removes at most max_rows shards and as many events of a job, and returns their number.';

CREATE FUNCTION rewardd._prune_job(job rewardd.job, max_rows int, OUT rows int, OUT done boolean)
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    -- An item of build_pairs may rest on thousands of judgements.
    step constant int := CASE job.kind WHEN 'build_pairs' THEN 4 ELSE 64 END;
    first int := job.pruned_items;
    part int;
BEGIN
    rows := 0;
    done := false;
    WHILE first < job.items_total AND rows < max_rows LOOP
        rows := rows + rewardd._prune_items(job.job_id, first, first + step);
        first := first + step;
    END LOOP;
    UPDATE rewardd.job j SET pruned_items = first WHERE j.job_id = job.job_id;
    LOOP
        IF rows >= max_rows THEN
            RETURN;
        END IF;
        part := rewardd._prune_uses(job.job_id, max_rows) + rewardd._prune_rest(job.job_id, max_rows);
        EXIT WHEN part = 0;
        rows := rows + part;
    END LOOP;
    -- A model stays, and stays its submitter's.
    UPDATE rewardd.model m SET submitted_by = job.submitted_by WHERE m.job_id = job.job_id;
    DELETE FROM rewardd.job j WHERE j.job_id = job.job_id;
    rows := rows + 1;
    done := true;
END
$function$;
COMMENT ON FUNCTION rewardd._prune_job(rewardd.job, int) IS
    'Removes about max_rows rows of a marked job, and says how many and whether that was all of it.';

CREATE FUNCTION rewardd._sweep_media() RETURNS int
LANGUAGE plpgsql
AS $function$
DECLARE
    moment constant timestamptz := clock_timestamp();
    upload record;
    outcome boolean;
    bytes bigint := 0;
    removed int := 0;
BEGIN
    FOR upload IN
        SELECT u.submitted_by, u.digest, m.byte_count
        FROM rewardd.media_upload u
        JOIN rewardd.media m ON m.digest = u.digest
        WHERE u.check_at <= moment
        ORDER BY u.check_at
        LIMIT 50
        FOR UPDATE OF u SKIP LOCKED
    LOOP
        EXIT WHEN bytes > 67108864;
        outcome := rewardd._drop_upload(upload.submitted_by::text, upload.digest);
        IF outcome THEN
            bytes := bytes + upload.byte_count;
            removed := removed + 1;
        ELSE
            -- In use: until another of its jobs is removed. Locked: later.
            UPDATE rewardd.media_upload u
            SET check_at = CASE WHEN outcome IS NULL THEN moment + interval '1 minute' END
            WHERE u.submitted_by = upload.submitted_by AND u.digest = upload.digest;
        END IF;
    END LOOP;
    RETURN removed;
END
$function$;
COMMENT ON FUNCTION rewardd._sweep_media() IS
    'Removes uploads that are to be checked and that nobody uses, about 64 MiB at most, and returns their number.';

CREATE FUNCTION rewardd._prune(
    queue text, older_than interval, max_rows int, OUT jobs int, OUT rows int)
LANGUAGE plpgsql
AS $function$
DECLARE
    job rewardd.job;
    part record;
BEGIN
    jobs := 0;
    rows := 0;
    WHILE rows < max_rows LOOP
        job := rewardd._next_prunable(_prune.queue, _prune.older_than);
        EXIT WHEN job.job_id IS NULL;
        part := rewardd._prune_job(job, max_rows - rows);
        rows := rows + part.rows;
        jobs := jobs + part.done::int;
    END LOOP;
    rows := rows + rewardd._sweep_media();
    IF rows > 0 THEN
        UPDATE rewardd.pruning p
        SET at = clock_timestamp(), jobs = p.jobs + _prune.jobs, rows = p.rows + _prune.rows;
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._prune(text, interval, int) IS
    'Removes about max_rows rows; the caller has locked the row of pruning.';

CREATE FUNCTION rewardd.prune(max_rows int DEFAULT 2000, OUT jobs int, OUT rows int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $function$
BEGIN
    PERFORM _check_number('max_rows', to_jsonb(max_rows), 1, 100000, true);
    PERFORM FROM rewardd.pruning FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        SELECT p.jobs, p.rows INTO jobs, rows FROM _prune(NULL, NULL, max_rows) AS p;
    ELSE
        jobs := 0;
        rows := 0;
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd.prune(int) IS
$comment$Removes jobs that ended longer ago than the retention of their queue says, with their items, results,
pairs, shards, events and judgements, and uploaded files that no job of their uploader uses any more. Judgements
that another job rests on stay, as do the models of train jobs. Daemons call it once a minute, and again while there
is more; one at a time does something. A call is one short transaction of about max_rows rows (more where
one item rests on very many judgements).

Returns how many jobs went for good and how many rows; 0 rows when nothing was to be done, or another session
does it.

Errors: 22023 max_rows. Roles: rewardd_work, rewardd_admin.$comment$;

CREATE FUNCTION rewardd.prune_jobs(
    older_than interval, queue text DEFAULT NULL, max_rows int DEFAULT 2000, OUT jobs int, OUT rows int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $function$
BEGIN
    PERFORM _check_number('max_rows', to_jsonb(max_rows), 1, 100000, true);
    IF (older_than >= interval '1 minute') IS NOT TRUE THEN
        RAISE EXCEPTION 'older_than: expected an interval from 1 minute on, got %',
            coalesce(older_than::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'It counts from the end of a job.';
    ELSIF queue IS NOT NULL THEN
        PERFORM _check_queue(queue);
    END IF;
    PERFORM FROM rewardd.pruning FOR UPDATE;
    SELECT p.jobs, p.rows INTO jobs, rows FROM _prune(queue, older_than, max_rows) AS p;
END
$function$;
COMMENT ON FUNCTION rewardd.prune_jobs(interval, text, int) IS
$comment$Removes jobs that ended longer ago than that, of one queue or of all, whatever their retention; otherwise
as prune, except that it waits for others. Call it until it returns 0 rows.

Errors: 22023, P0002 no such queue. Role: rewardd_admin.$comment$;

CREATE FUNCTION rewardd.prunable_jobs(older_than interval DEFAULT NULL, queue text DEFAULT NULL)
RETURNS TABLE (name text, jobs bigint, items bigint, since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
    SELECT q.name, count(*), sum(j.items_total), min(j.finished_at)
    FROM rewardd.queue q
    JOIN rewardd.job j ON j.queue = q.name
        AND j.finished_at < clock_timestamp() - coalesce(prunable_jobs.older_than, q.retention)
    WHERE prunable_jobs.queue IS NULL OR q.name = prunable_jobs.queue
    GROUP BY q.name
    ORDER BY q.name
$function$;
COMMENT ON FUNCTION rewardd.prunable_jobs(interval, text) IS
    'What prune_jobs would remove, or without older_than what prune would: the jobs of each queue, their items, '
    'and when the oldest ended. Roles: rewardd_read, rewardd_work, rewardd_admin.';

REVOKE ALL ON FUNCTION rewardd.prune(int), rewardd.prune_jobs(interval, text, int),
    rewardd.prunable_jobs(interval, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.prune(int) TO rewardd_work, rewardd_admin;
GRANT EXECUTE ON FUNCTION rewardd.prune_jobs(interval, text, int) TO rewardd_admin;
GRANT EXECUTE ON FUNCTION rewardd.prunable_jobs(interval, text)
    TO rewardd_read, rewardd_work, rewardd_admin;
