-- Writing back: checkpoint and the look-ups of a running shard.

CREATE FUNCTION rewardd._check_entries(name text, entries jsonb, first int, item_count int)
RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    wrong record;
BEGIN
    IF jsonb_typeof(entries) <> 'array' THEN
        RAISE EXCEPTION '%: expected an array, got %', name, rewardd._describe(entries)
            USING ERRCODE = '22023', HINT = 'Give [] for none.';
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
COMMENT ON FUNCTION rewardd._check_entries(text, jsonb, int, int) IS
    'Raises 22023 unless entries is an array of objects whose item_index is in the shard.';

CREATE FUNCTION rewardd._check_results(item_results jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    wrong record;
BEGIN
    SELECT e.position - 1 AS place, e.entry -> 'state' AS state INTO wrong
    FROM jsonb_array_elements(item_results) WITH ORDINALITY AS e (entry, position)
    WHERE (CASE e.entry ->> 'state'
        WHEN 'completed' THEN jsonb_typeof(e.entry -> 'result') = 'object'
        WHEN 'failed' THEN e.entry ->> 'error_code' <> '' AND jsonb_typeof(e.entry -> 'pair') IS
            DISTINCT FROM 'object' END) IS NOT TRUE
    ORDER BY e.position
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'item_results[%]: expected state "completed" with a result or "failed" '
            'with an error_code and no pair, got state % without', wrong.place,
            rewardd._describe(wrong.state)
            USING ERRCODE = '22023', HINT = 'Give every item one of the two.';
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._check_results(jsonb) IS
    'Raises 22023 unless every result is completed with a result or failed with an error_code.';

CREATE FUNCTION rewardd._store_judgements(lease rewardd.shard, judgements jsonb) RETURNS int
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    stored int;
BEGIN
    -- Ordered by key: two daemons that store the same judgements wait for each other, and must
    -- not do so crosswise.
    INSERT INTO rewardd.judgement (fingerprint, job_id, shard_id, lease_token, item_index, kind,
        task, model, model_digest, template_id, template_digest, answer_mode, presentation_order,
        raw_response, verdict, score, scale_minimum, scale_maximum, spread, probabilities,
        prompt_tokens, generated_tokens, seconds)
    SELECT decode(j.fingerprint, 'hex'), lease.job_id, lease.shard_id, lease.lease_token,
        j.item_index, j.kind,
        coalesce(j.task, (SELECT o.task FROM rewardd.job o WHERE o.job_id = lease.job_id)),
        coalesce(j.model, lease.model), decode(j.model_digest, 'hex'), j.template_id,
        decode(j.template_digest, 'hex'), j.answer_mode, j.presentation_order, j.raw_response,
        j.verdict, j.score, j.scale_minimum, j.scale_maximum, j.spread, j.probabilities,
        coalesce(j.prompt_tokens, 0), coalesce(j.generated_tokens, 0), coalesce(j.seconds, 0)
    FROM jsonb_to_recordset(judgements) AS j (
        fingerprint text, item_index int, kind text, task text, model text, model_digest text,
        template_id text, template_digest text, answer_mode text, presentation_order text,
        raw_response text, verdict text, score float8, scale_minimum float8, scale_maximum float8,
        spread float8, probabilities jsonb, prompt_tokens int, generated_tokens int, seconds real)
    ORDER BY j.fingerprint
    ON CONFLICT (fingerprint) DO NOTHING;
    GET DIAGNOSTICS stored = ROW_COUNT;
    RETURN stored;
END
$function$;
COMMENT ON FUNCTION rewardd._store_judgements(rewardd.shard, jsonb) IS
    'Stores the judgements not stored yet and returns their number.';

CREATE FUNCTION rewardd._store_results(
    lease rewardd.shard, item_results jsonb, OUT completed int, OUT failed int)
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
BEGIN
    WITH given AS MATERIALIZED (
        SELECT r.*
        FROM jsonb_to_recordset(item_results) AS r (
            item_index int, state text, result jsonb, error_code text, error text,
            judgements text[], pair jsonb)
    ), fresh AS (
        INSERT INTO rewardd.item_result (job_id, item_index, state, result, error_code, error,
            judgements, lease_token)
        SELECT lease.job_id, g.item_index, g.state,
            CASE WHEN g.state = 'completed' THEN g.result END,
            CASE WHEN g.state = 'failed' THEN g.error_code END,
            CASE WHEN g.state = 'failed' THEN g.error END,
            ARRAY(
                SELECT decode(u.hex, 'hex')
                FROM unnest(g.judgements) WITH ORDINALITY AS u (hex, position)
                ORDER BY u.position),
            lease.lease_token
        FROM given g
        ON CONFLICT (job_id, item_index) DO NOTHING
        RETURNING item_index, state
    ), paired AS (
        INSERT INTO rewardd.preference_pair (job_id, item_index, chosen_index, rejected_index,
            chosen, rejected, chosen_score, rejected_score, margin, evidence)
        SELECT lease.job_id, g.item_index, p.chosen_index, p.rejected_index, p.chosen, p.rejected,
            p.chosen_score, p.rejected_score, p.margin, coalesce(p.evidence, '{}')
        FROM given g
        JOIN fresh f ON f.item_index = g.item_index
        CROSS JOIN LATERAL jsonb_to_record(g.pair) AS p (
            chosen_index int, rejected_index int, chosen jsonb, rejected jsonb,
            chosen_score float8, rejected_score float8, margin float8, evidence jsonb)
        WHERE jsonb_typeof(g.pair) = 'object'
        ON CONFLICT (job_id, item_index) DO NOTHING
    )
    SELECT count(*) FILTER (WHERE f.state = 'completed'), count(*) FILTER (WHERE f.state = 'failed')
    INTO completed, failed
    FROM fresh f;
END
$function$;
COMMENT ON FUNCTION rewardd._store_results(rewardd.shard, jsonb) IS
    'Stores results and pairs of items without a result and returns how many completed and failed.';

CREATE FUNCTION rewardd.checkpoint(
    shard_id bigint, lease_token bigint, judgements jsonb, item_results jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
AS $function$
#variable_conflict use_column
DECLARE
    lease rewardd.shard;
    answers constant jsonb := coalesce(judgements, '[]');
    results constant jsonb := coalesce(item_results, '[]');
    stored int := 0;
    counts record;
BEGIN
    -- The lock makes this write and a rescue, cancel or finish of the shard follow one another.
    SELECT s.* INTO lease
    FROM rewardd.shard s
    WHERE s.shard_id = checkpoint.shard_id AND s.lease_token = checkpoint.lease_token
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'lost';
    END IF;
    IF answers <> '[]' THEN
        PERFORM _check_entries('judgements', answers, lease.first_item, lease.item_count);
        stored := _store_judgements(lease, answers);
    END IF;
    IF results <> '[]' THEN
        PERFORM _check_entries('item_results', results, lease.first_item, lease.item_count);
        PERFORM _check_results(results);
    END IF;
    SELECT * INTO counts FROM _store_results(lease, results);
    IF stored + counts.completed + counts.failed > 0 THEN
        UPDATE rewardd.shard s
        SET items_done = s.items_done + counts.completed,
            items_failed = s.items_failed + counts.failed,
            progress_at = clock_timestamp(), crashes = 0
        WHERE s.shard_id = checkpoint.shard_id;
    END IF;
    RETURN CASE WHEN lease.cancel_requested THEN 'cancel' ELSE 'ok' END;
END
$function$;
COMMENT ON FUNCTION rewardd.checkpoint(bigint, bigint, jsonb, jsonb) IS
$comment$Stores what a daemon has finished of a shard. Durable once committed; sending the same
again is harmless.

judgements    array of objects with the columns of judgement (binary ones in hex, item_index
              included); one whose fingerprint is known already is skipped.
item_results  [{"item_index": 3, "state": "completed", "result": {…}, "error_code": null,
              "error": null, "judgements": ["hex", …], "pair": null | {"chosen_index": …,
              "rejected_index": …, "chosen": …, "rejected": …, "chosen_score": …,
              "rejected_score": …, "margin": …, "evidence": {…}}}]; the first result of an item
              stays.

Returns ok; cancel (stored, but stop: finish the shard with 'release'); or lost (nothing was stored,
the lease is another daemon's or gone: drop the work). With two empty arrays it only asks.

Errors: 22023 naming the entry. Role: rewardd_work.$comment$;

CREATE FUNCTION rewardd.find_judgements(fingerprints bytea[]) RETURNS SETOF rewardd.judgement
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
BEGIN ATOMIC
    SELECT j.* FROM rewardd.judgement j WHERE j.fingerprint = ANY (find_judgements.fingerprints);
END;
COMMENT ON FUNCTION rewardd.find_judgements(bytea[]) IS
    'The judgements stored under these fingerprints, in no particular order. Role: rewardd_work.';

REVOKE ALL ON FUNCTION rewardd.checkpoint(bigint, bigint, jsonb, jsonb),
    rewardd.find_judgements(bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.checkpoint(bigint, bigint, jsonb, jsonb),
    rewardd.find_judgements(bytea[]) TO rewardd_work;
