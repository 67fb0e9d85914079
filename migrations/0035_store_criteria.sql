-- Judgements of several criteria: each criterion's numbers beside the score or verdict they come to.

ALTER TABLE rewardd.judgement ADD COLUMN criteria jsonb;
COMMENT ON COLUMN rewardd.judgement.criteria IS
    'Each criterion''s numbers in item order, [{"name", "score" or "first" and "second", "scale"}]; '
    'NULL for an answer that is one choice.';
COMMENT ON COLUMN rewardd.judgement.kind IS 'point_score, pair_rank or pair_score.';
COMMENT ON COLUMN rewardd.judgement.score IS
    'Score on the scale below, for point_score; the mean where there are several criteria.';

CREATE OR REPLACE FUNCTION rewardd._store_judgements(lease rewardd.shard, judgements jsonb) RETURNS int
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    given constant bytea[] := ARRAY(
        SELECT DISTINCT decode(e ->> 'fingerprint', 'hex') FROM jsonb_array_elements(judgements) AS e);
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

CREATE OR REPLACE VIEW rewardd.job_judgement WITH (security_barrier) AS
SELECT u.job_id, u.item_index, g.fingerprint, u.reused,
    CASE WHEN NOT u.reused THEN g.shard_id END AS shard_id,
    CASE WHEN NOT u.reused THEN g.lease_token END AS lease_token,
    g.kind, g.task, g.model, g.model_digest, g.template_id, g.template_digest, g.answer_mode,
    g.presentation_order, g.raw_response, g.verdict, g.score, g.scale_minimum, g.scale_maximum,
    g.spread, g.probabilities, g.prompt_tokens, g.generated_tokens, g.seconds, g.created_at,
    g.criteria
FROM (
    SELECT o.job_id, o.item_index, o.fingerprint, false AS reused
    FROM rewardd.judgement o
    UNION ALL
    -- Answers found instead of asked: those an item rests on that another item stored.
    SELECT r.job_id, r.item_index, f.fingerprint, true AS reused
    FROM rewardd.item_result r
    CROSS JOIN LATERAL unnest(r.judgements) AS f (fingerprint)
    WHERE NOT EXISTS (
        SELECT FROM rewardd.judgement o
        WHERE o.fingerprint = f.fingerprint AND o.job_id = r.job_id
            AND o.item_index = r.item_index)
) AS u
JOIN rewardd.job j ON j.job_id = u.job_id
JOIN rewardd.judgement g ON g.fingerprint = u.fingerprint
WHERE j.submitted_by = session_user OR (
    SELECT pg_has_role(session_user, 'rewardd_read', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_work', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'));
