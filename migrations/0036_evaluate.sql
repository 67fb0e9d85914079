-- Judgements against what people thought: the labels of a job's items.

CREATE FUNCTION rewardd._evaluate_pairs(job_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH labelled AS MATERIALIZED (
        SELECT i.payload ->> 'label' AS label, i.payload -> 'labels' AS labels,
            i.payload ->> 'group' AS grp, r.result,
            -- What could not be judged is no verdict: it is wrong whatever the label.
            CASE r.state WHEN 'completed' THEN r.result ->> 'verdict' WHEN 'failed' THEN 'failed'
                END AS verdict
        FROM rewardd.item i
        LEFT JOIN rewardd.item_result r
            ON r.job_id = i.job_id AND r.item_index = i.item_index
        WHERE i.job_id = _evaluate_pairs.job_id AND i.payload ? 'label'
    ), judged AS MATERIALIZED (
        SELECT l.* FROM labelled l WHERE l.verdict IS NOT NULL
    ), counted AS (
        SELECT j.grp, grouping(j.grp) = 1 AS is_total, count(*) AS pairs,
            count(*) FILTER (WHERE j.verdict = j.label) AS correct,
            count(*) FILTER (WHERE j.label <> 'tie') AS decided,
            count(*) FILTER (WHERE j.label <> 'tie' AND j.verdict = j.label) AS decided_correct
        FROM judged j
        GROUP BY GROUPING SETS ((), (j.grp))
    ), rated AS (
        SELECT c.grp, c.is_total, c.pairs, c.decided,
            c.correct::float8 / nullif(c.pairs, 0) AS with_ties,
            c.decided_correct::float8 / nullif(c.decided, 0) AS without_ties
        FROM counted c
    ), confusion AS (
        SELECT jsonb_object_agg(t.label, t.cells) AS cells
        FROM (
            SELECT w.label, jsonb_object_agg(v.verdict, (
                    SELECT count(*) FROM judged j
                    WHERE j.label = w.label AND j.verdict = v.verdict)) AS cells
            FROM unnest(ARRAY['first', 'second', 'tie']) AS w (label)
            CROSS JOIN unnest(ARRAY['first', 'second', 'tie', 'failed']) AS v (verdict)
            GROUP BY w.label
        ) AS t
    ), orders AS (
        SELECT count(*) FILTER (WHERE jsonb_array_length(j.result -> 'orders') = 2) AS both,
            count(*) FILTER (WHERE (j.result ->> 'order_sensitive')::boolean) AS sensitive,
            sum(o.decided)::bigint AS decided, sum(o.shown_first)::bigint AS shown_first
        FROM judged j
        CROSS JOIN LATERAL (
            SELECT count(*) AS decided, count(*) FILTER (
                WHERE (e.value ->> 'order' = 'first_second') = (e.value ->> 'verdict' = 'first'))
                AS shown_first
            FROM jsonb_array_elements(j.result -> 'orders') AS e
            WHERE e.value ->> 'verdict' IN ('first', 'second')
        ) AS o
        WHERE jsonb_typeof(j.result -> 'orders') = 'array'
    ), criteria AS (
        SELECT n.name, count(*) AS pairs,
            avg((n.verdict = n.label)::int)::float8 AS with_ties,
            count(*) FILTER (WHERE n.label <> 'tie') AS decided,
            avg((n.verdict = n.label)::int) FILTER (WHERE n.label <> 'tie')::float8 AS without_ties
        FROM (
            SELECT c.value ->> 'name' AS name,
                coalesce(j.labels ->> (c.value ->> 'name'), j.label) AS label,
                CASE
                    WHEN abs(d.difference) < 1e-6 * (
                        (c.value -> 'scale' ->> 1)::float8 - (c.value -> 'scale' ->> 0)::float8)
                        THEN 'tie'
                    WHEN d.difference > 0 THEN 'first' ELSE 'second' END AS verdict
            FROM judged j
            CROSS JOIN LATERAL jsonb_array_elements(j.result -> 'criteria') AS c
            CROSS JOIN LATERAL (
                SELECT (c.value ->> 'first')::float8 - (c.value ->> 'second')::float8
                    AS difference) AS d
            WHERE jsonb_typeof(j.result -> 'criteria') = 'array'
        ) AS n
        GROUP BY n.name
    )
    SELECT jsonb_build_object(
        'labelled', (SELECT count(*) FROM labelled),
        'judged', t.pairs,
        'failed', (SELECT count(*) FROM judged j WHERE j.verdict = 'failed'),
        'ties', t.pairs - t.decided,
        'accuracy_with_ties', t.with_ties,
        'accuracy_without_ties', t.without_ties,
        'macro_with_ties', (
            SELECT avg(r.with_ties) FROM rated r WHERE NOT r.is_total AND r.grp IS NOT NULL),
        'macro_without_ties', (
            SELECT avg(r.without_ties) FROM rated r WHERE NOT r.is_total AND r.grp IS NOT NULL),
        'groups', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('group', r.grp, 'pairs', r.pairs,
                'ties', r.pairs - r.decided, 'accuracy_with_ties', r.with_ties,
                'accuracy_without_ties', r.without_ties) ORDER BY r.grp), '[]')
            FROM rated r WHERE NOT r.is_total AND r.grp IS NOT NULL),
        'criteria', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('name', c.name, 'pairs', c.pairs,
                'ties', c.pairs - c.decided, 'accuracy_with_ties', c.with_ties,
                'accuracy_without_ties', c.without_ties) ORDER BY c.name), '[]')
            FROM criteria c),
        'confusion', (SELECT c.cells FROM confusion c),
        'orders', (
            SELECT jsonb_build_object('both', o.both, 'sensitive', o.sensitive,
                'sensitive_share', o.sensitive::float8 / nullif(o.both, 0),
                'shown_first_share', o.shown_first::float8 / nullif(o.decided, 0))
            FROM orders o))
    FROM rated t
    WHERE t.is_total;
END;
COMMENT ON FUNCTION rewardd._evaluate_pairs(bigint) IS
    'The verdicts of a job against its labels; see evaluate.';

CREATE FUNCTION rewardd._evaluate_scores(job_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH labelled AS MATERIALIZED (
        SELECT i.item_index, r.state, r.result, (i.payload ->> 'label')::float8 AS label,
            i.payload -> 'labels' AS labels
        FROM rewardd.item i
        LEFT JOIN rewardd.item_result r
            ON r.job_id = i.job_id AND r.item_index = i.item_index
        WHERE i.job_id = _evaluate_scores.job_id AND i.payload ? 'label'
    ), scored AS MATERIALIZED (
        SELECT NULL::text AS name, (l.result ->> 'score')::float8 AS score, l.label
        FROM labelled l WHERE l.state = 'completed'
        UNION ALL
        SELECT c.value ->> 'name', (c.value ->> 'score')::float8,
            coalesce((l.labels ->> (c.value ->> 'name'))::float8, l.label)
        FROM labelled l
        CROSS JOIN LATERAL jsonb_array_elements(l.result -> 'criteria') AS c
        WHERE l.state = 'completed' AND jsonb_typeof(l.result -> 'criteria') = 'array'
    ), ranked AS (
        -- Equal numbers share the mean of their ranks.
        SELECT s.name, s.score, s.label,
            rank() OVER (PARTITION BY s.name ORDER BY s.score)
                + (count(*) OVER (PARTITION BY s.name, s.score) - 1) / 2.0 AS score_rank,
            rank() OVER (PARTITION BY s.name ORDER BY s.label)
                + (count(*) OVER (PARTITION BY s.name, s.label) - 1) / 2.0 AS label_rank
        FROM scored s
    ), measured AS (
        SELECT r.name, count(*) AS items, corr(r.score, r.label) AS pearson,
            corr(r.score_rank, r.label_rank) AS spearman,
            avg(abs(r.score - r.label)) AS mean_absolute_error
        FROM ranked r
        GROUP BY r.name
    )
    SELECT jsonb_build_object(
        'labelled', (SELECT count(*) FROM labelled),
        'judged', (SELECT count(*) FROM labelled l WHERE l.state IS NOT NULL),
        'failed', (SELECT count(*) FROM labelled l WHERE l.state = 'failed'),
        'pearson', (SELECT m.pearson FROM measured m WHERE m.name IS NULL),
        'spearman', (SELECT m.spearman FROM measured m WHERE m.name IS NULL),
        'mean_absolute_error', (
            SELECT m.mean_absolute_error FROM measured m WHERE m.name IS NULL),
        'criteria', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('name', m.name, 'items', m.items,
                'pearson', m.pearson, 'spearman', m.spearman,
                'mean_absolute_error', m.mean_absolute_error) ORDER BY m.name), '[]')
            FROM measured m WHERE m.name IS NOT NULL));
END;
COMMENT ON FUNCTION rewardd._evaluate_scores(bigint) IS
    'The scores of a job against its labels; see evaluate.';

CREATE FUNCTION rewardd.evaluate(job_id bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    found_kind text;
BEGIN
    SELECT j.kind INTO found_kind FROM rewardd.job_status j WHERE j.job_id = evaluate.job_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'job %: not found', evaluate.job_id
            USING ERRCODE = 'P0002', HINT = 'rewardd.job_status lists the jobs you may see.';
    ELSIF found_kind IN ('pair_rank', 'pair_score') THEN
        RETURN jsonb_build_object('job_id', evaluate.job_id, 'kind', found_kind)
            || rewardd._evaluate_pairs(evaluate.job_id);
    ELSIF found_kind = 'point_score' THEN
        RETURN jsonb_build_object('job_id', evaluate.job_id, 'kind', found_kind)
            || rewardd._evaluate_scores(evaluate.job_id);
    END IF;
    RAISE EXCEPTION 'job %: expected point_score, pair_rank or pair_score, got %',
        evaluate.job_id, found_kind
        USING ERRCODE = '55000', HINT = 'Only their items have a label to compare with.';
END
$function$;
COMMENT ON FUNCTION rewardd.evaluate(bigint) IS
$comment$How a job's answers so far agree with the labels of its items. Items may hold a "label": for
pairs "first", "second" or "tie", for point_score a number; "labels", the same for each criterion;
and a "group", such as the part of a benchmark.

pairs   labelled, judged, failed and ties are counts. accuracy_with_ties: of all judged pairs, those
        whose verdict is the label, a failed one being wrong. accuracy_without_ties: the same of the
        pairs whose label is no tie. macro_…: the mean over the groups. groups and criteria: each by
        itself. confusion: label, then verdict, then count. orders: pairs asked both ways round
        (both), those whose verdict changed with the order (sensitive), and how often the candidate
        shown first won among decided answers (shown_first_share, 0.5 without position bias).
scores  pearson and spearman correlation with the labels, and mean_absolute_error, which says
        something only where labels are on the scores' scale.

Errors: P0002 no such job, 55000 a job of another kind. Roles: as for job_status.$comment$;
REVOKE ALL ON FUNCTION rewardd.evaluate(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.evaluate(bigint)
    TO rewardd_submit, rewardd_read, rewardd_work, rewardd_admin;
