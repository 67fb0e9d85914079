-- The criteria of judgements, to readers.

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
